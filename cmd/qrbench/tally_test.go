package main

import (
	"strings"
	"testing"
	"time"
)

func TestPercentileIsTheNearestRank(t *testing.T) {
	upTo := func(n int) (all []int) {
		for i := range n {
			all = append(all, n-i)
		}
		return all
	}
	for _, c := range []struct {
		values        []int
		percent, want int
	}{
		{nil, 50, 0},
		{[]int{7}, 50, 7}, {[]int{7}, 95, 7},
		{[]int{9, 1}, 50, 1}, {[]int{9, 1}, 51, 9},
		{[]int{3, 1, 2}, 50, 2},
		{upTo(20), 95, 19}, {upTo(100), 95, 95}, {upTo(101), 95, 96}, {upTo(100), 100, 100}, {upTo(100), 0, 1},
	} {
		if got := percentile(c.values, c.percent); got != c.want {
			t.Errorf("percentile %d of %v: got %d, want %d", c.percent, c.values, got, c.want)
		}
	}
	if got := mean([]time.Duration{1, 2, 6}); got != 3 {
		t.Errorf("mean: got %v, want 3", got)
	}
	if got := mean([]int(nil)); got != 0 {
		t.Errorf("mean of none: got %v", got)
	}
}

func TestTextIsCorrectOrFalseOrNobodyKnows(t *testing.T) {
	code := still{known: true, text: "HC1:A"}
	for _, c := range []struct {
		name  string
		frame still
		texts []string
		alone bool
		want  outcome
		word  string
	}{
		{"nothing read", code, nil, true, outcome{}, "none"},
		{"read", code, []string{"HC1:A"}, true, outcome{correct: true}, "read"},
		{"an editor's line end", still{known: true, text: "HC1:A\r\n"}, []string{"HC1:A"}, true, outcome{correct: true}, "read"},
		{"another text", code, []string{"HC1:B"}, false, outcome{wrong: true}, "false"},
		{"a second code on a photograph", code, []string{"shop", "HC1:A"}, false, outcome{correct: true}, "read"},
		{"a second text where one code is", code, []string{"shop", "HC1:A"}, true, outcome{correct: true, wrong: true}, "false"},
		{"a text where no code is", still{known: true}, []string{"A"}, false, outcome{wrong: true}, "false"},
		{"an empty text where no code is", still{known: true}, []string{""}, false, outcome{wrong: true}, "false"},
		{"nothing where no code is", still{known: true}, nil, true, outcome{}, "none"},
		{"nobody knows", still{}, []string{"A"}, true, outcome{}, "unknown text"},
		{"bytes without an encoding", still{known: true, text: "\x92\x54", bytes: true}, []string{"探"}, true, outcome{correct: true}, "read"},
	} {
		got := c.frame.judge(c.texts, c.alone)
		if got != c.want || got.word(c.frame, reading{texts: c.texts}) != c.word {
			t.Errorf("%s: got %+v, %s, want %+v, %s", c.name, got, got.word(c.frame, reading{texts: c.texts}), c.want, c.word)
		}
	}
}

func TestTableOfASet(t *testing.T) {
	var ours, theirs tally
	frames := []still{{known: true, text: "A"}, {known: true, text: "B"}, {known: true}, {}}
	for i, texts := range [][]string{{"A"}, nil, {"C"}, {"D"}} {
		took := time.Duration(i+1) * time.Millisecond
		ours.add(frames[i], reading{texts: texts, took: took, allocs: uint64(i)}, true)
		theirs.add(frames[i], reading{took: 2 * took, allocs: noAllocs}, true)
	}
	got := ofStills("mixed", 4, []contestant{{name: "ours"}, {name: "theirs"}}, []tally{ours, theirs})
	var plain, marked strings.Builder
	got.plain(&plain)
	got.markdown(&marked)
	if want := `mixed: 4 frames, 2 with a known text
  reader  correct  false  median ms  p95 ms  mean ms  allocs
  ours          1      1       2.00    4.00     2.50     1.5
  theirs        0      0       4.00    8.00     5.00       -

`; plain.String() != want {
		t.Errorf("got\n%s\nwant\n%s", plain.String(), want)
	}
	if want := `**mixed: 4 frames, 2 with a known text**

| reader | correct | false | median ms | p95 ms | mean ms | allocs |
|---|---:|---:|---:|---:|---:|---:|
| ours | 1 | 1 | 2.00 | 4.00 | 2.50 | 1.5 |
| theirs | 0 | 0 | 4.00 | 8.00 | 5.00 | - |

`; marked.String() != want {
		t.Errorf("got\n%s\nwant\n%s", marked.String(), want)
	}
}

func TestSequenceThatIsNotReadCountsAsMoreThanAllItsFrames(t *testing.T) {
	some := []reading{{took: time.Millisecond}, {took: 3 * time.Millisecond, allocs: 4}}
	shown := [][]showing{{{until: 4, frames: some}, {until: 0, wrong: 2, frames: some}, {until: 8, frames: some}}}
	got := ofSequences(hard, []contestant{{name: "ours"}}, shown)
	want := "ours 2 2 8 > 60 24.3 1.00 3.00 2.0"
	if row := strings.Join(got.rows[0], " "); row != want {
		t.Errorf("got %q, want %q", row, want)
	}
	if len(got.rows[0]) != len(got.head) {
		t.Errorf("%d cells below %d heads", len(got.rows[0]), len(got.head))
	}
}

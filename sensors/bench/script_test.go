package bench

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

const three = `# a morning
{"skin":36600,"ambient":24000,"show_ms":2500,"gap_ms":900}

{"skin":38900,"ambient":23000,"show_ms":1000,"gap_ms":0,"fault":"pec"}
{"show_ms":600,"gap_ms":1000}
`

func parse(t *testing.T, text string) Script {
	t.Helper()
	s, err := ParseScript(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhoIsThereIsAFunctionOfTime(t *testing.T) {
	s := parse(t, three)
	s.Start = time.UnixMilli(1_700_000_000_000)
	for _, c := range []struct {
		ms    int64 // after the start
		who   int
		there bool
	}{
		{-1, 0, false},
		{0, 0, true}, {2499, 0, true}, {2500, 0, false}, {3399, 0, false},
		{3400, 1, true}, {4399, 1, true},
		{4400, 2, true}, {4999, 2, true}, {5000, 2, false}, {5999, 2, false},
		{6000, 0, true}, {6000*1000 + 3400, 1, true},
	} {
		at := s.Start.Add(time.Duration(c.ms) * time.Millisecond)
		if who, there := s.Who(at); who != c.who || there != c.there {
			t.Errorf("at %d ms: got %d %v, want %d %v", c.ms, who, there, c.who, c.there)
		}
	}
}

func TestNobodyReadsAsTheAmbient(t *testing.T) {
	s := parse(t, three)
	s.Start = time.UnixMilli(0)
	for _, c := range []struct {
		ms              int64
		object, ambient gatehouse.Temperature
		fault           Fault
	}{
		{-500, 24_000, 24_000, NoFault}, // before the start
		{100, 36_600, 24_000, NoFault},
		{2600, 24_000, 24_000, NoFault},
		{3500, 38_900, 23_000, BadPEC},
		{4500, 24_000, 24_000, NoFault}, // too far off to be measured
	} {
		got := s.At(time.UnixMilli(c.ms))
		if off := got.Object - c.object; off < -60 || off > 60 || got.Ambient != c.ambient || got.Fault != c.fault {
			t.Errorf("at %d ms: got %+v, want %d %d %q within 60", c.ms, got, c.object, c.ambient, c.fault)
		}
	}
}

func TestNoiseIsTheSeedsAlone(t *testing.T) {
	a, b, other := parse(t, three), parse(t, three), parse(t, three)
	a.Seed, b.Seed, other.Seed = 7, 7, 8
	differ, low, high := 0, gatehouse.Temperature(0), gatehouse.Temperature(0)
	const readings = 2000
	for i := range readings {
		at := time.UnixMilli(int64(i) * 40)
		if a.At(at) != b.At(at) {
			t.Fatalf("at %v: the same seed gave two readings", at)
		}
		if a.At(at) != other.At(at) {
			differ++
		}
		n := noise(7, int64(i))
		low, high = min(low, n), max(high, n)
	}
	if differ < readings*9/10 {
		t.Errorf("another seed changed %d of %d readings", differ, readings)
	}
	if low != -jitter || high != jitter {
		t.Errorf("noise spans %d to %d, want -60 to 60", low, high)
	}
}

func TestScriptSaysWhichLineIsWrong(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":       {"\n# nobody\n", "nobody in it"},
		"not JSON":    {`{"skin":1,"show_ms":5}` + "\n{", "line 2"},
		"misspelt":    {`{"skn":36600,"show_ms":5}`, "skn"},
		"two values":  {`{"show_ms":5}{"show_ms":5}`, "more than one"},
		"a brace":     {`{"show_ms":5}}`, "more than one"},
		"fault":       {`{"show_ms":5,"fault":"fire"}`, "nack, pec, flag, slow"},
		"no time":     {`{"skin":36600}`, "show_ms 0"},
		"negative":    {`{"show_ms":5,"gap_ms":-1}`, "gap_ms -1"},
		"overflow":    {`{"show_ms":9223372036854775807}`, "show_ms 9223372036854775807"},
		"degrees":     {`{"skin":366000,"show_ms":5}`, "thousandths"},
		"out of type": {`{"skin":99999999999,"show_ms":5}`, "line 1"},
		"long":        {strings.Repeat("#", maxScript+1), "longer than"},
		"crowd":       {strings.Repeat(`{"show_ms":1}`+"\n", maxPeople+1), "more than 10000 people"},
	} {
		_, err := ParseScript(strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
	}
}

func TestAnEmptyScriptShowsNobody(t *testing.T) {
	var s Script
	if _, there := s.Who(time.UnixMilli(5)); there {
		t.Error("somebody is there")
	}
	if got := s.At(time.UnixMilli(5)); got != (Scene{Object: 24_000, Ambient: 24_000}) {
		t.Errorf("got %+v, want the room", got)
	}
}

func FuzzParseScript(f *testing.F) {
	f.Add([]byte(three), int64(0))
	f.Add([]byte(`{"skin":36600,"show_ms":1}`), int64(-1))
	f.Add([]byte("{"), int64(1)<<62)
	f.Fuzz(func(t *testing.T, text []byte, ms int64) {
		s, err := ParseScript(bytes.NewReader(text))
		if err != nil {
			return
		}
		at := time.UnixMilli(ms)
		who, there := s.Who(at)
		if who < 0 || who >= len(s.people) {
			t.Fatalf("person %d of %d", who, len(s.people))
		}
		scene := s.At(at)
		if scene.Object < -40_000-jitter || scene.Object > 85_000+jitter {
			t.Fatalf("object %v", scene.Object)
		}
		if !there && scene.Fault != NoFault {
			t.Fatal("a fault while nobody is there")
		}
		if fmt.Sprint(s.At(at)) != fmt.Sprint(scene) {
			t.Fatal("the same time gave two scenes")
		}
	})
}

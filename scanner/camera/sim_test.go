package camera

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/scanner/qr"
)

// texts of the sizes that health codes have: a short one, and a DCC's 600 characters.
func simText(n int) string {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
	b := []byte("HC1:")
	for i := range n - len(b) {
		b = append(b, letters[(i*i+7*i+n)%len(letters)])
	}
	return string(b)
}

func TestEveryPersonOfTheSimulatorIsRead(t *testing.T) {
	for _, e := range []effect{plain, glare, blur, dark, tilt, far, two} {
		for _, length := range []int{60, 320, 600} {
			t.Run(fmt.Sprint(e, length), func(t *testing.T) {
				p := person{Show: 2500, Effect: e, Texts: []string{simText(length)}}
				if e == two {
					p.Texts = append(p.Texts, simText(length+1))
				}
				for seed := range uint64(3) {
					checkRead(t, seed, p)
				}
			})
		}
	}
}

// checkRead plays a person at 15 frames a second before the reader that the lane uses.
func checkRead(t *testing.T, seed uint64, p person) {
	t.Helper()
	s := newScene(1280, 720, seed, script{p})
	pix := make([]byte, 1280*720)
	var r qr.Reader
	missing := slices.Clone(p.Texts)
	for n := range 37 {
		if err := s.draw(pix, time.Duration(n)*time.Second/15, uint64(n)); err != nil {
			t.Fatal(err)
		}
		for _, code := range r.Read(qr.Luma{Pix: pix, Width: 1280, Height: 720, Stride: 1280}) {
			if !slices.Contains(p.Texts, code.Value) {
				t.Fatalf("seed %d, frame %d: read what nobody shows", seed, n)
			}
			missing = slices.DeleteFunc(missing, func(m string) bool { return m == code.Value })
		}
		if len(missing) == 0 {
			return
		}
	}
	t.Errorf("seed %d: %d of %d codes were never read", seed, len(missing), len(p.Texts))
}

func TestSceneIsAFunctionOfTimeAndSeed(t *testing.T) {
	people := script{{Texts: []string{"HELLO"}, Show: 1000, Gap: 500, Effect: glare}}
	draw := func(seed uint64, before []time.Duration, at time.Duration) []byte {
		s := newScene(320, 240, seed, people)
		pix := make([]byte, 320*240)
		for _, b := range append(before, at) {
			if err := s.draw(pix, b, 3); err != nil {
				t.Fatal(err)
			}
		}
		return pix
	}
	want := draw(1, nil, 600*time.Millisecond)
	if !slices.Equal(want, draw(1, []time.Duration{0, time.Second, 3 * time.Second}, 600*time.Millisecond)) {
		t.Error("what was drawn before shows in the frame")
	}
	if slices.Equal(want, draw(2, nil, 600*time.Millisecond)) {
		t.Error("another seed draws the same frame")
	}
	if slices.Equal(want, draw(1, nil, 1200*time.Millisecond)) {
		t.Error("nobody looks like somebody")
	}
}

func TestScriptTellsWhoStandsThere(t *testing.T) {
	s := script{{Show: 1000, Gap: 500}, {Show: 200, Gap: 0}}
	for _, c := range []struct {
		at    time.Duration
		who   int
		since time.Duration
		ok    bool
	}{
		{-1, 0, 0, false},
		{0, 0, 0, true},
		{999 * time.Millisecond, 0, 999 * time.Millisecond, true},
		{1000 * time.Millisecond, 0, 0, false},
		{1500 * time.Millisecond, 1, 0, true},
		{1700 * time.Millisecond, 0, 0, true},
		{1700*1000*time.Millisecond + 1600*time.Millisecond, 1, 100 * time.Millisecond, true},
	} {
		if who, since, ok := s.at(c.at); who != c.who || since != c.since || ok != c.ok {
			t.Errorf("at %v: %d %v %v, want %d %v %v", c.at, who, since, ok, c.who, c.since, c.ok)
		}
	}
	if _, _, ok := (script{}).at(time.Hour); ok {
		t.Error("somebody stands in an empty script")
	}
}

func TestScriptNamesItsBrokenLine(t *testing.T) {
	good := `{"texts":["A"],"show_ms":100}` + "\n"
	for _, c := range []struct{ name, text, want string }{
		{"not json", good + "hello\n", "line 2: "},
		{"misspelt field", good + "\n" + `{"text":["A"],"show_ms":100}`, "line 3: "},
		{"two on a line", `{"show_ms":1} {"show_ms":1}`, "more than one person"},
		{"no time", `{"texts":["A"]}`, "show_ms is 0"},
		{"forever", `{"show_ms":600001}`, "show_ms is 600001"},
		{"gap below zero", `{"show_ms":1,"gap_ms":-1}`, "gap_ms is -1"},
		{"three hands", `{"show_ms":1,"texts":["A","B","C"]}`, "two hands"},
		{"one is not two", `{"show_ms":1,"texts":["A"],"effect":"two"}`, "effect two"},
		{"empty text", `{"show_ms":1,"texts":[""]}`, "0 bytes"},
		{"long text", `{"show_ms":1,"texts":["` + strings.Repeat("x", 1501) + `"]}`, "1501 bytes"},
		{"no such effect", `{"show_ms":1,"effect":"fog"}`, `"fog"`},
		{"too many", strings.Repeat(good, 1001), "line 1001: "},
		{"too large", strings.Repeat(" ", 1<<20) + "\n\n", "larger than"},
	} {
		if _, err := readScript(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.want)
		}
	}
}

func TestSimulatorDropsFramesThatNobodyAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := open(t, "sim:?size=64x64&fps=10")
		first := next(t, src)
		second := next(t, src)
		if second.Seq != first.Seq+1 || second.At.Sub(first.At) != 100*time.Millisecond {
			t.Errorf("frame %d at %v follows frame %d at %v", second.Seq, second.At, first.Seq, first.At)
		}
		time.Sleep(time.Second) // a busy lane
		late := next(t, src)
		if age := time.Since(late.At); late.Seq != second.Seq+10 || age >= 100*time.Millisecond {
			t.Errorf("after a second: frame %d, %v old, want frame %d", late.Seq, age, second.Seq+10)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := src.Next(ctx); err != context.Canceled {
			t.Errorf("with a cancelled context: %v", err)
		}
	})
}

func TestSimulatorsWithOneStartSeeTheSamePerson(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.jsonl")
	if err := os.WriteFile(path, []byte(`{"texts":["HELLO"],"show_ms":900,"gap_ms":300}`), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		line := fmt.Sprintf("sim:%s?size=320x240&start=%d", path, time.Now().Add(-10*time.Hour).UnixMilli())
		a := next(t, open(t, line))
		seen := slices.Clone(a.Pix)
		if b := next(t, open(t, line)); !slices.Equal(seen, b.Pix) || !a.At.Equal(b.At) {
			t.Error("two simulators with the same start and seed differ")
		}
	})
}

func open(t *testing.T, line string) Source {
	t.Helper()
	src, err := Open(line)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return src
}

func next(t *testing.T, src Source) Frame {
	t.Helper()
	f, err := src.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !f.Valid() {
		t.Fatalf("frame %d is no valid plane", f.Seq)
	}
	return f
}

func BenchmarkSimFrame(b *testing.B) {
	for _, e := range []effect{plain, glare, tilt, two} {
		b.Run(string(e), func(b *testing.B) {
			p := person{Show: 2500, Effect: e, Texts: []string{simText(320)}}
			if e == two {
				p.Texts = append(p.Texts, simText(321))
			}
			s := newScene(1280, 720, 1, script{p})
			pix := make([]byte, 1280*720)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if err := s.draw(pix, time.Duration(n%37)*time.Second/15, uint64(n)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func FuzzScript(f *testing.F) {
	for _, text := range []string{
		`{"texts":["HELLO"],"show_ms":100,"gap_ms":5,"effect":"far"}`,
		"{\"show_ms\":1}\n\n{\"show_ms\":600000,\"gap_ms\":600000}",
		`{"texts":["A","B"],"show_ms":10,"effect":"two"}`,
		`[]`, `{"show_ms":1e3}`, "\x00",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := readScript(strings.NewReader(text))
		if err != nil {
			return
		}
		for i, p := range s {
			if len(p.Texts) > 2 || p.Show < 1 || p.Gap < 0 {
				t.Fatalf("person %d: %+v", i, p)
			}
		}
		if _, since, ok := s.at(12345 * time.Millisecond); ok && since < 0 {
			t.Fatal("somebody stands there since the future")
		}
	})
}

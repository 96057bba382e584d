package scanner

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/scanner/camera"
	"gatehouse/scanner/qr"
)

// A film is a camera and a reader at once: what is to be read in each frame, and when the
// frame was taken.
type film struct {
	shots []shot
	shown []string
	hint  qr.Hint
}

type shot struct {
	at    int // milliseconds
	texts string
	err   error
	hint  qr.Hint
}

var epoch = time.Date(2021, 3, 1, 8, 0, 0, 0, time.UTC)

func (f *film) Next(ctx context.Context) (camera.Frame, error) {
	if len(f.shots) == 0 {
		return camera.Frame{}, camera.ErrEnd
	}
	s := f.shots[0]
	f.shots = f.shots[1:]
	f.shown, f.hint = strings.Fields(s.texts), s.hint
	at := epoch.Add(time.Duration(s.at) * time.Millisecond)
	return camera.Frame{Luma: qr.Luma{Pix: []byte{7}, Width: 1, Height: 1, Stride: 1}, At: at}, s.err
}

func (f *film) Hint() qr.Hint { return f.hint }

func (f *film) Read(qr.Luma) (codes []qr.Text) {
	for _, text := range f.shown {
		codes = append(codes, qr.Text{Value: text})
	}
	return codes
}

// watch lists what a scanner tells of a film, with the time of the frame.
func watch(t *testing.T, hold time.Duration, shots ...shot) (told []string) {
	t.Helper()
	f := &film{shots: shots}
	s := Scanner{Source: f, Reader: f, Hold: hold}
	for {
		sighting, err := s.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return told
		}
		if err != nil {
			told = append(told, "error")
			continue
		}
		told = append(told, sighting.Text+sighting.Aim.String()+"@"+sighting.At.Sub(epoch).String())
	}
}

func TestSameCodeHeldStillIsOneSighting(t *testing.T) {
	for _, c := range []struct {
		name  string
		hold  time.Duration
		shots []shot
		want  []string
	}{
		{"held", 0, []shot{{at: 0, texts: "A"}, {at: 30, texts: "A"}, {at: 3000, texts: "A"}, {at: 6000, texts: "A"}}, []string{"A@0s"}},
		{"nobody", 0, []shot{{at: 0}, {at: 30}}, nil},
		{"lost for frames", 0, []shot{{at: 0, texts: "A"}, {at: 100}, {at: 1500}, {at: 1550, texts: "A"}}, []string{"A@0s"}},
		{"away for long enough", 0, []shot{{at: 0, texts: "A"}, {at: 100}, {at: 1600}, {at: 1700, texts: "A"}}, []string{"A@0s", "A@1.7s"}},
		{"another hold", 300 * time.Millisecond, []shot{{at: 0, texts: "A"}, {at: 100}, {at: 400}, {at: 500, texts: "A"}}, []string{"A@0s", "A@500ms"}},
		{"the next person", 0, []shot{{at: 0, texts: "A"}, {at: 100, texts: "B"}, {at: 200, texts: "A"}}, []string{"A@0s", "B@100ms"}},
		{"a lane that was busy", 0, []shot{{at: 0, texts: "A"}, {at: 5000, texts: "A"}}, []string{"A@0s"}},
		{"busy while it went", 0, []shot{{at: 0, texts: "A"}, {at: 5000}, {at: 5100, texts: "A"}}, []string{"A@0s"}},
		{"long without frames", 0, []shot{{at: 0, texts: "A"}, {at: 10_001, texts: "A"}}, []string{"A@0s", "A@10.001s"}},
		{"two at once", 0, []shot{{at: 0, texts: "A B"}, {at: 30, texts: "A B"}}, []string{"A@0s", "B@0s"}},
		{"a second beside the first", 0, []shot{{at: 0, texts: "B"}, {at: 30, texts: "A B"}}, []string{"B@0s", "A@30ms"}},
		{"seen again starts anew", 0, []shot{{at: 0, texts: "A"}, {at: 100}, {at: 1500, texts: "A"}, {at: 1700}, {at: 3100, texts: "A"}}, []string{"A@0s"}},
		{"camera trouble in between", 0, []shot{{at: 0, texts: "A"}, {err: errors.New("gone")}, {at: 200, texts: "A"}}, []string{"A@0s", "error"}},
	} {
		if got := watch(t, c.hold, c.shots...); !slices.Equal(got, c.want) {
			t.Errorf("%s: told %q, want %q", c.name, got, c.want)
		}
	}
}

func TestCamerasErrorIsPassedOnAndTriedAgain(t *testing.T) {
	gone := errors.New("no such device")
	f := &film{shots: []shot{{err: gone}, {at: 40, texts: "A"}}}
	s := Scanner{Source: f, Reader: f}
	if !s.LastFrame().IsZero() {
		t.Errorf("last frame at %v before the first", s.LastFrame())
	}
	if _, err := s.Next(t.Context()); !errors.Is(err, gone) {
		t.Errorf("got %v, want %v", err, gone)
	}
	if _, err := s.Next(t.Context()); err != nil {
		t.Errorf("the next call: %v", err)
	}
	if got, want := s.LastFrame(), epoch.Add(40*time.Millisecond); !got.Equal(want) {
		t.Errorf("last frame at %v, want %v", got, want)
	}
	if s.Frames() != 1 || s.Decoded() != 1 || s.Panics() != 0 {
		t.Errorf("%d frames, %d decoded, %d panics", s.Frames(), s.Decoded(), s.Panics())
	}
}

// A board without a battery has its clock set while the lane is open.
func TestClockThatIsSetDoesNotMakeTheCameraLookDead(t *testing.T) {
	taken := time.Now()
	s := Scanner{Source: still{camera.Frame{Luma: qr.Luma{Pix: []byte{7}, Width: 1, Height: 1, Stride: 1}, At: taken}}, Reader: &film{shown: []string{"A"}}}
	if _, err := s.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.LastFrame(); got != taken { // the reading of the monotonic clock included
		t.Errorf("last frame at %v, want %v", got, taken)
	}
}

type still struct{ frame camera.Frame }

func (s still) Next(context.Context) (camera.Frame, error) { return s.frame, nil }

// The whole way: people of a script, drawn, read, told.
func TestEachPersonBeforeTheSimulatorIsSeenOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.jsonl")
	people := `{"texts":["ONE"],"show_ms":1000,"gap_ms":1000}
{"texts":["TWO LEFT","TWO RIGHT"],"show_ms":1000,"gap_ms":1000,"effect":"two"}
{"texts":[],"show_ms":500,"gap_ms":1000}
{"texts":["ONE"],"show_ms":1000,"gap_ms":1000,"effect":"glare"}
{"texts":["LAST"],"show_ms":1000,"gap_ms":1000}`
	if err := os.WriteFile(path, []byte(people), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		src, err := camera.Open("sim:" + path + "?size=640x480&seed=5")
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		s := Scanner{Source: src, Reader: &qr.Reader{}}
		var told []string
		for len(told) < 5 {
			sighting, err := s.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, sighting.Text)
		}
		slices.Sort(told[1:3]) // each is told when it can be read first
		if want := []string{"ONE", "TWO LEFT", "TWO RIGHT", "ONE", "LAST"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		if s.Decoded() == 0 || s.Decoded() >= s.Frames() {
			t.Errorf("%d of %d frames gave a text", s.Decoded(), s.Frames())
		}
	})
}

func TestPreviewIsTheNewestFrameMadeSmall(t *testing.T) {
	var s Scanner
	if _, ok := s.Preview(); ok {
		t.Error("a preview before the first frame")
	}
	for _, c := range []struct{ width, height, wantWidth, wantHeight int }{
		{1280, 720, 320, 180}, {640, 480, 320, 240}, {64, 48, 64, 48}, {1, 1, 1, 1}, {3000, 100, 300, 10}, {100, 3000, 8, 231},
	} {
		frame := qr.Luma{Width: c.width, Height: c.height, Stride: c.width + 3, Pix: bytes.Repeat([]byte{200}, (c.width+3)*c.height)}
		s.preview.take(frame)
		s.preview.take(qr.Luma{Width: 5}) // a frame that is none changes nothing
		file, ok := s.Preview()
		if !ok {
			t.Fatal("no preview")
		}
		img, err := jpeg.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if b := img.Bounds(); b.Dx() != c.wantWidth || b.Dy() != c.wantHeight {
			t.Errorf("%dx%d became %dx%d, want %dx%d", c.width, c.height, b.Dx(), b.Dy(), c.wantWidth, c.wantHeight)
		}
		if r, _, _, _ := img.At(0, 0).RGBA(); r>>8 < 195 || r>>8 > 205 {
			t.Errorf("brightness 200 became %d", r>>8)
		}
	}
}

func TestScannerMayBeAskedWhileItLooks(t *testing.T) {
	f := &film{}
	for i := range 300 {
		f.shots = append(f.shots, shot{at: 10 * i})
	}
	s := Scanner{Source: f, Reader: f}
	var asking sync.WaitGroup
	asking.Go(func() {
		for s.Frames() < 300 {
			s.Preview()
			s.LastFrame()
			s.Decoded()
			s.Panics()
		}
	})
	if _, err := s.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
	asking.Wait()
}

package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/gate"
	"gatehouse/policy"
	"gatehouse/scanner/camera"
	"gatehouse/scanner/qr"
	"gatehouse/store"
)

func benchCommand() *cobra.Command {
	var rounds int
	var dir string
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure this machine: from a frame in memory to a durable row, stage by stage",
		Long: `bench draws people before a simulated camera, 1280x720, and takes each frame through
decoding, signature, judgement and the durable row, as the lane does. The thermometer, whose
readings take a fixed time, is left out. Machines differ: compare ratios, not times; the
disk's own sync of one page is measured in the same run.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if rounds < 1 {
				return daemon.UsageError{Err: fmt.Errorf("--rounds %d measures nothing", rounds)}
			}
			temp, err := os.MkdirTemp(dir, "gatehouse-bench-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(temp)
			return bench(c.Context(), temp, rounds, c.OutOrStdout())
		},
	}
	c.Flags().IntVar(&rounds, "rounds", 400, "frames to measure")
	c.Flags().StringVar(&dir, "dir", "", "where to write the book (default: the temporary folder; name the gate's own disk)")
	return c
}

// A stage gathers one time a frame.
type stage struct {
	name  string
	times []time.Duration
}

func (s *stage) since(began time.Time) { s.times = append(s.times, time.Since(began)) }

// timed is the lane's organs with a watch in the hand.
type timed struct {
	verifier             credential.Verifier
	rules                *policy.Policy
	book                 *store.Log
	verify, judge, write stage
}

func (t *timed) Verify(text string, at time.Time) (gatehouse.Pass, error) {
	defer t.verify.since(time.Now())
	return t.verifier.Verify(text, at)
}

func (t *timed) Judge(e gatehouse.Evidence) gatehouse.Verdict {
	defer t.judge.since(time.Now())
	return t.rules.Judge(e)
}

func (t *timed) Record(ctx context.Context, p gatehouse.Passage) (gatehouse.Passage, error) {
	defer t.write.since(time.Now())
	return t.book.Record(ctx, p)
}

func (t *timed) Passage(ctx context.Context, n gatehouse.Seq) (gatehouse.Passage, error) {
	return t.book.Passage(ctx, n)
}
func (t *timed) Open(context.Context) error  { return nil }
func (t *timed) Show(gate.View)              {}
func (t *timed) Now() (time.Time, bool)      { return time.Now(), true }
func (t *timed) Age(time.Time) time.Duration { return time.Hour }
func (t *timed) Skin(context.Context) (gatehouse.Measurement, error) {
	return gatehouse.Measurement{Skin: 36_600, Quality: gatehouse.Steady, Readings: 5, Sensor: "bench"}, nil
}

func bench(ctx context.Context, dir string, rounds int, out io.Writer) error {
	t, frames, err := prepare(ctx, dir)
	if err != nil {
		return err
	}
	defer t.book.Close()
	lane := &gate.Lane{Name: "bench", Verifier: t, Thermometer: t, Judge: t, Log: t, Barrier: t, Screen: t, Clock: t, Trust: t,
		Logger: slog.New(slog.DiscardHandler)}
	var reader qr.Reader
	decode, whole := stage{name: "decode"}, stage{name: "frame to durable row"}
	admitted := 0
	for i := range rounds {
		frame := frames[i%len(frames)]
		began := time.Now()
		texts := reader.Read(frame)
		decode.since(began)
		if len(texts) == 0 {
			continue
		}
		p, err := lane.Admit(ctx, gatehouse.Sighting{Text: texts[0].Value, At: began})
		if err != nil {
			return err
		}
		whole.since(began)
		if p.Verdict.Call == gatehouse.Admit {
			admitted++
		}
	}
	disk, err := syncs(filepath.Join(dir, "page"), 200)
	if err != nil {
		return err
	}
	t.verify.name, t.judge.name, t.write.name = "verify (RHC1, ES256)", "judge", "write down (durable)"
	fmt.Fprintf(out, "gatehouse %s, %s/%s, %d cores; %d frames of 1280x720, %d read, %d admitted\n\n",
		version, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), rounds, len(whole.times), admitted)
	fmt.Fprintf(out, "%-24s %10s %10s\n", "", "median", "p99")
	for _, s := range []*stage{&decode, &t.verify, &t.judge, &t.write, &whole, disk} {
		fmt.Fprintf(out, "%-24s %7.3f ms %7.3f ms\n", s.name, ms(s.at(50)), ms(s.at(99)))
	}
	fmt.Fprintf(out, "\na durable row takes %.2f times the disk's own sync of one page\n", ms(t.write.at(50))/ms(disk.at(50)))
	if admitted == 0 {
		return errors.New("nobody was admitted: what was measured is not the lane's work")
	}
	return nil
}

// benchRegion is whose codes the bench reads and whose rules it judges by.
const benchRegion gatehouse.Issuer = "CN-330100"

// prepare makes a key, the everyday policy, an empty book, and frames of people with green
// codes.
func prepare(ctx context.Context, dir string) (*timed, []qr.Luma, error) {
	now := time.Now()
	key, err := newIssuerKey()
	if err != nil {
		return nil, nil, err
	}
	id, err := credential.KeyID(key.Public())
	if err != nil {
		return nil, nil, err
	}
	text, err := policy.Everyday{Site: benchRegion, Version: 1, Issued: now.UTC().Truncate(time.Second)}.Text()
	if err != nil {
		return nil, nil, err
	}
	rules, err := policy.Read(text)
	if err != nil {
		return nil, nil, err
	}
	frames, err := benchFrames(ctx, dir, key, now)
	if err != nil {
		return nil, nil, err
	}
	book, err := store.OpenLog(ctx, filepath.Join(dir, "book.db"), "bench")
	ring := credential.Ring{{ID: id, Issuer: benchRegion, Public: key.Public(), Usage: credential.UseHealthCode}}
	return &timed{verifier: credential.Verifier{Keys: ring}, rules: rules, book: book}, frames, err
}

// benchFrames takes one picture of each of a few people, while they hold the code still.
func benchFrames(ctx context.Context, dir string, key crypto.Signer, now time.Time) (frames []qr.Luma, err error) {
	var people []person
	for range 8 {
		text, err := credential.Issue(key, credential.Claims{Issuer: benchRegion, Grade: gatehouse.Green,
			Issued: now.Add(-time.Minute), Expires: now.Add(time.Hour)})
		if err != nil {
			return nil, err
		}
		people = append(people, person{texts: []string{text}, skin: 36_600})
	}
	if err := writeScripts(dir, people); err != nil {
		return nil, err
	}
	// Each person's picture is that of the moment in the middle of their time.
	for i := range people {
		begin := now.Add(-time.Duration(i)*(showFor+gapFor) - showFor/2)
		source, err := camera.Open(fmt.Sprintf("sim:%s?start=%d&fps=240", filepath.Join(dir, "camera.jsonl"), begin.UnixMilli()))
		if err != nil {
			return nil, err
		}
		frame, err := source.Next(ctx)
		if err != nil {
			return nil, err
		}
		frame.Pix = slices.Clone(frame.Pix)
		frames = append(frames, frame.Luma)
		if err := source.Close(); err != nil {
			return nil, err
		}
	}
	return frames, nil
}

// syncs measures what the disk itself takes to keep one page.
func syncs(path string, n int) (*stage, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, page := &stage{name: "disk: one page, synced"}, make([]byte, 4096)
	for range n {
		began := time.Now()
		if _, err := f.Write(page); err != nil {
			return nil, err
		}
		if err := f.Sync(); err != nil {
			return nil, err
		}
		s.since(began)
	}
	return s, nil
}

// at gives the time below which the given percentage lies.
func (s *stage) at(percent int) time.Duration {
	if len(s.times) == 0 {
		return 0
	}
	slices.Sort(s.times)
	return s.times[min(len(s.times)*percent/100, len(s.times)-1)]
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

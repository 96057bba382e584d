package camera

import (
	"context"
	"fmt"
	"time"

	"gatehouse/scanner/qr"
)

// A sim is a camera before which people of a script show their phones.
//
//	sim:people.jsonl?seed=1&size=1280x720&fps=15&start=1600000000000
//
// Who stands there and how is a function of the time since start (milliseconds since 1970,
// default now), so a simulated thermometer with the same start sees the same person. The
// pixels are a function of that time and the seed. Without a script nobody ever comes.
type sim struct {
	scene *scene
	start time.Time
	every time.Duration // from frame to frame
	first int64         // number of the first frame that could be given, since start
	last  int64         // number of the newest that was given
	pix   []byte
}

func openSim(s spec) (*sim, error) {
	if err := s.only("seed", "size", "fps", "start"); err != nil {
		return nil, err
	}
	seed, err := s.number("seed", 1, 0, 1<<62)
	if err != nil {
		return nil, err
	}
	width, height, err := s.size(1280, 720)
	if err != nil {
		return nil, err
	}
	fps, err := s.number("fps", 15, 1, 240)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	const year2100 = 4_102_444_800_000
	start, err := s.number("start", now.UnixMilli(), 0, year2100)
	if err != nil {
		return nil, err
	}
	var people script
	if s.path != "" {
		if people, err = readScriptFile(s.path); err != nil {
			return nil, err
		}
	}
	c := &sim{
		scene: newScene(width, height, uint64(seed), people),
		start: time.UnixMilli(start),
		every: time.Second / time.Duration(fps),
		pix:   make([]byte, width*height),
	}
	c.first = c.number(now)
	c.last = c.first - 1
	return c, nil
}

func (c *sim) Next(ctx context.Context) (Frame, error) {
	n := max(c.number(time.Now()), c.last+1)
	at := c.start.Add(time.Duration(n) * c.every)
	if err := waitUntil(ctx, at); err != nil {
		return Frame{}, err
	}
	c.last = n
	if err := c.scene.draw(c.pix, at.Sub(c.start), uint64(n)); err != nil {
		return Frame{}, fmt.Errorf("camera sim: %w", err)
	}
	l := qr.Luma{Pix: c.pix, Width: c.scene.width, Height: c.scene.height, Stride: c.scene.width}
	return Frame{Luma: l, At: at, Seq: uint64(n - c.first + 1)}, nil
}

func (c *sim) Close() error { return nil }

// number of the newest frame at a time; negative before the start.
func (c *sim) number(at time.Time) int64 {
	d := at.Sub(c.start)
	n := int64(d / c.every)
	if d%c.every < 0 {
		n--
	}
	return n
}

package main

import (
	"context"
	"fmt"
	"time"
)

// How long lane, camera and book may be silent before the gate stops telling systemd that
// it is well. A person with a cold forehead takes three measurements, which is seconds.
const (
	longestTurn  = 15 * time.Second
	longestBlank = 10 * time.Second
	longestPing  = 5 * time.Second
)

// sick names what stands still of lane, camera and book, nil when all three are alive.
// Until the first frame the camera has as long as it had between two.
func (g *gated) sick(ctx context.Context, since time.Time) error {
	if busy := g.lane.Busy(); busy > longestTurn {
		return fmt.Errorf("the lane has been busy for %v", busy.Round(time.Second))
	}
	if last := g.eye.Alive(); !last.IsZero() {
		since = last
	}
	if blank := time.Since(since); blank > longestBlank {
		return fmt.Errorf("no sign of life from %s for %v", g.conf.Camera, blank.Round(time.Second))
	}
	ctx, cancel := context.WithTimeout(ctx, longestPing)
	defer cancel()
	return g.book.Ping(ctx)
}

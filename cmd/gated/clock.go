package main

import (
	"sync/atomic"
	"time"
)

// slack is how far behind the floor a clock may lie: two machines that sign and judge
// never agree to the second.
const slack = 2 * time.Minute

// A clock is the board's, held to a floor: the newest moment that is known to have passed,
// by the book's last row and by the signed files in use. A board without a battery wakes up
// in 1970; below the floor its clock is not believed.
type clock struct {
	now   func() time.Time
	floor atomic.Int64 // Unix nanoseconds
}

// raise moves the floor up; it never comes down.
func (c *clock) raise(at time.Time) {
	if at.IsZero() {
		return
	}
	for {
		old := c.floor.Load()
		if at.UnixNano() <= old || c.floor.CompareAndSwap(old, at.UnixNano()) {
			return
		}
	}
}

// Now gives the time, and whether it is trusted. Below the floor it gives the floor: too
// early by an unknown amount, and said to be so.
func (c *clock) Now() (time.Time, bool) {
	now, floor := c.now(), time.Unix(0, c.floor.Load())
	if now.Before(floor.Add(-slack)) {
		return floor, false
	}
	return now, true
}

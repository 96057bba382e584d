package main

import (
	"sync/atomic"
	"time"
)

// slack is how far behind the floor a clock may lie: two machines that sign and judge
// never agree to the second.
const slack = 2 * time.Minute

// farAhead is how far beyond the floor a clock may lie. No policy lets keys of that age
// serve; and a passage dated 2099 would be a floor that no true clock ever reaches again.
const farAhead = 366 * 24 * time.Hour

// A clock is the board's, held to a floor: the newest moment that is known to have passed,
// by the build, the book's last row, the signed files in use and the region's word. A board without a battery wakes up
// in 1970, or in whatever its broken one says: below the floor, far ahead of it and while
// there is none, the clock is not believed.
type clock struct {
	now   func() time.Time
	floor atomic.Pointer[moment]
}

// A moment is a time that had passed when it was learnt.
type moment struct{ at, learnt time.Time }

// raise moves the floor up; it never comes down.
func (c *clock) raise(at time.Time) {
	if at.IsZero() {
		return
	}
	next := &moment{at.Round(0), time.Now()}
	for {
		old := c.floor.Load()
		if old != nil && !at.After(old.at) || c.floor.CompareAndSwap(old, next) {
			return
		}
	}
}

// certain is the time by which certificates are judged: the floor's where the clock is not
// believed, since with a clock of 1970 no certificate is valid yet.
func (c *clock) certain() time.Time {
	at, _ := c.Now()
	return at
}

// told takes the time of the region's server, whose certificate vouches for it, while the
// board's own clock is not believed. It is held to the floor as that one is: a server that
// is wrong must not set a floor which no true clock ever reaches.
func (c *clock) told(at time.Time) {
	floor := c.floor.Load()
	if _, trusted := c.Now(); !trusted && floor != nil && at.Before(floor.at.Add(farAhead)) {
		c.raise(at)
	}
}

// Now gives the time, and whether it is trusted. Instead of a time that the floor proves
// wrong it gives the floor and the time since it was learnt: too early by an unknown
// amount, and said to be so, but the minutes between two passages are right.
func (c *clock) Now() (time.Time, bool) {
	now, floor := c.now(), c.floor.Load()
	switch {
	case floor == nil:
		return now, false
	case now.Before(floor.at.Add(-slack)), now.After(floor.at.Add(farAhead)):
		return floor.at.Add(time.Since(floor.learnt)), false
	}
	return now, true
}

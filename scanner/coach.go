package scanner

import (
	"time"

	"gatehouse"
	"gatehouse/scanner/qr"
)

// Times of the coach, in the frames' own time. A code that is being brought into view is
// unreadable for moments in one way after the other; only what stays is worth saying, and
// not over and over.
const (
	aimStands = 700 * time.Millisecond
	aimGone   = 400 * time.Millisecond
	aimPause  = 3 * time.Second
)

// A coach makes one hint of what the reader says of many frames.
type coach struct {
	unread bool      // a code is in view and cannot be read
	since  time.Time // when that began
	last   time.Time // when it was last so
	told   time.Time
}

// look takes what kept the code of one frame from being read, and gives it back when there
// has been such a code for a while and nothing was said lately. What keeps it may change
// from frame to frame; the newest is said.
func (c *coach) look(aim gatehouse.Aim, at time.Time) gatehouse.Aim {
	if aim == gatehouse.NoAim {
		// A frame in between without a trace of the code does not count.
		c.unread = c.unread && at.Sub(c.last) < aimGone
		return gatehouse.NoAim
	}
	if !c.unread {
		c.unread, c.since = true, at
	}
	c.last = at
	if at.Sub(c.since) < aimStands || at.Sub(c.told) < aimPause {
		return gatehouse.NoAim
	}
	c.told = at
	return aim
}

// aimOf is the reader's hint in everybody's words.
func aimOf(h qr.Hint) gatehouse.Aim {
	switch h {
	case qr.HintCutOff:
		return gatehouse.CutOff
	case qr.HintTooFar:
		return gatehouse.TooFar
	case qr.HintTooDark:
		return gatehouse.TooDark
	case qr.HintGlare:
		return gatehouse.Glare
	case qr.HintTilted:
		return gatehouse.Tilted
	case qr.HintBlurred:
		return gatehouse.Blurred
	}
	return gatehouse.NoAim
}

// Package gate is one lane: one person, one code, one straight line from a text seen to
// a barrier opened.
//
// It knows the words of package gatehouse and nothing else. What it needs from cameras,
// keys, sensors, rules and disks it declares here, in a few one-method interfaces.
package gate

import (
	"context"
	"time"

	"gatehouse"
)

// A Scanner gives the newest code before the camera. Next blocks until there is one; an
// error is the camera's trouble, and the next call may find it mended.
type Scanner interface {
	Next(ctx context.Context) (gatehouse.Sighting, error)
}

// A Verifier tells what a text says, as proven by its signature. An answer about the code
// is a *gatehouse.Refusal; any other error is a breakdown. It uses no network.
type Verifier interface {
	Verify(text string, at time.Time) (gatehouse.Pass, error)
}

// A Thermometer measures one forehead. An error is a sensor that cannot be asked; a reading
// that cannot be relied on is a Measurement that says so.
type Thermometer interface {
	Skin(ctx context.Context) (gatehouse.Measurement, error)
}

// A Judge turns evidence into a verdict. It is pure: the same evidence, the same verdict.
type Judge interface {
	Judge(e gatehouse.Evidence) gatehouse.Verdict
}

// A Memory tells what the gates of a site remember of a code and of its holder, and takes
// in what became of them. It keeps tags for a day, and never who somebody is. Of a pass that
// a guard let in it is told the code alone.
type Memory interface {
	Recall(p gatehouse.Pass, at time.Time) gatehouse.History
	Remember(p gatehouse.Pass, c gatehouse.Call, at time.Time)
}

// A Log writes passages down. Record returns only when the row would survive a power cut,
// and gives the passage its number. Passage reads one back; ErrNoPassage when there is none.
type Log interface {
	Record(ctx context.Context, p gatehouse.Passage) (gatehouse.Passage, error)
	Passage(ctx context.Context, seq gatehouse.Seq) (gatehouse.Passage, error)
}

// A Barrier lets one person through. Open returns when the barrier has been told.
type Barrier interface {
	Open(ctx context.Context) error
}

// A Screen mirrors the lane for people, lights and sounds included. It may be slow or
// dead, and must never hold the lane: Show returns at once.
type Screen interface {
	Show(v View)
}

// A View is one event for a screen. The holder and the other words of the code are for the
// guard's eyes; they are shown, never kept.
type View struct {
	Passage gatehouse.Passage
	Pass    *gatehouse.Pass // nil when there was no proven code
	Aim     gatehouse.Aim   // of a code that could not be read: what its holder can mend
}

// A Clock tells the time, and whether it can be relied on: a board without a battery wakes
// up in 1970.
type Clock interface {
	Now() (at time.Time, trusted bool)
}

// Trust tells how old the signed trust material in use is.
type Trust interface {
	Age(at time.Time) time.Duration
}

// An Entry is a guard's word for somebody who has no code to show. It is judged by the
// region's rules like any other, the thermometer included.
type Entry struct {
	Without gatehouse.Without
	Guard   string
	Note    string // what the guard saw, one line of at most 200 bytes
}

// A Decision is a guard's word on a passage that the gate could not judge, or judged wrong.
type Decision struct {
	Amends gatehouse.Seq
	Call   gatehouse.Call // Admit or Deny
	Guard  string
	Note   string // why, one line of at most 200 bytes
}

package bench

import (
	"log/slog"
	"sync"
	"time"
)

// kept is how many of its last pulses a relay remembers.
const kept = 256

// A Pulse is one time that a relay was energised.
type Pulse struct {
	From time.Time
	For  time.Duration // zero while it lasts
}

// A Relay only notes what it is told. The zero value is at rest and logs nothing.
type Relay struct {
	Name string
	Log  *slog.Logger // when set, gets one line each time the relay is energised

	mu     sync.Mutex
	on     bool
	count  uint64
	pulses []Pulse
	broken error
	freed  bool
}

// Set energises the relay or lets it go; to tell it twice is to tell it once.
func (r *Relay) Set(on bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken != nil {
		return r.broken
	}
	if on == r.on {
		return nil
	}
	r.on = on
	if !on {
		last := &r.pulses[len(r.pulses)-1]
		last.For = time.Since(last.From)
		return nil
	}
	r.count++
	if len(r.pulses) == kept {
		r.pulses = append(r.pulses[:0], r.pulses[1:]...)
	}
	r.pulses = append(r.pulses, Pulse{From: time.Now()})
	if r.Log != nil {
		r.Log.Info("relay energised", "relay", r.Name, "count", r.count)
	}
	return nil
}

// Close notes that the line was given up. The level stays what it was.
func (r *Relay) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.freed = true
	return nil
}

// Break makes every later Set fail with err and leave the level as it is; nil mends it.
func (r *Relay) Break(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = err
}

// On tells whether the relay is energised.
func (r *Relay) On() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.on
}

// Freed tells whether the line was given up.
func (r *Relay) Freed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.freed
}

// Count tells how many times the relay was energised since it was made.
func (r *Relay) Count() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// Pulses gives the last 256 pulses, oldest first.
func (r *Relay) Pulses() []Pulse {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Pulse(nil), r.pulses...)
}

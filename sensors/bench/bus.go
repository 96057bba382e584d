// Package bench is a workbench for the sensors: an I2C bus with chips on it and a relay
// that notes its pulses, so that the drivers run for real where no board is wired up.
//
// It stands on the lowest wire. A chip here answers bytes with bytes, checksum and faults
// included, and knows nothing of who reads it.
package bench

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
)

// A Chip answers the transactions that a bus addresses to it: first w is written to it,
// then r is read, with a repeated start between. An error is a missing acknowledge.
type Chip interface {
	Tx(w, r []byte) error
}

// stuckFor is how long the kernel's adapters try before they give a stuck bus up: with
// i2c-tiny-usb a transaction comes back with EIO after two seconds.
const stuckFor = 2 * time.Second

// A Bus is an I2C bus in memory. It implements periph's i2c.BusCloser.
type Bus struct {
	mu     sync.Mutex
	chips  map[uint16]Chip
	stuck  chan struct{} // closed when the bus is freed; nil while it is free
	closed bool
	asked  int
}

var _ i2c.BusCloser = (*Bus)(nil)

// NewBus gives a bus with these chips on it, by their seven-bit address.
func NewBus(chips map[uint16]Chip) *Bus {
	return &Bus{chips: chips}
}

func (b *Bus) String() string { return "bench" }

// Tx does one transaction with the chip at addr. The errors are worded as the kernel's,
// and like periph's they carry no errno.
func (b *Bus) Tx(addr uint16, w, r []byte) error {
	b.mu.Lock()
	b.asked++
	chip, stuck, closed := b.chips[addr], b.stuck, b.closed
	b.mu.Unlock()
	if closed {
		return errors.New("bench: bad file descriptor: the bus is closed")
	}
	if stuck != nil {
		select {
		case <-stuck: // freed, but this transaction is lost
		case <-time.After(stuckFor):
		}
		return errors.New("bench: input/output error: the bus is stuck")
	}
	if chip == nil {
		return fmt.Errorf("bench: remote I/O error: no acknowledge from %#02x", addr)
	}
	return chip.Tx(w, r)
}

// SetSpeed takes what SMBus allows, 10 to 100 kHz.
func (b *Bus) SetSpeed(f physic.Frequency) error {
	if f < 10*physic.KiloHertz || f > 100*physic.KiloHertz {
		return fmt.Errorf("bench: %s is outside SMBus, 10 to 100 kHz", f)
	}
	return nil
}

// Close makes every later transaction fail.
func (b *Bus) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

// Stick holds the data line down, as a chip does that lost count of the clock: every
// transaction hangs for two seconds and fails, until Free.
func (b *Bus) Stick() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stuck == nil {
		b.stuck = make(chan struct{})
	}
}

// Free lets the data line go.
func (b *Bus) Free() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stuck != nil {
		close(b.stuck)
		b.stuck = nil
	}
}

// Asked tells how many transactions were begun.
func (b *Bus) Asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

package sensors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/i2c"
)

// reopenAfter is how many transactions may fail in a row before the bus is closed and
// opened again: a USB adapter that was unplugged leaves a dead descriptor behind.
const reopenAfter = 5

// A Bus is an I2C bus that keeps time limits. The kernel's has none: a transaction on a
// stuck bus returns when the adapter gives up, after seconds, or never.
//
// At most one transaction is under way, in a goroutine of its own; a caller whose limit
// has passed leaves it behind, and the next waits for it only as long as its own limit.
// So a dead bus holds one goroutine, however often it is asked.
type Bus struct {
	turn chan struct{} // holds one token while somebody talks

	// Whoever has the turn may touch these.
	open   func() (i2c.BusCloser, error) // nil once the bus is closed
	bus    i2c.BusCloser                 // nil until it is needed
	failed int                           // transactions in a row
}

// NewBus gives a bus that open opens when it is first needed, and again when nothing on
// it has answered for a while.
func NewBus(open func() (i2c.BusCloser, error)) *Bus {
	return &Bus{turn: make(chan struct{}, 1), open: open}
}

// Tx writes w to the chip at addr and reads n bytes after a repeated start. It returns at
// the latest when ctx ends.
func (b *Bus) Tx(ctx context.Context, addr uint16, w []byte, n int) ([]byte, error) {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("bus busy with an earlier transaction: %w", ctx.Err())
	}
	type answer struct {
		r   []byte
		err error
	}
	done := make(chan answer, 1) // so that an answer nobody waits for is no leak
	w = bytes.Clone(w)
	go func() {
		r := make([]byte, n)
		var err error
		onFirmStack(n, func() { err = b.talk(addr, w, r) })
		<-b.turn
		done <- answer{r, err}
	}()
	select {
	case a := <-done:
		return a.r, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// talk does one transaction; the caller has the turn.
func (b *Bus) talk(addr uint16, w, r []byte) error {
	if b.open == nil {
		return errors.New("the bus is closed")
	}
	if b.bus != nil && b.failed >= reopenAfter {
		_ = b.bus.Close() // it is of no use any more, whatever this says
		b.bus, b.failed = nil, 0
	}
	if b.bus == nil {
		bus, err := b.open()
		if err != nil {
			return err
		}
		b.bus = bus
	}
	if err := b.bus.Tx(addr, w, r); err != nil {
		b.failed++
		return err
	}
	b.failed = 0
	return nil
}

// Close gives the bus up. A transaction that hangs in the kernel cannot be ended: after a
// second Close leaves it to the end of the program and says so.
func (b *Bus) Close() error {
	select {
	case b.turn <- struct{}{}:
	case <-time.After(time.Second):
		return errors.New("close i2c bus: a transaction still hangs in the kernel")
	}
	defer func() { <-b.turn }()
	b.open = nil
	if b.bus == nil {
		return nil
	}
	err := b.bus.Close()
	b.bus = nil
	return err
}

// onFirmStack calls do on a stack that does not move. periph v3.8.5 hands the kernel
// addresses of its own stack as plain numbers (sysfs.I2C.Tx): were the stack moved between
// that and the system call, the kernel would read and write where it used to be. A stack
// moves when it has no room left, and when the garbage collector finds three quarters of it
// unused; with 8 KiB taken below do neither happens.
//
//go:noinline
func onFirmStack(n int, do func()) byte {
	var room [8 << 10]byte
	room[n%len(room)] = 1 // indices that the compiler cannot know keep the array alive
	do()
	return room[(n+1)%len(room)]
}

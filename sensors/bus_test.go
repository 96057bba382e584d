package sensors

import (
	"errors"
	"runtime"
	"testing"
	"unsafe"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
)

// A mover is a bus whose transactions meet a garbage collection and a deep call.
type mover struct{ from, to uintptr }

func (m *mover) Tx(uint16, []byte, []byte) error {
	var here [64]byte
	m.from = uintptr(unsafe.Pointer(&here))
	for range 3 {
		runtime.GC()
	}
	deep(4)
	m.to = uintptr(unsafe.Pointer(&here))
	return nil
}

func (*mover) String() string                    { return "mover" }
func (*mover) SetSpeed(f physic.Frequency) error { return errors.New("no clock") }
func (*mover) Close() error                      { return nil }
func (m *mover) moved() bool                     { return m.from != m.to }

//go:noinline
func deep(n int) byte {
	var room [512]byte
	room[n] = 1
	if n == 0 {
		return room[1]
	}
	return deep(n-1) + room[n+1]
}

// The kernel is told where buffers lie as plain numbers.
func TestStackStaysWhereItIsDuringATransaction(t *testing.T) {
	for range 20 {
		m := &mover{}
		bus := NewBus(func() (i2c.BusCloser, error) { return m, nil })
		if _, err := bus.Tx(t.Context(), 0x5A, []byte{7}, 3); err != nil {
			t.Fatal(err)
		}
		if m.from == 0 || m.moved() {
			t.Fatalf("a buffer moved from %#x to %#x", m.from, m.to)
		}
	}
}

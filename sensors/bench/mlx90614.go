package bench

import (
	"errors"
	"fmt"
	"time"

	"gatehouse"
)

// A Scene is what a thermometer sees at one moment, and how it is broken then.
type Scene struct {
	Object  gatehouse.Temperature // surface before the sensor
	Ambient gatehouse.Temperature // the sensor's housing
	Fault   Fault
}

// A Fault is a way in which a chip on a bus breaks. The zero value is none.
type Fault string

// The faults of a chip; how a whole bus breaks is Bus.Stick.
const (
	NoFault   Fault = ""
	NoAck     Fault = "nack" // as if it were not there
	BadPEC    Fault = "pec"  // one bit of the packet error code is wrong
	ErrorFlag Fault = "flag" // bit 15 of the temperatures is set
	Slow      Fault = "slow" // holds the clock 150 ms in each transaction
)

// slowFor is far above what SMBus allows a slave to stretch (25 ms) and far below what
// the kernel takes for a dead bus.
const slowFor = 150 * time.Millisecond

// An MLX90614 models the registers of Melexis' infrared thermometer as its SMBus shows
// them: datasheet 3901090614 rev 008, RAM 8.3.4, EEPROM 8.3.3, commands 8.4.6.
type MLX90614 struct {
	Addr  uint16                   // seven bits; the packet error code covers it
	Scene func(at time.Time) Scene // what it sees; called at each transaction
	ID    [4]uint16                // factory number, EEPROM 0x1C to 0x1F

	// Emissivity is EEPROM 0x04, 65535 times the surface's emissivity. The factory sets
	// 0xFFFF, and 0 stands for that here.
	Emissivity uint16
}

var _ Chip = (*MLX90614)(nil)

// Tx answers a read word: one command byte in; low byte, high byte and packet error code
// out, then ones for as long as the master clocks. Words are not written to this model.
func (m *MLX90614) Tx(w, r []byte) error {
	now := m.Scene(time.Now())
	switch now.Fault {
	case NoAck:
		return fmt.Errorf("bench: remote I/O error: no acknowledge from %#02x", m.Addr)
	case Slow:
		time.Sleep(slowFor)
	}
	if len(w) != 1 {
		return errors.New("bench: remote I/O error: mlx90614 takes one command byte, then a read")
	}
	word := m.register(w[0], now)
	answer := []byte{byte(word), byte(word >> 8), 0}
	answer[2] = pec(byte(m.Addr<<1), w[0], byte(m.Addr<<1|1), answer[0], answer[1])
	if now.Fault == BadPEC {
		answer[2] ^= 1
	}
	for i := copy(r, answer); i < len(r); i++ {
		r[i] = 0xFF // nobody drives the line, and it is pulled up
	}
	return nil
}

// register gives the word behind a command: 000x xxxx reads RAM, 001x xxxx EEPROM.
func (m *MLX90614) register(command byte, now Scene) uint16 {
	switch command {
	case 0x06:
		return linear(now.Ambient, now.Fault)
	case 0x07, 0x08: // both zones see the same here
		return linear(now.Object, now.Fault)
	case 0x24:
		if m.Emissivity == 0 {
			return 0xFFFF
		}
		return m.Emissivity
	case 0x2E:
		return m.Addr
	case 0x3C, 0x3D, 0x3E, 0x3F:
		return m.ID[command-0x3C]
	}
	return 0
}

// linear is a linearised temperature as RAM holds it: 0.02 K a step from 0x27AD (-70.01
// degrees) to 0x7FFF (382.19), and the error flag in bit 15 (8.4.6).
func linear(t gatehouse.Temperature, f Fault) uint16 {
	raw := (int64(t) + 273_150 + 10) / 20
	word := uint16(min(max(raw, 0x27AD), 0x7FFF))
	if f == ErrorFlag {
		word |= 0x8000
	}
	return word
}

// pec is SMBus' packet error code: CRC-8 with x^8 + x^2 + x + 1, written as the shift
// register that the chip has in hardware.
func pec(bytes ...byte) byte {
	var reg byte
	for _, b := range bytes {
		for bit := 7; bit >= 0; bit-- {
			feedback := reg>>7 ^ b>>bit&1
			reg = reg<<1 ^ feedback*0x07
		}
	}
	return reg
}

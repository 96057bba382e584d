package bench

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/i2c/i2ctest"
	"periph.io/x/conn/v3/physic"

	"gatehouse"
)

func see(s Scene) func(time.Time) Scene { return func(time.Time) Scene { return s } }

func TestModelAnswersAsTheDatasheetShows(t *testing.T) {
	// Datasheet 3901090614, read word from RAM 0x07 at 0x5A: D2 3A, packet error code 30.
	// 0x3AD2 is 15058 steps of 0.02 K, 28.01 degrees.
	chip := &MLX90614{Addr: 0x5A, Scene: see(Scene{Object: 28_010, Ambient: 24_000}), ID: [4]uint16{1, 2, 3, 0xBEEF}}
	record := &i2ctest.Record{Bus: NewBus(map[uint16]Chip{0x5A: chip})}
	for _, c := range []struct {
		command byte
		want    uint16
	}{
		{0x07, 0x3AD2}, {0x08, 0x3AD2}, {0x06, 0x3A0A}, {0x24, 0xFFFF}, {0x2E, 0x5A}, {0x3F, 0xBEEF}, {0x1F, 0},
	} {
		r := make([]byte, 3)
		if err := record.Tx(0x5A, []byte{c.command}, r); err != nil {
			t.Fatalf("read %#02x: %v", c.command, err)
		}
		if got := uint16(r[0]) | uint16(r[1])<<8; got != c.want {
			t.Errorf("read %#02x: got %#04x, want %#04x", c.command, got, c.want)
		}
	}
	if got := record.Ops[0].R; got[0] != 0xD2 || got[1] != 0x3A || got[2] != 0x30 {
		t.Errorf("read 0x07: got % x, want d2 3a 30", got)
	}
}

func TestModelReadsOnesPastItsAnswer(t *testing.T) {
	bus := NewBus(map[uint16]Chip{0x5A: &MLX90614{Addr: 0x5A, Scene: see(Scene{Object: 28_010}), Emissivity: 0xFAE1}})
	r := make([]byte, 5)
	if err := bus.Tx(0x5A, []byte{0x24}, r); err != nil {
		t.Fatal(err)
	}
	if r[0] != 0xE1 || r[1] != 0xFA || r[3] != 0xFF || r[4] != 0xFF {
		t.Errorf("got % x, want e1 fa, its code, ff ff", r)
	}
	if err := bus.Tx(0x5A, []byte{0x24, 0, 0, 0}, nil); err == nil {
		t.Error("a write was taken: the model has no cells to write")
	}
}

func TestModelStaysInsideItsRange(t *testing.T) {
	for _, c := range []struct {
		object gatehouse.Temperature
		want   uint16
	}{{-273_000, 0x27AD}, {-70_010, 0x27AD}, {382_190, 0x7FFF}, {2_000_000_000, 0x7FFF}} {
		if got := linear(c.object, NoFault); got != c.want {
			t.Errorf("%v: got %#04x, want %#04x", c.object, got, c.want)
		}
	}
}

func TestEveryFaultOfTheModelShowsOnTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scene := Scene{Object: 28_010, Ambient: 24_000}
		chip := &MLX90614{Addr: 0x5A, Scene: func(time.Time) Scene { return scene }}
		bus := NewBus(map[uint16]Chip{0x5A: chip})
		read := func() ([]byte, time.Duration, error) {
			begun, r := time.Now(), make([]byte, 3)
			err := bus.Tx(0x5A, []byte{0x07}, r)
			return r, time.Since(begun), err
		}
		scene.Fault = NoAck
		if _, _, err := read(); err == nil {
			t.Error("nack: got an answer")
		}
		scene.Fault = BadPEC
		if r, _, err := read(); err != nil || r[2] != 0x31 {
			t.Errorf("pec: got % x %v, want code 31", r, err)
		}
		scene.Fault = ErrorFlag
		if r, _, err := read(); err != nil || r[1] != 0xBA || r[2] != pec(0xB4, 0x07, 0xB5, r[0], r[1]) {
			t.Errorf("flag: got % x %v, want d2 ba with its right code", r, err)
		}
		scene.Fault = Slow
		if r, took, err := read(); err != nil || took != slowFor || r[2] != 0x30 {
			t.Errorf("slow: got % x after %v %v, want the right answer after %v", r, took, err, slowFor)
		}
		scene.Fault = NoFault
		bus.Stick()
		if _, took, err := read(); err == nil || took != stuckFor {
			t.Errorf("stuck: got %v after %v, want an error after %v", err, took, stuckFor)
		}
		bus.Stick() // twice is once
		go func() { time.Sleep(time.Second); bus.Free() }()
		if _, took, err := read(); err == nil || took != time.Second {
			t.Errorf("freed in between: got %v after %v, want an error after 1s", err, took)
		}
		bus.Free()
		if r, _, err := read(); err != nil || r[2] != 0x30 {
			t.Errorf("recovered: got % x %v", r, err)
		}
		if got := bus.Asked(); got != 7 {
			t.Errorf("asked: got %d, want 7", got)
		}
	})
}

func TestBusKnowsItsAddressesItsSpeedAndItsEnd(t *testing.T) {
	bus := NewBus(map[uint16]Chip{0x5A: &MLX90614{Addr: 0x5A, Scene: see(Scene{})}})
	if err := bus.Tx(0x33, []byte{7}, make([]byte, 3)); err == nil || !strings.Contains(err.Error(), "0x33") {
		t.Errorf("absent chip: got %v, want no acknowledge from 0x33", err)
	}
	for _, c := range []struct {
		f  physic.Frequency
		ok bool
	}{{100 * physic.KiloHertz, true}, {10 * physic.KiloHertz, true}, {400 * physic.KiloHertz, false}, {physic.KiloHertz, false}} {
		if err := bus.SetSpeed(c.f); (err == nil) != c.ok {
			t.Errorf("%v: got %v", c.f, err)
		}
	}
	if err := bus.Close(); err != nil {
		t.Fatal(err)
	}
	if err := bus.Tx(0x5A, []byte{7}, make([]byte, 3)); err == nil {
		t.Error("a closed bus answered")
	}
}

func TestRelayNotesItsPulses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &Relay{Name: "barrier"}
		begun := time.Now()
		for i := range kept + 3 {
			_ = r.Set(true)
			_ = r.Set(true) // twice is once
			time.Sleep(time.Duration(i+1) * time.Millisecond)
			_ = r.Set(false)
			_ = r.Set(false)
		}
		if got := r.Count(); got != kept+3 {
			t.Errorf("count: got %d, want %d", got, kept+3)
		}
		pulses := r.Pulses()
		if len(pulses) != kept {
			t.Fatalf("pulses: got %d, want the last %d", len(pulses), kept)
		}
		if first := pulses[0]; first.For != 4*time.Millisecond || !first.From.Equal(begun.Add(6*time.Millisecond)) {
			t.Errorf("oldest kept: got %+v, want the fourth, 6 ms in for 4 ms", first)
		}
		broken := errors.New("welded")
		_ = r.Set(true)
		r.Break(broken)
		if err := r.Set(false); !errors.Is(err, broken) || !r.On() {
			t.Errorf("broken: got %v on %v, want it energised still", err, r.On())
		}
		r.Break(nil)
		if err := r.Set(false); err != nil || r.On() {
			t.Errorf("mended: got %v on %v", err, r.On())
		}
	})
}

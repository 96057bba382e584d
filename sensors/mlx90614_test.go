package sensors

import (
	"context"
	"errors"
	"strings"
	"testing"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2ctest"

	"gatehouse"
)

// played gives a chip on a bus that answers as it was recorded, and in no other way.
func played(t *testing.T, addr uint16, ops ...i2ctest.IO) MLX90614 {
	t.Helper()
	bus := &i2ctest.Playback{Ops: ops, DontPanic: true}
	t.Cleanup(func() {
		if err := bus.Close(); err != nil {
			t.Error(err)
		}
	})
	return MLX90614{Bus: NewBus(func() (i2c.BusCloser, error) { return bus, nil }), Addr: addr}
}

func answer(command byte, r ...byte) i2ctest.IO {
	return i2ctest.IO{Addr: 0x5A, W: []byte{command}, R: r}
}

func TestPacketErrorCodeIsTheDatasheets(t *testing.T) {
	for _, c := range []struct {
		bytes []byte
		want  byte
	}{
		// Datasheet 3901090614, read word example: address 0x5A, RAM 0x07, 0x3AD2.
		{[]byte{0xB4, 0x07, 0xB5, 0xD2, 0x3A}, 0x30},
		// Application note 390119061402: erase, then write EEPROM 0x0E at address 0x00.
		{[]byte{0x00, 0x2E, 0x00, 0x00}, 0x6F},
		{[]byte{0x00, 0x2E, 0x5A, 0x00}, 0xE1},
		// The catalogue of CRCs gives F4 as CRC-8/SMBUS of these digits.
		{[]byte("123456789"), 0xF4},
	} {
		if got := crc8(c.bytes...); got != c.want {
			t.Errorf("% x: got %#02x, want %#02x", c.bytes, got, c.want)
		}
	}
}

func TestReadingIsWhatTheWireSays(t *testing.T) {
	// T_A 0x39D6 is 14806 steps: 22.97 degrees. T_OBJ1 0x3AD2: 28.01.
	c := played(t, 0x5A, answer(0x06, 0xD6, 0x39, 0x7B), answer(0x07, 0xD2, 0x3A, 0x30))
	object, ambient, err := c.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if object != 28_010 || ambient != 22_970 {
		t.Errorf("got %d %d, want 28010 22970", object, ambient)
	}
	if got := c.String(); got != "mlx90614@5a" {
		t.Errorf("name: got %s", got)
	}
}

func TestAnAddressIsPartOfTheCode(t *testing.T) {
	// The same words, asked at 0x33: the code of 0x5A must not pass.
	c := played(t, 0x33, i2ctest.IO{Addr: 0x33, W: []byte{0x06}, R: []byte{0xD2, 0x3A, 0x30}})
	if _, _, err := c.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "packet error code 0x30") {
		t.Errorf("got %v, want a wrong packet error code", err)
	}
}

func TestAWordThatIsNotToBeTrustedIsRefused(t *testing.T) {
	good := answer(0x06, 0xD6, 0x39, 0x7B)
	word := func(w uint16) i2ctest.IO {
		low, high := byte(w), byte(w>>8)
		return answer(0x07, low, high, crc8(0xB4, 0x07, 0xB5, low, high))
	}
	for name, c := range map[string]struct {
		ops  []i2ctest.IO
		want string
	}{
		"one bit":        {[]i2ctest.IO{good, answer(0x07, 0xD2, 0x3A, 0x31)}, "mlx90614: read 0x07: packet error code 0x31, want 0x30"},
		"all ones":       {[]i2ctest.IO{answer(0x06, 0xFF, 0xFF, 0xFF)}, "mlx90614: read 0x06: packet error code 0xff, want"},
		"all zeros":      {[]i2ctest.IO{answer(0x06, 0, 0, 0)}, "mlx90614: read 0x06: packet error code 0x00, want"},
		"error flag":     {[]i2ctest.IO{good, word(0xBAD2)}, "mlx90614: read 0x07: error flag set in 0xbad2"},
		"absolute zero":  {[]i2ctest.IO{good, word(0)}, "mlx90614: read 0x07: -273.1 °C is outside"},
		"a lighter":      {[]i2ctest.IO{good, word(0x4650)}, "mlx90614: read 0x07: 86.8 °C is outside"},
		"the clear sky":  {[]i2ctest.IO{good, word(0x2D50)}, "mlx90614: read 0x07: -41.1 °C is outside"},
		"nobody answers": {nil, "mlx90614: read 0x06: no answer: "},
	} {
		t.Run(name, func(t *testing.T) {
			object, ambient, err := played(t, 0x5A, c.ops...).Read(t.Context())
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if object != 0 || ambient != 0 {
				t.Errorf("a refused reading gave %v %v", object, ambient)
			}
		})
	}
}

func TestWhatCanBeTrueBeforeAGateIsTaken(t *testing.T) {
	for _, c := range []struct {
		word uint16
		want gatehouse.Temperature
		ok   bool
	}{{0x2D89, 0, false}, {0x2D8A, -39_990, true}, {0x3AD2, 28_010, true}, {0x45F3, 84_990, true}, {0x45F4, 0, false}, {0x7FFF, 0, false}} {
		low, high := byte(c.word), byte(c.word>>8)
		got, err := played(t, 0x5A, answer(0x07, low, high, crc8(0xB4, 0x07, 0xB5, low, high))).temperature(t.Context(), regObject)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%#04x: got %d %v, want %d", c.word, got, err, c.want)
		}
	}
}

func TestOnlyAMissingAnswerIsSilence(t *testing.T) {
	_, _, err := played(t, 0x5A).Read(t.Context())
	if !errors.Is(err, errSilent) {
		t.Errorf("nobody there: got %v, want silence", err)
	}
	_, _, err = played(t, 0x5A, answer(0x06, 0xD6, 0x39, 0x7A)).Read(t.Context())
	if errors.Is(err, errSilent) {
		t.Errorf("wrong code: got silence, and the chip has power")
	}
}

func TestIdentifyTellsTheChip(t *testing.T) {
	word := func(command, low, high byte) i2ctest.IO {
		return answer(command, low, high, crc8(0xB4, command, 0xB5, low, high))
	}
	ids := []i2ctest.IO{word(0x3C, 0x34, 0x12), word(0x3D, 0x78, 0x56), word(0x3E, 0, 0), word(0x3F, 0xEF, 0xBE)}
	full := append(ids, word(0x24, 0xE1, 0xFA), word(0x06, 0xD6, 0x39), word(0x07, 0xD2, 0x3A))
	got, err := played(t, 0x5A, full...).Identify(t.Context())
	want := "mlx90614 at 0x5a, number 123456780000beef, emissivity 0.980, housing 23.0 °C"
	if err != nil || got != want {
		t.Errorf("got %q %v, want %q", got, err, want)
	}
	_, err = played(t, 0x5A, append(ids[:4:4], word(0x24, 0, 0))...).Identify(t.Context())
	if err == nil || !strings.Contains(err.Error(), "emissivity 0.000 is below 0.1") {
		t.Errorf("lost EEPROM: got %v", err)
	}
	_, err = played(t, 0x5A, ids[0], answer(0x3D, 1, 2, 3)).Identify(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "mlx90614: read 0x3d: packet error code") {
		t.Errorf("wrong code: got %v", err)
	}
}

// oneAnswer is a bus on which every chip answers every command with the same bytes.
type oneAnswer struct {
	i2ctest.Playback
	r []byte
}

func (b *oneAnswer) Tx(_ uint16, _, r []byte) error { copy(r, b.r); return nil }
func (b *oneAnswer) Close() error                   { return nil }

func FuzzAnswer(f *testing.F) {
	f.Add([]byte{0xD2, 0x3A, 0x30})
	f.Add([]byte{0xFF, 0xFF, 0xFF})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, wire []byte) {
		wire = append(wire[:len(wire):len(wire)], 0, 0, 0) // what is not sent stays zero
		bus := NewBus(func() (i2c.BusCloser, error) { return &oneAnswer{r: wire}, nil })
		got, err := MLX90614{Bus: bus, Addr: 0x5A}.temperature(context.Background(), regObject)
		if err == nil && (got < coldest || got > hottest || wire[1]&0x80 != 0) {
			t.Fatalf("% x was taken for %v", wire, got)
		}
		if err != nil && got != gatehouse.Temperature(0) {
			t.Fatalf("% x: %v beside %v", wire, got, err)
		}
	})
}

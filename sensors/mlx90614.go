package sensors

import (
	"context"
	"errors"
	"fmt"

	"gatehouse"
)

// Commands of the MLX90614, after Melexis' datasheet 3901090614 rev 008: 000x xxxx reads
// RAM, 001x xxxx reads EEPROM (8.4.6). Reading its flags needs a bus without a repeated
// start, which an ordinary I2C master cannot do.
const (
	regAmbient    = 0x06 // T_A, RAM 8.3.4
	regObject     = 0x07 // T_OBJ1, RAM 8.3.4; 0x08 is the second zone of two-zone parts
	regEmissivity = 0x24 // EEPROM 0x04, 8.3.3
	regID         = 0x3C // EEPROM 0x1C to 0x1F, the factory's number, 8.3.3
)

// What can be true before a gate. The chip itself reads from -70 to 382 degrees; a
// surface outside of this span is a lighter, the sky or a broken chip.
const (
	coldest gatehouse.Temperature = -40_000
	hottest gatehouse.Temperature = 85_000
)

// errSilent marks a chip that did not answer at all: gone, without power, or its bus is
// stuck. A wrong answer is another thing, since it proves that the chip has power.
var errSilent = errors.New("no answer")

// An MLX90614 is Melexis' infrared thermometer at an address of a bus. Every word that it
// gives carries a packet error code, and is refused when that is wrong.
type MLX90614 struct {
	Bus  *Bus
	Addr uint16 // seven bits; 0x5A from the factory
}

// String names chip and address as a Measurement does: "mlx90614@5a".
func (c MLX90614) String() string { return fmt.Sprintf("mlx90614@%02x", c.Addr) }

// Read gives one reading: the surface before the sensor and the sensor's housing.
func (c MLX90614) Read(ctx context.Context) (object, ambient gatehouse.Temperature, err error) {
	if ambient, err = c.temperature(ctx, regAmbient); err != nil {
		return 0, 0, err
	}
	if object, err = c.temperature(ctx, regObject); err != nil {
		return 0, 0, err
	}
	return object, ambient, nil
}

// Identify asks the chip for its factory number and its emissivity and takes one reading,
// and gives them as a line for the log. An error means that no thermometer of this kind
// answers there.
func (c MLX90614) Identify(ctx context.Context) (string, error) {
	var id [4]uint16
	for i := range id {
		word, err := c.word(ctx, regID+byte(i))
		if err != nil {
			return "", err
		}
		id[i] = word
	}
	// The cell holds 65535 times the emissivity; 0.1 to 1 are allowed (8.3.3).
	emissivity, err := c.word(ctx, regEmissivity)
	if err != nil {
		return "", err
	}
	if emissivity < 6553 {
		return "", fmt.Errorf("mlx90614: read %#02x: emissivity %.3f is below 0.1: not this chip, or its EEPROM is lost",
			regEmissivity, float64(emissivity)/65535)
	}
	_, ambient, err := c.Read(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("mlx90614 at %#02x, number %04x%04x%04x%04x, emissivity %.3f, housing %v",
		c.Addr, id[0], id[1], id[2], id[3], float64(emissivity)/65535, ambient), nil
}

// temperature reads a linearised temperature: 0.02 K a step (8.3.4), and bit 15 raised
// by the chip when it does not stand for it (8.4.6).
func (c MLX90614) temperature(ctx context.Context, command byte) (gatehouse.Temperature, error) {
	word, err := c.word(ctx, command)
	if err != nil {
		return 0, err
	}
	// The code over the word may be right all the same: the flag is a part of the word.
	if word&0x8000 != 0 {
		return 0, fmt.Errorf("mlx90614: read %#02x: error flag set in %#04x", command, word)
	}
	t := gatehouse.Temperature(word)*20 - 273_150
	if t < coldest || t > hottest {
		return 0, fmt.Errorf("mlx90614: read %#02x: %v is outside of %v to %v", command, t, coldest, hottest)
	}
	return t, nil
}

// word does one read word and checks its packet error code (8.4.3.1): CRC-8 over every
// byte on the wire, both addresses included.
func (c MLX90614) word(ctx context.Context, command byte) (uint16, error) {
	r, err := c.Bus.Tx(ctx, c.Addr, []byte{command}, 3)
	if err != nil {
		return 0, fmt.Errorf("mlx90614: read %#02x: %w: %w", command, errSilent, err)
	}
	want := crc8(byte(c.Addr<<1), command, byte(c.Addr<<1|1), r[0], r[1])
	if r[2] != want {
		return 0, fmt.Errorf("mlx90614: read %#02x: packet error code %#02x, want %#02x", command, r[2], want)
	}
	return uint16(r[0]) | uint16(r[1])<<8, nil
}

// crc8 is SMBus' packet error code (SMBus 2.0, 5.4.1.1): x^8 + x^2 + x + 1, from zero,
// highest bit first.
func crc8(bytes ...byte) byte {
	var crc byte
	for _, b := range bytes {
		crc ^= b
		for range 8 {
			carry := crc & 0x80
			crc <<= 1
			if carry != 0 {
				crc ^= 0x07
			}
		}
	}
	return crc
}

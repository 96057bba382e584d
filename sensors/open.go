package sensors

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/host/v3/sysfs"

	"gatehouse/sensors/bench"
)

// factoryAddress is the MLX90614's seven-bit address, unless somebody changed it.
const factoryAddress = 0x5A

// OpenThermometer gives the thermometer that a source names:
//
//	mlx90614:/dev/i2c-1?address=0x5a   the chip on a bus of the kernel
//	sim:FILE?start=UNIXMILLI&seed=N    the chip's model, shown the people of a script
//	none                               no thermometer: nobody is measured
//
// An error is a mistake in the source. The hardware is asked later, by Identify or the
// first Skin: a gate must start without its sensor, and say so.
func OpenThermometer(text string) (*Thermometer, error) {
	t, err := openThermometer(text)
	if err != nil {
		return nil, fmt.Errorf("thermometer %q: %w", text, err)
	}
	return t, nil
}

func openThermometer(text string) (*Thermometer, error) {
	s, err := parseSource(text)
	if err != nil {
		return nil, err
	}
	switch s.scheme {
	case "mlx90614":
		return openChip(s)
	case "sim":
		return openSimulation(s)
	case "none":
		if s.path != "" {
			return nil, fmt.Errorf("none: takes no %q", s.path)
		}
		return &Thermometer{}, s.only()
	}
	return nil, errors.New("unknown kind: write mlx90614:/dev/i2c-1, sim:FILE or none")
}

func openChip(s source) (*Thermometer, error) {
	if err := s.only("address"); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(s.path, "/") {
		return nil, errors.New("no bus: write mlx90614:/dev/i2c-1")
	}
	address := uint64(factoryAddress)
	if a, ok := s.options["address"]; ok {
		var err error
		// The rest of seven bits is reserved (I2C specification UM10204, 3.1.12).
		if address, err = strconv.ParseUint(a, 0, 8); err != nil || address < 0x08 || address > 0x77 {
			return nil, fmt.Errorf("address=%s is none of 0x08 to 0x77: write address=0x5a", a)
		}
	}
	bus := NewBus(func() (i2c.BusCloser, error) { return openI2C(s.path, address) })
	t := NewThermometer(MLX90614{Bus: bus, Addr: uint16(address)})
	t.bus = bus
	return t, nil
}

// openI2C opens a bus of the kernel by its device file; a link to one will do, such as
// udev makes. Its errors say what to do.
func openI2C(path string, address uint64) (i2c.BusCloser, error) {
	device, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, hintI2C(path, err)
	}
	number, ok := strings.CutPrefix(device, "/dev/i2c-")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 0 {
		return nil, fmt.Errorf("%s is no i2c bus of the kernel: it should be /dev/i2c- and a number", device)
	}
	// periph hides the errno that tells a missing bus from a forbidden one.
	f, err := os.OpenFile(device, os.O_RDWR, 0)
	if err != nil {
		return nil, hintI2C(path, err)
	}
	f.Close()
	bus, err := sysfs.NewI2C(n)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w; `i2cdetect -y %d` should show %02x", device, err, n, address)
	}
	return bus, nil
}

func hintI2C(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no bus %s: switch I2C on (Raspberry Pi: dtparam=i2c_arm=on), load i2c-dev, then see `i2cdetect -l`", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("open %s: permission denied: the user must be in group i2c, and the udev rules of the firmware folder in place", path)
	}
	return fmt.Errorf("open %s: %w", path, err)
}

func openSimulation(s source) (*Thermometer, error) {
	if err := s.only("start", "seed"); err != nil {
		return nil, err
	}
	start, err := s.number("start", uint64(time.Now().UnixMilli()), math.MaxInt64)
	if err != nil {
		return nil, err
	}
	seed, err := s.number("seed", 1, math.MaxUint64)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	script, err := bench.ParseScript(f)
	if err != nil {
		return nil, err
	}
	script.Start, script.Seed = time.UnixMilli(int64(start)), seed
	chip := &bench.MLX90614{Addr: factoryAddress, Scene: script.At, ID: [4]uint16{0, 0, 0, uint16(seed)}}
	bus := NewBus(func() (i2c.BusCloser, error) {
		return bench.NewBus(map[uint16]bench.Chip{factoryAddress: chip}), nil
	})
	t := NewThermometer(MLX90614{Bus: bus, Addr: factoryAddress})
	t.bus = bus
	return t, nil
}

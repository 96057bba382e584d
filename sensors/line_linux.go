package sensors

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/warthog618/go-gpiocdev"
)

// A gpioLine is an output line of the kernel's GPIO character device.
type gpioLine struct {
	line *gpiocdev.Line
	name string
}

// openLine takes a line as an output at rest. Until it is given up nobody else gets it.
func openLine(a lineAddress, activeLow bool) (Line, error) {
	name := a.String()
	if a.name != "" {
		chip, offset, err := gpiocdev.FindLine(a.name)
		if errors.Is(err, gpiocdev.ErrNotFound) {
			return nil, fmt.Errorf("%s: no chip has it, or none may be opened: see `gpioinfo`, and whether the user is in group gpio", name)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		a.chip, a.offset = chip, offset
	} else {
		device, err := filepath.EvalSymlinks(a.chip) // the library takes no links
		if err != nil {
			return nil, hintGPIO(name, a, err)
		}
		a.chip = device
	}
	options := []gpiocdev.LineReqOption{gpiocdev.AsOutput(0), gpiocdev.WithConsumer("gatehouse")}
	if activeLow {
		options = append(options, gpiocdev.AsActiveLow)
	}
	line, err := gpiocdev.RequestLine(a.chip, a.offset, options...)
	if err != nil {
		return nil, hintGPIO(name, a, err)
	}
	return &gpioLine{line: line, name: name}, nil
}

func hintGPIO(name string, a lineAddress, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such chip: `gpiodetect` shows those there are", name)
	case errors.Is(err, gpiocdev.ErrNotCharacterDevice):
		return fmt.Errorf("%s: %s is no GPIO chip: `gpiodetect` shows those there are", name, a.chip)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, gpiocdev.ErrPermissionDenied):
		return fmt.Errorf("%s: permission denied: the user must be in group gpio, and the udev rules of the firmware folder in place", name)
	case errors.Is(err, syscall.EBUSY):
		return fmt.Errorf("%s: in use: `gpioinfo` shows by whom", name)
	case errors.Is(err, gpiocdev.ErrInvalidOffset):
		return fmt.Errorf("%s: the chip has no such line: see `gpioinfo`", name)
	}
	return fmt.Errorf("%s: %w", name, err)
}

func (l *gpioLine) Set(on bool) error {
	value := 0
	if on {
		value = 1
	}
	if err := l.line.SetValue(value); err != nil {
		return fmt.Errorf("%s: set %d: %w", l.name, value, err)
	}
	return nil
}

func (l *gpioLine) Close() error {
	if err := l.line.Close(); err != nil {
		return fmt.Errorf("%s: close: %w", l.name, err)
	}
	return nil
}

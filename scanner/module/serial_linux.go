package module

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// wireSerial takes the module from a serial port, which may be a USB one (CDC-ACM), where
// the speed has no meaning.
func (r *Reader) wireSerial(s spec) error {
	if err := s.only("baud", "idle", "suffix"); err != nil {
		return err
	}
	speed, err := s.speed()
	if err != nil {
		return err
	}
	end, idle, err := s.framing(serialSuffixes)
	if err != nil {
		return err
	}
	r.idle = idle
	r.open = func() (port, *decoder, error) {
		f, err := openTTY(s.path, speed)
		if err != nil {
			return nil, nil, err
		}
		return f, &decoder{framer: framer{suffix: end, counts: &r.counts}}, nil
	}
	return nil
}

// speeds are the baud rates and what termios calls them.
var speeds = [...]struct {
	baud string
	code uint32
}{
	{"1200", unix.B1200}, {"2400", unix.B2400}, {"4800", unix.B4800}, {"9600", unix.B9600},
	{"19200", unix.B19200}, {"38400", unix.B38400}, {"57600", unix.B57600}, {"115200", unix.B115200},
	{"230400", unix.B230400}, {"460800", unix.B460800}, {"921600", unix.B921600},
}

func (s spec) speed() (uint32, error) {
	text := cmp.Or(s.options.Get("baud"), "115200")
	var known []string
	for _, k := range speeds {
		if k.baud == text {
			return k.code, nil
		}
		known = append(known, k.baud)
	}
	return 0, fmt.Errorf("option baud=%.20q: there are %s", text, strings.Join(known, ", "))
}

var serialHints = hints{
	names: "/dev/serial/by-id", group: "dialout", other: "it is no serial port",
	busy: "another program has the port; ModemManager leaves it alone with ID_MM_DEVICE_IGNORE=1 in a udev rule",
}

// openTTY opens a port for this program alone, eight bits raw, and empties it: what came
// before is of unknown age. Non-blocking, it neither waits for a carrier nor for a byte
// beyond its deadline.
func openTTY(path string, speed uint32) (*os.File, error) {
	f, err := os.OpenFile(path, unix.O_RDONLY|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, serialHints.explain(err)
	}
	err = control(f, func(fd int) error {
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return err
		}
		raw(t, speed)
		if err := unix.IoctlSetTermios(fd, unix.TCSETSF, t); err != nil {
			return err
		}
		return unix.IoctlSetInt(fd, unix.TIOCEXCL, 0)
	})
	if err != nil {
		f.Close()
		return nil, serialHints.explain(fmt.Errorf("set up: %w", err))
	}
	return f, nil
}

// raw is 8N1 with nothing translated, echoed or held back (termios(3), cfmakeraw), modem
// lines not looked at, and a read that returns with the first byte.
func raw(t *unix.Termios, speed uint32) {
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | speed
	t.Ispeed, t.Ospeed = speed, speed
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
}

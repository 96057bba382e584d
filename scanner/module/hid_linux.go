package module

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// wireKeyboard takes the module from an input device of the kernel's.
func (r *Reader) wireKeyboard(s spec) error {
	if err := s.only("idle", "suffix"); err != nil {
		return err
	}
	end, idle, err := s.framing(hidSuffixes)
	if err != nil {
		return err
	}
	r.idle = idle
	r.open = func() (port, *decoder, error) {
		f, caps, err := openInput(s.path)
		if err != nil {
			return nil, nil, err
		}
		return f, &decoder{&keyboard{time: eventTime, caps: caps}, framer{suffix: end, counts: &r.counts}}, nil
	}
	return nil
}

// Requests of linux/input.h.
const (
	eviocgrab = 0x40044590 // EVIOCGRAB: _IOW('E', 0x90, int)
	eviocgled = 0x80084519 // EVIOCGLED(8): _IOC(_IOC_READ, 'E', 0x19, 8)
)

var hidHints = hints{
	names: "/dev/input/by-id", group: "input", other: "it is no input device",
	busy: "another program has grabbed the module",
}

// openInput opens an input device for this program alone: what the module types must not
// go to a console or a browser too. It tells whether the caps lock lamp is lit, since a
// module that looks at it types accordingly.
func openInput(path string) (f *os.File, caps bool, err error) {
	f, err = os.OpenFile(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false, hidHints.explain(err)
	}
	var lamps [8]byte
	err = control(f, func(fd int) error {
		if err := unix.IoctlSetInt(fd, eviocgrab, 1); err != nil {
			return err
		}
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), eviocgled, uintptr(unsafe.Pointer(&lamps))); errno != 0 {
			return errno
		}
		return nil
	})
	if err != nil {
		f.Close()
		return nil, false, hidHints.explain(fmt.Errorf("grab: %w", err))
	}
	return f, lamps[0]&(1<<ledCapsL) != 0, nil
}

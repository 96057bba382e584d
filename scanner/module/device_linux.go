package module

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// control lends the descriptor of a file without making it block, as f.Fd() would.
func control(f *os.File, with func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = conn.Control(func(fd uintptr) { inner = with(int(fd)) })
	return errors.Join(err, inner)
}

// hints are what to do about an errno.
type hints struct{ names, group, other, busy string }

func (h hints) explain(err error) error {
	// The path is named by the Reader already.
	var at *fs.PathError
	if errors.As(err, &at) {
		err = fmt.Errorf("%s: %w", at.Op, at.Err)
	}
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO), errors.Is(err, unix.EIO):
		return fmt.Errorf("%w: is the module plugged in? Names that last: ls %s", err, h.names)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: such devices belong to the group %s", err, h.group)
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("%w: %s", err, h.busy)
	case errors.Is(err, unix.ENOTTY), errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%w: %s: names that last: ls %s", err, h.other, h.names)
	}
	return err
}

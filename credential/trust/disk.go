package trust

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// A disk is the folder of a cache, with the few steps that make a change safe against a
// power cut: what is written counts when it was synced, and a name when its folder was.
type disk interface {
	open(name string) (slotFile, error)
	create(name string) (newFile, error)
	rename(from, to string) error
	remove(name string) error
	sync() error                     // the folder's own entries
	lock() (release func(), _ error) // against other programs
}

type slotFile interface {
	io.ReaderAt
	io.Closer
	Stat() (os.FileInfo, error)
}

type newFile interface {
	io.WriteCloser
	Sync() error
}

// folder is the disk of a real gate.
type folder string

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

func (f folder) open(name string) (slotFile, error) {
	file, err := os.Open(f.path(name))
	if err != nil {
		return nil, err
	}
	return file, nil
}

func (f folder) create(name string) (newFile, error) {
	file, err := os.OpenFile(f.path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	return file, nil
}

func (f folder) rename(from, to string) error { return os.Rename(f.path(from), f.path(to)) }
func (f folder) remove(name string) error     { return os.Remove(f.path(name)) }

func (f folder) sync() error {
	dir, err := os.Open(string(f))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// lock keeps two programs, a gate and somebody with a stick, from adopting at once. It waits
// for no one: the other one brings something newer, too.
func (f folder) lock() (func(), error) {
	file, err := os.OpenFile(f.path("lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.New("another program is adopting into this folder: try again")
		}
		return nil, err
	}
	return func() { file.Close() }, nil
}

// replace puts a new file in the place of one, whole or not at all.
func replace(d disk, name string, write func(io.Writer) error) error {
	fresh := name + ".new"
	f, err := d.create(fresh)
	if err != nil {
		return err
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = d.rename(fresh, name)
	}
	if err != nil {
		_ = d.remove(fresh) // a full disk should not stay full of it
		return err
	}
	return d.sync()
}

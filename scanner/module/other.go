//go:build !linux

package module

import "errors"

func (r *Reader) wireSerial(spec) error {
	return errors.New("serial modules are read on Linux only")
}

func (r *Reader) wireKeyboard(spec) error {
	return errors.New("modules that type are read on Linux only, through its input devices")
}

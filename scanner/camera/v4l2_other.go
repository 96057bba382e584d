//go:build !linux

package camera

import "errors"

func openV4L2(spec) (Source, error) {
	return nil, errors.New("Video4Linux is Linux's: use file:, sim: or opencv: here")
}

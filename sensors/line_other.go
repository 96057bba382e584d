//go:build !linux

package sensors

import "fmt"

// openLine refuses: only Linux has the GPIO character device.
func openLine(a lineAddress, _ bool) (Line, error) {
	return nil, fmt.Errorf("%s: this system has no GPIO character device, Linux has; use note:", a)
}

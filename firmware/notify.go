// Package firmware is what a board needs to run a gate: the units, rules and users of its
// system, and a word to the service manager that watches over the programs.
package firmware

import (
	"fmt"
	"net"
	"os"
)

// Notify tells the service manager a state: "READY=1", "WATCHDOG=1", "STATUS=lane open",
// or several, one a line (sd_notify(3)). Started by hand there is nobody to be told, and
// that is no error.
func Notify(state string) error {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return nil
	}
	// A name that begins with @ is abstract, which package net writes the same way.
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("notify %q: %w", state, err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("notify %q: %w", state, err)
	}
	return nil
}

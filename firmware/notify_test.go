package firmware

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNotifyReachesTheServiceManager(t *testing.T) {
	dir, err := os.MkdirTemp("", "notify") // a socket's path may have 108 bytes, and t.TempDir's is longer
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for name, socket := range map[string]string{
		"file":     filepath.Join(dir, "notify"),
		"abstract": fmt.Sprintf("@gatehouse-notify-%d", os.Getpid()),
	} {
		t.Run(name, func(t *testing.T) {
			manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
			if err != nil {
				t.Fatal(err)
			}
			defer manager.Close()
			t.Setenv("NOTIFY_SOCKET", socket)
			for _, state := range []string{"READY=1\nSTATUS=lane open", "WATCHDOG=1"} {
				if err := Notify(state); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, 256)
				n, err := manager.Read(got)
				if err != nil || string(got[:n]) != state {
					t.Errorf("got %q %v, want %q", got[:n], err, state)
				}
			}
		})
	}
}

func TestNotifyByHandIsNoError(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := Notify("READY=1"); err != nil {
		t.Error(err)
	}
}

func TestNotifySaysWhenNobodyListens(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "gone"))
	err := Notify("WATCHDOG=1")
	if err == nil || !strings.HasPrefix(err.Error(), `notify "WATCHDOG=1": `) {
		t.Errorf("got %v, want a breakdown that names the state", err)
	}
}

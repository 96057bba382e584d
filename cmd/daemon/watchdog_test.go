package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWatchdogIsPettedOnlyWhileNothingIsSick(t *testing.T) {
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", socket.LocalAddr().String())
	t.Setenv("WATCHDOG_USEC", "3000")
	states := []error{nil, errors.New("no frame from the camera"), nil}
	ctx, cancel := context.WithCancel(t.Context())
	asked, ended := 0, make(chan struct{})
	go func() {
		defer close(ended)
		Watch(ctx, func(context.Context) error {
			asked++
			return states[(asked-1)%len(states)]
		}, slog.New(slog.DiscardHandler))
	}()
	buffer := make([]byte, 1024)
	for i := range states {
		n, err := socket.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		said, sick := string(buffer[:n]), states[i]
		if petted := strings.Contains(said, "WATCHDOG=1"); petted != (sick == nil) {
			t.Errorf("at look %d (%v) it says %q", i+1, sick, said)
		}
		if sick != nil && !strings.Contains(said, "STATUS="+sick.Error()) {
			t.Errorf("it does not say why: %q", said)
		}
	}
	cancel()
	<-ended
}

func TestWatchdogIsPettedThreeTimesAsOftenAsAsked(t *testing.T) {
	for usec, want := range map[string]time.Duration{
		"": 0, "0": 0, "-1": 0, "soon": 0, "10000000": 10 * time.Second / 3,
		"18446744073709551615": 0, "9223372036854775807": 0, // infinity, as people write it
	} {
		if got := watchdogEvery(usec); got != want {
			t.Errorf("WATCHDOG_USEC=%s: every %v, want %v", usec, got, want)
		}
	}
}

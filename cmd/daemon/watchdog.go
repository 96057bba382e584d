package daemon

import (
	"context"
	"log/slog"
	"math"
	"os"
	"strconv"
	"time"

	"gatehouse/firmware"
)

// Watch pets systemd's watchdog, and says on what grounds, only while sick finds nothing
// that stands still: a daemon that hangs is restarted rather than believed. It returns when
// ctx ends, and at once when systemd asks for no sign of life.
func Watch(ctx context.Context, sick func(context.Context) error, logger *slog.Logger) {
	every := watchdogEvery(os.Getenv("WATCHDOG_USEC"))
	if every == 0 {
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for was := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		state := "WATCHDOG=1\nSTATUS=all that must move is moving"
		why := sick(ctx)
		if ctx.Err() != nil {
			return
		}
		if why != nil {
			state = "STATUS=" + why.Error()
			if !was {
				logger.Error("watchdog", "err", why, "hint", "systemd restarts this daemon if it lasts")
			}
		}
		was = why != nil
		if err := firmware.Notify(state); err != nil {
			logger.Warn("systemd", "err", err)
		}
	}
}

// watchdogEvery is a third of what systemd allows between two signs of life, so that one
// may be late; 0 when it asks for none (sd_watchdog_enabled(3)).
func watchdogEvery(usec string) time.Duration {
	n, err := strconv.ParseInt(usec, 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64/int64(time.Microsecond) {
		return 0
	}
	return time.Duration(n) * time.Microsecond / 3
}

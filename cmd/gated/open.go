package main

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/firmware"
	"gatehouse/sensors"
	"gatehouse/store"
	"gatehouse/sync/uplink"
)

// openHardware takes the sources as the settings name them. The devices themselves may come
// later: a gate starts without its camera or sensor, and says so.
func (g *gated) openHardware() error {
	var err error
	if g.eye, err = openEye(g.conf.Camera, &g.health, g.logger); err != nil {
		return err
	}
	skin, err := sensors.OpenThermometer(g.conf.Thermometer)
	if err != nil {
		return err
	}
	g.skin = thermometer{skin, &g.health}
	relay, err := sensors.OpenBarrier(g.conf.Barrier)
	if err != nil {
		return err
	}
	g.barrier = barrier{relay, &g.health}
	g.lights, err = sensors.OpenLights(g.conf.Lights)
	return err
}

// identify asks the thermometer who it is before the first person does, which also sees it
// through its warm-up. A sensor that does not answer is a line of the log and on the screen.
func (g *gated) identify(ctx context.Context) {
	if g.conf.Thermometer == "none" {
		return
	}
	who, err := g.skin.Identify(ctx)
	if ctx.Err() != nil {
		return
	}
	g.health.note(gatehouse.ReasonSensorFault, err, time.Now())
	if err != nil {
		g.logger.Error("thermometer", "reason", gatehouse.ReasonSensorFault, "err", err)
		return
	}
	g.logger.Info("thermometer", "sensor", who)
}

// openBook waits for a book that cannot be opened now: a full disk is cleared by people, and
// until then the screen says why the lane is closed.
func (g *gated) openBook(ctx context.Context) error {
	for {
		err := g.takeBook(ctx)
		if err == nil {
			g.health.note(gatehouse.ReasonLog, nil, time.Now())
			newest, err := g.book.Newest(ctx)
			g.clock.raise(newest)
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if g.health.note(gatehouse.ReasonLog, err, time.Now()) {
			g.logger.Error("book", "reason", gatehouse.ReasonLog, "err", err, "hint", "the lane is closed until it can be opened")
		}
		// A start that takes too long is ended, and the screen that says why with it.
		if err := firmware.Notify(stillStarting + "STATUS=" + err.Error()); err != nil {
			g.logger.Warn("systemd", "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookEvery):
		}
	}
}

// takeBook opens the book for this gate alone. The lock ends with the process, however that
// ends.
func (g *gated) takeBook(ctx context.Context) error {
	lock, err := os.OpenFile(g.conf.Book+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return fmt.Errorf("%s: another gated writes this book: %w", g.conf.Book, err)
	}
	g.book, err = store.OpenLog(ctx, g.conf.Book, g.conf.Name)
	if err != nil {
		lock.Close()
		return err
	}
	g.lock = lock
	return nil
}

func (g *gated) openUplink() error {
	if g.conf.Region.URL == "" {
		g.logger.Warn("no region in the settings: the book stays on this gate")
		return nil
	}
	key, err := daemon.ReadKey(g.conf.Region.Key)
	if err != nil {
		return err
	}
	ca, err := daemon.ReadFile(g.conf.Region.CA, 1<<20)
	if err != nil {
		return err
	}
	client, err := uplink.NewClient(ca, g.clock.certain)
	if err != nil {
		return fmt.Errorf("%s: %w", g.conf.Region.CA, err)
	}
	g.uplink = &uplink.Uplink{Book: g.book, Gate: g.conf.Name, Epoch: g.book.Epoch(), Key: key, URL: g.conf.Region.URL,
		Client: client, Logger: g.logger, Beat: time.Duration(g.conf.Region.Beat), MaxWait: time.Duration(g.conf.Region.LongestWait)}
	return nil
}

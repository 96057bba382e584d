package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/firmware"
	"gatehouse/gate"
	"gatehouse/gate/console"
	"gatehouse/sensors"
	"gatehouse/store"
	"gatehouse/sync/uplink"
)

// lookEvery is how often the trust folder is looked at.
const lookEvery = 3 * time.Second

// stillStarting asks the service manager for 30 s more; it must be said again before they
// are over (sd_notify(3)).
const stillStarting = "EXTEND_TIMEOUT_USEC=30000000\n"

// lastWords is how long a gate that was told to stop may still send its last rows.
const lastWords = 5 * time.Second

// gated is one gate with everything in it, in the order of the flow.
type gated struct {
	conf   config
	logger *slog.Logger
	health health
	clock  clock

	console *console.Server
	lock    *os.File // beside the book: two gates must not write one
	book    *store.Log
	signed  *signed
	eye     eye
	skin    thermometer
	barrier barrier
	lights  *sensors.Lights
	lane    *gate.Lane
	open    atomic.Pointer[gate.Lane] // the lane, once it takes people
	uplink  *uplink.Uplink            // nil without a region
}

// run wires one gate and lets it work until ctx ends, or its folder of frames does.
func run(ctx context.Context, conf config, logger *slog.Logger) (err error) {
	g := &gated{conf: conf, logger: logger}
	g.clock.now = time.Now

	// Taken before anything that waits: until somebody takes it, SIGHUP ends the program.
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)

	ctx, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer func() {
		stop()
		work.Wait()
		err = errors.Join(err, g.close())
	}()

	if err := g.openHardware(); err != nil {
		return err
	}
	g.serveConsole(ctx, &work)
	if err := g.openBook(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // told to stop while it waited for its disk
		}
		return err
	}
	g.signed = &signed{folder: conf.Trust.Folder, root: conf.Trust.Root, book: g.book, clock: &g.clock, health: &g.health, logger: logger}
	g.signed.look(ctx)
	if err := g.openUplink(); err != nil {
		return err
	}
	g.identify(ctx)
	g.wireLane()

	work.Go(func() { g.keepLooking(ctx, hup) })
	opened := time.Now()
	sick := func(ctx context.Context) error { return g.sick(ctx, opened) }
	work.Go(func() { daemon.Watch(ctx, sick, logger) })
	if g.uplink != nil {
		work.Go(func() { g.uplink.Run(ctx) })
	}
	if err := firmware.Notify("READY=1"); err != nil {
		logger.Warn("systemd", "err", err)
	}
	logger.Info("gate is open for work", "gate", conf.Name, "version", version)
	err = g.lane.Run(ctx)

	firmware.Notify("STOPPING=1") // nobody to tell when systemd does not listen
	stop()
	work.Wait()
	g.sendRest(ctx)
	return err
}

func (g *gated) wireLane() {
	wake := func() {}
	if g.uplink != nil {
		wake = g.uplink.Wake
	}
	g.lane = &gate.Lane{
		Name:     g.conf.Name,
		Scanner:  g.eye,
		Verifier: credential.Verifier{Keys: &g.signed.trust},
		Judge:    g.signed,
		Log:      &journal{g.book, wake, &g.clock, &g.health, g.logger},
		Barrier:  g.barrier,
		Screen:   front{g.console, g.lights, g.logger},
		Clock:    &g.clock,
		Trust:    &g.signed.trust,
		Logger:   g.logger,
	}
	if g.conf.Thermometer != "none" {
		g.lane.Thermometer = g.skin
	}
	g.open.Store(g.lane)
}

// keepLooking takes what is new in the trust folder, at once on SIGHUP.
func (g *gated) keepLooking(ctx context.Context, hup <-chan os.Signal) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			g.logger.Info("told to look at the trust folder")
		case <-tick.C:
		}
		g.signed.look(ctx)
		g.eye.Refresh()
	}
}

// sendRest hands over what the lane wrote down last, if the region is there to take it.
func (g *gated) sendRest(ctx context.Context) {
	if g.uplink == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	if err := g.uplink.Flush(ctx); err != nil {
		g.logger.Warn("last rows stay in the book", "err", err)
	}
}

// close gives everything back, last opened first. What was never opened is not there.
func (g *gated) close() error {
	var errs []error
	if g.book != nil {
		errs = append(errs, g.book.Close(), g.lock.Close())
	}
	if g.lights != nil {
		errs = append(errs, g.lights.Close())
	}
	if g.barrier.Barrier != nil {
		errs = append(errs, g.barrier.Close())
	}
	if g.skin.Thermometer != nil {
		errs = append(errs, g.skin.Close())
	}
	if g.eye != nil {
		errs = append(errs, g.eye.Close())
	}
	return errors.Join(errs...)
}

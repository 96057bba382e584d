package main

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gatehouse/cmd/daemon"
	"gatehouse/cmd/jsonld"
	"gatehouse/credential"
	"gatehouse/firmware"
	"gatehouse/gate"
	"gatehouse/gate/console"
	"gatehouse/sensors"
	"gatehouse/store"
	"gatehouse/sync/site"
	"gatehouse/sync/uplink"
)

// lookEvery is how often the folder of signed files and the stick are looked at.
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
	memory  *site.Site
}

// run wires one gate and lets it work until ctx ends, or its folder of frames does.
func run(ctx context.Context, conf config, logger *slog.Logger) (err error) {
	g := &gated{conf: conf, logger: logger}
	g.clock.now = time.Now
	if seconds, err := strconv.ParseInt(built, 10, 64); err == nil && seconds > 0 {
		g.clock.raise(time.Unix(seconds, 0))
	}

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
	cache, err := openSigned(conf.Trust)
	if err != nil {
		return err
	}
	g.signed = &signed{site: conf.Trust.Site, stick: conf.Trust.Stick, cache: cache,
		book: g.book, clock: &g.clock, health: &g.health, logger: logger}
	cache.Check = g.signed.usable
	g.signed.look(ctx)
	if err := g.openUplink(); err != nil {
		return err
	}
	if err := g.openMemory(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // told to stop while it read its book
		}
		return err
	}
	g.identify(ctx)
	g.wireLane()

	work.Go(func() { g.keepLooking(ctx, hup) })
	work.Go(func() { g.keepRefreshing(ctx) })
	work.Go(func() { g.keepFetching(ctx) })
	work.Go(func() { g.hear(ctx) })
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
		Scanner:  &joiner{eye: g.eye},
		Verifier: narrow{g.signed, credential.Verifier{Keys: g.signed.cache, Revoked: g.signed, Graph: jsonld.Graph{}}},
		Judge:    g.signed,
		Memory:   g.memory,
		Log:      &journal{g.book, g.signed, wake, &g.clock, &g.health, g.logger},
		Barrier:  g.barrier,
		Screen:   front{g.console, g.lights, g.logger},
		Clock:    &g.clock,
		Trust:    g.signed.cache,
		Tries:    g.signed.tries,
		Logger:   g.logger,
	}
	if g.conf.Thermometer != "none" {
		g.lane.Thermometer = asked{g.skin, g.signed}
	}
	g.open.Store(g.lane)
}

// keepLooking takes what people imported or plugged in, at once on SIGHUP.
func (g *gated) keepLooking(ctx context.Context, hup <-chan os.Signal) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			g.logger.Info("told to look for signed files")
		case <-tick.C:
		}
		g.signed.look(ctx)
	}
}

// keepRefreshing notes that the eye is well again. It waits for no signed file: one that
// comes over a slow link can take minutes.
func (g *gated) keepRefreshing(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			g.eye.Refresh()
		}
	}
}

// keepFetching asks the region's server for newer signed files, on a beat of its own: a
// region that comes back must not be met by all its gates in one second.
func (g *gated) keepFetching(ctx context.Context) {
	if g.uplink == nil {
		return
	}
	source := &uplink.Repository{URL: g.conf.Region.URL, Client: g.uplink.Client, Context: ctx, Told: g.clock.told}
	for {
		g.signed.fetch(ctx, "region "+g.conf.Region.URL, source)
		beat := time.Duration(g.conf.Trust.Beat)
		wait := time.NewTimer(beat/2 + rand.N(beat))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
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

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/firmware"
	"gatehouse/gate"
	"gatehouse/gate/console"
	"gatehouse/scanner"
	"gatehouse/scanner/camera"
	"gatehouse/scanner/qr"
	"gatehouse/sensors"
	"gatehouse/store"
	"gatehouse/sync/uplink"
)

// lookEvery is how often the trust folder is looked at.
const lookEvery = 3 * time.Second

// lastWords is how long a gate that was told to stop may still send its last rows.
const lastWords = 5 * time.Second

// gated is one gate with everything in it, in the order of the flow.
type gated struct {
	conf   config
	logger *slog.Logger
	health health
	clock  clock

	console *console.Server
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
	if err := g.serveConsole(ctx, &work); err != nil {
		return err
	}
	if err := g.openBook(ctx); err != nil {
		return err
	}
	g.signed = &signed{folder: conf.Trust.Folder, root: conf.Trust.Root, book: g.book, clock: &g.clock, health: &g.health, logger: logger}
	g.signed.look(ctx)
	if err := g.openUplink(); err != nil {
		return err
	}
	g.identify(ctx)
	g.wireLane()

	work.Go(func() { g.keepLooking(ctx) })
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

// openHardware takes the sources as the settings name them. The devices themselves may come
// later: a gate starts without its camera or sensor, and says so.
func (g *gated) openHardware() error {
	source, err := camera.Open(g.conf.Camera)
	if err != nil {
		return err
	}
	g.eye = eye{&scanner.Scanner{Source: source, Reader: &qr.Reader{}}, source, &g.health}
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
		book, err := store.OpenLog(ctx, g.conf.Book, g.conf.Name)
		if err == nil {
			g.health.note(gatehouse.ReasonLog, nil, time.Now())
			g.book = book
			newest, err := book.Newest(ctx)
			g.clock.raise(newest)
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if g.health.note(gatehouse.ReasonLog, err, time.Now()) {
			g.logger.Error("book", "reason", gatehouse.ReasonLog, "err", err, "hint", "the lane is closed until it can be opened")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(lookEvery):
		}
	}
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
	client, err := uplink.NewClient(ca)
	if err != nil {
		return fmt.Errorf("%s: %w", g.conf.Region.CA, err)
	}
	g.uplink = &uplink.Uplink{Book: g.book, Gate: g.conf.Name, Epoch: g.book.Epoch(), Key: key, URL: g.conf.Region.URL,
		Client: client, Logger: g.logger, Beat: time.Duration(g.conf.Region.Beat), MaxWait: time.Duration(g.conf.Region.LongestWait)}
	return nil
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
		Log:      &journal{g.book, wake, &g.health, g.logger},
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
func (g *gated) keepLooking(ctx context.Context) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
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
		errs = append(errs, g.book.Close())
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
	if g.eye.Scanner != nil {
		errs = append(errs, g.eye.source.Close())
	}
	return errors.Join(errs...)
}

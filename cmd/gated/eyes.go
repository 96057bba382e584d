package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/gate"
	"gatehouse/scanner"
	"gatehouse/scanner/camera"
	"gatehouse/scanner/module"
	"gatehouse/scanner/qr"
)

// An eye is what reads codes at this gate: a camera with the scanner behind it, or a
// scanner module that gives texts.
type eye interface {
	gate.Scanner
	Alive() time.Time        // its last sign of life; zero before the first
	Preview() ([]byte, bool) // what it sees; false when there is nothing to see
	Refresh()                // notes that it is well again, though nobody showed a code
	Close() error
}

// openEye takes the source as the settings name it.
func openEye(source string, health *health, logger *slog.Logger) (eye, error) {
	if strings.HasPrefix(source, "serial:") || strings.HasPrefix(source, "hid:") {
		m, err := module.Open(source)
		if err != nil {
			return nil, err
		}
		return &moduleEye{Reader: m, health: health, logger: logger}, nil
	}
	frames, err := camera.Open(source)
	if err != nil {
		return nil, err
	}
	l := &lens{Source: frames, health: health, logger: logger}
	return cameraEye{&scanner.Scanner{Source: l, Reader: &qr.Reader{}}, l}, nil
}

type cameraEye struct {
	*scanner.Scanner
	lens *lens
}

func (e cameraEye) Close() error { return e.lens.Close() }
func (e cameraEye) Refresh()     {}

func (e cameraEye) Alive() time.Time {
	if at := e.lens.newest.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// A lens notes whether the camera gives frames. It stands before the scanner, which speaks
// up only when it has read a code: nobody shows one to a lane that says that it is closed.
type lens struct {
	camera.Source
	health *health
	logger *slog.Logger
	newest atomic.Pointer[time.Time] // when the last frame came; nil before the first
}

func (l *lens) Next(ctx context.Context) (camera.Frame, error) {
	frame, err := l.Source.Next(ctx)
	if ctx.Err() != nil || errors.Is(err, io.EOF) {
		return frame, err
	}
	now := time.Now()
	if err == nil {
		l.newest.Store(&now)
	}
	if l.health.note(gatehouse.ReasonCamera, err, now) {
		if err != nil {
			l.logger.Error("camera", "reason", gatehouse.ReasonCamera, "err", err)
		} else {
			l.logger.Info("camera gives frames again")
		}
	}
	return frame, err
}

// A moduleEye notes whether the module is there.
type moduleEye struct {
	*module.Reader
	health *health
	logger *slog.Logger
}

func (e *moduleEye) Next(ctx context.Context) (gatehouse.Sighting, error) {
	s, err := e.Reader.Next(ctx)
	if ctx.Err() == nil {
		e.note(err)
	}
	return s, err
}

func (e *moduleEye) note(err error) {
	if !e.health.note(gatehouse.ReasonCamera, err, time.Now()) {
		return
	}
	if err != nil {
		e.logger.Error("scanner module", "reason", gatehouse.ReasonCamera, "err", err)
	} else {
		e.logger.Info("scanner module is back")
	}
}

// moduleSilent is longer than a module that is there ever goes without a sign of life.
const moduleSilent = 2 * time.Second

func (e *moduleEye) Refresh() {
	if time.Since(e.Alive()) < moduleSilent {
		e.note(nil)
	}
}

func (e *moduleEye) Preview() ([]byte, bool) { return nil, false }

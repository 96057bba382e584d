package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"gatehouse"
	"gatehouse/credential"
	"gatehouse/gate"
	"gatehouse/sensors"
	"gatehouse/store"
)

// The types of this file stand between the lane and an organ to note the organ's trouble
// in the gate's health and in its log. They decide nothing.

// A journal is the book as the lane sees it: each row is a line of the operator's log too,
// and wakes the uplink.
type journal struct {
	book   *store.Log
	signed *signed
	wake   func()
	clock  *clock
	health *health
	logger *slog.Logger
}

func (j *journal) Record(ctx context.Context, p gatehouse.Passage) (gatehouse.Passage, error) {
	// Where the region's policy judges nobody's health, nobody's is written down.
	written, err := j.book.Record(ctx, j.signed.inForce(p.At).Keep(p))
	if ctx.Err() == nil && j.health.note(gatehouse.ReasonLog, err, time.Now()) {
		if err != nil {
			j.logger.Error("book", "reason", gatehouse.ReasonLog, "err", err, "hint", "everybody is referred until it can be written: make room on its disk")
		} else {
			j.logger.Info("book can be written again")
		}
	}
	if err != nil {
		return written, err
	}
	if written.Clock {
		j.clock.raise(written.At)
	}
	queue, err := j.book.Queue(ctx)
	if err != nil {
		j.logger.Warn("book", "reason", gatehouse.ReasonLog, "err", err)
	}
	j.logger.Info("passage", passageAttrs(written, queue)...)
	j.wake()
	return written, nil
}

func (j *journal) Passage(ctx context.Context, seq gatehouse.Seq) (gatehouse.Passage, error) {
	p, err := j.book.Passage(ctx, seq)
	if errors.Is(err, store.ErrNoPassage) {
		err = gate.ErrNoPassage
	}
	return p, err
}

// passageAttrs is a passage as a line of the log: what happened, to whose code, never whose.
func passageAttrs(p gatehouse.Passage, queue uint64) []any {
	attrs := []any{"seq", p.Seq, "call", p.Verdict.Call.String(), "reason", p.Verdict.Reason, "detail", p.Verdict.Detail,
		"issuer", p.Issuer, "grade", p.Grade.String(), "skin", int(p.Skin.Skin), "quality", p.Skin.Quality.String(),
		"rule", p.Verdict.Rule, "trust", p.Verdict.Trust.String(), "took_ms", float64(p.Took.Microseconds()) / 1000, "queue", queue}
	if p.Amends != 0 {
		attrs = append(attrs, "amends", p.Amends) // by whom is in the book
	}
	return attrs
}

// A thermometer notes whether the sensor answers.
type thermometer struct {
	*sensors.Thermometer
	health *health
}

func (t thermometer) Skin(ctx context.Context) (gatehouse.Measurement, error) {
	m, err := t.Thermometer.Skin(ctx)
	if ctx.Err() == nil {
		t.health.note(gatehouse.ReasonSensorFault, err, time.Now())
	}
	return m, err
}

// A narrow verifier reads of a code what the region's policy says that codes are read for:
// nothing else of it reaches the judge, the screens or the book.
type narrow struct {
	signed   *signed
	verifier credential.Verifier
}

func (n narrow) Verify(text string, at time.Time) (gatehouse.Pass, error) {
	pass, err := n.verifier.Verify(text, at)
	if err != nil {
		return pass, err
	}
	return n.signed.inForce(at).Narrow(pass), nil
}

// An asked thermometer is not asked where the region's policy measures nobody.
type asked struct {
	gate.Thermometer
	signed *signed
}

func (a asked) Skin(ctx context.Context) (gatehouse.Measurement, error) {
	if _, measures := a.signed.inForce(a.signed.clockNow()).Measures(); !measures {
		return gatehouse.Measurement{}, nil
	}
	return a.Thermometer.Skin(ctx)
}

// tries is how often one forehead is measured before a reading that says nothing is judged
// as it is.
func (s *signed) tries() int {
	tries, _ := s.inForce(s.clockNow()).Measures()
	return tries
}

// A joiner puts together the cards that were spread over several codes, and asks for the
// parts that are missing.
type joiner struct {
	eye   gate.Scanner
	parts credential.Assembler
}

func (j *joiner) Next(ctx context.Context) (gatehouse.Sighting, error) {
	s, err := j.eye.Next(ctx)
	if err != nil || s.Text == "" {
		return s, err
	}
	at := s.At
	if at.IsZero() {
		at = time.Now()
	}
	whole, _ := j.parts.Add(s.Text, at)
	if s.Text = whole; whole == "" {
		s.Aim = gatehouse.MoreParts
	}
	return s, nil
}

// A barrier notes whether the relay moved.
type barrier struct {
	*sensors.Barrier
	health *health
}

func (b barrier) Open(ctx context.Context) error {
	err := b.Barrier.Open(ctx)
	b.health.note(gatehouse.ReasonBarrier, err, time.Now())
	return err
}

// A front is everything that shows a verdict: the screens, and the lights that hang on the
// daemon so that they work when every browser is dead.
type front struct {
	screen gate.Screen
	lights *sensors.Lights
	logger *slog.Logger
}

func (f front) Show(v gate.View) {
	if err := f.lights.Show(v.Passage.Verdict.Call); err != nil {
		f.logger.Warn("lights", "err", err)
	}
	f.screen.Show(v)
}

// errStale words the age of the keys for the health list.
var errStale = errors.New("the signed files are older than the policy allows: bring new ones, or the link")

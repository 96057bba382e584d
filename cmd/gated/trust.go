package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/policy"
	"gatehouse/store"
)

// maxSigned bounds the signed files: room for a list of ten thousand keys.
const maxSigned = 4 << 20

// signed is what the region's people signed and this gate lives by: whose keys to believe,
// and the rules. It is read from a folder, and a bad file leaves the last good one in use.
type signed struct {
	folder string
	root   string
	book   *store.Log
	clock  *clock
	health *health
	logger *slog.Logger

	trust credential.TrustSet
	rules atomic.Pointer[policy.Rules]
	seen  [2]string // size and time of each file when it was last looked at
}

// Judge judges by the rules in use; without any it refers everybody.
func (s *signed) Judge(e gatehouse.Evidence) gatehouse.Verdict { return s.policy().Judge(e) }

func (s *signed) policy() policy.Rules {
	if r := s.rules.Load(); r != nil {
		return *r
	}
	return policy.Rules{}
}

// look reads what has changed in the folder since the last look.
func (s *signed) look(ctx context.Context) {
	changed := false
	for i, file := range []struct {
		name  string
		adopt func(context.Context, []byte) error
	}{{"trust.note", s.adoptTrust}, {"policy.note", s.adoptPolicy}} {
		path := filepath.Join(s.folder, file.name)
		state := fileState(path)
		if state == s.seen[i] {
			continue
		}
		s.seen[i], changed = state, true
		sealed, err := daemon.ReadFile(path, maxSigned)
		if err == nil {
			err = file.adopt(ctx, sealed)
		}
		if err != nil {
			s.logger.Error("signed file", "file", path, "err", err, "hint", "the last good one stays in use")
		}
	}
	if changed {
		s.noteMissing()
	}
	s.noteAge()
}

func (s *signed) adoptTrust(ctx context.Context, sealed []byte) error {
	next, err := credential.OpenTrust(sealed, s.root)
	if err != nil {
		return err
	}
	// The floor outlives a restart: an older list would bring withdrawn keys back.
	floor, err := s.book.TrustFloor(ctx)
	if err != nil {
		return err
	}
	if next.Version < floor {
		return fmt.Errorf("version %d is older than %d, which was in use here before", next.Version, floor)
	}
	at, trusted := s.clock.Now()
	if !trusted {
		at = time.Time{}
	}
	if err := s.trust.Adopt(next, at); err != nil {
		return err
	}
	s.clock.raise(next.Issued)
	s.logger.Info("trust list in use", "region", next.Region, "version", next.Version, "keys", next.Len(), "issued", next.Issued)
	return s.book.RaiseTrustFloor(ctx, next.Version)
}

func (s *signed) adoptPolicy(_ context.Context, sealed []byte) error {
	body, err := credential.Open("policy", sealed, s.root)
	if err != nil {
		return err
	}
	next, err := policy.Parse(body)
	if err != nil {
		return err
	}
	if old := s.policy(); next.Version < old.Version {
		return fmt.Errorf("policy %s is older than %s, which is in use", next.Name(), old.Name())
	}
	s.rules.Store(&next)
	s.clock.raise(next.Issued)
	s.logger.Info("policy in use", "policy", next.Name(), "issued", next.Issued)
	return nil
}

// noteMissing tells people why everybody is referred.
func (s *signed) noteMissing() {
	var err error
	switch {
	case s.trust.Current() == nil:
		err = fmt.Errorf("no signed trust list in %s", s.folder)
	case s.rules.Load() == nil:
		err = fmt.Errorf("no signed policy in %s", s.folder)
	}
	s.health.note(gatehouse.ReasonNoRule, err, s.clock.now())
}

// noteAge tells people before the first person is referred for it.
func (s *signed) noteAge() {
	at, _ := s.clock.Now()
	var err error
	if r := s.policy(); r.Version > 0 && s.trust.Age(at) > time.Duration(r.StaleHours)*time.Hour {
		err = errStale
	}
	s.health.note(gatehouse.ReasonTrustStale, err, at)
	_, trusted := s.clock.Now()
	err = nil
	if !trusted {
		err = errors.New("the clock lies before the newest row or signed file: set it")
	}
	s.health.note(gatehouse.ReasonClock, err, at)
}

// fileState tells one content of a file from another without reading it.
func fileState(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano())
}

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
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
	words [sha256.Size]byte // of the policy in use: tells two of one version apart
	files [2]looked
}

// A looked is what the last look at a file found: its size and time, and what was wrong.
type looked struct{ state, fault string }

// policyAhead is how far a policy's issue may lie ahead of a trusted clock, as a trust
// list's may. One from far ahead would make the true time look wrong.
const policyAhead = 24 * time.Hour

// Judge judges by the rules in use; without any it refers everybody.
func (s *signed) Judge(e gatehouse.Evidence) gatehouse.Verdict { return s.policy().Judge(e) }

func (s *signed) policy() policy.Rules {
	if r := s.rules.Load(); r != nil {
		return *r
	}
	return policy.Rules{}
}

// look reads what has changed in the folder since the last look. A file that was refused is
// tried again each time: its owner, the disk or the clock may have been at fault, and none
// of them leaves a trace on the file.
func (s *signed) look(ctx context.Context) {
	for i, file := range []struct {
		name  string
		adopt func(context.Context, []byte) error
	}{{"trust.note", s.adoptTrust}, {"policy.note", s.adoptPolicy}} {
		path := filepath.Join(s.folder, file.name)
		old, now := s.files[i], looked{state: fileState(path)}
		if now == old {
			continue
		}
		sealed, err := readSigned(path)
		if err == nil {
			err = file.adopt(ctx, sealed)
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			now.fault = err.Error()
		}
		if err != nil && now != old {
			s.logger.Error("signed file", "file", path, "err", err, "hint", "what is in use stays")
		}
		s.files[i] = now
	}
	s.noteMissing()
	s.noteAge()
}

// readSigned reads a file that may be one: a pipe would never end, or never begin.
func readSigned(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", path)
	}
	return daemon.ReadFile(path, maxSigned)
}

func (s *signed) adoptTrust(ctx context.Context, sealed []byte) error {
	next, err := credential.OpenTrust(sealed, s.root)
	if err != nil {
		return err
	}
	// The floor outlives a restart: an older list would bring withdrawn keys back.
	floor, err := s.book.Floor(ctx, "trust")
	if err != nil {
		return err
	}
	if next.Version < floor {
		return fmt.Errorf("version %d is older than %d, which was in use here before", next.Version, floor)
	}
	if r := s.policy(); r.Version > 0 && !akin(next.Region, r.Site) {
		return fmt.Errorf("it is %s's, the policy in use is %s's", next.Region, r.Site)
	}
	at, trusted := s.clock.Now()
	if !trusted {
		at = time.Time{}
	}
	if err := s.trust.Adopt(next, at); err != nil {
		return err
	}
	s.raise(next.Issued)
	if err := s.book.RaiseFloor(ctx, "trust", next.Version); err != nil {
		return fmt.Errorf("version %d is in use, but a restart would forget it: %w", next.Version, err)
	}
	s.logger.Info("trust list in use", "region", next.Region, "version", next.Version, "keys", next.Len(), "issued", next.Issued)
	return nil
}

// raise moves the clock's floor to a file's issue. One that lies a little ahead of a trusted
// clock, as a signer's local time can, must not make the true time look wrong.
func (s *signed) raise(issued time.Time) {
	if at, trusted := s.clock.Now(); trusted && issued.After(at) {
		issued = at
	}
	s.clock.raise(issued)
}

// akin reports whether one region is the other or a part of it: a province may sign for its
// cities, a city lives by the rules of its province.
func akin(a, b gatehouse.Issuer) bool { return a.Within(b) || b.Within(a) }

// adoptPolicy never rolls back, as with trust lists.
func (s *signed) adoptPolicy(ctx context.Context, sealed []byte) error {
	body, err := credential.Open("policy", sealed, s.root)
	if err != nil {
		return err
	}
	next, err := policy.Parse(body)
	if err != nil {
		return err
	}
	floor, err := s.book.Floor(ctx, "policy")
	if err != nil {
		return err
	}
	words := sha256.Sum256(body)
	old, list := s.policy(), s.trust.Current()
	at, trusted := s.clock.Now()
	switch {
	case list != nil && !akin(list.Region, next.Site):
		return fmt.Errorf("policy %s is not for this gate, whose trust list is %s's", next.Name(), list.Region)
	case trusted && next.Issued.After(at.Add(policyAhead)):
		return fmt.Errorf("policy %s was issued %s, which is yet to come", next.Name(), next.Issued.UTC().Format(time.RFC3339))
	case old.Version > 0 && next.Site != old.Site:
		return fmt.Errorf("policy %s is another region's than %s, which is in use", next.Name(), old.Name())
	case next.Version < old.Version:
		return fmt.Errorf("policy %s is older than %s, which is in use", next.Name(), old.Name())
	case next.Version < floor:
		return fmt.Errorf("policy %s is older than version %d, which was in use here before", next.Name(), floor)
	case next.Version == old.Version && words != s.words:
		return fmt.Errorf("policy %s is in use and says something else", next.Name())
	}
	s.rules.Store(&next)
	s.words = words
	s.raise(next.Issued)
	if err := s.book.RaiseFloor(ctx, "policy", next.Version); err != nil {
		return fmt.Errorf("policy %s is in use, but a restart would forget it: %w", next.Name(), err)
	}
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
		err = errors.New("the clock does not fit the newest row and the signed files: set it")
	}
	s.health.note(gatehouse.ReasonClock, err, at)
}

// fileState tells one content of a file from another without reading it.
func fileState(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return err.Error()
	}
	// Two files of one size can come within one tick of the file system's clock; the inode
	// tells them apart.
	inode := uint64(0)
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		inode = st.Ino
	}
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano(), inode)
}

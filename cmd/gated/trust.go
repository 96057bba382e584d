package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/credential/revocation"
	"gatehouse/credential/trust"
	"gatehouse/policy"
	"gatehouse/store"
)

// signed is what the nation and its regions signed and this gate lives by: whose keys to
// believe, by which rules to judge, which codes were taken back. It comes from a stick, from
// the region's server, or from people who import it; a bad one leaves the last good one in
// use.
type signed struct {
	site   gatehouse.Issuer // the region whose gates this is one of, or a part of it
	stick  string           // a folder that may hold a repository; empty for none
	book   *store.Log
	clock  *clock
	health *health
	logger *slog.Logger

	cache   *trust.Cache
	revoked atomic.Pointer[revocation.Set]
	lists   map[gatehouse.Issuer]keptList

	mu     sync.Mutex // one adoption at a time
	taken  *trust.Set // whose files are in use
	rules  atomic.Pointer[rules]
	faults map[string]string // by what they are about: a fault is told once
}

// openSigned opens the gate's folder of signed files as it was left.
func openSigned(conf trustConfig) (*trust.Cache, error) {
	root, err := daemon.ReadFile(conf.Root, maxRoot)
	if err != nil {
		return nil, err
	}
	cache, err := trust.Open(conf.Folder, root)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", conf.Folder, err)
	}
	return cache, nil
}

const maxRoot = 64 << 10

// Revoked asks the lists of the set in use.
func (s *signed) Revoked(code credential.Revocable) credential.Standing {
	if lists := s.revoked.Load(); lists != nil {
		return lists.Revoked(code)
	}
	return credential.InForce
}

// look takes what somebody imported, what lies on the stick, and puts it into use.
func (s *signed) look(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cache.Reload()
	if s.stick != "" {
		s.adoptFolder(ctx, s.stick)
	}
	s.use(ctx)
	s.noteAge()
}

// fetch takes what a source brings, such as the region's server, and puts it into use.
func (s *signed) fetch(ctx context.Context, from string, source trust.Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.adopt(ctx, from, source)
	s.use(ctx)
	s.noteAge()
}

// adoptFolder reads a stick. One that is not plugged in is no fault.
func (s *signed) adoptFolder(ctx context.Context, dir string) {
	source, closer, err := trust.OpenFolder(dir)
	if errors.Is(err, fs.ErrNotExist) {
		s.tell("stick "+dir, nil)
		return
	}
	if err != nil {
		s.tell("stick "+dir, err)
		return
	}
	defer closer.Close()
	s.adopt(ctx, "stick "+dir, source)
}

// adopt holds a repository to what is in use and to the time. A source that has no
// repository at all is no fault: the region may have published none yet.
func (s *signed) adopt(ctx context.Context, from string, source trust.Source) {
	at, trusted := s.clock.Now()
	_, err := s.cache.Adopt(source, at, trusted)
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, trust.ErrMissing) {
		err = nil
	}
	if ctx.Err() == nil {
		s.tell(from, err)
	}
}

// use puts the set of the cache into use: its revocations, then its rules.
func (s *signed) use(ctx context.Context) {
	s.tell("folder of signed files", s.cache.Fault())
	s.raise(s.cache.Floor())
	set := s.cache.Current()
	if set == nil || set == s.taken {
		s.noteMissing(set)
		return
	}
	for _, r := range set.Regions() {
		var err error
		if r.Fault != "" {
			err = errors.New(r.Fault)
		}
		s.tell("region "+string(r.ID), err)
	}
	s.takeRevocations(set)
	s.takeRules(ctx, set)
	s.taken = set
	s.logger.Info("signed files in use", "issued", set.Issued, "keys", set.Len(), "regions", len(set.Regions()), "timestamp", set.Versions()["timestamp"])
	s.noteMissing(set)
}

// A keptList is one region's revocations, and the set whose file it reads from.
type keptList struct {
	version int64 // of the region's role, which grows with each of its files
	list    *revocation.List
	set     *trust.Set
}

// takeRevocations reads the lists where they lie. A region whose new list cannot be read
// keeps the one before: what was taken back stays so.
func (s *signed) takeRevocations(set *trust.Set) {
	lists, kept := revocation.Set{}, map[gatehouse.Issuer]keptList{}
	for _, r := range set.Regions() {
		old, had := s.lists[r.ID]
		next, err := old, error(nil)
		if signs := slices.Contains(r.Files, trust.Revocations); signs && (!had || old.version != r.Version) {
			next, err = s.readRevocations(set, r)
		} else if !signs {
			continue
		}
		if s.tell("revocations of "+string(r.ID), err); err != nil {
			next = old
		}
		if next.list != nil {
			lists.Add(r.ID, next.list)
			kept[r.ID] = next
		}
	}
	s.lists = kept
	s.revoked.Store(&lists)
}

func (s *signed) readRevocations(set *trust.Set, r trust.Region) (keptList, error) {
	at, size, ok := set.Section(r.ID, trust.Revocations)
	if !ok {
		return keptList{}, errors.New("cannot be read where they lie")
	}
	list, err := revocation.Open(at, size)
	if err == nil && list.Issuer() != r.ID {
		err = fmt.Errorf("they are %s's", list.Issuer())
	}
	return keptList{r.Version, list, set}, err
}

// raise moves the clock's floor to what was signed. What lies a little ahead of a trusted
// clock, as a signer's local time can, must not make the true time look wrong.
func (s *signed) raise(issued time.Time) {
	if at, trusted := s.clock.Now(); trusted && issued.After(at) {
		issued = at
	}
	s.clock.raise(issued)
}

// tell logs a fault once, and its end.
func (s *signed) tell(about string, err error) {
	if s.faults == nil {
		s.faults = map[string]string{}
	}
	now := ""
	if err != nil {
		now = err.Error()
	}
	// An address of a broken connection differs each time; that it is broken is one fault.
	var broken *net.OpError
	if errors.As(err, &broken) {
		now = "network: " + broken.Op
	}
	old := s.faults[about]
	switch {
	case now == old:
	case broken != nil:
		s.faults[about] = now
		s.logger.Warn("signed files", "of", about, "err", err, "hint", "what is in use stays; said once until it answers again")
	case err != nil:
		s.faults[about] = now
		s.logger.Error("signed files", "of", about, "err", err, "hint", "what is in use stays")
	default:
		delete(s.faults, about)
		s.logger.Info("signed files are well again", "of", about)
	}
}

// noteMissing tells people why everybody is referred.
func (s *signed) noteMissing(set *trust.Set) {
	var err error
	switch {
	case set == nil:
		err = errors.New("no signed files here: bring them with `gatectl trust import`, a stick, or a link to the region")
	case s.inForce(s.clockNow()) == nil:
		err = fmt.Errorf("no signed policy for %s in use", s.site)
	}
	s.health.note(gatehouse.ReasonNoRule, err, s.clock.now())
}

// noteAge tells people before the first person is referred for it.
func (s *signed) noteAge() {
	at, trusted := s.clock.Now()
	var err error
	if p := s.inForce(at); p != nil && p.State(s.cache.Age(at)) == gatehouse.TrustTooOld {
		err = errStale
	}
	s.health.note(gatehouse.ReasonTrustStale, err, at)
	err = nil
	if !trusted {
		err = errors.New("the clock does not fit the newest row and the signed files: set it")
	}
	s.health.note(gatehouse.ReasonClock, err, at)
}

func (s *signed) clockNow() time.Time {
	at, _ := s.clock.Now()
	return at
}

// inForce is the policy to judge by at an instant; nil refers everybody.
func (s *signed) inForce(at time.Time) *policy.Policy {
	if r := s.rules.Load(); r != nil {
		return policy.InForce(at, r.everyday, r.urgent, r.activation)
	}
	return nil
}

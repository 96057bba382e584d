package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/credential/trust"
	"gatehouse/policy"
)

// rules is what a gate judges by: the region's everyday policy, the one that it signed ahead
// for an emergency, and what brings that into force. It never changes once it is in use.
type rules struct {
	everyday, urgent *policy.Policy
	activation       *policy.Activation
	words            map[string][sha256.Size]byte // of each file: tells two of one version apart
}

// policyAhead is how far a policy's issue may lie ahead of a trusted clock. One from far
// ahead would make the true time look wrong.
const policyAhead = 24 * time.Hour

// leastSigners is how many people a policy needs, none of whom signs the software: who can
// change what a gate is must not be able to change whom it lets in, nor one person alone.
const leastSigners = 2

// Judge judges by the rules in force; without any it refers everybody.
func (s *signed) Judge(e gatehouse.Evidence) gatehouse.Verdict { return s.inForce(e.At).Judge(e) }

// usable is asked of each file before a repository is adopted: what this gate could not live
// by never takes the place of what it lives by, not over a restart either.
func (s *signed) usable(id gatehouse.Issuer, name string, text []byte) error {
	if !s.site.Within(id) {
		return nil // another region's rules bind others
	}
	switch name {
	case trust.Policy, trust.Emergency:
		p, err := policy.Read(text)
		if err != nil {
			return err
		}
		return s.mayFollow(p, id, name)
	case trust.Activation:
		_, err := policy.ReadActivation(text)
		return err
	case trust.Published:
		_, err := readPublished(text)
		return err
	case trust.Risk:
		if r := s.rules.Load(); r != nil && r.everyday != nil {
			_, err := r.everyday.WithRisk(text)
			return err
		}
	}
	return nil
}

// mayFollow holds a policy to its place and to the versions that were in use here before.
func (s *signed) mayFollow(p *policy.Policy, id gatehouse.Issuer, name string) error {
	if p.Site() != id {
		return fmt.Errorf("policy %s is not for %s, whose people signed it", p.Name(), id)
	}
	floor, err := s.book.Floor(context.Background(), name)
	if err != nil {
		return err
	}
	if p.Version() < floor {
		return fmt.Errorf("policy %s is older than version %d, which was in use here before", p.Name(), floor)
	}
	if at, trusted := s.clock.Now(); trusted && p.Issued().After(at.Add(policyAhead)) {
		return fmt.Errorf("policy %s was issued %s, which is yet to come", p.Name(), p.Issued().UTC().Format(time.RFC3339))
	}
	return nil
}

// takeRules reads what the site's region signed. What cannot be used leaves the last good
// one in use, and is told.
func (s *signed) takeRules(ctx context.Context, set *trust.Set) {
	id, ok := s.region(set)
	if !ok {
		s.tell("policy", fmt.Errorf("no region that holds %s has signed one", s.site))
		return
	}
	if err := twoPeople(set, id); err != nil {
		s.tell("policy", err)
		return
	}
	old := s.rules.Load()
	if old == nil {
		old = &rules{}
	}
	next := &rules{everyday: old.everyday, urgent: old.urgent, activation: old.activation, words: map[string][sha256.Size]byte{}}
	library := s.library(set, id)
	for _, file := range []struct {
		name string
		in   **policy.Policy
	}{{trust.Policy, &next.everyday}, {trust.Emergency, &next.urgent}} {
		body, ok := set.Target(id, file.name)
		if !ok {
			if file.name == trust.Emergency {
				*file.in = nil
			}
			continue
		}
		p, err := s.readPolicy(ctx, set, id, file.name, body, *file.in, old.words[file.name])
		if err == nil {
			*file.in = p.With(library)
			next.words[file.name] = sha256.Sum256(body)
		} else {
			next.words[file.name] = old.words[file.name]
		}
		s.tell(file.name, err)
	}
	next.activation = nil
	if body, ok := set.Target(id, trust.Activation); ok {
		a, err := policy.ReadActivation(body)
		if s.tell(trust.Activation, err); err == nil {
			next.activation = &a
		}
	}
	s.rules.Store(next)
}

// region finds whose rules bind this gate: the smallest region that holds its site and
// signed a policy.
func (s *signed) region(set *trust.Set) (best gatehouse.Issuer, ok bool) {
	for _, r := range set.Regions() {
		if s.site.Within(r.ID) && slices.Contains(r.Files, trust.Policy) && (!ok || r.ID.Within(best)) {
			best, ok = r.ID, true
		}
	}
	return best, ok
}

func twoPeople(set *trust.Set, id gatehouse.Issuer) error {
	threshold, people := set.Speakers(string(id))
	_, makers := set.Speakers(trust.FirmwareRole)
	if threshold < leastSigners {
		return fmt.Errorf("one person alone may sign for %s, and a policy needs %d", id, leastSigners)
	}
	for _, key := range people {
		if slices.Contains(makers, key) {
			return fmt.Errorf("key %.8s may sign for %s and signs the software too: nobody may do both", key, id)
		}
	}
	return nil
}

// readPolicy never rolls back, not over a restart either.
func (s *signed) readPolicy(ctx context.Context, set *trust.Set, id gatehouse.Issuer, name string, body []byte, old *policy.Policy, words [sha256.Size]byte) (*policy.Policy, error) {
	next, err := policy.Read(body)
	if err != nil {
		return nil, err
	}
	if err := s.mayFollow(next, id, name); err != nil {
		return nil, err
	}
	if next, err = next.At(s.site); err != nil {
		return nil, err
	}
	if table, ok := set.Target(id, trust.Risk); ok {
		if next, err = next.WithRisk(table); err != nil {
			return nil, fmt.Errorf("%s: %w", trust.Risk, err)
		}
	}
	switch {
	case old != nil && next.Version() == old.Version() && sha256.Sum256(body) != words:
		return nil, fmt.Errorf("policy %s is in use and says something else", next.Name())
	case old == nil || next.Version() != old.Version():
		if err := next.Follows(old); err != nil {
			return nil, err
		}
	}
	s.raise(next.Issued())
	if err := s.book.RaiseFloor(ctx, name, next.Version()); err != nil {
		return nil, fmt.Errorf("policy %s cannot be taken: a restart would forget it: %w", next.Name(), err)
	}
	if old == nil || old.Version() != next.Version() {
		s.logger.Info("policy in use", "policy", next.Name(), "issued", next.Issued(), "mode", next.Mode())
	}
	return next, nil
}

// published is the file of other states' rules: by "DE/entry" the list as it is published,
// and the value sets that the rules ask for.
type published struct {
	Rules     map[string]json.RawMessage `json:"rules"`
	ValueSets json.RawMessage            `json:"value_sets"`
}

// library reads it. Without one, a policy that asks for published rules refers whom they
// would have judged.
func (s *signed) library(set *trust.Set, id gatehouse.Issuer) policy.Library {
	body, ok := set.Target(id, trust.Published)
	if !ok {
		return nil
	}
	states, err := readPublished(body)
	if s.tell(trust.Published, err); err != nil {
		return nil
	}
	return states
}

func readPublished(body []byte) (*policy.States, error) {
	var file published
	if err := json.Unmarshal(body, &file); err != nil {
		return nil, errors.New("no JSON of rules and value_sets")
	}
	lists := make(map[string][]byte, len(file.Rules))
	for name, list := range file.Rules {
		lists[name] = list
	}
	return policy.ReadStates(lists, file.ValueSets)
}

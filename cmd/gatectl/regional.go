package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/credential/revocation"
	"gatehouse/credential/trust"
	"gatehouse/policy"
)

// regional is what a gate of one site judges by: the region's everyday policy, the one that
// it signed ahead for an emergency, and what brings that into force.
type regional struct {
	id               gatehouse.Issuer // the region that signed it; empty for a policy of a file
	signed           bool
	everyday, urgent *policy.Policy
	activation       *policy.Activation
}

// inForce is the policy to judge by at an instant; nil refers everybody.
func (r regional) inForce(at time.Time) *policy.Policy {
	return policy.InForce(at, r.everyday, r.urgent, r.activation)
}

// rules reads the policy of the site: that of a file, which nobody has to have signed since
// looking at what a policy would do comes before signing it, or else the signed one.
func (t *trustFlags) rules(b *belief, file string) (regional, error) {
	r, err := t.readRules(b, file)
	if err != nil {
		return r, daemon.UsageError{Err: err}
	}
	return r, nil
}

func (t *trustFlags) readRules(b *belief, file string) (regional, error) {
	site := gatehouse.Issuer(t.site)
	if file == "" {
		if b.set == nil {
			return regional{}, nil
		}
		return readRegional(b.set, site)
	}
	body, err := daemon.ReadFile(file, maxSmall)
	if err != nil {
		return regional{}, err
	}
	p, err := policy.Read(body)
	if err == nil && site != "" {
		p, err = p.At(site)
	}
	if err != nil {
		return regional{}, named(file, err)
	}
	r := regional{everyday: p}
	if b.set == nil {
		return r, nil
	}
	// What it judges with beside its own words is what its region signed.
	if r.everyday, err = furnished(p, b.set, p.Site()); err != nil {
		return r, err
	}
	return r, nil
}

// readRegional reads what a region signed for its gates, and refuses what a gate would.
func readRegional(set *trust.Set, site gatehouse.Issuer) (regional, error) {
	id, err := regionOf(set, site)
	if err != nil || id == "" {
		return regional{}, err
	}
	if site == "" {
		site = id
	}
	if err := speakers(set, id); err != nil {
		return regional{}, err
	}
	r := regional{id: id, signed: true}
	for _, file := range []struct {
		name string
		in   **policy.Policy
	}{{trust.Policy, &r.everyday}, {trust.Emergency, &r.urgent}} {
		body, ok := set.Target(id, file.name)
		if !ok {
			continue
		}
		p, err := policy.Read(body)
		if err == nil && p.Site() != id {
			err = fmt.Errorf("policy %s is not for %s, whose people signed it", p.Name(), id)
		}
		if err == nil {
			p, err = p.At(site)
		}
		if err == nil {
			p, err = furnished(p, set, id)
		}
		if err != nil {
			return r, named(file.name+" of "+string(id), err)
		}
		*file.in = p
	}
	if body, ok := set.Target(id, trust.Activation); ok {
		a, err := policy.ReadActivation(body)
		if err != nil {
			return r, named(trust.Activation+" of "+string(id), err)
		}
		r.activation = &a
	}
	return r, nil
}

// regionOf finds whose rules bind a site: the smallest region that holds it and signed a
// policy. Without a site it is the only region that signed one; where none did it is nobody.
func regionOf(set *trust.Set, site gatehouse.Issuer) (best gatehouse.Issuer, err error) {
	var all []string
	for _, r := range set.Regions() {
		if !slices.Contains(r.Files, trust.Policy) {
			continue
		}
		all = append(all, string(r.ID))
		if (site == "" || site.Within(r.ID)) && (best == "" || r.ID.Within(best)) {
			best = r.ID
		}
	}
	switch {
	case site == "" && len(all) > 1:
		return "", fmt.Errorf("%d regions signed a policy, name the gate's with --site: %s", len(all), strings.Join(all, ", "))
	case site != "" && best == "":
		return "", fmt.Errorf("no region that holds %s signed a policy", site)
	}
	return best, nil
}

// leastSigners is how many people a policy needs, none of whom signs the software.
const leastSigners = 2

// speakers holds the people of a region to what a gate asks of them: who can change what a
// gate is must not be able to change whom it lets in, nor one person alone.
func speakers(set *trust.Set, id gatehouse.Issuer) error {
	threshold, people := set.Speakers(string(id))
	_, makers := set.Speakers(trust.FirmwareRole)
	return speak(string(id), threshold, people, makers)
}

func speak(role string, threshold int, people, makers []string) error {
	if threshold < leastSigners {
		return fmt.Errorf("one person alone could sign for %s: a policy needs two different people at least", role)
	}
	for _, key := range people {
		if slices.Contains(makers, key) {
			return fmt.Errorf("key %.8s would sign for %s and signs the firmware: nobody may do both", key, role)
		}
	}
	return nil
}

// furnished gives a policy what it asks for and does not hold itself: the region's table of
// risks, and the published rules of states.
func furnished(p *policy.Policy, set *trust.Set, id gatehouse.Issuer) (*policy.Policy, error) {
	if table, ok := set.Target(id, trust.Risk); ok {
		var err error
		if p, err = p.WithRisk(table); err != nil {
			return nil, named(trust.Risk+" of "+string(id), err)
		}
	}
	body, ok := set.Target(id, trust.Published)
	if !ok {
		return p, nil
	}
	states, _, err := readPublished(body)
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", trust.Published, id, err)
	}
	return p.With(states), nil
}

// published is the file of other states' rules: by "DE/entry" the list as it is published,
// and the value sets that the rules ask for.
type published struct {
	Rules     map[string]json.RawMessage `json:"rules"`
	ValueSets json.RawMessage            `json:"value_sets"`
}

func readPublished(body []byte) (*policy.States, published, error) {
	var file published
	if json.Unmarshal(body, &file) != nil {
		return nil, file, errors.New(`no JSON of "rules" and "value_sets"`)
	}
	lists := make(map[string][]byte, len(file.Rules))
	for name, list := range file.Rules {
		lists[name] = list
	}
	states, err := policy.ReadStates(lists, file.ValueSets)
	return states, file, err
}

// revocations opens each region's list where it lies; nil when nobody took any code back.
func revocations(set *trust.Set) (credential.Revocations, error) {
	lists := revocation.Set{}
	for _, r := range set.Regions() {
		if !slices.Contains(r.Files, trust.Revocations) {
			continue
		}
		at, size, ok := set.Section(r.ID, trust.Revocations)
		if !ok {
			return nil, fmt.Errorf("%s of %s cannot be read", trust.Revocations, r.ID)
		}
		list, err := revocation.Open(at, size)
		if err == nil && list.Issuer() != r.ID {
			err = fmt.Errorf("they are %s's", list.Issuer())
		}
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", trust.Revocations, r.ID, err)
		}
		lists.Add(r.ID, list)
	}
	if len(lists) == 0 {
		return nil, nil
	}
	return lists, nil
}

// named puts the file's name before each fault of a policy, as a compiler does.
func named(file string, err error) error {
	var faults policy.Faults
	if !errors.As(err, &faults) {
		return fmt.Errorf("%s: %w", file, err)
	}
	lines := make([]string, len(faults))
	for i, f := range faults {
		lines[i] = file + ": " + f.String()
	}
	return errors.New(strings.Join(lines, "\n"))
}

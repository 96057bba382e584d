package main

import (
	"crypto"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/credential/trust"
	"gatehouse/policy"
)

// Who signs in a kit. Of each role's three people two suffice: in a laboratory no more are
// to be had, and one alone shall never do.
const (
	deskName     = "desk"
	rootRole     = "root"
	firmwareRole = trust.FirmwareRole
	ofThree      = 2
)

// Lifetimes of what a kit signs, as docs/trust.md has them.
const (
	rootLife      = 365 * trust.Day
	regionLife    = 90 * trust.Day
	snapshotLife  = 30 * trust.Day
	timestampLife = 14 * trust.Day
)

// found holds the nation's first ceremony in dir/nation: the root, a role for each region and
// one for firmware, what each region signs. The root that gates are given to begin with goes
// to dir/root.json, and what a gate makes of the whole to dir/trust: it starts without a link.
func (k *kit) found(dir string, now time.Time) error {
	desk := k.desk(dir, now)
	publisher := trust.Quorum{Signers: []trust.Signer{k.person(deskName)}, Threshold: 1}
	err := desk.Init(trust.Ceremony{Root: k.quorum(rootRole), Snapshot: publisher, Timestamp: publisher, Life: rootLife})
	if err != nil {
		return fmt.Errorf("first root: %w", err)
	}
	for _, role := range k.roles()[1:] {
		if err := desk.AddRole(role, k.quorum(role), rootLife); err != nil {
			return fmt.Errorf("role of %s: %w", role, err)
		}
	}
	if err := k.sign(desk, rootRole, ""); err != nil {
		return err
	}
	for _, r := range k.regions {
		if err := k.draft(dir, r.id, now); err != nil {
			return err
		}
	}
	if _, _, err := desk.Refresh(k.publisher(), snapshotLife, timestampLife); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	root, err := desk.FirstRoot()
	if err != nil {
		return err
	}
	if err := writeNew(filepath.Join(dir, "root.json"), root); err != nil {
		return err
	}
	return adoptFolder(filepath.Join(dir, "trust"), root, desk.Dir, now)
}

// adoptFolder puts a repository into a gate's trust folder.
func adoptFolder(cache string, root []byte, repository string, now time.Time) error {
	gate, err := trust.Open(cache, root)
	if err != nil {
		return err
	}
	src, closer, err := trust.OpenFolder(repository)
	if err != nil {
		return err
	}
	defer closer.Close()
	_, err = gate.Adopt(src, now, true)
	return err
}

// publish lets a region's people sign what it says now, and the desk hand it out.
func (k *kit) publish(dir string, id gatehouse.Issuer, now time.Time) error {
	if err := k.draft(dir, id, now); err != nil {
		return err
	}
	if _, _, err := k.desk(dir, now).Refresh(k.publisher(), snapshotLife, timestampLife); err != nil {
		return fmt.Errorf("publish %s: %w", id, err)
	}
	return nil
}

// draft writes what a region says to dir/regions, where people find it again, and lets the
// region's people sign it. A policy that its own tests do not bear out is not signed.
func (k *kit) draft(dir string, id gatehouse.Issuer, now time.Time) error {
	r, folder := k.of(id), filepath.Join(dir, "regions", string(id))
	var keys []byte
	if r.signed != r.list { // the same version is the same bytes, the time of issue included
		var err error
		if keys, err = r.trustList(now); err != nil {
			return fmt.Errorf("keys of %s: %w", id, err)
		}
		r.signed = r.list
	}
	if r.policy != nil {
		if _, _, err := policy.Ready(r.policy); err != nil {
			return fmt.Errorf("policy of %s: %w", id, err)
		}
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	files := map[string]string{}
	for _, f := range []struct {
		name, file string
		body       []byte
	}{{trust.Keys, "keys.json", keys}, {trust.Policy, "policy.toml", r.policy}, {trust.Revocations, "revocations", r.revocations}} {
		if f.body == nil {
			continue
		}
		files[f.name] = filepath.Join(folder, f.file)
		if err := os.WriteFile(files[f.name], f.body, 0o600); err != nil {
			return err
		}
	}
	desk := k.desk(dir, now)
	if err := desk.Publish(string(id), files, regionLife); err != nil {
		return fmt.Errorf("draft of %s: %w", id, err)
	}
	return k.sign(desk, string(id), string(id))
}

// sign lets as many of a role's people sign as it takes: one draft, or each in which they
// have a say when draft is empty.
func (k *kit) sign(desk trust.Desk, role, draft string) error {
	for _, name := range three(role)[:ofThree] {
		if _, err := desk.Sign(draft, k.people[name]); err != nil {
			return fmt.Errorf("signature of %s: %w", name, err)
		}
	}
	return nil
}

func (k *kit) desk(dir string, now time.Time) trust.Desk {
	return trust.Desk{Dir: filepath.Join(dir, "nation"), Now: now}
}

func (k *kit) publisher() []crypto.Signer { return []crypto.Signer{k.people[deskName]} }

func (k *kit) person(name string) trust.Signer {
	return trust.Signer{Name: name, Public: k.people[name].Public()}
}

func (k *kit) quorum(role string) trust.Quorum {
	q := trust.Quorum{Threshold: ofThree}
	for _, name := range three(role) {
		q.Signers = append(q.Signers, k.person(name))
	}
	return q
}

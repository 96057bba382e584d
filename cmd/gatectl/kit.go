package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/policy"
)

// A kit is a nation on one table: the people who sign, the regions that issue codes, one
// regional server and one gate, all with fresh keys. It is for the demo, for a laboratory,
// and as the pattern of a real one, where no two of these lie in one place.
type kit struct {
	region  gatehouse.Issuer              // whose server and gate these are
	regions []*kitRegion                  // its own is the first
	people  map[string]ed25519.PrivateKey // who signs what gates believe: "root-1", "CN-330100-2", "desk"
	gate    ed25519.PrivateKey
	server  *ecdsa.PrivateKey
	cold    bool // its gates have no thermometer, and its policy asks for none
}

// A kitRegion is one region: the keys that its codes are signed with, and what its people
// sign for gates.
type kitRegion struct {
	id          gatehouse.Issuer
	keys        []*issuerKey // the first signs its health codes
	list        uint64       // version of its key list
	signed      uint64       // the version of it that its people signed last
	policy      []byte       // nil: it gives gates no rules
	revocations []byte       // nil: it took no code back
}

// newKit makes a nation of a region and of others whose codes its gates shall know.
func newKit(region gatehouse.Issuer, others ...gatehouse.Issuer) (*kit, error) {
	k := &kit{region: region, people: map[string]ed25519.PrivateKey{}}
	for _, id := range append([]gatehouse.Issuer{region}, others...) {
		if !isRegion(string(id)) {
			return nil, daemon.UsageError{Err: fmt.Errorf("%q is no region: a country such as DE, or CN and a GB/T 2260 division such as CN-330100", id)}
		}
		if k.of(id) == nil {
			k.regions = append(k.regions, &kitRegion{id: id, list: 1})
			if err := k.addKey(id, "issuer-"+string(id), "es256", credential.UseHealthCode); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range k.everybody() {
		key, err := newGateKey() // any Ed25519 key is like another
		if err != nil {
			return nil, err
		}
		k.people[name] = key
	}
	var err error
	if k.gate, err = newGateKey(); err != nil {
		return nil, err
	}
	k.server, err = newIssuerKey()
	return k, err
}

// of finds a region of the kit, or nil.
func (k *kit) of(id gatehouse.Issuer) *kitRegion {
	for _, r := range k.regions {
		if r.id == id {
			return r
		}
	}
	return nil
}

// signer is what a region signs its health codes with.
func (k *kit) signer(id gatehouse.Issuer) crypto.Signer { return k.of(id).keys[0].private }

// addKey gives a region one more key; its file will have that name.
func (k *kit) addKey(id gatehouse.Issuer, name, algorithm string, usage credential.Usage) error {
	if slices.ContainsFunc(k.of(id).keys, func(other *issuerKey) bool { return other.name == name }) {
		return daemon.UsageError{Err: fmt.Errorf("%s.key is asked for twice", name)}
	}
	private, err := newCodeKey(algorithm)
	if err != nil {
		return err
	}
	r := k.of(id)
	r.keys = append(r.keys, &issuerKey{name: name, private: private, issuer: id, usage: usage})
	return nil
}

// trustList is the region's list of keys, one a line, so that people can compare two.
func (r *kitRegion) trustList(now time.Time) ([]byte, error) {
	var keys [][]byte
	for _, k := range r.keys {
		listed, err := k.listed(now.Add(-48*time.Hour), now.AddDate(2, 0, 0))
		if err != nil {
			return nil, err
		}
		line, err := json.Marshal(listed)
		if err != nil {
			return nil, err
		}
		keys = append(keys, line)
	}
	text := fmt.Appendf(nil, "{\"kind\":\"trust\",\"region\":%q,\"version\":%d,\"issued\":%q,\"keys\":[\n%s\n]}\n",
		r.id, r.list, now.UTC().Truncate(time.Second).Format(time.RFC3339), bytes.Join(keys, []byte(",\n")))
	_, err := credential.ReadTrust(text)
	return text, err
}

// everyday is a policy to begin with: codes of all the kit's regions, twelve hours fresh,
// fever from 37.3 degrees at the forehead.
func (k *kit) everyday(now time.Time) ([]byte, error) {
	e := policy.Everyday{Site: k.region, Version: 1, Issued: now.UTC().Truncate(time.Second), Cold: k.cold}
	for _, r := range k.regions[1:] {
		e.Accept = append(e.Accept, r.id)
	}
	return e.Text()
}

// write puts the kit into a folder, each part where the one who needs it can take it from.
// hosts are the names under which gates reach the regional server.
func (k *kit) write(dir string, hosts []string, now time.Time) error {
	for _, d := range []string{"people", "region", "gate", "regions"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return err
		}
	}
	for name, key := range k.people {
		if err := writePair(filepath.Join(dir, "people", name), key); err != nil {
			return err
		}
	}
	for _, r := range k.regions {
		for _, key := range r.keys {
			if err := writeKey(filepath.Join(dir, key.name+".key"), key.private); err != nil {
				return err
			}
		}
	}
	if err := writeKey(filepath.Join(dir, "region/region.key"), k.server); err != nil {
		return err
	}
	cert, err := certificate(k.server, hosts, now)
	if err != nil {
		return err
	}
	if err := writeNew(filepath.Join(dir, "region/region.pem"), cert); err != nil {
		return err
	}
	if err := writePair(filepath.Join(dir, "gate/gate"), k.gate); err != nil {
		return err
	}
	if own := k.of(k.region); own.policy == nil {
		if own.policy, err = k.everyday(now); err != nil {
			return err
		}
	}
	return k.found(dir, now)
}

// writePair writes a person's or a gate's two files.
func writePair(path string, key crypto.Signer) error {
	public, err := publicKey(key)
	if err != nil {
		return err
	}
	if err := writeKey(path+".key", key); err != nil {
		return err
	}
	return writeNew(path+".pub", public)
}

// everybody lists who signs something that gates believe: of root, each region and the
// firmware three people, of whom two suffice, and the desk that publishes.
func (k *kit) everybody() []string {
	names := []string{deskName}
	for _, role := range k.roles() {
		names = append(names, three(role)...)
	}
	return names
}

func (k *kit) roles() []string {
	roles := []string{rootRole, firmwareRole}
	for _, r := range k.regions {
		roles = append(roles, string(r.id))
	}
	return roles
}

func three(role string) []string { return []string{role + "-1", role + "-2", role + "-3"} }

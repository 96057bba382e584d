package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/credential"
	"gatehouse/policy"
)

// A kit is everything that a region signs with and a gate trusts, made fresh: for the
// demo, for a laboratory, and as the pattern of a real one.
type kit struct {
	region  gatehouse.Issuer
	signer  string // signs trust list and policy; belongs offline
	root    string // its public half, for gate.toml
	issuers map[gatehouse.Issuer]*ecdsa.PrivateKey
	gate    ed25519.PrivateKey
	server  *ecdsa.PrivateKey
	cold    bool // its gates have no thermometer, and its policy asks for none
}

// newKit makes keys for a region and for the other issuers that its gates shall know.
func newKit(region gatehouse.Issuer, others ...gatehouse.Issuer) (*kit, error) {
	k := &kit{region: region, issuers: map[gatehouse.Issuer]*ecdsa.PrivateKey{}}
	var err error
	if k.signer, k.root, err = credential.NewTrustKey(string(region)); err != nil {
		return nil, err
	}
	for _, issuer := range append(others, region) {
		if k.issuers[issuer], err = newIssuerKey(); err != nil {
			return nil, err
		}
	}
	if k.gate, err = newGateKey(); err != nil {
		return nil, err
	}
	k.server, err = newIssuerKey()
	return k, err
}

// trustNote is the signed list of all the kit's issuers.
func (k *kit) trustNote(now time.Time) ([]byte, error) {
	list := credential.TrustList{Region: k.region, Version: 1, Issued: now.UTC().Truncate(time.Second)}
	for issuer, private := range k.issuers {
		id, err := credential.KeyID(private.Public())
		if err != nil {
			return nil, err
		}
		key := credential.Key{ID: id, Issuer: issuer, Public: private.Public(), Usage: credential.UseHealthCode,
			NotBefore: now.Add(-48 * time.Hour).Truncate(time.Second), NotAfter: now.AddDate(2, 0, 0).Truncate(time.Second)}
		listed, err := key.Listed()
		if err != nil {
			return nil, err
		}
		list.Keys = append(list.Keys, listed)
	}
	return credential.SealTrust(list, k.signer)
}

// policyNote is a signed policy to begin with: the region's own codes and those of its
// issuers, twelve hours fresh, fever from 37.3 degrees at the forehead.
func (k *kit) policyNote(now time.Time) ([]byte, error) {
	r := policy.Rules{Kind: "policy", Site: k.region, Version: 1, Issued: now.UTC().Truncate(time.Second),
		FreshMinutes: 12 * 60, TestHours: 72, StaleHours: 7 * 24,
		Temperature: policy.Temperature{Off: k.cold, Fever: 37_300, Low: 35_000}}
	for issuer := range k.issuers {
		r.Accept = append(r.Accept, issuer)
	}
	body, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, err
	}
	if _, err := policy.Parse(body); err != nil {
		return nil, err
	}
	return credential.Seal("policy", body, k.signer)
}

// write puts the kit into a folder, each part where the one who needs it can take it from.
// hosts are the names under which gates reach the regional server.
func (k *kit) write(dir string, hosts []string, now time.Time) error {
	trust, err := k.trustNote(now)
	if err != nil {
		return err
	}
	rules, err := k.policyNote(now)
	if err != nil {
		return err
	}
	cert, err := certificate(k.server, hosts, now)
	if err != nil {
		return err
	}
	gatePublic, err := publicKey(k.gate)
	if err != nil {
		return err
	}
	for _, d := range []string{"trust", "region", "gate"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return err
		}
	}
	for name, body := range map[string][]byte{
		"root.signer":       []byte(k.signer + "\n"),
		"trust/root.pub":    []byte(k.root + "\n"),
		"trust/trust.note":  trust,
		"trust/policy.note": rules,
		"region/region.pem": cert,
		"gate/gate.pub":     gatePublic,
	} {
		if err := writeNew(filepath.Join(dir, name), body); err != nil {
			return err
		}
	}
	if err := writeKey(filepath.Join(dir, "region/region.key"), k.server); err != nil {
		return err
	}
	if err := writeKey(filepath.Join(dir, "gate/gate.key"), k.gate); err != nil {
		return err
	}
	for issuer, key := range k.issuers {
		if err := writeKey(filepath.Join(dir, fmt.Sprintf("issuer-%s.key", issuer)), key); err != nil {
			return err
		}
	}
	return nil
}

// writeNew writes a file that is not there yet.
func writeNew(path string, body []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(body); err != nil {
		return err
	}
	return f.Sync()
}

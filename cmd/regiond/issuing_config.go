package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"gatehouse/sync/region/issuing"
)

// issuingConfig is the part of a region that gives codes. Left out, the region gives none.
type issuingConfig struct {
	People    string           `toml:"people"`   // file of what is kept about people
	Secret    string           `toml:"secret"`   // file of 32 random bytes under which persons are found; made when neither is there
	Rules     string           `toml:"rules"`    // the region's rules document
	Signer    string           `toml:"signer"`   // PEM file of the private key that signs codes
	Sources   []sourceConfig   `toml:"source"`   // folders that bring events
	Foreign   []foreignConfig  `toml:"foreign"`  // keys of other regions, for verify and convert
	Operators []operatorConfig `toml:"operator"` // who may come in
}

type sourceConfig struct {
	Name   string `toml:"name"`
	Folder string `toml:"folder"`
}

type foreignConfig struct {
	Issuer string `toml:"issuer"`
	Key    string `toml:"key"` // public key in PEM
}

type operatorConfig struct {
	Name  string `toml:"name"`
	Role  string `toml:"role"`
	Token string `toml:"token"` // what `regiond hash-token` makes of it
}

var operatorName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)

func (c *issuingConfig) check(fault func(key, what, hint string)) {
	for _, k := range []struct{ key, value, hint string }{
		{"issuing.people", c.People, `as in people = "/var/lib/gatehouse/people.db"`},
		{"issuing.secret", c.Secret, `as in secret = "/var/lib/gatehouse/people.secret"`},
		{"issuing.rules", c.Rules, "docs/issuing.md has an example"},
		{"issuing.signer", c.Signer, "`gatectl init` makes one"},
	} {
		if k.value == "" {
			fault(k.key, "is missing", k.hint)
		}
	}
	names := map[string]bool{}
	for _, o := range c.Operators {
		switch {
		case !operatorName.MatchString(o.Name) || names[o.Name]:
			fault("issuing.operator", fmt.Sprintf("%q: want a name of its own, of letters, digits and . _ -", o.Name), "")
		case !slices.Contains(issuing.Roles(), issuing.Role(o.Role)):
			fault("issuing.operator", fmt.Sprintf("%s: %q is no role", o.Name, o.Role), fmt.Sprint("one of ", issuing.Roles()))
		case !issuing.SoundHash(o.Token):
			fault("issuing.operator", o.Name+": the token is no hash", "`regiond hash-token` makes one")
		}
		names[o.Name] = true
	}
	names = map[string]bool{}
	for _, s := range c.Sources {
		if !operatorName.MatchString(s.Name) || names[s.Name] || s.Folder == "" {
			fault("issuing.source", fmt.Sprintf("%q: want a name of its own and a folder", s.Name), "")
		}
		names[s.Name] = true
	}
	for _, f := range c.Foreign {
		if _, err := gateKey(f.Key); err != nil || f.Issuer == "" {
			fault("issuing.foreign", fmt.Sprintf("%q: %v", f.Issuer, errors.Join(err, noIssuer(f))), "issuer, and its public key in PEM")
		}
	}
}

func noIssuer(f foreignConfig) error {
	if f.Issuer == "" {
		return errors.New("it has no issuer")
	}
	return nil
}

package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"strings"
)

// config is the settings file of one regional server.
type config struct {
	Region      string       `toml:"region"`      // "CN-330100"
	Listen      string       `toml:"listen"`      // "0.0.0.0:8443"
	Ledger      string       `toml:"ledger"`      // file of the region's ledger
	Certificate string       `toml:"certificate"` // PEM file, the one that gates have as region.ca
	Key         string       `toml:"key"`         // PEM file of its private key
	Token       string       `toml:"token"`       // for who reads from another machine; empty: nobody does
	Gates       []gateConfig `toml:"gate"`

	// Repository is the folder of the regions' signed files (docs/trust.md), which gates fetch
	// from here; empty: gates get them by stick.
	Repository string `toml:"repository"`

	Issuing *issuingConfig `toml:"issuing"` // left out: this region gives no codes
}

type gateConfig struct {
	Name string `toml:"name"`
	Key  string `toml:"key"` // the gate's public key in PEM, as its gate.pub has it
}

// shortestToken has 120 bits when it is random: nothing that could be guessed.
const shortestToken = 20

func (c *config) Check(fault func(key, what, hint string)) {
	for _, k := range []struct{ key, value, hint string }{
		{"region", c.Region, `as in region = "CN-330100"`},
		{"ledger", c.Ledger, `as in ledger = "/var/lib/gatehouse/ledger.db"`},
		{"certificate", c.Certificate, "`gatectl init` makes one"},
		{"key", c.Key, "`gatectl init` makes one"},
	} {
		if k.value == "" {
			fault(k.key, "is missing", k.hint)
		}
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8443"
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		fault("listen", "is no address with a port", `as in listen = "0.0.0.0:8443"`)
	}
	if c.Token != "" && len(c.Token) < shortestToken {
		fault("token", fmt.Sprintf("is shorter than %d characters", shortestToken), "`openssl rand -hex 16` makes a good one")
	}
	if c.Issuing != nil {
		c.Issuing.check(fault)
	}
	if len(c.Gates) == 0 {
		fault("gate", "no gate is named: nobody could deliver anything", "[[gate]] with name and key")
	}
	names := map[string]bool{}
	for _, g := range c.Gates {
		if _, err := gateKey(g.Key); g.Name == "" || err != nil {
			fault("gate", fmt.Sprintf("%q: %v", g.Name, errors.Join(err, unnamed(g))), "the text of the gate's gate.pub")
		}
		if names[g.Name] {
			fault("gate", "two gates are called "+g.Name, "")
		}
		names[g.Name] = true
	}
}

func unnamed(g gateConfig) error {
	if g.Name == "" {
		return errors.New("it has no name")
	}
	return nil
}

// gateKey reads a gate's public key: Ed25519 or P-256.
func gateKey(text string) (crypto.PublicKey, error) {
	block, _ := pem.Decode([]byte(strings.TrimSpace(text)))
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New("its key is no PUBLIC KEY in PEM")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	switch k := key.(type) {
	case ed25519.PublicKey:
		return k, nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return k, nil
		}
	}
	return nil, fmt.Errorf("its key is a %T: want Ed25519 or P-256", key)
}

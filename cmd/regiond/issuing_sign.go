package main

import (
	"context"
	"crypto"
	"encoding/hex"
	"fmt"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/store"
)

// A codeSigner signs with credential.
type codeSigner struct {
	key crypto.Signer
	id  []byte
}

func newCodeSigner(path string) (codeSigner, error) {
	key, err := daemon.ReadKey(path)
	if err != nil {
		return codeSigner{}, err
	}
	id, err := credential.KeyID(key.Public())
	return codeSigner{key, id}, err
}

// factsToPack is from how many facts on deflating may make a code shorter. Trying costs more
// time than signing, and a code of few facts is mostly random bytes.
const factsToPack = 6

func (s codeSigner) KeyID() string { return hex.EncodeToString(s.id) }

func (s codeSigner) Sign(p gatehouse.Pass, detail int64) (string, error) {
	id, err := hex.DecodeString(p.Code)
	if err != nil {
		return "", fmt.Errorf("id of the code: %w", err)
	}
	format := "" // whichever is shorter
	if len(p.Facts) < factsToPack {
		format = "RHC1"
	}
	return credential.Issue(s.key, credential.Claims{Format: format, Issuer: p.Issuer, Issued: p.Issued, Expires: p.Expires, ID: id,
		Holder: p.Holder, Grade: p.Grade, Class: p.Class, Detail: uint(detail), Since: p.Since, Facts: p.Facts})
}

// ringOf holds the region's own key and those of others.
func ringOf(foreign []foreignConfig, own codeSigner, region gatehouse.Issuer) credential.Ring {
	ring := credential.Ring{{ID: own.id, Issuer: region, Public: own.key.Public(), Usage: credential.UseHealthCode}}
	for _, f := range foreign {
		keys, err := credential.ReadSigner([]byte(f.Key))
		if err != nil {
			continue // the settings were checked: such a key has a fault by then
		}
		for _, k := range keys {
			k.Issuer, k.AnyIssuer = gatehouse.Issuer(f.Issuer), false
			ring = append(ring, k)
		}
	}
	return ring
}

// takenBack answers for the codes that this region took back.
type takenBack struct{ people *store.People }

func (t takenBack) Revoked(code credential.Revocable) credential.Standing {
	if len(code.ID) != 12 {
		return credential.InForce
	}
	revoked, err := t.people.Revoked(context.Background(), [12]byte(code.ID))
	switch {
	case err != nil:
		return credential.MaybeRevoked
	case revoked:
		return credential.Revoked
	}
	return credential.InForce
}

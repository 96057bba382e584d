package credential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"

	"gatehouse"

	"github.com/fxamacker/cbor/v2"
)

const keyIDSize = 8

// KeyID is the id of a key in RHC1: the first 8 bytes of the SHA-256 of its
// SubjectPublicKeyInfo in DER (RFC 5280, section 4.1).
func KeyID(public crypto.PublicKey) ([]byte, error) {
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("key id: %w", err)
	}
	sum := sha256.Sum256(spki)
	return sum[:keyIDSize], nil
}

// Claims is what a region states in one RHC1 code.
type Claims struct {
	Issuer  gatehouse.Issuer // "CN-330100"
	Issued  time.Time        // counted in whole seconds
	Expires time.Time        // at most 24 hours later
	ID      []byte           // 12 bytes that are not used twice; nil: drawn at random

	Holder gatehouse.Holder // name already masked; of the birth date the year is carried; tag of 8 bytes
	Grade  gatehouse.Grade
	Class  gatehouse.Class
	Detail uint      // the region's own number beside the class; a gate does not read it
	Since  time.Time // when the colour last changed; zero: not said

	// Facts are travels, temperatures, tests and vaccinations, all before Issued. Times are
	// carried in whole minutes before it, those of travels and vaccinations in whole days.
	Facts []gatehouse.Fact
}

// Issue signs a health code and gives the text for its QR code. The key is P-256 (ES256) or
// Ed25519 (EdDSA), in memory or in a device. What Parse or Verify would refuse is an error.
func Issue(key crypto.Signer, c Claims) (string, error) {
	text, err := issue(key, c)
	if err != nil {
		return "", fmt.Errorf("issue: %w", err)
	}
	return text, nil
}

func issue(key crypto.Signer, c Claims) (string, error) {
	kid, err := KeyID(key.Public())
	if err != nil {
		return "", err
	}
	c.Issued, c.Expires = c.Issued.Truncate(time.Second), c.Expires.Truncate(time.Second)
	if c.ID == nil {
		c.ID = make([]byte, rhc1ID)
		rand.Read(c.ID) // never fails, by its own word
	}
	body, err := c.body()
	if err != nil {
		return "", err
	}
	health, err := encoding.Marshal(body)
	if err != nil {
		return "", err
	}
	payload, err := encoding.Marshal(claims{
		Issuer:  string(c.Issuer),
		Expires: instant(c.Expires.Unix()),
		Issued:  instant(c.Issued.Unix()),
		ID:      c.ID,
		Health:  health,
	})
	if err != nil {
		return "", err
	}
	message, err := signMessage(key, kid, payload)
	if err != nil {
		return "", err
	}
	text := rhc1CWT.prefix + encodeBase45(message)

	// The issuer reads its own work as a gate will: one set of rules, not two that drift.
	ring := Ring{{ID: kid, Issuer: c.Issuer, Public: key.Public(), Usage: UseHealthCode}}
	if _, err := (Verifier{Keys: ring}).Verify(text, c.Issued); err != nil {
		return "", err
	}
	return text, nil
}

// signMessage makes a tagged COSE_Sign1 with algorithm and key id in the signed header.
func signMessage(key crypto.Signer, kid, payload []byte) ([]byte, error) {
	alg := int64(0)
	switch public := key.Public().(type) {
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() {
			alg = algES256
		}
	case ed25519.PublicKey:
		alg = algEdDSA
	}
	if alg == 0 {
		return nil, fmt.Errorf("sign with %T: want P-256 or Ed25519", key.Public())
	}
	protected, err := encoding.Marshal(map[int64]any{1: alg, 4: kid})
	if err != nil {
		return nil, err
	}
	signature, err := signRaw(key, alg, toBeSigned(protected, payload))
	if err != nil {
		return nil, err
	}
	return encoding.Marshal(cbor.Tag{Number: tagSign1, Content: []any{protected, map[int64]any{}, payload, signature}})
}

// signRaw signs as COSE has it: r and s of 32 bytes each for ES256, as crypto.Signer gives
// them in DER.
func signRaw(key crypto.Signer, alg int64, message []byte) ([]byte, error) {
	if alg == algEdDSA {
		return key.Sign(rand.Reader, message, crypto.Hash(0))
	}
	hash := sha256.Sum256(message)
	der, err := key.Sign(rand.Reader, hash[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &pair); err != nil || len(rest) > 0 {
		return nil, errors.New("sign: the key gave no DER signature")
	}
	if pair.R.Sign() < 0 || pair.R.BitLen() > 256 || pair.S.Sign() < 0 || pair.S.BitLen() > 256 {
		return nil, errors.New("sign: the key gave a signature that is not P-256's")
	}
	raw := make([]byte, 64)
	pair.R.FillBytes(raw[:32])
	pair.S.FillBytes(raw[32:])
	return raw, nil
}

// body puts the claims into the numbers of RHC1. It refuses what those cannot say; bounds
// are the reader's business.
func (c Claims) body() (*rhc1Body, error) {
	colour := uint(slices.Index([]gatehouse.Grade{gatehouse.Green, gatehouse.Yellow, gatehouse.Red, gatehouse.Grey}, c.Grade))
	if c.Grade == gatehouse.NoGrade || colour > 3 {
		return nil, fmt.Errorf("grade %d is no colour", c.Grade)
	}
	b := &rhc1Body{Version: 1, Colour: &colour, issued: c.Issued}
	b.Holder.Name = c.Holder.Name
	if c.Holder.Tag != "" {
		tag, err := hex.DecodeString(c.Holder.Tag)
		if err != nil {
			return nil, errors.New("the holder's tag is not hex")
		}
		b.Holder.Tag = tag
	}
	if c.Holder.Birth != "" {
		year, err := strconv.ParseUint(c.Holder.Birth[:min(4, len(c.Holder.Birth))], 10, 16)
		if err != nil {
			return nil, errors.New("the holder's birth begins with no year")
		}
		b.Holder.Year = uint(year)
	}
	if c.Class != 0 || c.Detail != 0 {
		b.Class = &rhc1Class{Class: uint(c.Class), Detail: uint64(c.Detail)}
	}
	if !c.Since.IsZero() {
		ago, err := b.ago(c.Since, time.Minute)
		if err != nil {
			return nil, fmt.Errorf("colour since: %w", err)
		}
		b.Since = &ago
	}
	for i, fact := range c.Facts {
		if err := b.add(fact); err != nil {
			return nil, fmt.Errorf("fact %d, %s: %w", i+1, fact.Kind, err)
		}
	}
	return b, nil
}

func (b *rhc1Body) add(fact gatehouse.Fact) error {
	division, err := divisionNumber(fact.Division)
	if err != nil {
		return err
	}
	switch fact.Kind {
	case gatehouse.Travel:
		in, err := b.ago(fact.At, 24*time.Hour)
		if err != nil {
			return err
		}
		out, err := b.ago(fact.Until, 24*time.Hour)
		if err != nil {
			return err
		}
		b.Travels = append(b.Travels, rhc1Travel{Division: division, In: in, Out: out, Risk: uint(fact.Risk)})
	case gatehouse.Fever:
		ago, err := b.ago(fact.At, time.Minute)
		if err != nil {
			return err
		}
		if fact.Temperature < 0 {
			return errors.New("below zero")
		}
		b.Temperatures = append(b.Temperatures, rhc1Temperature{Tenths: uint(fact.Temperature+50) / 100, Ago: ago})
	case gatehouse.Test:
		ago, err := b.ago(fact.At, time.Minute)
		if err != nil {
			return err
		}
		kind := slices.Index(rhc1Tests[:], fact.Method)
		if kind < 1 {
			return fmt.Errorf("no method that RHC1 knows: %v", rhc1Tests[1:])
		}
		b.Tests = append(b.Tests, rhc1Test{Kind: uint(kind), Result: uint(fact.Result), Ago: ago, Division: division})
	case gatehouse.Vaccination:
		day := fact.At.Unix() / (24 * 60 * 60)
		if day < 0 || fact.Dose < 0 {
			return errors.New("out of range")
		}
		b.Vaccinations = append(b.Vaccinations, rhc1Vaccination{Doses: uint(fact.Dose), Day: uint(day), Product: fact.Product})
	default:
		return errors.New("RHC1 has no place for it")
	}
	return nil
}

// ago counts whole units from a time back from the issue.
func (b *rhc1Body) ago(at time.Time, unit time.Duration) (uint, error) {
	d := b.issued.Sub(at)
	if d < 0 {
		return 0, errors.New("lies after the issue")
	}
	if d > 100*366*24*time.Hour {
		return 0, errors.New("lies too far back")
	}
	return uint(d / unit), nil
}

func divisionNumber(s string) (uint, error) {
	if s == "" {
		return 0, nil
	}
	if len(s) != 6 || !within(s, '0', '9') {
		return 0, errors.New("division is not of six digits")
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return uint(n), err
}

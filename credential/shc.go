package credential

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"gatehouse"
)

// shc is the SMART Health Card (spec.smarthealth.cards, version 1.4.0): a JWS in pairs of
// digits, in it a deflated W3C credential around a FHIR bundle.
var shc = format{
	name:   "SHC",
	begins: func(text string) bool { return strings.HasPrefix(text, shcPrefix) },
	parse:  parseSHC,
	algs:   []int64{algES256},
	codes:  maxParts,
}

const (
	shcPrefix = "shc:/"
	shcType   = "https://smarthealth.cards#health-card"

	shcThumbprint = 32 // bytes of a key id, the SHA-256 of the key (RFC 7638)
	maxRID        = 24 // characters of a revocation id
)

func parseSHC(u *Unverified, text string) error {
	digits := strings.TrimPrefix(text, shcPrefix)
	if strings.Contains(digits, "/") {
		part, err := parsePart(text)
		if err != nil {
			return u.malformed("digits", err)
		}
		if part.of > 1 {
			return u.refuse(gatehouse.ReasonMalformed, "part %d of %d: the card is read when all were shown", part.number, part.of)
		}
		digits = part.digits
	}
	compact, err := decodeDigits(digits)
	if err != nil {
		return u.malformed("digits", err)
	}
	j, err := parseJWS(compact)
	if err != nil {
		return u.malformed("jws", err)
	}
	u.alg, u.signature = j.alg, j.signature
	u.signed = func(Verifier) ([]byte, error) { return j.signed, nil }
	if u.kid, err = shcKeyID(j.header); err != nil {
		return u.malformed("jws", err)
	}
	packed, err := inflateRaw(j.payload)
	if err != nil {
		return u.malformed("inflate", err)
	}
	u.size = len(packed)
	body, err := parseJSON(packed)
	if err != nil {
		return u.malformed("claims", err)
	}
	if err := shcShape(u, body); err != nil {
		return u.malformed("claims", err)
	}
	u.open = func() (contents, error) { return openSHC(body) }
	return nil
}

// decodeDigits reads pairs of digits, each a character less 45 (section "Encoding Chunks as
// QR Codes").
func decodeDigits(digits string) (string, error) {
	if len(digits)%2 != 0 {
		return "", errors.New("an odd number of digits")
	}
	out := make([]byte, len(digits)/2)
	for i := range out {
		ten, one := digits[2*i]-'0', digits[2*i+1]-'0'
		if ten > 9 || one > 9 {
			return "", errors.New("a character that is no digit")
		}
		if out[i] = 10*ten + one + 45; out[i] > 'z' {
			return "", errors.New("a pair above 77")
		}
	}
	return string(out), nil
}

// shcKeyID holds the header to what the standard has in it. A key or a certificate that stands
// there beside it is passed over: the key is looked up by its id in the trust list, or not at
// all.
func shcKeyID(header jsonValue) ([]byte, error) {
	switch {
	case header.get("crit").kind() != 0:
		return nil, errors.New("header: a parameter is critical that we do not know")
	case header.get("b64").kind() != 0:
		return nil, errors.New("header: b64 has no place in a card")
	case header.get("zip").str() != "DEF":
		return nil, errors.New("header: the payload is not deflated")
	case header.get("kid").kind() == 0:
		return nil, nil
	}
	kid, err := decodeBase64URL(header.get("kid").str())
	if err != nil || len(kid) != shcThumbprint {
		return nil, errors.New("header: the key id is no thumbprint of a key")
	}
	return kid, nil
}

// shcShape reads the claims that every card has.
func shcShape(u *Unverified, body jsonValue) error {
	u.name = body.get("iss").str()
	switch {
	case body.kind() != '{':
		return errors.New("not an object")
	case !strings.HasPrefix(u.name, "https://") || len(u.name) > maxIssuerName || !presentable(u.name, maxIssuerName):
		return errors.New("the issuer is no https URL")
	case strings.HasSuffix(u.name, "/"):
		return errors.New("the issuer's URL ends in a slash")
	}
	var err error
	if u.issued, err = numericDate(body.get("nbf"), math.Ceil); err != nil {
		return err
	}
	if u.stamped, err = numericDate(body.get("nbf"), math.Floor); err != nil {
		return err
	}
	if u.expires, err = numericDate(body.get("exp"), math.Floor); err != nil {
		return err
	}
	switch {
	case u.issued == 0:
		return errors.New("nbf is missing")
	case u.expires != 0 && u.expires < u.issued:
		return errors.New("expires before it is issued")
	}
	card := false
	for t := range body.get("vc").get("type").elements() {
		card = card || t.str() == shcType
	}
	subject := body.get("vc").get("credentialSubject")
	switch {
	case !card:
		return errors.New("its type is not health-card")
	case subject.get("fhirVersion").str() == "":
		return errors.New("fhirVersion is missing")
	case subject.get("fhirBundle").get("resourceType").str() != "Bundle":
		return errors.New("no FHIR bundle in it")
	}
	return nil
}

// numericDate reads seconds since 1970, which issuers write with a fraction; 0 is absent. The
// fraction is rounded so that a code never counts longer than it says.
func numericDate(v jsonValue, round func(float64) float64) (instant, error) {
	if v.kind() == 0 {
		return 0, nil
	}
	seconds, ok := v.number()
	if !ok {
		return 0, errors.New("a time is no number")
	}
	if !(seconds >= 1 && seconds <= lastInstant) {
		return 0, errors.New("a time is out of range")
	}
	return instant(round(seconds)), nil
}

// A cardPart is one of several codes that one card was spread over.
type cardPart struct {
	number, of int // from 1
	digits     string
}

// parsePart reads shc:/2/3/digits.
func parsePart(text string) (cardPart, error) {
	fields := strings.Split(strings.TrimPrefix(text, shcPrefix), "/")
	if !strings.HasPrefix(text, shcPrefix) || len(fields) != 3 {
		return cardPart{}, errors.New("neither a card nor a part of one")
	}
	p := cardPart{number: small(fields[0]), of: small(fields[1]), digits: fields[2]}
	switch {
	case p.of < 1 || p.number < 1 || p.number > p.of:
		return cardPart{}, errors.New("a part whose number is none of its parts'")
	case p.of > maxParts:
		return cardPart{}, fmt.Errorf("a part of more than %d", maxParts)
	case p.digits == "" || len(p.digits)%2 != 0 || !within(p.digits, '0', '9'):
		return cardPart{}, errors.New("a part without pairs of digits")
	}
	return p, nil
}

// small reads a number of one or two digits, without a zero before it; 0 for all else.
func small(s string) (n int) {
	if len(s) < 1 || len(s) > 2 || s[0] == '0' || !within(s, '0', '9') {
		return 0
	}
	for _, c := range s {
		n = 10*n + int(c-'0')
	}
	return n
}

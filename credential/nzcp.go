package credential

import (
	"errors"
	"slices"
	"strings"

	"gatehouse"
)

// nzcp is the NZ COVID Pass (Ministry of Health, "New Zealand COVID Pass - Technical
// Specification" 1.0): base32 of a COSE_Sign1 with a CWT around a W3C credential. It says that
// its holder may enter, and why is not told.
var nzcp = format{
	name:   "NZCP",
	begins: func(text string) bool { return strings.HasPrefix(text, "NZCP:/") },
	parse:  parseNZCP,
	algs:   []int64{algES256},
}

var nzcpCWT = cwt{prefix: "NZCP:/1/", spelling: "base32", decode: decodeBase32, textKID: true, shape: nzcpShape, open: openNZCP}

const nzcpID = 16 // bytes of its id, a UUID

// parseNZCP looks at the version first, which stands in the URI.
func parseNZCP(u *Unverified, text string) error {
	if !nzcpCWT.begins(text) {
		return u.malformed("prefix", errors.New("version is not 1"))
	}
	return nzcpCWT.parse(u, text)
}

func nzcpShape(u *Unverified, m sign1, c *claims) error {
	switch {
	case !m.inProtect:
		return u.malformed("cose", errors.New("algorithm and key id must be signed"))
	case !strings.HasPrefix(c.Issuer, "did:web:"):
		return u.malformed("cwt", errors.New("the issuer is no did:web"))
	case c.Begins == 0 || c.Expires == 0:
		return u.malformed("cwt", errors.New("beginning and expiry must both be there"))
	case c.Expires <= c.Begins:
		return u.malformed("cwt", errors.New("expires before it begins"))
	case len(c.ID) != nzcpID:
		return u.malformed("cwt", errors.New("no id of 16 bytes"))
	case c.VC == nil:
		return u.malformed("cwt", errors.New("no credential in it"))
	}
	return nil
}

type nzcpBody struct {
	Context []string `cbor:"@context"`
	Version string   `cbor:"version"`
	Type    []string `cbor:"type"`
	Subject struct {
		Given  string `cbor:"givenName"`
		Family string `cbor:"familyName"`
		Birth  string `cbor:"dob"`
	} `cbor:"credentialSubject"`

	id []byte
}

func openNZCP(c claims) (contents, error) {
	body := &nzcpBody{id: c.ID}
	if err := decode(c.VC, body); err != nil {
		return nil, err
	}
	return body, nil
}

func (b *nzcpBody) uses() Usage { return UseEntitlement }

func (b *nzcpBody) ids() [][]byte { return [][]byte{b.id} }

func (b *nzcpBody) tell(pass *gatehouse.Pass) error {
	switch {
	case len(b.Context) == 0 || b.Context[0] != "https://www.w3.org/2018/credentials/v1":
		return errors.New("not a W3C credential by its context")
	case !slices.Contains(b.Type, "VerifiableCredential") || !slices.Contains(b.Type, "PublicCovidPass"):
		return errors.New("a credential of another type")
	case !strings.HasPrefix(b.Version, "1."):
		return errors.New("a credential of another version")
	}
	// Who has one name only has it under givenName.
	if pass.Holder.Name = mask(b.Subject.Family); pass.Holder.Name == "" {
		pass.Holder.Name = mask(b.Subject.Given)
	}
	var ok bool
	if pass.Holder.Birth, ok = birth(b.Subject.Birth); !ok {
		pass.Warnings = append(pass.Warnings, "birth date cannot be read")
	}
	pass.Code = tagOf(b.id)
	pass.Facts = []gatehouse.Fact{{Kind: gatehouse.Entitlement}}
	return nil
}

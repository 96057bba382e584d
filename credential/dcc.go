package credential

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"gatehouse"

	"github.com/fxamacker/cbor/v2"
)

// dcc is the EU Digital COVID Certificate (the eHealth Network's "Electronic Health
// Certificate Specification" and its JSON schema): base45 of zlib of a COSE_Sign1.
// Issuers stray from the schema, so that only what a gate needs is held to it; the rest is
// a warning.
var dcc = format{
	name:   "DCC",
	begins: dccCWT.begins,
	parse:  dccCWT.parse,
	algs:   []int64{algES256, algPS256},
}

var dccCWT = cwt{prefix: "HC1:", spelling: "base45", decode: decodeBase45, unwrap: inflate, shape: dccShape, open: openDCC}

const (
	maxInflated = 64 << 10 // bytes; real certificates have a few hundred
	maxEntries  = 8        // the schema has one
	maxWord     = 64       // bytes of a word that is passed on
	maxNative   = 32 << 10 // bytes of the certificate as JSON; real ones have a few hundred
)

// inflate undoes zlib (RFC 1950), and stops at what no certificate needs.
func inflate(compressed []byte) ([]byte, error) {
	in := bytes.NewReader(compressed)
	z, err := zlib.NewReader(in)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return nil, errors.New("cut off")
	}
	if err != nil {
		return nil, err
	}
	b, err := bounded(z, maxInflated)
	switch {
	case err != nil:
		return nil, err
	case in.Len() > 0:
		return nil, fmt.Errorf("%d bytes follow the end", in.Len())
	}
	return b, nil
}

func dccShape(u *Unverified, _ sign1, c *claims) error {
	if err := needTimes(u); err != nil {
		return err
	}
	if c.DCC == nil {
		return u.malformed("cwt", errors.New("no health certificate in it"))
	}
	return nil
}

type dccBody struct {
	Name struct {
		Family   string `cbor:"fn"`
		Standard string `cbor:"fnt"` // transliterated after ICAO 9303
	} `cbor:"nam"`
	Birth        string           `cbor:"dob"`
	Vaccinations []dccVaccination `cbor:"v"`
	Tests        []dccTest        `cbor:"t"`
	Recoveries   []dccRecovery    `cbor:"r"`

	whole cbor.RawMessage // for rules in the format's own terms
}

type dccVaccination struct {
	Product string `cbor:"mp"`
	Dose    count  `cbor:"dn"`
	Doses   count  `cbor:"sd"`
	Day     string `cbor:"dt"`
	ID      string `cbor:"ci"`
}

type dccTest struct {
	Method  string `cbor:"tt"`
	Result  string `cbor:"tr"`
	Sampled string `cbor:"sc"`
	ID      string `cbor:"ci"`
}

type dccRecovery struct {
	Positive string `cbor:"fr"`
	Until    string `cbor:"du"`
	ID       string `cbor:"ci"`
}

func openDCC(c claims) (contents, error) {
	var wrap struct {
		Certificate cbor.RawMessage `cbor:"1,keyasint"`
	}
	if err := decode(c.DCC, &wrap); err != nil {
		return nil, err
	}
	if wrap.Certificate == nil {
		return nil, errors.New("no certificate under key 1")
	}
	body := &dccBody{whole: wrap.Certificate}
	if err := decode(wrap.Certificate, body); err != nil {
		return nil, err
	}
	return body, nil
}

func (b *dccBody) uses() (u Usage) {
	if len(b.Vaccinations) > 0 {
		u |= UseVaccination
	}
	if len(b.Tests) > 0 {
		u |= UseTest
	}
	if len(b.Recoveries) > 0 {
		u |= UseRecovery
	}
	return u
}

// alsoListed are the other ids that the EU's revocation lists name certificates by.
func (b *dccBody) alsoListed(u Unverified, issuer gatehouse.Issuer) []Revocable {
	signature := u.signature
	if u.alg == algES256 {
		signature = signature[:len(signature)/2]
	}
	countries := []string{issuer.Country()}
	if u.name != "" && u.name != countries[0] {
		countries = append(countries, u.name) // as the code claims it: some lists were made with that
	}
	listed := []Revocable{{ID: signature, Kind: SignatureID}}
	for _, id := range b.ids() {
		for _, country := range countries {
			listed = append(listed, Revocable{ID: append([]byte(country), id...), Kind: CountryID})
		}
	}
	return listed
}

// ids are the unique certificate identifiers; the EU's revocation lists name codes by them.
func (b *dccBody) ids() (ids [][]byte) {
	add := func(id string) {
		if id != "" {
			ids = append(ids, []byte(id))
		}
	}
	for _, v := range b.Vaccinations {
		add(v.ID)
	}
	for _, t := range b.Tests {
		add(t.ID)
	}
	for _, r := range b.Recoveries {
		add(r.ID)
	}
	return ids
}

func (b *dccBody) tell(pass *gatehouse.Pass) error {
	switch b.uses() {
	case UseVaccination, UseTest, UseRecovery:
	case 0:
		return errors.New("neither vaccination nor test nor recovery in it")
	default:
		return errors.New("more than one kind of certificate in it")
	}
	entries := len(b.Vaccinations) + len(b.Tests) + len(b.Recoveries)
	if entries > maxEntries {
		return fmt.Errorf("%d entries, at most %d", entries, maxEntries)
	}
	if entries > 1 {
		pass.Warnings = append(pass.Warnings, "more than one entry")
	}
	pass.Holder.Name = mask(b.Name.Family)
	if pass.Holder.Name == "" {
		pass.Holder.Name = mask(b.Name.Standard)
	}
	var ok bool
	if pass.Holder.Birth, ok = birth(b.Birth); !ok {
		pass.Warnings = append(pass.Warnings, "birth date cannot be read")
	}
	var err error
	if pass.Native, err = jsonOf(b.whole, maxNative); err != nil {
		return err
	}
	t := teller{pass: pass}
	for _, v := range b.Vaccinations {
		t.add(v.ID, gatehouse.Fact{
			Kind:    gatehouse.Vaccination,
			At:      t.day("vaccination", v.Day),
			Product: present(v.Product, maxWord),
			Dose:    int(v.Dose),
			Doses:   int(v.Doses),
		})
	}
	for _, s := range b.Tests {
		t.add(s.ID, gatehouse.Fact{
			Kind:   gatehouse.Test,
			At:     t.moment("sample", s.Sampled),
			Method: present(s.Method, maxWord),
			Result: t.result(s.Result),
		})
	}
	for _, r := range b.Recoveries {
		t.add(r.ID, gatehouse.Fact{
			Kind:  gatehouse.Recovery,
			At:    t.day("first positive test", r.Positive),
			Until: t.day("end", r.Until),
		})
	}
	return nil
}

// A teller fills a pass and notes what it could not read.
type teller struct {
	pass *gatehouse.Pass
}

// add appends a fact; the first entry's id stands for the code.
func (t teller) add(id string, fact gatehouse.Fact) {
	if t.pass.Code == "" && id != "" {
		t.pass.Code = tagOf([]byte(id))
	}
	t.pass.Facts = append(t.pass.Facts, fact)
}

// result reads the SNOMED CT code of a test's outcome. Anything else is unknown.
func (t teller) result(code string) gatehouse.Result {
	switch code {
	case "260373001":
		return gatehouse.Positive
	case "260415000":
		return gatehouse.Negative
	}
	t.pass.Warnings = append(t.pass.Warnings, "test result cannot be read")
	return gatehouse.ResultUnknown
}

// day reads a date; some issuers add a time to it, which says nothing.
func (t teller) day(what, s string) time.Time {
	s, _, _ = strings.Cut(s, "T")
	at, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.pass.Warnings = append(t.pass.Warnings, "date of "+what+" cannot be read")
		return time.Time{}
	}
	return at
}

// moment reads a time of ISO 8601 in the forms that issuers use.
func (t teller) moment(what, s string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07"} {
		if at, err := time.Parse(layout, s); err == nil {
			// An hour's shift at the end of the calendar leads to a year that cannot be written.
			if at = at.UTC(); at.Year() >= 1 && at.Year() <= 9999 {
				return at
			}
		}
	}
	t.pass.Warnings = append(t.pass.Warnings, "time of "+what+" cannot be read")
	return time.Time{}
}

// birth reads a date of birth, as exact as it was given; an empty one is not known.
func birth(s string) (string, bool) {
	s, _, _ = strings.Cut(s, "T")
	if s == "" {
		return "", true
	}
	for _, layout := range []string{time.DateOnly, "2006-01", "2006"} {
		if _, err := time.Parse(layout, s); err == nil {
			return s, true
		}
	}
	return "", false
}

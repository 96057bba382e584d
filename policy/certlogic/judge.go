package certlogic

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Selection says which rules bind a certificate. Letters' case does not matter.
type Selection struct {
	Country     string    // that is entered, two letters
	Region      string    // of that country; empty outside of any
	Issuer      string    // country that issued; empty where its invalidation rules are not asked
	Certificate string    // "Vaccination", "Test", "Recovery"
	At          time.Time // by the trusted clock
}

// Applicable gives the rules that bind: those of the country that is entered, and the
// issuer's invalidations; of the certificate's kind and general ones; valid at the clock;
// of each identifier the highest version. A rule for the region stands before one of the
// same identifier for the whole country. The order is that of rs.
//
// A country that publishes nothing gives an empty list. That nothing was refused by no rule
// is no reason to admit anybody.
func (rs Rules) Applicable(s Selection) Rules {
	type name struct {
		country, id  string
		invalidation bool
	}
	best := make(map[name]*Rule)
	of := func(r *Rule) name {
		return name{strings.ToUpper(r.Country), r.Identifier, r.Type == Invalidation}
	}
	for i := range rs {
		r := &rs[i]
		if old := best[of(r)]; r.binds(s) && (old == nil || r.before(old)) {
			best[of(r)] = r
		}
	}
	var chosen Rules
	for i := range rs {
		if best[of(&rs[i])] == &rs[i] {
			chosen = append(chosen, rs[i])
		}
	}
	return chosen
}

func (r *Rule) binds(s Selection) bool {
	country := s.Country
	if r.Type == Invalidation {
		country = s.Issuer
	}
	switch {
	case !strings.EqualFold(r.Country, country):
		return false
	case r.Region != "" && !strings.EqualFold(r.Region, strings.TrimSpace(s.Region)):
		return false
	case !strings.EqualFold(r.CertificateType, GeneralCertificate) && !strings.EqualFold(r.CertificateType, s.Certificate):
		return false
	}
	return !s.At.Before(r.ValidFrom) && s.At.Before(r.ValidTo)
}

// before reports whether r replaces old, a rule of the same identifier.
func (r *Rule) before(old *Rule) bool {
	if (r.Region == "") != (old.Region == "") {
		return r.Region != ""
	}
	if c := r.Version.Compare(old.Version); c != 0 {
		return c > 0
	}
	return r.ValidFrom.After(old.ValidFrom)
}

// Outcome is what a rule says. The zero value is no answer.
type Outcome uint8

// The outcomes.
const (
	Open   Outcome = iota // the rule could not be computed on this certificate
	Failed                // the rule refuses
	Passed
)

func (o Outcome) String() string {
	switch o {
	case Failed:
		return "failed"
	case Passed:
		return "passed"
	}
	return "open"
}

// A Result is one rule's outcome.
type Result struct {
	Rule    *Rule
	Outcome Outcome
	Err     error // why it is open; nil otherwise
}

// ValueSets are the lists of codes that rules ask by name. The zero value has none.
type ValueSets struct{ root Value }

// ReadValueSets reads value sets in their compressed form, at most 256 KiB: an object of
// arrays of strings by the sets' ids, {"disease-agent-targeted": ["840539006"]}.
func ReadValueSets(text []byte) (ValueSets, error) {
	root, err := readValue(text, maxData)
	if err != nil {
		return ValueSets{}, fmt.Errorf("value sets: %w", err)
	}
	if root.kind != kindObject {
		return ValueSets{}, fmt.Errorf("value sets: %s, want an object", root)
	}
	for id, set := range root.fields {
		if set.kind != kindArray {
			return ValueSets{}, fmt.Errorf("value set %q: %s, want an array", id, set)
		}
		for _, code := range set.items {
			if code.kind != kindString {
				return ValueSets{}, fmt.Errorf("value set %q: holds %s, want strings", id, code)
			}
		}
	}
	return ValueSets{root}, nil
}

// External is what rules may ask beside the certificate itself. A field that is zero is
// null to them.
type External struct {
	ValidationClock   time.Time
	ValueSets         ValueSets
	CountryCode       string    // that is entered
	Region            string    // of it
	IssuerCountryCode string    // by the certificate's CWT, claim 1
	Exp               time.Time // of the CWT, claim 4
	Iat               time.Time // of the CWT, claim 6
	KID               string    // key that signed, base64 as it is published
}

func (e External) value() Value {
	fields := map[string]Value{}
	for key, s := range map[string]string{
		"countryCode": e.CountryCode, "region": e.Region,
		"issuerCountryCode": e.IssuerCountryCode, "kid": e.KID,
	} {
		if s != "" {
			fields[key] = text(s)
		}
	}
	for key, at := range map[string]time.Time{
		"validationClock": e.ValidationClock, "exp": e.Exp, "iat": e.Iat,
	} {
		if !at.IsZero() {
			fields[key] = text(at.UTC().Format("2006-01-02T15:04:05.000Z"))
		}
	}
	if e.ValueSets.root.kind == kindObject {
		fields["valueSets"] = e.ValueSets.root
	}
	return Value{kind: kindObject, fields: fields}
}

// The engine that this package is: specification 1.3. Rules name the version that they
// were written for; within a major version the language only grew.
const (
	engine      = "CERTLOGIC"
	engineMajor = 1
)

// Judge runs every rule over a certificate, its JSON of at most 64 KiB: the object that
// holds "v", "t" or "r". There is one result for each rule, in their order; all are open
// when the certificate cannot be read.
func (rs Rules) Judge(dcc []byte, external External) []Result {
	payload, err := readValue(dcc, maxPayload)
	if err == nil && payload.kind != kindObject {
		err = fmt.Errorf("%s, want an object", payload)
	}
	if err != nil {
		err = fmt.Errorf("certificate: %w", err)
	}
	data := Data{Value{kind: kindObject, fields: map[string]Value{
		"payload": payload, "external": external.value(),
	}}}
	results := make([]Result, len(rs))
	for i := range rs {
		results[i].Rule = &rs[i]
		results[i].Outcome, results[i].Err = Open, err
		if err == nil {
			results[i].Outcome, results[i].Err = rs[i].judge(data)
		}
	}
	return results
}

func (r *Rule) judge(d Data) (Outcome, error) {
	if r.Engine != engine || r.EngineVersion[0] > engineMajor {
		return Open, fmt.Errorf("%s: written for engine %q %s", r.Identifier, r.Engine, r.EngineVersion)
	}
	if ver := d.root.fields["payload"].fields["ver"]; ver.kind == kindString {
		var v Version
		if err := v.UnmarshalText([]byte(ver.text)); err != nil {
			return Open, fmt.Errorf("%s: schema version of the certificate: %w", r.Identifier, err)
		}
		if v[0] != r.SchemaVersion[0] {
			return Open, fmt.Errorf("%s: written for schema %s, the certificate's is %s", r.Identifier, r.SchemaVersion, v)
		}
	}
	if r.Logic == nil {
		return Open, errors.New(r.Identifier + ": no expression")
	}
	v, err := r.Logic.Eval(d)
	if err != nil {
		return Open, fmt.Errorf("%s: %w", r.Identifier, err)
	}
	switch passed, ok := v.Bool(); {
	case !ok:
		return Open, fmt.Errorf("%s: evaluates to %s, want true or false", r.Identifier, v)
	case passed:
		return Passed, nil
	}
	return Failed, nil
}

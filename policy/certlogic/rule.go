package certlogic

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The limits of a list of rules. All member states together publish some hundreds, most of
// their bytes descriptions in two dozen languages.
const (
	maxRules      = 2_000
	maxRulesBytes = 8 << 20
	maxRulesParts = 200_000 // of all their expressions
)

// Type says whose rules bind: those of the country that is entered, or of the country that
// issued.
type Type string

// The types of rules.
const (
	Acceptance   Type = "Acceptance"   // what the country that is entered asks for
	Invalidation Type = "Invalidation" // which of its own certificates the issuer withdraws
	General      Type = "General"      // as Acceptance
)

// GeneralCertificate is the CertificateType of rules that judge certificates of all kinds.
const GeneralCertificate = "General"

// A Rule is one rule as it is published: the EU's validation-rule.schema.json.
type Rule struct {
	Identifier      string // "VR-DE-0001"
	Type            Type
	Country         string // ISO 3166-1, two letters: whose rule it is
	Region          string // a part of that country; empty for all of it
	Version         Version
	SchemaVersion   Version // of the certificates that it was written for
	Engine          string  // what runs it: "CERTLOGIC"
	EngineVersion   Version
	CertificateType string            // "General", "Test", "Vaccination", "Recovery"
	Description     map[string]string // by language, lower case: "en", "de"
	ValidFrom       time.Time
	ValidTo         time.Time // the first instant at which it no longer is
	AffectedFields  []string  // paths within the certificate: "v.0.dn"
	Logic           *Expr
}

// Rules are rules of any countries, kinds and versions.
type Rules []Rule

// ReadRules reads one rule or a list of them from JSON, at most 8 MiB and 2,000 rules. One
// that cannot be read refuses the list: a rule left out would admit whom it refuses.
func ReadRules(text []byte) (Rules, error) {
	if len(text) > maxRulesBytes {
		return nil, fmt.Errorf("rules of %d bytes, at most %d are read", len(text), maxRulesBytes)
	}
	single := !bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("["))
	if single {
		text = slices.Concat([]byte("["), text, []byte("]"))
	}
	// One rule after the other: a list that is too long is not held before it is counted.
	list := json.NewDecoder(bytes.NewReader(text))
	if _, err := list.Token(); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	var rules Rules
	parts := 0
	for list.More() {
		var r Rule
		if err := list.Decode(&r); err != nil {
			return nil, fmt.Errorf("rule %d: %w", len(rules)+1, err)
		}
		if r.Logic == nil {
			return nil, fmt.Errorf("rule %d: null", len(rules)+1)
		}
		rules = append(rules, r)
		if parts += r.Logic.parts; len(rules) > maxRules || parts > maxRulesParts {
			return nil, fmt.Errorf("more than %d rules or %d parts in them", maxRules, maxRulesParts)
		}
	}
	if _, err := list.Token(); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	if _, err := list.Token(); err != io.EOF {
		return nil, errors.New("rules: something stands behind them")
	}
	if single && len(rules) != 1 {
		return nil, fmt.Errorf("%d rules that are no list, want one", len(rules))
	}
	return rules, nil
}

// UnmarshalJSON reads one rule. Every field that decides whether and how a rule is run must
// be there.
func (r *Rule) UnmarshalJSON(text []byte) error {
	var wire struct {
		Identifier, Country, Region, Engine, CertificateType string
		Type                                                 Type
		Version, SchemaVersion, EngineVersion                Version
		ValidFrom, ValidTo                                   string
		AffectedFields                                       []string
		Description                                          []struct{ Lang, Desc string }
		Logic                                                json.RawMessage
	}
	if err := json.Unmarshal(text, &wire); err != nil {
		return err
	}
	if wire.Identifier == "" {
		return errors.New("no Identifier")
	}
	broken := func(field string, err error) error {
		return fmt.Errorf("%s: %s: %w", wire.Identifier, field, err)
	}
	if wire.Country == "" || wire.CertificateType == "" || wire.Engine == "" {
		return broken("Country, CertificateType, Engine", errors.New("one is missing"))
	}
	if none := (Version{}); wire.Version == none || wire.SchemaVersion == none || wire.EngineVersion == none {
		return broken("Version, SchemaVersion, EngineVersion", errors.New("one is missing"))
	}
	switch wire.Type {
	case Acceptance, Invalidation, General:
	default:
		return broken("Type", fmt.Errorf("%q is none: Acceptance, Invalidation, General", wire.Type))
	}
	from, ok := parseTime(wire.ValidFrom)
	if !ok {
		return broken("ValidFrom", errDate)
	}
	to, ok := parseTime(wire.ValidTo)
	if !ok {
		return broken("ValidTo", errDate)
	}
	logic, err := Parse(wire.Logic)
	if err != nil {
		return broken("Logic", err)
	}
	*r = Rule{
		Identifier: wire.Identifier, Type: wire.Type, Country: wire.Country,
		Region: strings.TrimSpace(wire.Region), Version: wire.Version,
		SchemaVersion: wire.SchemaVersion, Engine: wire.Engine,
		EngineVersion: wire.EngineVersion, CertificateType: wire.CertificateType,
		ValidFrom: time.UnixMilli(from).UTC(), ValidTo: time.UnixMilli(to).UTC(),
		AffectedFields: wire.AffectedFields, Logic: logic,
		Description: make(map[string]string, len(wire.Description)),
	}
	for _, d := range wire.Description {
		r.Description[strings.ToLower(d.Lang)] = d.Desc
	}
	return nil
}

// Text gives the rule's description in a language; in English where it has none, and in
// the first language that it has where it has no English either.
func (r *Rule) Text(lang string) string {
	for _, l := range append([]string{strings.ToLower(lang), "en"}, slices.Sorted(maps.Keys(r.Description))...) {
		if s := r.Description[l]; s != "" {
			return s
		}
	}
	return ""
}

// A Version is major, minor and patch. What may stand behind them is not kept.
type Version [3]uint32

// UnmarshalText reads "1.0.2".
func (v *Version) UnmarshalText(text []byte) error {
	core, _, _ := strings.Cut(string(text), "-")
	core, _, _ = strings.Cut(core, "+")
	parts := strings.Split(core, ".")
	if len(parts) != len(v) {
		return errors.New("a version is three numbers: 1.0.0")
	}
	for i := range v {
		n, err := strconv.ParseUint(parts[i], 10, 32)
		if err != nil {
			return errors.New("a version is three numbers: 1.0.0")
		}
		v[i] = uint32(n)
	}
	return nil
}

// Compare is below zero when v is the older version, above zero when it is the newer.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v[0], w[0]), cmp.Compare(v[1], w[1]), cmp.Compare(v[2], w[2]))
}

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

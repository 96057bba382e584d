// Package policy judges: a region's rules and the evidence of one person in, a verdict
// out. It has no clock, no disk and no network, so that anybody can judge a row again.
package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"gatehouse"
)

// regionName is a country of ISO 3166-1, or one and a division code of two, four or six
// digits. Another length would hold its neighbours too, or nobody.
var regionName = regexp.MustCompile(`^[A-Z]{2}(-([0-9]{2}){1,3})?$`)

// maxRules bounds a rules file: the largest that a region could need is a few kilobytes.
const maxRules = 64 << 10

// Rules are one version of a region's policy, as its signed file carries them. The zero
// value admits nobody.
type Rules struct {
	Kind    string           `json:"kind"`    // always "policy"
	Site    gatehouse.Issuer `json:"site"`    // the region whose gates these rules bind
	Version uint64           `json:"version"` // only grows
	Issued  time.Time        `json:"issued"`

	// Accept lists the regions whose codes are recognised here. A region holds its parts:
	// "CN-33" is all of Zhejiang, "DE" all of Germany.
	Accept []gatehouse.Issuer `json:"accept"`

	// FreshMinutes is how old a health code may be. A code shows a person's state only at
	// the moment when it was made; yesterday's screenshot is not today's health.
	FreshMinutes int `json:"fresh_minutes"`

	// TestHours is how long a negative test of a travel certificate counts.
	TestHours int `json:"test_hours"`

	// StaleHours is how old the trust list may grow before Admit becomes Refer.
	StaleHours int `json:"stale_hours"`

	Temperature Temperature `json:"temperature"`
}

// Temperature says what the skin's reading means here. Bounds are in thousandths of a
// degree Celsius, as the thermometer gives them.
type Temperature struct {
	Off   bool                  `json:"off"`         // nobody is measured
	Fever gatehouse.Temperature `json:"fever_milli"` // at or above: fever
	Low   gatehouse.Temperature `json:"low_milli"`   // below: nobody was measured
}

// Parse reads a rules file and refuses it whole when anything in it is wrong, with all
// faults in one error.
func Parse(body []byte) (Rules, error) {
	if len(body) > maxRules {
		return Rules{}, fmt.Errorf("policy: %d bytes, at most %d", len(body), maxRules)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	var r Rules
	if err := d.Decode(&r); err != nil {
		return Rules{}, fmt.Errorf("policy: line %d: %w", line(body, d.InputOffset()), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Rules{}, fmt.Errorf("policy: line %d: something follows the rules", line(body, d.InputOffset()))
	}
	if err := r.check(); err != nil {
		return Rules{}, err
	}
	return r, nil
}

func line(body []byte, offset int64) int {
	return 1 + bytes.Count(body[:min(int(offset), len(body))], []byte("\n"))
}

// check holds each number to what can be meant by it: a policy with a slip in it must not
// open a gate that it meant to close.
func (r Rules) check() error {
	var faults []error
	demand := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf("policy: "+format, args...))
		}
	}
	demand(r.Kind == "policy", "kind is %q, want \"policy\"", r.Kind)
	demand(r.Site != "", "site is missing: the region whose gates these rules bind, as \"CN-330100\"")
	demand(r.Site == "" || regionName.MatchString(string(r.Site)), "site is %.20q, want the form CN-330100 or DE", r.Site)
	demand(r.Version > 0, "version is missing: it counts from 1")
	demand(!r.Issued.IsZero(), "issued is missing: RFC 3339, as \"2020-07-10T08:00:00Z\"")
	demand(len(r.Accept) > 0, "accept is empty: nobody could pass, name at least one region")
	demand(len(r.Accept) <= 1000, "accept names %d regions, at most 1000", len(r.Accept))
	for _, region := range r.Accept {
		demand(regionName.MatchString(string(region)), "accept holds %.20q, want the form CN-33, CN-330100 or DE", region)
	}
	demand(r.FreshMinutes > 0 && r.FreshMinutes <= 24*60, "fresh_minutes is %d, want 1 to 1440", r.FreshMinutes)
	demand(r.TestHours > 0 && r.TestHours <= 14*24, "test_hours is %d, want 1 to 336", r.TestHours)
	demand(r.StaleHours > 0 && r.StaleHours <= 366*24, "stale_hours is %d, want 1 to 8784", r.StaleHours)
	if t := r.Temperature; !t.Off {
		demand(t.Fever >= 36_000 && t.Fever <= 40_000, "temperature.fever_milli is %d, want 36000 to 40000", t.Fever)
		demand(t.Low >= 28_000 && t.Low < t.Fever, "temperature.low_milli is %d, want 28000 to below fever_milli", t.Low)
	}
	return errors.Join(faults...)
}

// Name is how verdicts and screens call this version: "CN-330100/7". Rules that are none
// have no name.
func (r Rules) Name() string {
	if r.Version == 0 {
		return ""
	}
	return fmt.Sprintf("%s/%d", r.Site, r.Version)
}

package policy

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"gatehouse"
)

// A Policy is one version of a region's rules, checked and ready to judge. It is never
// changed; any number of lanes may share one. A nil or zero Policy refers everybody.
type Policy struct {
	site    gatehouse.Issuer
	at      gatehouse.Issuer // the gate's own site, when it is a part of the policy's
	version uint64
	name    string
	issued  time.Time
	span    span
	zone    zone
	mode    Mode
	purpose purpose
	fresh   time.Duration // trust up to this age is fresh
	stale   time.Duration // and up to this age still serves
	ages    ages
	skin    thermometry

	fallback  finding // where no rule matches
	matrix    matrix
	rows      []*recognition
	seconds   []*second
	rules     []*rule
	published []*publication
	library   Library
	manual    []Manual
	ownRisk   *risk // the policy's own table; nil for none
	risk      *risk // that in use: its own, or the region's file
	emergency emergency
	tests     []testCase

	machine *machine
	ready   map[string]compiled // while the rules are checked
	slots   []*seen             // fields of few words, by slot
	doc     *document
}

// Mode is what a region lives in.
type Mode string

// The modes. In Dormant access control goes on and nobody's health is judged or kept; an
// Emergency policy lies ready, signed, until its date or its activation comes.
const (
	Normal    Mode = "normal"
	Dormant   Mode = "dormant"
	Emergency Mode = "emergency"
)

// A purpose is what a region said its gates read codes for, and the most that they may read.
type purpose struct {
	name   string
	says   gatehouse.Words
	reads  claims
	widens uint64
}

var (
	// A country of ISO 3166-1, or one and a division code of two, four or six digits.
	// Another length would hold its neighbours too, or nobody.
	regionForm = regexp.MustCompile(`^[A-Z]{2}(-([0-9]{2}){1,3})?$`)
	idForm     = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)
)

const (
	maxRuleCount = 2000
	maxStale     = 366 * 24 * time.Hour
	maxSpanOf    = 30 * 24 * time.Hour // of an emergency
)

// ruleReasons are the codes that a rule may give. The others are the gate's own words.
var ruleReasons = []gatehouse.Reason{gatehouse.ReasonExpired, gatehouse.ReasonNotYetValid, gatehouse.ReasonRevoked, gatehouse.ReasonColour,
	gatehouse.ReasonSeenBefore, gatehouse.ReasonNotAccepted, gatehouse.ReasonFlipped, gatehouse.ReasonFever, gatehouse.ReasonNotMeasured,
	gatehouse.ReasonNoRule}

// Read checks a policy's text and readies it to judge: every name, type, word, date and
// table in it, and what each rule can cost. It is the same function for the region that
// signs and for the gate that adopts. A policy with anything wrong is refused whole; the
// error is Faults, all of them, each with its line. Read does not run the policy's own
// tests: Ready does, and a signer asks Ready.
//
// Read proves nothing about who wrote the text. Open its signature first.
func Read(body []byte) (*Policy, error) {
	doc := &document{}
	f := open(body, doc)
	if f.lines == nil {
		return nil, f.err()
	}
	p := doc.policy(f)
	if err := f.err(); err != nil {
		return nil, err
	}
	return p, nil
}

// policy checks a document, part by part, in the order of the manual.
func (doc *document) policy(f *faults) *Policy {
	p := &Policy{doc: doc}
	doc.head(p, f)
	doc.purposeOf(p, f)
	doc.trust(p, f)
	doc.agesOf(p, f)
	p.skin = doc.thermometry(f)
	if !p.skin.off && p.purpose.reads&readTemperature == 0 && f.has("purpose.reads") {
		f.at("temperature", "purpose lock: temperatures are judged, and purpose.reads does not name \"temperature\"")
	}
	var err error
	p.ownRisk = doc.risk(p.zone, f)
	p.risk = p.ownRisk
	if p.machine, err = newMachine(p.purpose.reads, doc.sets(f), p.risk != nil, p.zone); err != nil {
		f.at("", "%v", err)
		return nil
	}
	p.slots = make([]*seen, maxSlots)
	for _, of := range p.machine.fields {
		for _, s := range of {
			if s.slot >= 0 {
				p.slots[s.slot] = s
			}
		}
	}
	doc.fallback(p, f)
	doc.recognise(p, f)
	doc.secondCodes(p, f)
	doc.publishedRules(p, f)
	doc.manualPaths(p, f)
	doc.rulesOf(p, f)
	doc.emergencyOf(p, f)
	doc.testsOf(p, f)
	p.budget(f)
	return p
}

func (doc *document) head(p *Policy, f *faults) {
	if doc.Kind != "policy" {
		f.at("kind", "%.20q, want \"policy\"", doc.Kind)
	}
	if p.site = gatehouse.Issuer(doc.Site); !regionForm.MatchString(doc.Site) {
		f.at("site", "%.20q, want the region whose gates this binds, as CN-330100 or DE", doc.Site)
	}
	if p.version = doc.Version; p.version == 0 {
		f.at("version", "missing: it counts from 1 and only grows")
	}
	var err error
	if p.zone, err = readZone(doc.Zone); err != nil {
		f.at("zone", "%v", err)
	}
	if p.issued = p.zone.readMoment("issued", doc.Issued, false, f); !f.has("issued") {
		f.at("issued", "missing: when the region said this, as 2020-07-10T08:00:00+08:00")
	}
	p.span = p.zone.readSpan("", doc.NotBefore, doc.Until, &faults{})
	p.span.from = p.zone.readMoment("not_before", doc.NotBefore, false, f)
	p.span.until = p.zone.readMoment("until", doc.Until, true, f)
	switch {
	case !f.has("until"):
		f.at("until", "missing: no policy is for ever")
	case !p.span.from.IsZero() && !p.span.until.After(p.span.from):
		f.at("until", "it ends before it begins")
	case !p.span.until.IsZero() && !p.span.until.After(p.issued):
		f.at("until", "it ends before it was issued")
	}
	switch p.mode = Mode(doc.Mode); p.mode {
	case Normal, Dormant, Emergency:
	default:
		f.at("mode", "%.20q, want normal, dormant or emergency", doc.Mode)
	}
	if p.name = fmt.Sprintf("%s/%d", p.site, p.version); p.mode == Emergency {
		p.name = fmt.Sprintf("%s/emergency-%d", p.site, p.version)
	}
}

func (doc *document) purposeOf(p *Policy, f *faults) {
	d := doc.Purpose
	p.purpose = purpose{name: d.Name, says: gatehouse.Words{Zh: d.Zh, En: d.En}, widens: d.Widens}
	if d.Widens > 0 && d.Widens >= doc.Version {
		f.at("purpose.widens", "%d: it names a version before this one, %d", d.Widens, doc.Version)
	}
	if !idForm.MatchString(d.Name) {
		f.at("purpose.name", "%.20q, want a short word for what codes are read for, as \"epidemic-control\"", d.Name)
	}
	if d.Zh == "" || d.En == "" {
		f.at("purpose", "zh and en are missing: what people are told about it")
	}
	for i, name := range d.Reads {
		at := slices.Index(claimNames[:], name)
		if at < 0 {
			f.at(fmt.Sprintf("purpose.reads[%d]", i), "%.20q, want some of %q", name, claimNames)
			continue
		}
		p.purpose.reads |= 1 << at
	}
	if !f.has("purpose.reads") {
		f.at("purpose.reads", "missing: what of a code this policy may read, some of %q", claimNames)
	}
}

func (doc *document) trust(p *Policy, f *faults) {
	read := func(key, s string) time.Duration {
		d, err := readDuration(s, maxStale)
		if err != nil {
			f.at(key, "%v", err)
		}
		return d
	}
	p.fresh = read("trust.fresh_for", doc.Trust.FreshFor)
	p.stale = read("trust.stale_ok", doc.Trust.StaleOK)
	if p.stale > 0 && p.fresh > p.stale {
		f.at("trust.fresh_for", "it is longer than stale_ok")
	}
}

func (doc *document) agesOf(p *Policy, f *faults) {
	p.ages = doc.Ages
	if f.has("ages") && (p.ages.ChildBelow < 1 || p.ages.ChildBelow > 18 || p.ages.ElderFrom < 50 || p.ages.ElderFrom > 100) {
		f.at("ages", "want child_below from 1 to 18 and elder_from from 50 to 100, in years")
	}
}

func (doc *document) fallback(p *Policy, f *faults) {
	d := doc.Default
	if !f.has("default") {
		f.at("default", "missing: what becomes of those of whom no rule speaks, refer or deny")
		return
	}
	p.fallback = finding{call: doc.call("default.call", d.Call, f), reason: gatehouse.Reason(d.Reason)}
	if f.has("default.call") && p.fallback.call != gatehouse.Refer && p.fallback.call != gatehouse.Deny {
		f.at("default.call", "%s: those of whom no rule speaks are referred or denied", d.Call)
	}
	if !slices.Contains(ruleReasons, p.fallback.reason) {
		f.at("default.reason", "%.20q, want one of %q", d.Reason, ruleReasons)
	}
	p.fallback.says = p.says("default", d.Zh, d.En, f)
	p.fallback.detail = "no rule of the policy speaks of it"
}

func (doc *document) call(key, s string, f *faults) (c gatehouse.Call) {
	if err := c.UnmarshalText([]byte(s)); err != nil {
		f.at(key, "%v", err)
	}
	return c
}

// compile checks one expression of the document and notes what is wrong with it at its lines.
func (p *Policy) compile(key, text string, f *faults) condition {
	c, complaints := p.compiled(text)
	for _, what := range complaints {
		f.at(key, "%s", what.what)
		f.list[len(f.list)-1].Line += what.line - 1
	}
	if c.reads&readAge != 0 && p.ages.ElderFrom == 0 {
		f.at(key, "it asks for age groups, and [ages] does not say where they begin")
	}
	return c
}

// spanOf reads when something in the policy holds, which is while the policy does.
func (p *Policy) spanOf(key string, from, until any, f *faults) span {
	s, held := p.zone.readSpan(key, from, until, f), p.span
	if held.from.IsZero() {
		held.from = p.issued
	}
	if !s.meets(held) {
		f.at(key, "its dates and the policy's have no day in common: it would never hold")
	}
	return s
}

func (doc *document) formats(key string, formats []string, f *faults) []string {
	for i, name := range formats {
		if formatWord(name) == 0 {
			f.at(fmt.Sprintf("%s[%d]", key, i), "%.20q, want some of %q", name, formatWords[1:])
		}
	}
	return formats
}

func region(key, name string, f *faults) gatehouse.Issuer {
	if !regionForm.MatchString(name) {
		f.at(key, "%.20q is no region: want the form CN-33, CN-330100 or DE", name)
	}
	return gatehouse.Issuer(name)
}

// budget holds all expressions together to what one verdict may cost.
func (p *Policy) budget(f *faults) {
	var sum uint64
	for _, r := range p.rules {
		sum += r.cost
	}
	for _, r := range p.rows {
		sum += r.needs.cost
	}
	if sum > maxCost {
		f.at("rule[0]", "all rules together can cost %d, at most %d", sum, maxCost)
	}
}

// Name is how verdicts and screens call this version: "CN-330100/7", or
// "CN-330100/emergency-7". A zero policy has no name.
func (p *Policy) Name() string {
	if p == nil {
		return ""
	}
	return p.name
}

// here is the site that is judged for.
func (p *Policy) here() gatehouse.Issuer {
	if p.at != "" {
		return p.at
	}
	return p.site
}

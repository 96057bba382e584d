package policy

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// A sketch makes evidence of a test's few words.
type sketch struct {
	p  *Policy
	f  *faults
	at time.Time
}

func (s sketch) evidence(key string, d *testDoc) gatehouse.Evidence {
	e := gatehouse.Evidence{At: s.at, Clock: d.Clock == nil || *d.Clock, TrustAge: time.Hour,
		Skin: gatehouse.Measurement{Skin: 36_500, Ambient: 22_000, Quality: gatehouse.Steady, Readings: 5}}
	if d.TrustAge != "" {
		var err error
		if e.TrustAge, err = readDuration(d.TrustAge, 10*maxStale); err != nil {
			s.f.at(key+".trust_age", "%v", err)
		}
	}
	if d.Skin != nil {
		at := slices.Index(qualityWords, d.Skin.Quality)
		switch {
		case d.Skin.Quality == "":
			at = int(gatehouse.Steady)
		case at < 0:
			s.f.at(key+".skin.quality", "%.20q, want one of %q", d.Skin.Quality, qualityWords)
		}
		e.Skin.Skin, e.Skin.Quality = s.celsius(key+".skin", d.Skin.Celsius), gatehouse.Quality(max(at, 0))
		if s.f.has(key + ".skin.ambient") {
			e.Skin.Ambient = s.celsius(key+".skin", d.Skin.Ambient)
		}
	}
	switch {
	case d.Refusal != nil && d.Pass != nil:
		s.f.at(key, "a code is a pass or a refusal, never both")
	case d.Without != "" && (d.Refusal != nil || d.Pass != nil || d.Second != nil):
		s.f.at(key+".without", "who has no code shows none")
	case d.Without != "":
		if e.Without = ways[d.Without]; e.Without == gatehouse.WithCode {
			s.f.at(key+".without", "%.20q, want paper, no-phone or companion", d.Without)
		}
	case d.Refusal != nil:
		e.Refusal = &gatehouse.Refusal{Reason: gatehouse.Reason(d.Refusal.Reason), Maybe: d.Refusal.Maybe}
	case d.Pass != nil:
		e.Pass = s.pass(key+".pass", d.Pass)
	default:
		s.f.at(key, "it has no pass, no refusal, and does not say which way without a code")
	}
	if d.Second != nil {
		e.Second = s.pass(key+".second", d.Second)
	}
	h := key + ".history"
	e.History = gatehouse.History{Seen: s.when(h+".seen", d.History.Seen), SeenAt: d.History.SeenAt,
		Grade: s.grade(h+".grade", d.History.Grade), Graded: s.when(h+".graded", d.History.Graded)}
	return e
}

func (s sketch) pass(key string, d *passDoc) *gatehouse.Pass {
	pass := &gatehouse.Pass{Format: d.Format, Issuer: gatehouse.Issuer(d.Issuer), Grade: s.grade(key+".grade", d.Grade),
		Since: s.when(key+".since", d.Since), Issued: s.when(key+".issued", d.Issued), Expires: s.when(key+".expires", d.Expires),
		NotBefore: s.when(key+".not_before", d.NotBefore), Holder: gatehouse.Holder{Birth: d.Birth, Tag: d.Holder}}
	if pass.Format == "" {
		pass.Format = "RHC1"
	}
	if pass.Issuer == "" {
		pass.Issuer = s.p.site
	}
	if d.Issued == nil {
		pass.Issued = s.at.Add(-10 * time.Minute)
	}
	if d.Expires == nil {
		pass.Expires = s.at.Add(12 * time.Hour)
	}
	for _, name := range d.Class {
		if classWords[name] == 0 {
			s.f.at(key+".class", "%.20q, want place, contact or health", name)
		}
		pass.Class |= classWords[name]
	}
	for i := range d.Facts {
		pass.Facts = append(pass.Facts, s.fact(fmt.Sprintf("%s.facts[%d]", key, i), &d.Facts[i]))
	}
	return pass
}

func (s sketch) fact(key string, d *factDoc) gatehouse.Fact {
	f := gatehouse.Fact{Kind: gatehouse.FactKind(d.Kind), At: s.when(key+".at", d.At), Until: s.when(key+".until", d.Until), Division: d.Division,
		Method: d.Method, Product: d.Product, Dose: d.Dose, Doses: d.Doses, Temperature: s.celsius(key, d.Celsius)}
	kinds := []gatehouse.FactKind{gatehouse.Vaccination, gatehouse.Test, gatehouse.Recovery, gatehouse.Exemption, gatehouse.Travel,
		gatehouse.Fever, gatehouse.RiskLevel, gatehouse.Entitlement}
	if !slices.Contains(kinds, f.Kind) {
		s.f.at(key+".kind", "%.20q, want one of %q", d.Kind, kinds)
	}
	risk, result := slices.Index(riskWords, d.Risk), slices.Index(resultWords, d.Result)
	if d.Risk != "" && risk < 0 || result < 0 {
		s.f.at(key, "risk %.20q, result %.20q: want one of %q, one of %q", d.Risk, d.Result, riskWords, resultWords)
	}
	f.Risk, f.Result = uint8(max(risk, 0)), gatehouse.Result(max(result, 0))
	return f
}

func (s sketch) grade(key, word string) gatehouse.Grade {
	at := slices.Index(gradeWords, word)
	if at < 0 {
		s.f.at(key, "%.20q, want one of %q", word, gradeWords)
	}
	return gatehouse.Grade(max(at, 0))
}

func (s sketch) celsius(key string, v float64) gatehouse.Temperature {
	if !(v > -100 && v < 200) {
		s.f.at(key, "%v degrees Celsius", v)
		return 0
	}
	return gatehouse.Temperature(math.Round(v * 1000))
}

// when reads a time of a sketch: "10m" ago, "in 20h", or a date.
func (s sketch) when(key string, v any) time.Time {
	text, ok := v.(string)
	if !ok {
		return s.p.zone.readMoment(key, v, false, s.f)
	}
	ahead, isAhead := strings.CutPrefix(text, "in ")
	d, err := readDuration(ahead, 100*maxStale)
	switch {
	case err != nil:
		s.f.at(key, "%v; \"in 20h\" is ahead", err)
	case isAhead:
		return s.at.Add(d)
	}
	return s.at.Add(-d)
}

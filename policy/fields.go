package policy

import (
	"fmt"
	"slices"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"gatehouse"
)

// A claims value is a set of the groups of what a code says and a gate sees. Purpose lock
// and dormant mode work on groups: what a policy may not read is not there.
type claims uint32

// The groups. Those from colour on are health.
const (
	readAge claims = 1 << iota
	readSeen
	readColour
	readTravel
	readTests
	readVaccinations
	readRecoveries
	readExemptions
	readRisk
	readTemperature
	endOfClaims
)

const health = (endOfClaims - 1) &^ (readColour - 1)

// claimNames are the groups as purpose.reads spells them, in the order of their bits.
var claimNames = [...]string{"age", "seen", "colour", "travel", "tests", "vaccinations", "recoveries", "exemptions", "risk", "temperature"}

func (c claims) names() (names []string) {
	for i, name := range claimNames {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// claimOf is the group that a kind of fact belongs to. An entitlement tells nothing of
// anybody's health, and is in none.
func claimOf(kind gatehouse.FactKind) claims {
	switch kind {
	case gatehouse.Vaccination:
		return readVaccinations
	case gatehouse.Test:
		return readTests
	case gatehouse.Recovery:
		return readRecoveries
	case gatehouse.Exemption:
		return readExemptions
	case gatehouse.Travel:
		return readTravel
	case gatehouse.Fever:
		return readTemperature
	case gatehouse.RiskLevel:
		return readRisk
	}
	return 0
}

// The words of fields that know only a few. A comparison with one of them is answered
// without the expression machine, and a word that is none of them is a fault of the rule.
var (
	yesNo            = []string{"false", "true"}
	gradeWords       = []string{"", "green", "yellow", "red", "grey"}
	recognitionWords = []string{"none", "accept", "map", "extra", "refuse"}
	skinWords        = []string{"off", "ok", "fever", "none", "fault"}
	qualityWords     = []string{"not measured", "unsteady", "steady", "fault"}
	trustWords       = []string{"too old", "stale", "fresh"}
	ageWords         = []string{"", "child", "adult", "elder"}
	riskWords        = []string{"unknown", "low", "medium", "high"}
	resultWords      = []string{"", "negative", "positive"}
	formatWords      = []string{"other", "RHC1", "RHC2", "DCC", "SHC", "NZCP", "VDS-NC", "DIVOC", "TTC1"}
)

// The types of the environment's variables.
const (
	typePass, typeIssuer, typeHere, typeSkin = "Pass", "Issuer", "Here", "Skin"
	typeTrust, typeHistory, typeSecond       = "Trust", "History", "Second"
	typeFact, typeSets, typeSet              = "Fact", "Sets", "Set"
)

// A field is one name that an expression may read. What is not in the table does not exist
// for a policy: no name, no tag of a holder, no id of a code or of a key.
type field struct {
	of, name string
	claim    claims
	typ      *cel.Type
	words    []string // all that it can say, when that is a few words
	word     func(*person) uint8
	value    func(*person) (ref.Val, error) // of a type that a person is made of
	time     func(*person) time.Time        // value as guards compare it, of moments
	number   func(*person) float64          // and of numbers
	kind     gatehouse.FactKind             // of a list of facts
	fact     func(*gatehouse.Fact) (ref.Val, error)
	issuer   func(gatehouse.Issuer) ref.Val
	kept     bool   // whether a row of the book still tells it
	means    string // for the manual
}

func (f field) path() string {
	switch f.of {
	case typeFact:
		return "fact." + f.name
	case typeIssuer:
		return "issuer." + f.name
	}
	for name, typ := range variables() {
		if typ == f.of {
			return name + "." + f.name
		}
	}
	return f.name
}

// variables are the names that stand at the beginning, and their types.
func variables() map[string]string {
	return map[string]string{"pass": typePass, "issuer": typeIssuer, "site": typeIssuer, "here": typeHere, "skin": typeSkin,
		"trust": typeTrust, "history": typeHistory, "second": typeSecond, "sets": typeSets}
}

// fields is the whole vocabulary.
func fields() []field {
	fact := cel.ListType(cel.ObjectType(typeFact))
	all := []field{
		word(typePass, "format", 0, formatWords, func(p *person) uint8 { return formatWord(p.pass.Format) }, "RHC1, RHC2, DCC, SHC, NZCP, VDS-NC, DIVOC, TTC1"),
		word(typePass, "grade", readColour, gradeWords, func(p *person) uint8 { return uint8(p.pass.Grade) }, "colour as issued: green, yellow, red, grey, or \"\" for none"),
		yes(typePass, "place", readColour, func(p *person) bool { return p.pass.Class&gatehouse.Place != 0 }, "the colour's reason: where the person was"),
		yes(typePass, "contact", readColour, func(p *person) bool { return p.pass.Class&gatehouse.Contact != 0 }, "the colour's reason: whom they met"),
		yes(typePass, "health", readColour, func(p *person) bool { return p.pass.Class&gatehouse.Health != 0 }, "the colour's reason: how they are"),
		moment(typePass, "since", readColour, func(p *person) time.Time { return p.pass.Since }, "when the colour last changed"),
		moment(typePass, "issued", 0, func(p *person) time.Time { return p.pass.Issued }, "when the code was made"),
		moment(typePass, "expires", 0, func(p *person) time.Time { return p.pass.Expires }, "when it ends"),
		word(typePass, "age_group", readAge, ageWords, func(p *person) uint8 { return p.ageGroup() }, "child, adult, elder by the lines of [ages], or \"\" where the code does not tell"),
		number(typePass, "warnings", 0, func(p *person) int { return len(p.pass.Warnings) }, "how many odd things the code has that do not make it invalid"),

		word(typeHere, "grade", readColour, gradeWords, func(p *person) uint8 { return uint8(p.here) }, "colour as judged here, after recognition"),
		word(typeHere, "recognition", 0, recognitionWords, func(p *person) uint8 { return uint8(p.recognition()) }, "none, accept, map, extra, refuse: what the matrix says of the issuer today"),

		word(typeSkin, "state", readTemperature, skinWords, func(p *person) uint8 { return uint8(p.skin.state) }, "off, ok, fever, none (no valid reading), fault, by the lines of [temperature]"),
		word(typeSkin, "quality", readTemperature, qualityWords, func(p *person) uint8 { return uint8(min(p.e.Skin.Quality, gatehouse.Faulty)) }, "not measured, unsteady, steady, fault"),
		celsius(typeSkin, "celsius", func(p *person) gatehouse.Temperature { return p.skin.estimate }, "estimate by the policy's k"),
		celsius(typeSkin, "raw", func(p *person) gatehouse.Temperature { return p.e.Skin.Skin }, "as the sensor read it"),
		celsius(typeSkin, "ambient", func(p *person) gatehouse.Temperature { return p.e.Skin.Ambient }, "of the sensor's housing"),

		word(typeTrust, "state", 0, trustWords, func(p *person) uint8 { return uint8(min(p.trust, gatehouse.TrustFresh)) }, "fresh, stale, too old, by the lines of [trust]"),
		{of: typeTrust, name: "hours", typ: cel.DoubleType, means: "age of the signed trust",
			number: func(p *person) float64 { return p.e.TrustAge.Hours() },
			value:  func(p *person) (ref.Val, error) { return types.Double(p.e.TrustAge.Hours()), nil }},

		moment(typeHistory, "seen", readSeen, func(p *person) time.Time { return p.e.History.Seen }, "when this code last let somebody in at this site; it may lie some seconds ahead, by a neighbour's clock"),
		text(typeHistory, "seen_at", readSeen, func(p *person) string { return p.e.History.SeenAt }, "at which gate"),
		word(typeHistory, "grade", readColour, gradeWords, func(p *person) uint8 { return gradeIndex(p.e.History.Grade) }, "the same holder's colour before this one, or \"\""),
		moment(typeHistory, "graded", readColour, func(p *person) time.Time { return p.e.History.Graded }, "when it was that colour"),

		yes(typeSecond, "shown", 0, func(p *person) bool { return p.e.Second != nil }, "whether a second code was shown"),
		word(typeSecond, "format", 0, formatWords, func(p *person) uint8 { return formatWord(p.second().Format) }, "as pass.format"),
		word(typeSecond, "grade", readColour, gradeWords, func(p *person) uint8 { return gradeIndex(p.second().Grade) }, "as pass.grade"),
		moment(typeSecond, "issued", 0, func(p *person) time.Time { return p.second().Issued }, "when the second code was made"),
		{of: typeSecond, name: "issuer", typ: cel.ObjectType(typeIssuer), means: "who issued the second code",
			value: func(p *person) (ref.Val, error) { return &issuerVal{p.second().Issuer}, nil }},

		{of: typeIssuer, name: "region", typ: cel.StringType, means: "the whole name: \"CN-330100\"",
			issuer: func(i gatehouse.Issuer) ref.Val { return types.String(i) }},
		{of: typeIssuer, name: "country", typ: cel.StringType, means: "\"CN\"",
			issuer: func(i gatehouse.Issuer) ref.Val { return types.String(i.Country()) }},
		{of: typeIssuer, name: "division", typ: cel.StringType, means: "\"330100\", or \"\"",
			issuer: func(i gatehouse.Issuer) ref.Val { return types.String(division(i)) }},

		factTime("at", func(f *gatehouse.Fact) time.Time { return f.At }, "sample, dose, first positive, arrival, measurement"),
		factTime("until", func(f *gatehouse.Fact) time.Time { return f.Until }, "recovery: last day; travel: departure"),
		factText("division", func(f *gatehouse.Fact) string { return f.Division }, "where, as a division code"),
		factText("method", func(f *gatehouse.Fact) string { return f.Method }, "of a test"),
		factText("product", func(f *gatehouse.Fact) string { return f.Product }, "of a dose"),
		factText("risk", func(f *gatehouse.Fact) string { return riskWords[min(f.Risk, 3)] }, "as the issuer saw it: unknown, low, medium, high"),
		factText("result", func(f *gatehouse.Fact) string { return f.Result.String() }, "negative, positive, or \"\""),
		factNumber("dose", func(f *gatehouse.Fact) int { return f.Dose }, "which one"),
		factNumber("doses", func(f *gatehouse.Fact) int { return f.Doses }, "of how many"),
		{of: typeFact, name: "celsius", typ: cel.DoubleType, means: "a temperature that the issuer knew of",
			fact: func(f *gatehouse.Fact) (ref.Val, error) { return types.Double(float64(f.Temperature) / 1000), nil }},
	}
	for _, k := range []struct {
		name  string
		kind  gatehouse.FactKind
		means string
	}{
		{"travel", gatehouse.Travel, "where the person was, each with division, at, until, risk"},
		{"tests", gatehouse.Test, "each with at, method, result, division"},
		{"vaccinations", gatehouse.Vaccination, "each with at, dose, doses, product"},
		{"recoveries", gatehouse.Recovery, "each with at, until"},
		{"exemptions", gatehouse.Exemption, "each with at, until"},
		{"entitlements", gatehouse.Entitlement, "may enter, and no medical fact is told"},
		{"risks", gatehouse.RiskLevel, "the issuer's own risk of the holder, each with at, risk"},
		{"temperatures", gatehouse.Fever, "each with at, celsius"},
	} {
		of := func(facts func(*person) []gatehouse.Fact) func(*person) (ref.Val, error) {
			return func(p *person) (ref.Val, error) { return p.list(facts(p), k.kind), nil }
		}
		all = append(all,
			field{of: typePass, name: k.name, kind: k.kind, claim: claimOf(k.kind), typ: fact, means: k.means, value: of(func(p *person) []gatehouse.Fact { return p.pass.Facts })},
			field{of: typeSecond, name: k.name, kind: k.kind, claim: claimOf(k.kind), typ: fact, means: "of the second code: " + k.means, value: of(func(p *person) []gatehouse.Fact { return p.second().Facts })})
	}
	for i, f := range all {
		switch f.of {
		case typeHere, typeSkin, typeTrust, typeIssuer, typeFact:
			all[i].kept = true // a fact is asked only of a list, and no list is kept
		case typePass:
			all[i].kept = slices.Contains([]string{"format", "grade", "place", "contact", "health", "issued"}, f.name)
		case typeSecond:
			all[i].kept = f.name == "shown" || f.name == "format"
		}
	}
	return all
}

func word(of, name string, c claims, words []string, get func(*person) uint8, means string) field {
	values := make([]ref.Val, len(words))
	for i, w := range words {
		values[i] = types.String(w)
	}
	return field{of: of, name: name, claim: c, typ: cel.StringType, words: words, word: get, means: means,
		value: func(p *person) (ref.Val, error) { return values[get(p)], nil }}
}

func yes(of, name string, c claims, get func(*person) bool, means string) field {
	return field{of: of, name: name, claim: c, typ: cel.BoolType, words: yesNo, means: means,
		word: func(p *person) uint8 {
			if get(p) {
				return 1
			}
			return 0
		},
		value: func(p *person) (ref.Val, error) { return types.Bool(get(p)), nil }}
}

// moment is a time that may not be stated. To read one that is not is an error, and an
// error in a rule asks staff: has(pass.since) is how a rule goes around it.
func moment(of, name string, c claims, get func(*person) time.Time, means string) field {
	return field{of: of, name: name, claim: c, typ: cel.TimestampType, time: get, means: means,
		value: func(p *person) (ref.Val, error) { return stated(name, get(p)) }}
}

func stated(name string, t time.Time) (ref.Val, error) {
	if t.IsZero() {
		return nil, fmt.Errorf("%s is not stated", name)
	}
	return types.Timestamp{Time: t}, nil
}

func text(of, name string, c claims, get func(*person) string, means string) field {
	return field{of: of, name: name, claim: c, typ: cel.StringType, means: means,
		value: func(p *person) (ref.Val, error) { return types.String(get(p)), nil }}
}

func number(of, name string, c claims, get func(*person) int, means string) field {
	return field{of: of, name: name, claim: c, typ: cel.IntType, means: means,
		value: func(p *person) (ref.Val, error) { return types.Int(get(p)), nil }}
}

func celsius(of, name string, get func(*person) gatehouse.Temperature, means string) field {
	number := func(p *person) float64 { return float64(get(p)) / 1000 }
	return field{of: of, name: name, claim: readTemperature, typ: cel.DoubleType, number: number, means: means + ", in degrees Celsius",
		value: func(p *person) (ref.Val, error) { return types.Double(number(p)), nil }}
}

func factTime(name string, get func(*gatehouse.Fact) time.Time, means string) field {
	return field{of: typeFact, name: name, typ: cel.TimestampType, means: means,
		fact: func(f *gatehouse.Fact) (ref.Val, error) { return stated(name, get(f)) }}
}

func factText(name string, get func(*gatehouse.Fact) string, means string) field {
	f := field{of: typeFact, name: name, typ: cel.StringType, means: means,
		fact: func(f *gatehouse.Fact) (ref.Val, error) { return types.String(get(f)), nil }}
	switch name {
	case "risk":
		f.words = riskWords
	case "result":
		f.words = resultWords
	}
	return f
}

func factNumber(name string, get func(*gatehouse.Fact) int, means string) field {
	return field{of: typeFact, name: name, typ: cel.IntType, means: means,
		fact: func(f *gatehouse.Fact) (ref.Val, error) { return types.Int(get(f)), nil }}
}

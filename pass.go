package gatehouse

import "time"

// A Pass is what a verified code says. Only credential makes one, after the signature.
type Pass struct {
	Format    string // "RHC1", "RHC2", "DCC", "SHC", "NZCP", "VDS-NC", "DIVOC", "TTC1"
	Issuer    Issuer
	KeyID     string // lower-case hex
	Code      string // tag of the code's random id, or of its signature where it has none; lower-case hex
	Holder    Holder
	Grade     Grade
	Class     Class     // why the colour is not green
	Since     time.Time // when the colour last changed; zero when the code does not say
	Issued    time.Time
	NotBefore time.Time // when it begins to count; zero when that is when it was issued
	Expires   time.Time // zero when the code does not say
	Facts     []Fact
	Warnings  []string // what is odd about the code without making it invalid

	// Native is the statement in its format's own JSON where a region publishes rules in
	// that format's terms (an EU DCC); nil elsewhere. It is judged and never kept.
	Native []byte
}

// FormatTravel is the telecom operators' travel code: the second code, which says where a
// telephone was and nothing of its holder's health.
const FormatTravel = "TTC1"

// A Holder is the person as the code names them; it is shown to the guard, never kept.
type Holder struct {
	Name  string // masked by the issuer, "张*"; a DCC's name is masked when it is read
	Birth string // as exact as the code says: "1990", "1990-05", "1990-05-17"
	Tag   string // the issuer's tag of the person under a day key, lower-case hex
}

// Grade is the colour of a health code. The zero value is no colour.
type Grade uint8

// Grades after the national standard's colours; grey is "under review".
const (
	NoGrade Grade = iota
	Green
	Yellow
	Red
	Grey
)

func (g Grade) String() string {
	switch g {
	case Green:
		return "green"
	case Yellow:
		return "yellow"
	case Red:
		return "red"
	case Grey:
		return "grey"
	}
	return ""
}

// MarshalText lets JSON carry the word.
func (g Grade) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// Class is the set of indicators behind a colour, after Hangzhou's three.
type Class uint8

// The indicators; a class is their sum.
const (
	Place   Class = 1 // where the person was
	Contact Class = 2 // whom they met
	Health  Class = 4 // how they are
)

// Words lists the indicators of a class.
func (c Class) Words() (words []string) {
	for i, word := range [...]string{"place", "contact", "health"} {
		if c&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	return words
}

// FactKind names what a fact is about.
type FactKind string

// The kinds of facts that codes carry.
const (
	Vaccination FactKind = "vaccination"
	Test        FactKind = "test"
	Recovery    FactKind = "recovery"
	Exemption   FactKind = "exemption" // from vaccination or test, for a cause that is not told
	Travel      FactKind = "travel"
	Fever       FactKind = "temperature" // a temperature that the issuer knew of
	RiskLevel   FactKind = "risk"        // the issuer's own risk of the holder
	Entitlement FactKind = "entitlement" // may enter, and no medical fact is told
)

// Result of a test. The zero value is unknown, never negative.
type Result uint8

// The results of a test.
const (
	ResultUnknown Result = iota
	Negative
	Positive
)

func (r Result) String() string {
	switch r {
	case Negative:
		return "negative"
	case Positive:
		return "positive"
	}
	return ""
}

// MarshalText lets JSON carry the word.
func (r Result) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// A Fact is one thing that the issuer states about the holder. Fields that a kind does
// not use are zero.
type Fact struct {
	Kind        FactKind    `json:"kind"`
	At          time.Time   `json:"at,omitzero"`    // sample, dose, first positive, arrival, measurement
	Until       time.Time   `json:"until,omitzero"` // recovery: last day; travel: departure
	Division    string      `json:"division,omitempty"`
	Risk        uint8       `json:"risk,omitempty"` // travel, risk: 1 low, 2 medium, 3 high as the issuer saw it
	Method      string      `json:"method,omitempty"`
	Result      Result      `json:"result,omitzero"`
	Product     string      `json:"product,omitempty"`
	Dose        int         `json:"dose,omitempty"`
	Doses       int         `json:"doses,omitempty"`
	Temperature Temperature `json:"milli_celsius,omitempty"`
}

package issuing

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a region's days must not hang on what a machine has installed

	"github.com/pelletier/go-toml/v2"

	"gatehouse"
)

// maxRules bounds a rules document; a real one has a few kilobytes.
const maxRules = 256 << 10

// Example is a whole rules document with every key explained.
//
//go:embed example.toml
var Example []byte

// Rules are what a region decides about its codes. Nothing in them can name a person: an
// event is graded by its indicator, its kind and its evidence alone.
type Rules struct {
	Region    gatehouse.Issuer `toml:"region"`
	Version   int64            `toml:"version"`
	Zone      string           `toml:"zone"`       // IANA name: days end at its midnights
	CodeHours int              `toml:"code_hours"` // how long a code lives
	Dormant   bool             `toml:"dormant"`    // no codes, and what concerns health is erased
	Grey      []string         `toml:"grey_while_corrected"`
	Purposes  []string         `toml:"purposes"` // for which a person's record may be read
	Fever     float64          `toml:"fever"`    // degrees Celsius, at and above which a temperature is an event
	Alarm     AlarmRule        `toml:"alarm"`
	Keep      Keep             `toml:"keep"`
	Contact   Complaints       `toml:"contact"`
	Grading   []Rule           `toml:"rule"`
	Areas     []Area           `toml:"area"`
	Recognise []Recognition    `toml:"recognise"`
	Retired   []Retired        `toml:"retired"`

	zone   *time.Location
	digest string
}

// A Rule leads one indicator's events to a colour for some days. The first that matches an
// event grades it.
type Rule struct {
	ID        string   `toml:"id"`
	Number    int64    `toml:"number"`    // the code's detail, in a gate's eyes just a number
	Indicator string   `toml:"indicator"` // place, contact or health
	Kinds     []string `toml:"kinds"`
	Risk      []string `toml:"risk"`   // place: low, medium, high; left out: any
	Status    []string `toml:"status"` // contact: confirmed, suspected, asymptomatic; left out: any
	Colour    string   `toml:"colour"` // yellow or red
	Days      int64    `toml:"days"`
	Zh        string   `toml:"zh"`
	En        string   `toml:"en"`

	grade gatehouse.Grade
	class gatehouse.Class
}

// AlarmRule says when one cause brings too many colours: at least Least within Minutes, and
// more than Factor times what it used to bring in such a time.
type AlarmRule struct {
	Minutes int64 `toml:"minutes"`
	Least   int64 `toml:"least"`
	Factor  int64 `toml:"factor"`
}

// Keep is for how many days what is over stays on record.
type Keep struct {
	Events       int64 `toml:"events"`       // after the day counter ran out
	Declarations int64 `toml:"declarations"` // trips too
	Tags         int64 `toml:"tags"`         // day keys and the tags made of them
	Persons      int64 `toml:"persons"`      // of whom nothing else is on record
}

// Complaints is whom to turn to.
type Complaints struct {
	Zh    string `toml:"zh" json:"zh"`
	En    string `toml:"en" json:"en"`
	Phone string `toml:"phone" json:"phone"`
}

// An Area is a division and the risk that the region sees in it.
type Area struct {
	Division string    `toml:"division"` // GB/T 2260; trailing pairs of zeros mean all of it
	Risk     string    `toml:"risk"`
	From     time.Time `toml:"from"`
	Until    time.Time `toml:"until"` // zero: open
}

// A Recognition gives local codes for another region's.
type Recognition struct {
	Issuer    gatehouse.Issuer  `toml:"issuer" json:"issuer"`
	Agreement string            `toml:"agreement" json:"agreement"`
	From      time.Time         `toml:"from" json:"from"`
	Until     time.Time         `toml:"until" json:"until"`
	Colours   map[string]string `toml:"colours" json:"colours"` // there = "here"; a colour left out is refused
	Number    int64             `toml:"number" json:"number"`
}

// A Retired is an issuer or a key of one that signs no more.
type Retired struct {
	Issuer gatehouse.Issuer `toml:"issuer" json:"issuer"`
	Key    string           `toml:"key" json:"key,omitempty"` // id in hex; empty: all of them
	Since  time.Time        `toml:"since" json:"since"`
	Why    string           `toml:"why" json:"why"`
}

// A RulesFault is one thing wrong with a rules document.
type RulesFault struct {
	Line int // 0: it is about the whole
	What string
}

func (f RulesFault) Error() string {
	if f.Line == 0 {
		return "rules: " + f.What
	}
	return fmt.Sprintf("rules: line %d: %s", f.Line, f.What)
}

// ParseRules reads a rules document. Its error joins a RulesFault for everything that is
// wrong, as far as the document could be read.
func ParseRules(text []byte) (*Rules, error) {
	if len(text) > maxRules {
		return nil, RulesFault{What: fmt.Sprintf("%d bytes, at most %d", len(text), maxRules)}
	}
	var r Rules
	d := toml.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	var unknown *toml.StrictMissingError
	var wrong *toml.DecodeError
	switch err := d.Decode(&r); {
	case errors.As(err, &unknown):
		var faults []error
		for _, e := range unknown.Errors {
			row, _ := e.Position()
			faults = append(faults, RulesFault{row, fmt.Sprintf("unknown key %s", strings.Join(e.Key(), "."))})
		}
		return nil, errors.Join(faults...)
	case errors.As(err, &wrong):
		row, _ := wrong.Position()
		return nil, RulesFault{row, strings.TrimPrefix(wrong.Error(), "toml: ")}
	case err != nil:
		return nil, RulesFault{What: err.Error()}
	}
	sum := sha256.Sum256(text)
	r.digest = hex.EncodeToString(sum[:])
	c := checker{lines: linesOf(string(text))}
	c.rules(&r)
	if len(c.faults) > 0 {
		return nil, errors.Join(c.faults...)
	}
	return &r, nil
}

// Digest is the SHA-256 of the document in hex.
func (r *Rules) Digest() string { return r.digest }

// rule finds a rule by its id.
func (r *Rules) rule(id string) *Rule {
	for i := range r.Grading {
		if r.Grading[i].ID == id {
			return &r.Grading[i]
		}
	}
	return nil
}

// risk is what the region sees in a division during a stay: the most specific area that
// holds it, and the worst of those when several do so equally.
func (r *Rules) risk(division string, in, out time.Time) int64 {
	best, risk := -1, int64(0)
	for _, a := range r.Areas {
		prefix := a.Division
		for len(prefix) > 2 && strings.HasSuffix(prefix, "00") {
			prefix = prefix[:len(prefix)-2]
		}
		if !strings.HasPrefix(division, prefix) || out.Before(a.From) || !a.Until.IsZero() && in.After(a.Until) {
			continue
		}
		if level := riskOf(a.Risk); len(prefix) > best || len(prefix) == best && level > risk {
			best, risk = len(prefix), level
		}
	}
	return risk
}

// recognises finds the agreement that holds for an issuer at a time.
func (r *Rules) recognises(issuer gatehouse.Issuer, at time.Time) *Recognition {
	for i := range r.Recognise {
		c := &r.Recognise[i]
		if issuer.Within(c.Issuer) && !at.Before(c.From) && at.Before(c.Until) {
			return c
		}
	}
	return nil
}

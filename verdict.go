package gatehouse

import (
	"fmt"
	"time"
)

// Call is what a gate does with a person. The zero value keeps the barrier shut.
type Call uint8

// The calls, and what each means at the barrier: only Admit opens it.
const (
	Deny  Call = iota // proven bad
	Refer             // cannot tell: ask staff
	Admit             // may pass
	Hint              // nobody was judged: do this and show again
)

func (c Call) String() string {
	switch c {
	case Refer:
		return "refer"
	case Admit:
		return "admit"
	case Hint:
		return "hint"
	}
	return "deny"
}

// MarshalText lets JSON and logs carry the word.
func (c Call) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText takes the word back; a word that is no call is an error.
func (c *Call) UnmarshalText(b []byte) error {
	for _, k := range []Call{Deny, Refer, Admit, Hint} {
		if k.String() == string(b) {
			*c = k
			return nil
		}
	}
	return fmt.Errorf("%q is no call: deny, refer, admit, hint", b)
}

// Reason is the code of a verdict in log, metric, screen and handbook alike. Its words
// in people's languages are the console's.
type Reason string

// The reasons. docs/reasons.md is their handbook.
const (
	ReasonNone         Reason = ""
	ReasonNotOurs      Reason = "Q10" // not a health code
	ReasonUnreadable   Reason = "Q11" // seen, cannot be decoded
	ReasonMalformed    Reason = "Q12" // one of ours by its prefix, but broken inside
	ReasonSecondCode   Reason = "Q13" // the other code of the two that are asked for here, too
	ReasonCrowd        Reason = "Q14" // a second person's code in the frame of the first
	ReasonBadSignature Reason = "S20"
	ReasonUnknownKey   Reason = "S21" // unknown issuer, or a key that the trust list does not hold
	ReasonKeyWithdrawn Reason = "S22"
	ReasonKeyUsage     Reason = "S23" // the issuer's key may not sign this kind of code
	ReasonExpired      Reason = "V30"
	ReasonNotYetValid  Reason = "V31"
	ReasonRevoked      Reason = "V32"
	ReasonColour       Reason = "V33" // red, yellow, under review; a positive test
	ReasonSeenBefore   Reason = "V34"
	ReasonNotAccepted  Reason = "V35" // the region, or the kind of proof, is not accepted here
	ReasonFlipped      Reason = "V36"
	ReasonFever        Reason = "T40"
	ReasonNotMeasured  Reason = "T41"
	ReasonSensorFault  Reason = "T42"
	ReasonTrustStale   Reason = "D50"
	ReasonClock        Reason = "D51"
	ReasonLog          Reason = "D52"
	ReasonCamera       Reason = "D53"
	ReasonNoRule       Reason = "D54" // no signed policy, or none of its rules applies
	ReasonBarrier      Reason = "D55" // admitted and written down, but the barrier did not move
	ReasonGuard        Reason = "G60" // a guard decided
)

// A Verdict is the judge's word on one person. The zero value denies.
type Verdict struct {
	Call   Call
	Reason Reason
	Detail string // one line for guard and log: what was found; never who
	Policy string // name and version of the policy that judged: "CN-330100/7"
	Rule   string // id of the rule in it that decided; empty when no rule did
	Trust  Trust  // how far the signed trust in use can be relied on, by that policy

	Here      Grade  // the colour as judged here, where the policy judges colours again
	Agreement string // the agreement between regions that applied: "four provinces, May 2020"
	Says      Words  // the rule's own words for the guard; the reason's stand where it has none
}

// Words is one line in the languages of the screens.
type Words struct {
	Zh string `json:"zh,omitempty"`
	En string `json:"en,omitempty"`
}

// Trust says how far the age of the signed trust lets a gate rely on it. The zero value is
// too old: it keeps the barrier shut.
type Trust uint8

// The states of trust, as the region's signed policy draws the lines between them.
const (
	TrustTooOld Trust = iota // Admit becomes Refer
	TrustStale               // still serves, and the screen says how old it is
	TrustFresh
)

func (t Trust) String() string {
	switch t {
	case TrustStale:
		return "stale"
	case TrustFresh:
		return "fresh"
	}
	return "too old"
}

// MarshalText lets JSON and logs carry the word.
func (t Trust) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText takes the word back; a word that is no state is an error.
func (t *Trust) UnmarshalText(b []byte) error {
	for _, k := range []Trust{TrustTooOld, TrustStale, TrustFresh} {
		if k.String() == string(b) {
			*t = k
			return nil
		}
	}
	return fmt.Errorf("%q is no state of trust: fresh, stale, too old", b)
}

// A Refusal is an answer about a code, not a failure of the gate: the code is expired,
// forged, broken or a stranger's. It is an error so that it can be returned as one.
type Refusal struct {
	Reason Reason
	Detail string
	Format string // as far as it was recognised
	Issuer Issuer // as the code claims; unproven
	KeyID  string
	Maybe  bool // it may be so: a revocation that only a filter, and no list, speaks of
}

func (r *Refusal) Error() string { return string(r.Reason) + ": " + r.Detail }

// Evidence is all that a judge may look at. A pass or a refusal, never both.
type Evidence struct {
	At       time.Time // by the gate's clock
	Clock    bool      // whether that clock is trusted
	TrustAge time.Duration
	Pass     *Pass
	Refusal  *Refusal
	Second   *Pass   // the travel code shown in the same transaction; nil for none
	Without  Without // why a guard lets somebody be judged who has no code
	Skin     Measurement
	History  History
}

// Without is the cause for which a guard lets somebody be judged without a code. Such
// evidence has neither pass nor refusal.
type Without uint8

// The causes, as the region's policy allows each or none.
const (
	WithCode  Without = iota
	OnPaper           // a proof on paper that the guard read
	NoPhone           // nobody can show a code without a telephone: an ID was seen
	Companion         // a child or an elder, with somebody who was admitted
)

func (w Without) String() string {
	switch w {
	case OnPaper:
		return "paper"
	case NoPhone:
		return "no phone"
	case Companion:
		return "companion"
	}
	return ""
}

// History is what the gates of a site remember of a code and of its holder without knowing
// who that is. The zero value remembers nothing.
type History struct {
	Seen   time.Time // when this code last let somebody in; zero: not within memory
	SeenAt string    // at which gate of the site
	Grade  Grade     // the holder's colour before this one; NoGrade: not within memory
	Graded time.Time // when it was that colour
}

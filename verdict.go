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
}

// A Refusal is an answer about a code, not a failure of the gate: the code is expired,
// forged, broken or a stranger's. It is an error so that it can be returned as one.
type Refusal struct {
	Reason Reason
	Detail string
	Format string // as far as it was recognised
	Issuer Issuer // as the code claims; unproven
	KeyID  string
}

func (r *Refusal) Error() string { return string(r.Reason) + ": " + r.Detail }

// Evidence is all that a judge may look at. A pass or a refusal, never both.
type Evidence struct {
	At       time.Time // by the gate's clock
	Clock    bool      // whether that clock is trusted
	TrustAge time.Duration
	Pass     *Pass
	Refusal  *Refusal
	Skin     Measurement
}

package credential

import (
	"strings"
	"time"
)

const (
	maxParts = 8 // of one card; the largest that is published has 3

	// partsFor is how long an Assembler waits for the next part: a person turns a page or
	// swipes, and the next person in the lane has another card.
	partsFor = 30 * time.Second
)

// An Assembler joins the parts of a card that was spread over several codes (SMART Health
// Cards, "Chunking", left out of the standard since 1.3.0 and still in people's wallets),
// shown one after the other in any order. It holds one card at a time and believes nothing
// of it. The zero value is ready; it is for one lane and not safe for several at once.
type Assembler struct {
	parts [maxParts]string
	of    int
	last  time.Time
}

// Add takes the text of one code, seen at a time by the caller's clock. It gives the text to
// be judged and 0, or "" and how many parts are still to be shown. A text that is no part, or
// a broken one, comes back as it is and leaves what was shown before alone. A part of another
// card, one that comes late, and a clock that was set back begin anew.
func (a *Assembler) Add(text string, at time.Time) (whole string, missing int) {
	p, err := parsePart(text)
	if err != nil || len(text) > maxText {
		return text, 0
	}
	pause, known := at.Sub(a.last), a.parts[p.number-1]
	if p.of != a.of || pause < 0 || pause > partsFor || known != "" && known != p.digits {
		*a = Assembler{of: p.of}
	}
	a.parts[p.number-1], a.last = p.digits, at
	for _, digits := range a.parts[:a.of] {
		if digits == "" {
			missing++
		}
	}
	if missing > 0 {
		return "", missing
	}
	whole = shcPrefix + strings.Join(a.parts[:a.of], "")
	*a = Assembler{}
	return whole, 0
}

// Forget drops what was shown, for when the lane is done with a person.
func (a *Assembler) Forget() { *a = Assembler{} }

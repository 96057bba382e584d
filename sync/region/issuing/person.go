package issuing

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// An Identity is a document as people have it. It comes with a request and goes with it.
type Identity struct {
	Kind   string `json:"kind"`   // "resident" or "passport"
	Number string `json:"number"` // of a resident identity card: 18 characters
}

var (
	residentNumber = regexp.MustCompile(`^[1-9][0-9]{16}[0-9X]$`)
	passportNumber = regexp.MustCompile(`^[A-Z0-9]{5,20}$`)
)

// Check refuses what is no document's number. The last sign of a resident's number is the
// check character of GB 11643-1999 (ISO 7064, MOD 11-2).
func (i Identity) Check() error {
	switch i.Kind {
	case "resident":
		if residentNumber.MatchString(i.Number) && i.Number[17] == checkSign(i.Number[:17]) {
			if _, err := time.Parse("20060102", i.Number[6:14]); err == nil {
				return nil
			}
		}
		return no(Malformed, "read the 18 characters of the identity card again", "the number is no resident's: its check character or its date does not fit")
	case "passport":
		if passportNumber.MatchString(i.Number) {
			return nil
		}
		return no(Malformed, "give 5 to 20 of A-Z and 0-9", "the number is no passport's")
	}
	return no(Malformed, `say "resident" or "passport"`, "the kind of identity document is not known")
}

func checkSign(digits string) byte {
	weights := [...]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += w * int(digits[i]-'0')
	}
	return "10X98765432"[sum%11]
}

// birth is the year that a resident's number holds; empty for others.
func (i Identity) birth() string {
	if i.Kind != "resident" {
		return ""
	}
	return i.Number[6:10]
}

// mask leaves the first sign of a name. One star, whatever was there: also the length of a
// name tells something.
func mask(name string) (string, error) {
	name = strings.TrimSpace(name)
	if !shown(name, 1, 200) {
		return "", no(Malformed, "give the name as the document has it, at most 200 bytes", "the name cannot be shown")
	}
	_, n := utf8.DecodeRuneInString(name)
	return name[:n] + "*", nil
}

// personID is how the region knows a person. Numbers are few enough to be tried out, so it
// keeps a secret only as long as the region keeps its own.
func (d *Desk) personID(i Identity) PersonID {
	return PersonID(mac(d.Secret, "person", i.Kind, i.Number)[:16])
}

// tag is how gates know a person on one day: an HMAC of the document's number under the
// day's key.
func tag(dayKey []byte, i Identity) [8]byte {
	return [8]byte(mac(dayKey, "holder", i.Kind, i.Number)[:8])
}

// mac is HMAC-SHA256 over words that cannot run into one another.
func mac(key []byte, words ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, w := range words {
		fmt.Fprintf(h, "%d:%s", len(w), w)
	}
	return h.Sum(nil)
}

// dayKey gives the key of the day on which a time falls in the region's zone. It is drawn at
// random, so that whoever erases it takes the tags' meaning with it.
func (d *Desk) dayKey(ctx context.Context, rules *Rules, at time.Time) (string, []byte, error) {
	day := at.In(rules.zone).Format(time.DateOnly)
	d.mu.RLock()
	key := d.days[day]
	d.mu.RUnlock()
	if key != nil {
		return day, key, nil
	}
	fresh := make([]byte, 32)
	rand.Read(fresh) // never fails, by its own word
	key, err := d.Store.DayKey(ctx, day, fresh)
	if err != nil {
		return "", nil, fmt.Errorf("key of the day: %w", err)
	}
	d.mu.Lock()
	d.days = map[string][]byte{day: key} // yesterday's is of no more use here
	d.mu.Unlock()
	return day, key, nil
}

package console

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A PIN of a few digits cannot withstand a thief of its hash, whatever the rounds; they are
// there to make each guess dear, at about half a second on a small ARM core.
const (
	pinRounds    = 200_000
	maxPINRounds = 5_000_000 // a mistyped hash must not hang the gate
	shortestPIN  = 4
	longestPIN   = 64
)

// HashPIN makes the line that a configuration holds in place of a guard's PIN:
// "pbkdf2-sha256$ROUNDS$SALT$KEY", salt and key in unpadded standard base64. A PIN has 4 to
// 64 bytes; the hash of any other is never accepted.
func HashPIN(pin string) string {
	salt := make([]byte, 16)
	rand.Read(salt) // never fails (crypto/rand, since Go 1.24)
	return hashPIN(pin, salt, pinRounds)
}

func hashPIN(pin string, salt []byte, rounds int) string {
	key, err := pbkdf2.Key(sha256.New, pin, salt, rounds, sha256.Size)
	if err != nil {
		return "" // FIPS mode refuses; an empty hash accepts nothing
	}
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("pbkdf2-sha256$%d$%s$%s", rounds, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// CheckPIN reports whether hash was made of pin. A hash that cannot be read accepts nothing.
func CheckPIN(hash, pin string) bool {
	if len(pin) < shortestPIN || len(pin) > longestPIN || len(hash) > 256 {
		return false
	}
	parts := strings.Split(hash, "$")
	if len(parts) != 4 || parts[0] != "pbkdf2-sha256" {
		return false
	}
	rounds, err := strconv.Atoi(parts[1])
	if err != nil || rounds < 1 || rounds > maxPINRounds {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[2])
	if err != nil || len(salt) < 8 {
		return false
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[3])
	if err != nil || len(want) != sha256.Size {
		return false
	}
	got, err := pbkdf2.Key(sha256.New, pin, salt, rounds, sha256.Size)
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1
}

// Wrong PINs of one remote that are free, and how long it then waits; each further one
// doubles the wait.
const (
	freeAttempts = 5
	firstWait    = 30 * time.Second
	longestWait  = 15 * time.Minute
	maxRemotes   = 256
)

// attempts counts wrong PINs by remote address.
type attempts struct {
	by map[string]attempt
}

type attempt struct {
	wrong int
	last  time.Time
	until time.Time
}

// wait is how long the remote has to wait before its next try; 0 is not at all.
func (a *attempts) wait(remote string, now time.Time) time.Duration {
	return max(a.by[remote].until.Sub(now), 0)
}

// note remembers how a try ended. A right PIN clears the count.
func (a *attempts) note(remote string, right bool, now time.Time) {
	if right {
		delete(a.by, remote)
		return
	}
	if a.by == nil {
		a.by = map[string]attempt{}
	}
	t, known := a.by[remote]
	if !known && len(a.by) >= maxRemotes {
		a.forgetOldest()
	}
	t.wrong, t.last = t.wrong+1, now
	if t.wrong >= freeAttempts {
		t.until = now.Add(min(firstWait<<min(t.wrong-freeAttempts, 10), longestWait))
	}
	a.by[remote] = t
}

func (a *attempts) forgetOldest() {
	oldest := ""
	for remote, t := range a.by {
		if oldest == "" || t.last.Before(a.by[oldest].last) {
			oldest = remote
		}
	}
	delete(a.by, oldest)
}

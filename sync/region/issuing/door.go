package issuing

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"
)

// Cost of one argon2id (RFC 9106): 19 MiB, two passes, one lane, some 30 ms.
const (
	argonMemory = 19 << 10 // KiB
	argonPasses = 2
	argonKey    = 32

	mostMemory = 256 << 10 // KiB; a mistyped hash must not eat the machine
	mostPasses = 16

	shortestToken = 16
	longestToken  = 128
)

// An Operator is one who may come in: a person with a role, or a program.
type Operator struct {
	Name string
	Role Role
	Hash string // what HashToken made of the token
}

// HashToken makes the line that a configuration holds in place of a token:
// "argon2id$MEMORY$PASSES$SALT$KEY", memory in KiB, salt and key in unpadded base64.
func HashToken(token string) string {
	salt := make([]byte, 16)
	rand.Read(salt) // never fails, by its own word
	return hashToken(token, salt, argonMemory, argonPasses)
}

func hashToken(token string, salt []byte, memory, passes uint32) string {
	key := argon2.IDKey([]byte(token), salt, passes, memory, 1, argonKey)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("argon2id$%d$%d$%s$%s", memory, passes, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// SoundToken reports whether a token has a length that a door takes.
func SoundToken(token string) bool { return len(token) >= shortestToken && len(token) <= longestToken }

// SoundHash reports whether a line is one of HashToken's, within its bounds.
func SoundHash(line string) bool {
	_, ok := readHash(line)
	return ok
}

type tokenHash struct {
	memory, passes uint32
	salt, key      []byte
}

func readHash(line string) (h tokenHash, ok bool) {
	parts := strings.Split(line, "$")
	if len(line) > 256 || len(parts) != 5 || parts[0] != "argon2id" {
		return h, false
	}
	if _, err := fmt.Sscanf(parts[1]+" "+parts[2], "%d %d", &h.memory, &h.passes); err != nil {
		return h, false
	}
	var err error
	if h.salt, err = base64.RawStdEncoding.DecodeString(parts[3]); err != nil || len(h.salt) < 8 {
		return h, false
	}
	if h.key, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(h.key) != argonKey {
		return h, false
	}
	return h, h.memory >= 8 && h.memory <= mostMemory && h.passes >= 1 && h.passes <= mostPasses
}

// How many wrong tokens of one name are free, and how long the name then waits.
const (
	freeTries = 5
	tryWait   = 30 * time.Second
)

// A Door lets callers in by name and token. A token that was right once is known by its
// SHA-256 from then on: argon2 is there for who steals the configuration, and a caller that
// makes thousands of codes a second cannot wait for it each time.
type Door struct {
	operators map[string]Operator
	now       func() time.Time

	mu    sync.Mutex
	known map[string][32]byte
	wrong map[string]tries // only names of operators get here

	slow sync.Mutex // one argon2 at a time: each takes 19 MiB
}

type tries struct {
	count int
	until time.Time
}

// NewDoor opens for these operators.
func NewDoor(operators []Operator, now func() time.Time) *Door {
	d := &Door{operators: map[string]Operator{}, now: now, known: map[string][32]byte{}, wrong: map[string]tries{}}
	for _, o := range operators {
		d.operators[o.Name] = o
	}
	return d
}

// Enter tells who comes with a name and a token. wait is how long the name has to wait
// before its next try counts.
func (d *Door) Enter(name, token string) (c Caller, wait time.Duration, ok bool) {
	o, exists := d.operators[name]
	if !exists || !SoundToken(token) {
		return Caller{}, 0, false
	}
	sum := sha256.Sum256([]byte(token))
	if d.recalls(name, sum) {
		return Caller{Name: o.Name, Role: o.Role}, 0, true
	}
	d.slow.Lock()
	defer d.slow.Unlock()
	if wait := d.waits(name); wait > 0 {
		return Caller{}, wait, false
	}
	h, sound := readHash(o.Hash)
	right := sound && subtle.ConstantTimeCompare(argon2.IDKey([]byte(token), h.salt, h.passes, h.memory, 1, argonKey), h.key) == 1
	d.note(name, sum, right)
	if !right {
		return Caller{}, 0, false
	}
	return Caller{Name: o.Name, Role: o.Role}, 0, true
}

func (d *Door) recalls(name string, sum [32]byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	known, ok := d.known[name]
	return ok && subtle.ConstantTimeCompare(known[:], sum[:]) == 1
}

func (d *Door) waits(name string) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return max(d.wrong[name].until.Sub(d.now()), 0)
}

func (d *Door) note(name string, sum [32]byte, right bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if right {
		d.known[name] = sum
		delete(d.wrong, name)
		return
	}
	t := d.wrong[name]
	if t.count++; t.count >= freeTries {
		t.until = d.now().Add(tryWait)
	}
	d.wrong[name] = t
}

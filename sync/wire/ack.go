package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"gatehouse"
)

// maxAck is the most bytes that an answer of the region has.
const maxAck = 4096

// The words of an answer that says no. "gap": rows before the first are not there; go on
// after Through. "fork": the gate's chain is another one than the region has.
const (
	Gap  = "gap"
	Fork = "fork"
)

// An Ack is the region's answer to a batch, as JSON: with 200 that it has all rows up to
// Through, with 409 how far it has come and why it did not take the batch.
type Ack struct {
	Through gatehouse.Seq     // 0 when the region has no row of this book
	Hash    [sha256.Size]byte // of the region's chain at Through
	Error   string            // Gap or Fork with 409
}

type ackJSON struct {
	Through *uint64 `json:"through"`
	Hash    string  `json:"hash"`
	Error   string  `json:"error,omitempty"`
}

// MarshalJSON writes the hash in lower-case hex.
func (a Ack) MarshalJSON() ([]byte, error) {
	through := uint64(a.Through)
	return json.Marshal(ackJSON{Through: &through, Hash: hex.EncodeToString(a.Hash[:]), Error: a.Error})
}

// ReadAck reads an answer of the region, at most 4 KiB of it. Fields that it does not know
// are for later gates.
func ReadAck(r io.Reader) (Ack, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxAck+1))
	if err != nil {
		return Ack{}, fmt.Errorf("answer: %w", err)
	}
	if len(b) > maxAck {
		return Ack{}, fmt.Errorf("answer of more than %d bytes", maxAck)
	}
	var j ackJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return Ack{}, fmt.Errorf("answer: %w", err)
	}
	a := Ack{Error: j.Error}
	if j.Through == nil || *j.Through > math.MaxInt64 {
		return Ack{}, errors.New("answer: no through")
	}
	a.Through = gatehouse.Seq(*j.Through)
	hash, err := hex.DecodeString(j.Hash)
	if err != nil || len(hash) != len(a.Hash) {
		return Ack{}, errors.New("answer: no hash")
	}
	copy(a.Hash[:], hash)
	return a, nil
}

// Path is where a batch is put on the region's server. It says what the batch is, so that
// putting it there twice is the same as once.
func Path(b Batch) string {
	return fmt.Sprintf("/v1/gates/%s/log/%x/%d-%d", b.Gate, b.Epoch, b.First, b.Last())
}

// ParseEpoch reads an epoch as Path writes it.
func ParseEpoch(s string) (epoch [16]byte, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(epoch) || s != strings.ToLower(s) {
		return epoch, fmt.Errorf("epoch %.40q: want 32 lower-case hex digits", s)
	}
	return [16]byte(b), nil
}

// Package wire is what travels between a gate and its region, and its signature.
//
// A [Batch] is a run of rows of one gate's book, signed by the gate's key as a COSE_Sign1
// message (RFC 9052 section 4.2). An [Ack] is the region's answer. docs/wire.md says the
// same for those who write another implementation.
package wire

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"regexp"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"gatehouse"
)

// Limits of a batch. They are checked before anything is decoded.
const (
	MaxBatch = 1 << 20 // bytes of a sealed batch
	MaxRows  = 1000
	MaxRow   = 4096 // bytes of one row
)

// envelope is more than all of a sealed batch but its rows takes: gate, epoch, numbers,
// hash, headers and signature.
const envelope = 512

// domain is the external data under each signature: a signature over a batch is never one
// over something else that the same key signs.
const domain = "gatehouse batch 1"

// ContentType of a sealed batch (RFC 9052 section 11.3.1).
const ContentType = `application/cose; cose-type="cose-sign1"`

// A Batch is a run of rows from one gate's book: numbers First, First+1, ...
type Batch struct {
	Gate   string
	Epoch  [16]byte
	First  gatehouse.Seq
	Before [sha256.Size]byte // the chain's hash ahead of First
	Rows   [][]byte          // exact bytes
}

// Last is the number of the last row.
func (b Batch) Last() gatehouse.Seq { return b.First + gatehouse.Seq(len(b.Rows)) - 1 }

// ErrSignature is what Open gives when no known gate vouches for the batch.
var ErrSignature = errors.New("no known gate signed this batch")

// payload is a batch as CBOR: an array in this order.
type payload struct {
	_      struct{} `cbor:",toarray"`
	Gate   string
	Epoch  []byte
	First  uint64
	Before []byte
	Rows   [][]byte
}

var gateName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (p payload) batch() (Batch, error) {
	b := Batch{Gate: p.Gate, First: gatehouse.Seq(p.First), Rows: p.Rows}
	switch {
	case !gateName.MatchString(p.Gate):
		return b, fmt.Errorf("batch: gate name %.80q", p.Gate)
	case len(p.Epoch) != len(b.Epoch):
		return b, fmt.Errorf("batch: epoch of %d bytes, want %d", len(p.Epoch), len(b.Epoch))
	case len(p.Before) != len(b.Before):
		return b, fmt.Errorf("batch: hash of %d bytes, want %d", len(p.Before), len(b.Before))
	case len(p.Rows) == 0 || len(p.Rows) > MaxRows:
		return b, fmt.Errorf("batch: %d rows, want 1 to %d", len(p.Rows), MaxRows)
	case p.First == 0 || p.First > math.MaxInt64-MaxRows:
		return b, fmt.Errorf("batch: first row %d", p.First)
	}
	for i, row := range p.Rows {
		if len(row) == 0 || len(row) > MaxRow {
			return b, fmt.Errorf("batch: row %d of %d bytes, want 1 to %d", p.First+uint64(i), len(row), MaxRow)
		}
	}
	copy(b.Epoch[:], p.Epoch)
	copy(b.Before[:], p.Before)
	return b, nil
}

// Fit tells how many of rows, from the first on, one batch can hold.
func Fit(rows [][]byte) int {
	room := MaxBatch - envelope
	for i, row := range rows {
		room -= len(row) + 3 // a CBOR head of a byte string below 64 KiB
		if room < 0 || i == MaxRows {
			return i
		}
	}
	return len(rows)
}

var encMode = func() cbor.EncMode {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err) // the options are constants: this is a fault of the program
	}
	return mode
}()

var decMode = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  4,
		MaxMapPairs:      16,
		MaxArrayElements: MaxRows,
	}.DecMode()
	if err != nil {
		panic(err) // the options are constants: this is a fault of the program
	}
	return mode
}()

// Seal signs a batch with the gate's key, Ed25519 or ECDSA on P-256.
func Seal(b Batch, key crypto.Signer) ([]byte, error) {
	p := payload{Gate: b.Gate, Epoch: b.Epoch[:], First: uint64(b.First), Before: b.Before[:], Rows: b.Rows}
	if _, err := p.batch(); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if Fit(b.Rows) != len(b.Rows) {
		return nil, fmt.Errorf("seal: rows of more than %d bytes", MaxBatch-envelope)
	}
	alg, err := algorithm(key.Public())
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	signer, err := cose.NewSigner(alg, key)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	content, err := encMode.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	m := cose.NewSign1Message()
	m.Headers.Protected.SetAlgorithm(alg)
	m.Payload = content
	if err := m.Sign(rand.Reader, []byte(domain), signer); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return m.MarshalCBOR()
}

// Open reads a sealed batch whose gate lookup knows, and checks the signature by that
// gate's key. A batch that nobody known signed gives ErrSignature; one that is none at all
// gives another error.
func Open(data []byte, lookup func(gate string) (crypto.PublicKey, bool)) (Batch, error) {
	if len(data) > MaxBatch {
		return Batch{}, fmt.Errorf("batch of %d bytes, at most %d", len(data), MaxBatch)
	}
	m := cose.NewSign1Message()
	if err := m.UnmarshalCBOR(data); err != nil {
		return Batch{}, fmt.Errorf("batch: %w", err)
	}
	// With external data the library does without the algorithm; docs/wire.md does not.
	if _, err := m.Headers.Protected.Algorithm(); err != nil || len(m.Headers.Protected) != 1 || len(m.Headers.Unprotected) != 0 {
		return Batch{}, errors.New("batch: headers other than the algorithm, or without it")
	}
	var p payload
	if err := decMode.Unmarshal(m.Payload, &p); err != nil {
		return Batch{}, fmt.Errorf("batch: %w", err)
	}
	b, err := p.batch()
	if err != nil {
		return Batch{}, err
	}
	// The library takes a list of numbers for a byte string, and long heads for short ones.
	if again, err := encMode.Marshal(p); err != nil || !bytes.Equal(again, m.Payload) {
		return Batch{}, errors.New("batch: not in the deterministic encoding")
	}
	// So far it is only a claim. Its gate name picks the key that has to prove it.
	key, ok := lookup(b.Gate)
	if !ok {
		return Batch{}, ErrSignature
	}
	alg, err := algorithm(key)
	if err != nil {
		return Batch{}, fmt.Errorf("key of gate %s: %w", b.Gate, err)
	}
	verifier, err := cose.NewVerifier(alg, key)
	if err != nil {
		return Batch{}, fmt.Errorf("key of gate %s: %w", b.Gate, err)
	}
	if err := m.Verify([]byte(domain), verifier); err != nil {
		return Batch{}, ErrSignature
	}
	return b, nil
}

// algorithm is the one that a kind of key signs with; the key decides, not the message.
func algorithm(key crypto.PublicKey) (cose.Algorithm, error) {
	switch key := key.(type) {
	case ed25519.PublicKey:
		if len(key) == ed25519.PublicKeySize {
			return cose.AlgorithmEdDSA, nil
		}
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			return cose.AlgorithmES256, nil
		}
	}
	return 0, fmt.Errorf("unsound key of type %T: want Ed25519 or ECDSA on P-256", key)
}

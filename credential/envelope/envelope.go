// Package envelope closes personal fields so that only their region can read them.
//
// A gate has the region's public key. At boot it makes one secret with that key and keeps it
// in memory; what lets the region make the same secret stands in the header, which the gate
// stores once. Each row's fields are closed under the secret, with the row's number as nonce
// and the gate, the epoch of its book and the number bound to them: a row that was moved,
// renumbered or copied into another gate's book does not open. When the gate is switched off
// the secret is gone, and the gate cannot read its own past; nor can whoever steals its card.
//
// The form stands in docs/revocation.md, with a vector for those who write another reader.
package envelope

import (
	"bytes"
	"crypto/cipher"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"

	"gatehouse"
)

const (
	version = 1
	label   = "gatehouse envelope 1" // what the secret is for: HPKE's info

	encapsulated = 1120 // bytes of the KEM's message, ML-KEM-768 and X25519 together

	// HeaderSize is the size of a header: the version, the id of the region's key, and what
	// the KEM has to say.
	HeaderSize = 1 + 8 + encapsulated

	maxGate = 64 // bytes of a gate's name
)

// ErrUsed is a row's number that may not be sealed under any more: it is not above the last.
// Two texts under one number and one key would tell both. A gate whose row was sealed and then
// not written takes a new Sealer for the same number.
var ErrUsed = errors.New("envelope: the row's number was used")

// ErrClosed is what does not open: it was closed for another region, gate, epoch or row, or a
// bit of it is not as it was. Which of these it is, nobody can tell.
var ErrClosed = errors.New("envelope: does not open")

// A HeaderID is the short name under which a row refers to its header: the first eight bytes
// of the SHA-256 of the header.
type HeaderID [8]byte

func (id HeaderID) String() string { return hex.EncodeToString(id[:]) }

// IDOf names a header.
func IDOf(header []byte) (id HeaderID) {
	sum := sha256.Sum256(header)
	copy(id[:], sum[:])
	return id
}

// A Sealer closes the rows of one gate from one boot to the next. It may be used by several
// at once.
type Sealer struct {
	header []byte
	row    row

	mu   sync.Mutex
	last gatehouse.Seq
}

// NewSealer makes a secret with a region's key, for the book of a gate in an epoch. It takes
// a fraction of a millisecond.
func NewSealer(key PublicKey, gate string, epoch Epoch) (*Sealer, error) {
	if key.key == nil {
		return nil, errors.New("envelope: seal: no key of a region")
	}
	_, kdf, aead := suite()
	message, sender, err := hpke.NewSender(key.key, kdf, aead, []byte(label))
	if err != nil {
		return nil, fmt.Errorf("envelope: seal: %w", err)
	}
	r, err := newRow(sender, gate, epoch)
	if err != nil {
		return nil, fmt.Errorf("envelope: seal: %w", err)
	}
	header := append([]byte{version}, key.id[:]...)
	return &Sealer{header: append(header, message...), row: r}, nil
}

// Header is what the region needs to open this Sealer's rows, HeaderSize bytes. It is no
// secret. A row whose header is lost is lost.
func (s *Sealer) Header() []byte { return bytes.Clone(s.header) }

// Seal closes the fields of a row. Numbers only grow: ErrUsed is a number that is not above
// the last one.
func (s *Sealer) Seal(seq gatehouse.Seq, f Fields) ([]byte, error) {
	text, err := f.encode()
	if err != nil {
		return nil, fmt.Errorf("envelope: seal row %d: %w", seq, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq <= s.last {
		return nil, fmt.Errorf("seal row %d: %w", seq, ErrUsed)
	}
	s.last = seq
	return s.row.aead.Seal(nil, s.row.nonce(seq), text, s.row.bound(seq)), nil
}

// An Epoch names one life of a gate's book; enrolling the gate anew begins another.
type Epoch [16]byte

// An Opener is the region's side of one Sealer. It may be used by several at once.
type Opener struct{ row row }

// NewOpener reads a header with the region's key. The gate and the epoch are those in whose
// book the rows stand, as the region knows them, not as the rows say.
func NewOpener(key PrivateKey, header []byte, gate string, epoch Epoch) (*Opener, error) {
	if key.key == nil {
		return nil, errors.New("envelope: open: no key of a region")
	}
	if len(header) != HeaderSize {
		return nil, fmt.Errorf("envelope: open: a header of %d bytes, %d are due", len(header), HeaderSize)
	}
	if header[0] != version {
		return nil, fmt.Errorf("envelope: open: version %d, %d is known", header[0], version)
	}
	if id := KeyID(header[1:9]); id != key.public.id {
		return nil, fmt.Errorf("envelope: open: closed for key %s, and this is %s", id, key.public.id)
	}
	_, kdf, aead := suite()
	recipient, err := hpke.NewRecipient(header[9:], key.key, kdf, aead, []byte(label))
	if err != nil {
		return nil, fmt.Errorf("envelope: open: %w", err)
	}
	r, err := newRow(recipient, gate, epoch)
	if err != nil {
		return nil, fmt.Errorf("envelope: open: %w", err)
	}
	return &Opener{row: r}, nil
}

// Open reads the fields of a row. ErrClosed is a row that does not belong where it stands.
func (o *Opener) Open(seq gatehouse.Seq, sealed []byte) (Fields, error) {
	if len(sealed) > maxFields+chacha20poly1305.Overhead {
		return Fields{}, fmt.Errorf("open row %d: %d bytes: %w", seq, len(sealed), ErrClosed)
	}
	text, err := o.row.aead.Open(nil, o.row.nonce(seq), sealed, o.row.bound(seq))
	if err != nil {
		return Fields{}, fmt.Errorf("open row %d: %w", seq, ErrClosed)
	}
	f, err := decode(text)
	if err != nil {
		return Fields{}, fmt.Errorf("envelope: open row %d: %w", seq, err)
	}
	return f, nil
}

// A row is what both sides share: the cipher, and what a row is bound to.
type row struct {
	aead cipher.AEAD
	book []byte // the gate's name, its length before it, and the epoch
}

// An exporter is either side of HPKE.
type exporter interface {
	Export(context string, length int) ([]byte, error)
}

// newRow takes the key of all rows out of HPKE. The cipher is ChaCha20-Poly1305 everywhere:
// half of the boards have no instructions for AES, and one cipher needs no agreement.
func newRow(side exporter, gate string, epoch Epoch) (row, error) {
	if len(gate) == 0 || len(gate) > maxGate {
		return row{}, fmt.Errorf("a gate's name of %d bytes, 1 to %d are due", len(gate), maxGate)
	}
	key, err := side.Export("rows", chacha20poly1305.KeySize)
	if err != nil {
		return row{}, err
	}
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return row{}, err
	}
	book := append([]byte{byte(len(gate))}, gate...)
	return row{aead: aead, book: append(book, epoch[:]...)}, nil
}

// nonce is the row's number, four zeros before it: used once, since a key lives in one Sealer.
func (r row) nonce(seq gatehouse.Seq) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 4, chacha20poly1305.NonceSize), uint64(seq))
}

// bound is what the cipher holds the row to beside its text.
func (r row) bound(seq gatehouse.Seq) []byte {
	return binary.BigEndian.AppendUint64(bytes.Clone(r.book), uint64(seq))
}

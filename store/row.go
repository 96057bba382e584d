package store

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"gatehouse"
)

// MaxRow is the most bytes that one row takes. The limits of its texts keep a row far
// below it; it guards the decoder.
const MaxRow = 4096

// A row is a passage as bytes: a CBOR map with small integer keys in the core deterministic
// encoding (RFC 8949 section 4.2.1). A field with its zero value is left out, except seq,
// gate and at. docs/wire.md is the same table in words.
type row struct {
	Seq      uint64 `cbor:"1,keyasint"`
	Gate     string `cbor:"2,keyasint"`
	At       int64  `cbor:"3,keyasint"` // Unix milliseconds
	Amends   uint64 `cbor:"4,keyasint,omitempty"`
	Call     uint8  `cbor:"5,keyasint,omitempty"`
	Reason   string `cbor:"6,keyasint,omitempty"`
	Detail   string `cbor:"7,keyasint,omitempty"`
	Policy   string `cbor:"8,keyasint,omitempty"`
	Format   string `cbor:"9,keyasint,omitempty"`
	Issuer   string `cbor:"10,keyasint,omitempty"`
	KeyID    string `cbor:"11,keyasint,omitempty"`
	Code     string `cbor:"12,keyasint,omitempty"`
	Grade    uint8  `cbor:"13,keyasint,omitempty"`
	Skin     int32  `cbor:"14,keyasint,omitempty"` // thousandths of a degree Celsius
	Ambient  int32  `cbor:"15,keyasint,omitempty"` // thousandths of a degree Celsius
	Quality  uint8  `cbor:"16,keyasint,omitempty"`
	Readings uint16 `cbor:"17,keyasint,omitempty"`
	Sensor   string `cbor:"18,keyasint,omitempty"`
	Guard    string `cbor:"19,keyasint,omitempty"`
	Note     string `cbor:"20,keyasint,omitempty"`
	TrustAge int64  `cbor:"21,keyasint,omitempty"` // seconds
	Clock    bool   `cbor:"22,keyasint,omitempty"`
	Took     int64  `cbor:"23,keyasint,omitempty"` // microseconds
	Trust    uint8  `cbor:"24,keyasint,omitempty"`
	Rule     string `cbor:"25,keyasint,omitempty"`
	Here     uint8  `cbor:"26,keyasint,omitempty"`
	Accord   string `cbor:"27,keyasint,omitempty"` // the agreement that applied
	Class    uint8  `cbor:"28,keyasint,omitempty"`
	Age      int64  `cbor:"29,keyasint,omitempty"` // seconds
	Second   string `cbor:"30,keyasint,omitempty"`
	Without  uint8  `cbor:"31,keyasint,omitempty"`
}

// A text is one text of a row and the most bytes that it may have.
type text struct {
	name  string
	of    *string
	limit int
}

func (r *row) texts() []text {
	return []text{
		{"reason", &r.Reason, 16},
		{"detail", &r.Detail, 512},
		{"policy", &r.Policy, 128},
		{"format", &r.Format, 16},
		{"issuer", &r.Issuer, 64},
		{"key id", &r.KeyID, 128},
		{"code", &r.Code, 128},
		{"sensor", &r.Sensor, 64},
		{"guard", &r.Guard, 256},
		{"note", &r.Note, 256},
		{"rule", &r.Rule, 64},
		{"agreement", &r.Accord, 128},
		{"second", &r.Second, 16},
	}
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
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		MaxNestedLevels:   4,
		MaxMapPairs:       64,
		MaxArrayElements:  16,
	}.DecMode()
	if err != nil {
		panic(err) // the options are constants: this is a fault of the program
	}
	return mode
}()

// Encode gives the exact bytes of a passage. The same passage gives the same bytes on every
// machine. It refuses what Decode would: a passage without number or gate, texts beyond
// their limits or not UTF-8, a time outside the years 0 to 9999. Parts of a millisecond of
// At, of a second of TrustAge and of a microsecond of Took are dropped.
func Encode(p gatehouse.Passage) ([]byte, error) {
	r := rowOf(p)
	if err := r.check(); err != nil {
		return nil, err
	}
	return encMode.Marshal(r)
}

// Decode reads the bytes of a row back. There is one encoding of a passage and Decode takes
// no other: unknown keys, indefinite lengths, spelled-out zeros and trailing bytes are errors.
func Decode(b []byte) (gatehouse.Passage, error) {
	if len(b) > MaxRow {
		return gatehouse.Passage{}, fmt.Errorf("row of %d bytes, at most %d", len(b), MaxRow)
	}
	var r row
	if err := decMode.Unmarshal(b, &r); err != nil {
		return gatehouse.Passage{}, fmt.Errorf("row: %w", err)
	}
	if err := r.check(); err != nil {
		return gatehouse.Passage{}, err
	}
	again, err := encMode.Marshal(r)
	if err != nil {
		return gatehouse.Passage{}, fmt.Errorf("row: %w", err)
	}
	if !bytes.Equal(again, b) {
		return gatehouse.Passage{}, errors.New("row: not in the deterministic encoding")
	}
	return r.passage(), nil
}

func rowOf(p gatehouse.Passage) row {
	return row{
		Seq:      uint64(p.Seq),
		Gate:     p.Gate,
		At:       p.At.UnixMilli(),
		Amends:   uint64(p.Amends),
		Call:     uint8(p.Verdict.Call),
		Reason:   string(p.Verdict.Reason),
		Detail:   p.Verdict.Detail,
		Policy:   p.Verdict.Policy,
		Format:   p.Format,
		Issuer:   string(p.Issuer),
		KeyID:    p.KeyID,
		Code:     p.Code,
		Grade:    uint8(p.Grade),
		Skin:     int32(p.Skin.Skin),
		Ambient:  int32(p.Skin.Ambient),
		Quality:  uint8(p.Skin.Quality),
		Readings: uint16(min(max(p.Skin.Readings, 0), math.MaxUint16)),
		Sensor:   p.Skin.Sensor,
		Guard:    p.Guard,
		Note:     p.Note,
		TrustAge: int64(p.TrustAge / time.Second),
		Clock:    p.Clock,
		Took:     p.Took.Microseconds(),
		Trust:    uint8(p.Verdict.Trust),
		Rule:     p.Verdict.Rule,
		Here:     uint8(p.Verdict.Here),
		Accord:   p.Verdict.Agreement,
		Class:    uint8(p.Class),
		Age:      int64(p.Age / time.Second),
		Second:   p.Second,
		Without:  uint8(p.Without),
	}
}

func (r *row) passage() gatehouse.Passage {
	return gatehouse.Passage{
		Seq:    gatehouse.Seq(r.Seq),
		Gate:   r.Gate,
		At:     time.UnixMilli(r.At).UTC(),
		Amends: gatehouse.Seq(r.Amends),
		Verdict: gatehouse.Verdict{
			Call:   gatehouse.Call(r.Call),
			Reason: gatehouse.Reason(r.Reason),
			Detail: r.Detail,
			Policy: r.Policy,

			Trust:     gatehouse.Trust(r.Trust),
			Rule:      r.Rule,
			Here:      gatehouse.Grade(r.Here),
			Agreement: r.Accord,
		},
		Format: r.Format,
		Issuer: gatehouse.Issuer(r.Issuer),
		KeyID:  r.KeyID,
		Code:   r.Code,
		Grade:  gatehouse.Grade(r.Grade),
		Skin: gatehouse.Measurement{
			Skin:     gatehouse.Temperature(r.Skin),
			Ambient:  gatehouse.Temperature(r.Ambient),
			Quality:  gatehouse.Quality(r.Quality),
			Readings: int(r.Readings),
			Sensor:   r.Sensor,
		},
		Guard:    r.Guard,
		Note:     r.Note,
		TrustAge: time.Duration(r.TrustAge) * time.Second,
		Clock:    r.Clock,
		Took:     time.Duration(r.Took) * time.Microsecond,
		Class:    gatehouse.Class(r.Class),
		Age:      time.Duration(r.Age) * time.Second,
		Second:   r.Second,
		Without:  gatehouse.Without(r.Without),
	}
}

// The years 0 to 9999 are those that RFC 3339 can write.
var (
	firstMilli = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	lastMilli  = time.Date(9999, 12, 31, 23, 59, 59, 999_000_000, time.UTC).UnixMilli()
)

// check tells whether r is a row that a book may hold.
func (r *row) check() error {
	if r.Seq == 0 || r.Seq > math.MaxInt64 {
		return fmt.Errorf("row: seq %d", r.Seq)
	}
	if r.Amends >= r.Seq {
		return fmt.Errorf("row %d amends %d, which is not before it", r.Seq, r.Amends)
	}
	if err := checkGate(r.Gate); err != nil {
		return fmt.Errorf("row %d: %w", r.Seq, err)
	}
	if r.At < firstMilli || r.At > lastMilli {
		return fmt.Errorf("row %d: at %d ms is outside the years 0 to 9999", r.Seq, r.At)
	}
	for _, t := range r.texts() {
		if len(*t.of) > t.limit {
			return fmt.Errorf("row %d: %s of %d bytes, at most %d", r.Seq, t.name, len(*t.of), t.limit)
		}
		if !utf8.ValidString(*t.of) {
			return fmt.Errorf("row %d: %s is not UTF-8", r.Seq, t.name)
		}
	}
	switch {
	case r.Call > uint8(gatehouse.Hint):
		return fmt.Errorf("row %d: call %d", r.Seq, r.Call)
	case r.Grade > uint8(gatehouse.Grey):
		return fmt.Errorf("row %d: grade %d", r.Seq, r.Grade)
	case r.Quality > uint8(gatehouse.Faulty):
		return fmt.Errorf("row %d: quality %d", r.Seq, r.Quality)
	case r.Trust > uint8(gatehouse.TrustFresh):
		return fmt.Errorf("row %d: trust %d", r.Seq, r.Trust)
	case r.Here > uint8(gatehouse.Grey):
		return fmt.Errorf("row %d: grade here %d", r.Seq, r.Here)
	case r.Class > uint8(gatehouse.Place|gatehouse.Contact|gatehouse.Health):
		return fmt.Errorf("row %d: class %d", r.Seq, r.Class)
	case r.Without > uint8(gatehouse.Companion):
		return fmt.Errorf("row %d: without %d", r.Seq, r.Without)
	}
	if limit := int64(math.MaxInt64 / time.Second); r.TrustAge > limit || r.TrustAge < -limit {
		return fmt.Errorf("row %d: trust age %d s", r.Seq, r.TrustAge)
	}
	if limit := int64(math.MaxInt64 / time.Second); r.Age > limit || r.Age < -limit {
		return fmt.Errorf("row %d: age %d s", r.Seq, r.Age)
	}
	if limit := int64(math.MaxInt64 / time.Microsecond); r.Took > limit || r.Took < -limit {
		return fmt.Errorf("row %d: took %d us", r.Seq, r.Took)
	}
	return nil
}

// fit cuts the texts of a passage to what a row holds. Part of them is what a stranger's
// code claims, and no code may be the reason why a passage is not written down.
func fit(p gatehouse.Passage) gatehouse.Passage {
	r := rowOf(p)
	for _, t := range r.texts() {
		*t.of = cut(*t.of, t.limit)
	}
	return r.passage()
}

// cut gives at most limit bytes of s, ending where a character ends.
func cut(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit] // may cut a character in two; what is left of it is no UTF-8
	}
	return strings.ToValidUTF8(s, "")
}

package envelope

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"gatehouse"
)

const (
	maxHolder    = 32   // bytes of a holder's tag
	maxDivisions = 64   // a full health code names ten
	maxDivision  = 16   // characters; a GB/T 2260 code has six
	maxFields    = 2048 // bytes of fields, filling included
	filling      = 32   // fields are filled up to a multiple of so many bytes
)

// Fields are what a passage knows of a person. The zero value knows nothing.
type Fields struct {
	Holder    []byte   // the issuer's tag of the person under a day key, at most 32 bytes; nil for none
	Divisions []string // where the code says the person was, GB/T 2260, at most 64
	Measured  bool     // whether there are temperatures
	Skin      gatehouse.Temperature
	Ambient   gatehouse.Temperature
}

// written is the order and form in which fields are written. Temperatures are both there or
// both not: zero degrees is a temperature, and no measurement is not zero degrees.
type written struct {
	Holder    []byte   `cbor:"1,keyasint,omitempty"`
	Divisions []string `cbor:"2,keyasint,omitempty"`
	Skin      *int32   `cbor:"3,keyasint,omitempty"`
	Ambient   *int32   `cbor:"4,keyasint,omitempty"`
}

// encoding writes what RFC 8949 section 4.2.1 calls core deterministic: one value, one text.
var encoding = func() cbor.EncMode {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err) // the options above are constants
	}
	return mode
}()

// decoding bounds what a gate may make its region read.
var decoding = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		MaxNestedLevels:   4,
		MaxArrayElements:  maxDivisions,
		MaxMapPairs:       16,
	}.DecMode()
	if err != nil {
		panic(err) // the options above are constants
	}
	return mode
}()

// encode writes fields as CBOR and fills them up with
// zeros, so that the length of a row does not tell how many places a person was in.
func (f Fields) encode() ([]byte, error) {
	if err := f.fit(); err != nil {
		return nil, err
	}
	w := written{Holder: f.Holder, Divisions: f.Divisions}
	if f.Measured {
		w.Skin, w.Ambient = (*int32)(&f.Skin), (*int32)(&f.Ambient)
	} else if f.Skin != 0 || f.Ambient != 0 {
		return nil, errors.New("temperatures that were not measured")
	}
	b, err := encoding.Marshal(w)
	if err != nil {
		return nil, err
	}
	return append(b, make([]byte, (filling-len(b)%filling)%filling)...), nil
}

// fit refuses fields past the limits, which hold for who writes them and who reads them.
func (f Fields) fit() error {
	if len(f.Holder) > maxHolder {
		return fmt.Errorf("a holder's tag of %d bytes, %d are allowed", len(f.Holder), maxHolder)
	}
	if len(f.Divisions) > maxDivisions {
		return fmt.Errorf("%d divisions, %d are allowed", len(f.Divisions), maxDivisions)
	}
	for i, d := range f.Divisions {
		if len(d) == 0 || len(d) > maxDivision {
			return fmt.Errorf("division %d has %d characters, 1 to %d are due", i, len(d), maxDivision)
		}
		for _, r := range d {
			if r < '!' || r > '~' {
				return fmt.Errorf("division %d has a character that no code has", i)
			}
		}
	}
	return nil
}

// decode reads what encode writes, and nothing else: the same fields are always the same
// bytes. Its errors hold nothing of the fields.
func decode(b []byte) (f Fields, err error) {
	if len(b) > maxFields {
		return Fields{}, fmt.Errorf("%d bytes of fields, %d are allowed", len(b), maxFields)
	}
	var w written
	if _, err := decoding.UnmarshalFirst(b, &w); err != nil {
		return Fields{}, errors.New("the fields are broken")
	}
	f = Fields{Holder: w.Holder, Divisions: w.Divisions}
	if w.Skin != nil && w.Ambient != nil {
		f.Measured, f.Skin, f.Ambient = true, gatehouse.Temperature(*w.Skin), gatehouse.Temperature(*w.Ambient)
	}
	again, err := f.encode()
	if err != nil {
		return Fields{}, err
	}
	if !bytes.Equal(again, b) {
		return Fields{}, errors.New("the fields are not in their one form")
	}
	return f, nil
}

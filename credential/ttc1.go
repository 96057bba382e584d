package credential

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse"
)

// ttc1 is a telecom operator's travel code, the second code of a transaction: base45 of a
// COSE_Sign1 with a CWT in it, under the rules of RHC1. It says in which cities a telephone
// was, and nothing of its owner's health. What each number means is written down in
// docs/formats.md.
var ttc1 = format{
	name:   "TTC1",
	begins: ttc1CWT.begins,
	parse:  ttc1CWT.parse,
	algs:   rhc1.algs,
	native: true,
}

var ttc1CWT = cwt{prefix: "TTC1:", spelling: "base45", decode: decodeBase45, shape: ttc1Shape, open: openTTC1}

const (
	maxPhone    = 20 // characters of a masked number, with a country's code
	minMasked   = 4  // of them that must be covered: ten thousand numbers look the same
	maxOperator = 32 // bytes
	maxStays    = maxTravels
)

type ttc1Body struct {
	Version  uint       `cbor:"1,keyasint"`
	Phone    string     `cbor:"2,keyasint,omitempty"` // masked: "138****1234"
	Tag      bytesOf    `cbor:"3,keyasint,omitempty"` // as in RHC1
	Stays    []ttc1Stay `cbor:"4,keyasint,omitempty"`
	Operator string     `cbor:"5,keyasint,omitempty"`

	issued time.Time
	id     []byte
}

type ttc1Stay struct {
	_        struct{} `cbor:",toarray"`
	Division uint     // of a city or more
	In       uint     // days before iat
	Out      uint     // days before iat; 0: is there still
}

func ttc1Shape(u *Unverified, m sign1, c *claims) error {
	if err := nativeShape(u, m, c); err != nil {
		return err
	}
	if c.Travel == nil {
		return u.malformed("cwt", errors.New("no travel code in it"))
	}
	return nil
}

func openTTC1(c claims) (contents, error) {
	body := &ttc1Body{issued: c.Issued.time(), id: c.ID}
	if err := decode(c.Travel, body); err != nil {
		return nil, err
	}
	return body, nil
}

func (b *ttc1Body) uses() Usage { return UseTravelCode }

func (b *ttc1Body) ids() [][]byte { return [][]byte{b.id} }

func (b *ttc1Body) tell(pass *gatehouse.Pass) error {
	if b.Version != 1 {
		return fmt.Errorf("version %d, want 1", b.Version)
	}
	if err := checkPhone(b.Phone); err != nil {
		return err
	}
	if err := checkTag(b.Tag); err != nil {
		return err
	}
	if !presentable(b.Operator, maxOperator) {
		return fmt.Errorf("an operator that cannot be shown: at most %d bytes, no hidden characters", maxOperator)
	}
	if len(b.Stays) > maxStays {
		return fmt.Errorf("%d stays, at most %d", len(b.Stays), maxStays)
	}
	pass.Code = tagOf(b.id)
	pass.Holder = gatehouse.Holder{Name: b.Phone, Tag: hex.EncodeToString(b.Tag)}
	for i, s := range b.Stays {
		if !isCity(s.Division) || s.In > travelDays || s.Out > s.In {
			return fmt.Errorf("stay %d: a number out of range", i+1)
		}
		pass.Facts = append(pass.Facts, gatehouse.Fact{
			Kind:     gatehouse.Travel,
			At:       b.issued.AddDate(0, 0, -int(s.In)),
			Until:    b.issued.AddDate(0, 0, -int(s.Out)),
			Division: fmt.Sprint(s.Division),
			Method:   b.Operator,
		})
	}
	return nil
}

// checkPhone takes a number that is masked, or none. A gate's screen is no place for a whole
// one, whoever signed it.
func checkPhone(phone string) error {
	if phone == "" {
		return nil
	}
	if len(phone) > maxPhone || strings.Trim(phone, "+0123456789*") != "" || strings.Count(phone, "*") < minMasked {
		return fmt.Errorf("no masked telephone number: at most %d digits, of which %d or more are *", maxPhone, minMasked)
	}
	return nil
}

// isCity reports whether n is a division code of a city or of more: an operator's code that
// names districts says more than it may.
func isCity(n uint) bool { return isDivision(n) && n%100 == 0 }

package credential

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"gatehouse"
)

// rhc1 is a region's own health code: base45 of a COSE_Sign1 with a CWT in it. What each
// number means is written down in docs/formats.md.
var rhc1 = format{
	name:   "RHC1",
	begins: rhc1CWT.begins,
	parse:  rhc1CWT.parse,
	algs:   []int64{algES256, algEdDSA, algSM2},
	native: true,
}

var rhc1CWT = cwt{prefix: "RHC1:", spelling: "base45", decode: decodeBase45, shape: rhc1Shape, open: openRHC1}

// Bounds of RHC1. Lists are bounded so that a full code still fits a QR code that a phone
// can show; periods, so that a number cannot mean another age of the world.
const (
	rhc1Lifetime = 24 * time.Hour // a code shows a person's state only at that moment
	rhc1ID       = 12             // bytes of random id
	rhc1Tag      = 8              // bytes of the holder's tag

	maxTravels      = 32
	maxTemperatures = 32
	maxTests        = 16
	maxVaccinations = 8

	maxName    = 64 // bytes
	maxProduct = 32 // bytes

	travelDays      = 14
	maxMinutesTest  = 366 * 24 * 60
	maxMinutesState = 366 * 24 * 60
	maxMinutesSkin  = travelDays * 24 * 60
)

// Kinds of test, as Fact.Method names them.
var rhc1Tests = [...]string{1: "nucleic-acid", 2: "antigen", 3: "antibody"}

type rhc1Body struct {
	Version      uint              `cbor:"1,keyasint"`
	Holder       rhc1Holder        `cbor:"2,keyasint"`
	Colour       *uint             `cbor:"3,keyasint"` // absent is not green
	Class        *rhc1Class        `cbor:"4,keyasint,omitempty"`
	Travels      []rhc1Travel      `cbor:"5,keyasint,omitempty"`
	Temperatures []rhc1Temperature `cbor:"6,keyasint,omitempty"`
	Tests        []rhc1Test        `cbor:"7,keyasint,omitempty"`
	Vaccinations []rhc1Vaccination `cbor:"8,keyasint,omitempty"`
	Since        *uint             `cbor:"9,keyasint,omitempty"` // minutes before iat

	issued time.Time
	id     []byte
}

type rhc1Holder struct {
	Name string  `cbor:"1,keyasint,omitempty"`
	Tag  bytesOf `cbor:"2,keyasint,omitempty"`
	Year uint    `cbor:"3,keyasint,omitempty"`
}

type rhc1Class struct {
	_      struct{} `cbor:",toarray"`
	Class  uint
	Detail uint64 // the same numbers on every board, also on one of 32 bits
}

type rhc1Travel struct {
	_        struct{} `cbor:",toarray"`
	Division uint
	In, Out  uint // days before iat
	Risk     uint
}

type rhc1Temperature struct {
	_      struct{} `cbor:",toarray"`
	Tenths uint     // of a degree Celsius
	Ago    uint     // minutes before iat
}

type rhc1Test struct {
	_        struct{} `cbor:",toarray"`
	Kind     uint
	Result   uint
	Ago      uint // minutes before iat
	Division uint // 0: not said
}

type rhc1Vaccination struct {
	_       struct{} `cbor:",toarray"`
	Doses   uint
	Day     uint // since 1970-01-01
	Product string
}

func rhc1Shape(u *Unverified, m sign1, c *claims) error {
	if err := nativeShape(u, m, c); err != nil {
		return err
	}
	if c.Health == nil {
		return u.malformed("cwt", errors.New("no health code in it"))
	}
	return nil
}

// nativeShape holds our own formats to the letter: what we define we need not guess at.
func nativeShape(u *Unverified, m sign1, c *claims) error {
	if err := needTimes(u); err != nil {
		return err
	}
	switch {
	case !m.inProtect:
		return u.malformed("cose", errors.New("algorithm and key id must be signed"))
	case len(u.kid) != keyIDSize:
		return u.malformed("cose", fmt.Errorf("key id of %d bytes, want %d", len(u.kid), keyIDSize))
	case u.issuer == "":
		return u.malformed("cwt", errors.New("no issuer of the form CN-330100"))
	case len(c.ID) != rhc1ID:
		return u.malformed("cwt", fmt.Errorf("id of %d bytes, want %d", len(c.ID), rhc1ID))
	case c.Expires <= c.Issued:
		return u.malformed("cwt", errors.New("expires before it is issued"))
	case c.Expires-c.Issued > instant(rhc1Lifetime/time.Second):
		return u.malformed("cwt", errors.New("lives longer than 24 hours"))
	}
	return nil
}

func openRHC1(c claims) (contents, error) {
	body := rhc1Body{issued: c.Issued.time(), id: c.ID}
	if err := decode(c.Health, &body); err != nil {
		return nil, err
	}
	return &body, nil
}

func (b *rhc1Body) uses() Usage { return UseHealthCode }

func (b *rhc1Body) ids() [][]byte { return [][]byte{b.id} }

func (b *rhc1Body) tell(pass *gatehouse.Pass) error {
	if b.Version != 1 {
		return fmt.Errorf("version %d, want 1", b.Version)
	}
	if b.Colour == nil || *b.Colour > 3 {
		return errors.New("no colour that we know")
	}
	grades := [...]gatehouse.Grade{gatehouse.Green, gatehouse.Yellow, gatehouse.Red, gatehouse.Grey}
	pass.Grade = grades[*b.Colour]
	if b.Class != nil {
		if b.Class.Class > 7 {
			return fmt.Errorf("reason class %d, at most 7", b.Class.Class)
		}
		pass.Class = gatehouse.Class(b.Class.Class)
	}
	if b.Since != nil {
		if *b.Since > maxMinutesState {
			return fmt.Errorf("colour since %d minutes, at most %d", *b.Since, maxMinutesState)
		}
		pass.Since = b.before(*b.Since)
	}
	pass.Code = tagOf(b.id)
	if err := b.tellHolder(&pass.Holder); err != nil {
		return err
	}
	var err error
	pass.Facts, err = b.facts()
	return err
}

func (b *rhc1Body) tellHolder(holder *gatehouse.Holder) error {
	if !presentable(b.Holder.Name, maxName) {
		return fmt.Errorf("a name that cannot be shown: at most %d bytes, no hidden characters", maxName)
	}
	if err := checkTag(b.Holder.Tag); err != nil {
		return err
	}
	holder.Name, holder.Tag = b.Holder.Name, hex.EncodeToString(b.Holder.Tag)
	if b.Holder.Year != 0 {
		if b.Holder.Year < 1850 || b.Holder.Year > 2200 {
			return errors.New("a birth year out of range")
		}
		holder.Birth = fmt.Sprint(b.Holder.Year)
	}
	return nil
}

// checkTag takes a tag of the right size, or none.
func checkTag(tag []byte) error {
	if n := len(tag); n != 0 && n != rhc1Tag {
		return fmt.Errorf("holder's tag of %d bytes, want %d", n, rhc1Tag)
	}
	return nil
}

// facts turns what the code counts back from its issue into times that stand by themselves.
func (b *rhc1Body) facts() ([]gatehouse.Fact, error) {
	switch {
	case len(b.Travels) > maxTravels:
		return nil, fmt.Errorf("%d travels, at most %d", len(b.Travels), maxTravels)
	case len(b.Temperatures) > maxTemperatures:
		return nil, fmt.Errorf("%d temperatures, at most %d", len(b.Temperatures), maxTemperatures)
	case len(b.Tests) > maxTests:
		return nil, fmt.Errorf("%d tests, at most %d", len(b.Tests), maxTests)
	case len(b.Vaccinations) > maxVaccinations:
		return nil, fmt.Errorf("%d vaccinations, at most %d", len(b.Vaccinations), maxVaccinations)
	}
	var facts []gatehouse.Fact
	for i, t := range b.Travels {
		if !isDivision(t.Division) || t.In > travelDays || t.Out > t.In || t.Risk > 3 {
			return nil, fmt.Errorf("travel %d: a number out of range", i+1)
		}
		facts = append(facts, gatehouse.Fact{
			Kind:     gatehouse.Travel,
			At:       b.issued.AddDate(0, 0, -int(t.In)),
			Until:    b.issued.AddDate(0, 0, -int(t.Out)),
			Division: fmt.Sprint(t.Division),
			Risk:     uint8(t.Risk),
		})
	}
	for i, t := range b.Temperatures {
		if t.Tenths < 250 || t.Tenths > 450 || t.Ago > maxMinutesSkin {
			return nil, fmt.Errorf("temperature %d: a number out of range", i+1)
		}
		facts = append(facts, gatehouse.Fact{
			Kind:        gatehouse.Fever,
			At:          b.before(t.Ago),
			Temperature: gatehouse.Temperature(t.Tenths) * 100,
		})
	}
	for i, t := range b.Tests {
		if t.Kind < 1 || t.Kind >= uint(len(rhc1Tests)) || t.Result > 2 || t.Ago > maxMinutesTest ||
			t.Division != 0 && !isDivision(t.Division) {
			return nil, fmt.Errorf("test %d: a number out of range", i+1)
		}
		fact := gatehouse.Fact{
			Kind:   gatehouse.Test,
			At:     b.before(t.Ago),
			Method: rhc1Tests[t.Kind],
			Result: gatehouse.Result(t.Result), // 0 unknown, 1 negative, 2 positive in both
		}
		if t.Division != 0 {
			fact.Division = fmt.Sprint(t.Division)
		}
		facts = append(facts, fact)
	}
	for i, v := range b.Vaccinations {
		day := time.Unix(0, 0).UTC().AddDate(0, 0, int(v.Day&0xffff))
		if v.Doses < 1 || v.Doses > 20 || v.Day > 0xffff || day.After(b.issued) || !presentable(v.Product, maxProduct) {
			return nil, fmt.Errorf("vaccination %d: out of range", i+1)
		}
		facts = append(facts, gatehouse.Fact{
			Kind:    gatehouse.Vaccination,
			At:      day,
			Product: v.Product,
			Dose:    int(v.Doses),
		})
	}
	return facts, nil
}

func (b *rhc1Body) before(minutes uint) time.Time {
	return b.issued.Add(-time.Duration(minutes) * time.Minute)
}

// isDivision reports whether n has the form of a division code of GB/T 2260: six digits,
// of which the first is not zero.
func isDivision(n uint) bool { return n >= 100000 && n <= 999999 }

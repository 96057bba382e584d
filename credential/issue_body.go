package credential

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gatehouse"
)

// wrap puts the claims into the form that the format has for them.
func (c Claims) wrap() (claims, error) {
	wrapped := claims{
		Issuer:  string(c.Issuer),
		Expires: instant(c.Expires.Unix()),
		Issued:  instant(c.Issued.Unix()),
		ID:      c.ID,
	}
	var err error
	if c.Format == ttc1.name {
		var body *ttc1Body
		if body, err = c.travelBody(); err != nil {
			return claims{}, err
		}
		wrapped.Travel, err = encoding.Marshal(body)
		return wrapped, err
	}
	body, err := c.body()
	if err != nil {
		return claims{}, err
	}
	wrapped.Health, err = encoding.Marshal(body)
	return wrapped, err
}

// travelBody puts the claims into the numbers of TTC1, as body does into those of RHC1.
func (c Claims) travelBody() (*ttc1Body, error) {
	if c.Grade != gatehouse.NoGrade || c.Class != 0 || c.Detail != 0 || !c.Since.IsZero() || c.Holder.Birth != "" {
		return nil, errors.New("TTC1 has no place for a colour or a birth date")
	}
	tag, err := tagBytes(c.Holder.Tag)
	if err != nil {
		return nil, err
	}
	b := &ttc1Body{Version: 1, Phone: c.Holder.Name, Tag: tag, Operator: c.Operator}
	for i, fact := range c.Facts {
		if fact.Kind != gatehouse.Travel || fact.Risk != 0 {
			return nil, fmt.Errorf("fact %d, %s: TTC1 has places and days only", i+1, fact.Kind)
		}
		division, err := divisionNumber(fact.Division)
		if err != nil {
			return nil, fmt.Errorf("fact %d: %w", i+1, err)
		}
		in, err := ago(c.Issued, fact.At, 24*time.Hour)
		if err != nil {
			return nil, fmt.Errorf("fact %d: %w", i+1, err)
		}
		out, err := ago(c.Issued, fact.Until, 24*time.Hour)
		if err != nil {
			return nil, fmt.Errorf("fact %d: %w", i+1, err)
		}
		b.Stays = append(b.Stays, ttc1Stay{Division: division, In: in, Out: out})
	}
	return b, nil
}

func tagBytes(tag string) ([]byte, error) {
	b, err := hex.DecodeString(tag)
	if err != nil {
		return nil, errors.New("the holder's tag is not hex")
	}
	return b, nil
}

// body puts the claims into the numbers of RHC1. It refuses what those cannot say; bounds
// are the reader's business.
func (c Claims) body() (*rhc1Body, error) {
	colour := uint(slices.Index([]gatehouse.Grade{gatehouse.Green, gatehouse.Yellow, gatehouse.Red, gatehouse.Grey}, c.Grade))
	if c.Grade == gatehouse.NoGrade || colour > 3 {
		return nil, fmt.Errorf("grade %d is no colour", c.Grade)
	}
	if c.Operator != "" {
		return nil, errors.New("a health code has no place for an operator")
	}
	b := &rhc1Body{Version: 1, Colour: &colour, issued: c.Issued}
	b.Holder.Name = c.Holder.Name
	var err error
	if b.Holder.Tag, err = tagBytes(c.Holder.Tag); err != nil {
		return nil, err
	}
	if c.Holder.Birth != "" {
		year, err := strconv.ParseUint(c.Holder.Birth[:min(4, len(c.Holder.Birth))], 10, 16)
		if err != nil {
			return nil, errors.New("the holder's birth begins with no year")
		}
		b.Holder.Year = uint(year)
	}
	if c.Class != 0 || c.Detail != 0 {
		b.Class = &rhc1Class{Class: uint(c.Class), Detail: uint64(c.Detail)}
	}
	if !c.Since.IsZero() {
		ago, err := b.ago(c.Since, time.Minute)
		if err != nil {
			return nil, fmt.Errorf("colour since: %w", err)
		}
		b.Since = &ago
	}
	for i, fact := range c.Facts {
		if err := b.add(fact); err != nil {
			return nil, fmt.Errorf("fact %d, %s: %w", i+1, fact.Kind, err)
		}
	}
	return b, nil
}

func (b *rhc1Body) add(fact gatehouse.Fact) error {
	division, err := divisionNumber(fact.Division)
	if err != nil {
		return err
	}
	switch fact.Kind {
	case gatehouse.Travel:
		in, err := b.ago(fact.At, 24*time.Hour)
		if err != nil {
			return err
		}
		out, err := b.ago(fact.Until, 24*time.Hour)
		if err != nil {
			return err
		}
		b.Travels = append(b.Travels, rhc1Travel{Division: division, In: in, Out: out, Risk: uint(fact.Risk)})
	case gatehouse.Fever:
		ago, err := b.ago(fact.At, time.Minute)
		if err != nil {
			return err
		}
		if fact.Temperature < 0 {
			return errors.New("below zero")
		}
		b.Temperatures = append(b.Temperatures, rhc1Temperature{Tenths: uint(fact.Temperature+50) / 100, Ago: ago})
	case gatehouse.Test:
		ago, err := b.ago(fact.At, time.Minute)
		if err != nil {
			return err
		}
		kind := slices.Index(rhc1Tests[:], fact.Method)
		if kind < 1 {
			return fmt.Errorf("no method that RHC1 knows: %v", rhc1Tests[1:])
		}
		b.Tests = append(b.Tests, rhc1Test{Kind: uint(kind), Result: uint(fact.Result), Ago: ago, Division: division})
	case gatehouse.Vaccination:
		day := fact.At.Unix() / (24 * 60 * 60)
		if day < 0 || fact.Dose < 0 {
			return errors.New("out of range")
		}
		b.Vaccinations = append(b.Vaccinations, rhc1Vaccination{Doses: uint(fact.Dose), Day: uint(day), Product: fact.Product})
	default:
		return errors.New("RHC1 has no place for it")
	}
	return nil
}

func (b *rhc1Body) ago(at time.Time, unit time.Duration) (uint, error) {
	return ago(b.issued, at, unit)
}

// ago counts whole units from a time back from the issue.
func ago(issued, at time.Time, unit time.Duration) (uint, error) {
	d := issued.Sub(at)
	if d < 0 {
		return 0, errors.New("lies after the issue")
	}
	if d > 100*366*24*time.Hour {
		return 0, errors.New("lies too far back")
	}
	return uint(d / unit), nil
}

func divisionNumber(s string) (uint, error) {
	if s == "" {
		return 0, nil
	}
	if len(s) != 6 || !within(s, '0', '9') {
		return 0, errors.New("division is not of six digits")
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return uint(n), err
}

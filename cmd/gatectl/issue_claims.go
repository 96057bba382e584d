package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/credential"
)

// A wish is what somebody who issues a code says of it on the command line.
type wish struct {
	format, issuer, colour, holder, birth, tag, operator, at string
	class, travels, tests                                    []string
	life                                                     time.Duration
}

func (w *wish) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&w.format, "format", "RHC1", "RHC1 (health code), RHC2 (deflated) or TTC1 (travel code)")
	f.StringVar(&w.issuer, "issuer", "CN-330100", "the region in whose name it is issued")
	f.StringVar(&w.colour, "colour", "green", "green, yellow, red or grey (under review); a travel code has none")
	f.StringSliceVar(&w.class, "class", nil, "why the colour is not green: place, contact, health")
	f.StringVar(&w.holder, "holder", "", "the holder's name, masked, as 张*; of a travel code the telephone, as 138****1234")
	f.StringVar(&w.birth, "birth", "", "the year of the holder's birth")
	f.StringVar(&w.tag, "tag", "", "the issuer's tag of the holder, 16 hex digits: two codes with one tag are one holder's")
	f.StringVar(&w.operator, "operator", "", "of a travel code: whose network saw the telephone")
	f.StringArrayVar(&w.travels, "travel", nil, "DIVISION:ARRIVED:LEFT, as 220284:5d:3d (repeatable)")
	f.StringArrayVar(&w.tests, "test", nil, "METHOD:RESULT:SAMPLED, as nucleic-acid:negative:36h (repeatable)")
	f.StringVar(&w.at, "at", "", "time of issue, RFC 3339 (default: now)")
	f.DurationVar(&w.life, "for", 12*time.Hour, "how long it is valid, at most 24h")
}

// claims puts the wish into the words of credential.
func (w *wish) claims(now time.Time) (c credential.Claims, err error) {
	issued := now
	if w.at != "" {
		if issued, err = time.Parse(time.RFC3339, w.at); err != nil {
			return c, fmt.Errorf("--at %q is no RFC 3339 time", w.at)
		}
	}
	issued = issued.Truncate(time.Second)
	c = credential.Claims{Format: w.format, Issuer: gatehouse.Issuer(w.issuer), Issued: issued, Expires: issued.Add(w.life),
		Holder: gatehouse.Holder{Name: w.holder, Birth: w.birth, Tag: w.tag}, Operator: w.operator}
	if w.format != gatehouse.FormatTravel {
		if c.Grade, err = gradeOf(w.colour); err != nil {
			return c, err
		}
	}
	if c.Class, err = classOf(w.class); err != nil {
		return c, err
	}
	for _, s := range w.travels {
		fact, err := travelOf(s, issued)
		if err != nil {
			return c, fmt.Errorf("--travel %q: %w", s, err)
		}
		c.Facts = append(c.Facts, fact)
	}
	for _, s := range w.tests {
		fact, err := testOf(s, issued)
		if err != nil {
			return c, fmt.Errorf("--test %q: %w", s, err)
		}
		c.Facts = append(c.Facts, fact)
	}
	return c, nil
}

// travelOf reads DIVISION:ARRIVED:LEFT.
func travelOf(s string, issued time.Time) (gatehouse.Fact, error) {
	words, err := threeWords(s)
	if err != nil {
		return gatehouse.Fact{}, err
	}
	arrived, err := before(issued, words[1])
	if err != nil {
		return gatehouse.Fact{}, err
	}
	left, err := before(issued, words[2])
	return gatehouse.Fact{Kind: gatehouse.Travel, Division: words[0], At: arrived, Until: left}, err
}

// testOf reads METHOD:RESULT:SAMPLED.
func testOf(s string, issued time.Time) (gatehouse.Fact, error) {
	words, err := threeWords(s)
	if err != nil {
		return gatehouse.Fact{}, err
	}
	result := gatehouse.Negative
	switch words[1] {
	case gatehouse.Negative.String():
	case gatehouse.Positive.String():
		result = gatehouse.Positive
	default:
		return gatehouse.Fact{}, errors.New("the result is negative or positive")
	}
	sampled, err := before(issued, words[2])
	return gatehouse.Fact{Kind: gatehouse.Test, Method: words[0], Result: result, At: sampled}, err
}

func threeWords(s string) ([]string, error) {
	words := strings.Split(s, ":")
	if len(words) != 3 {
		return nil, errors.New("want three words with colons between them")
	}
	return words, nil
}

// before is a time so long before another: "90m", "36h", "5d".
func before(at time.Time, ago string) (time.Time, error) {
	if days, ok := strings.CutSuffix(ago, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return at, fmt.Errorf("%q is no number of days", ago)
		}
		return at.Add(-time.Duration(n) * 24 * time.Hour), nil
	}
	d, err := time.ParseDuration(ago)
	if err != nil || d < 0 {
		return at, fmt.Errorf("%q is no time ago, as 90m, 36h or 5d", ago)
	}
	return at.Add(-d), nil
}

func gradeOf(word string) (gatehouse.Grade, error) {
	for _, g := range []gatehouse.Grade{gatehouse.Green, gatehouse.Yellow, gatehouse.Red, gatehouse.Grey} {
		if g.String() == word {
			return g, nil
		}
	}
	return gatehouse.NoGrade, fmt.Errorf("--colour %q is none of green, yellow, red, grey", word)
}

func classOf(words []string) (all gatehouse.Class, err error) {
	for _, word := range words {
		class := gatehouse.Class(0)
		for _, c := range []gatehouse.Class{gatehouse.Place, gatehouse.Contact, gatehouse.Health} {
			if slices.Equal(c.Words(), []string{word}) {
				class = c
			}
		}
		if class == 0 {
			return 0, fmt.Errorf("--class %q is none of place, contact, health", word)
		}
		all |= class
	}
	return all, nil
}

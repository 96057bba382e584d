package main

import (
	"crypto/ecdsa"
	"fmt"
	"math/rand/v2"
	"time"

	"gatehouse"
	"gatehouse/credential"
)

// A person is one in the demo's queue: what the code before the camera is, and what the
// forehead before the thermometer has.
type person struct {
	who    string // for the demo's own eyes; never drawn, never logged
	texts  []string
	effect string
	skin   int // thousandths of a degree Celsius
	fault  string
}

// How long one stands before the gate, and how long until the next comes up. Camera and
// thermometer read the same times from their scripts, so that they see the same person.
const (
	showFor = 1700 * time.Millisecond
	gapFor  = 800 * time.Millisecond
)

// queue makes the people of the demo in an order that the seed gives. Every kind is met
// once before any comes twice, and the first is one who may pass.
func (k *kit) queue(seed uint64, now time.Time) ([]person, error) {
	kinds, err := k.kinds(now)
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(seed, 0x6a7e))
	rest := kinds[1:]
	random.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	return kinds, nil
}

// kinds are the people that a gate meets, each with a code that was really signed, or
// really not.
func (k *kit) kinds(now time.Time) ([]person, error) {
	stranger, err := newIssuerKey()
	if err != nil {
		return nil, err
	}
	var all []person
	add := func(who string, skin int, change func(*code)) error {
		c := code{key: k.issuers[k.region], claims: credential.Claims{Issuer: k.region, Grade: gatehouse.Green,
			Issued: now.Add(-5 * time.Minute), Expires: now.Add(20 * time.Hour),
			Holder: gatehouse.Holder{Name: "张*", Birth: "1984"}}}
		change(&c)
		text := c.text
		if text == "" {
			if text, err = credential.Issue(c.key, c.claims); err != nil {
				return fmt.Errorf("%s: %w", who, err)
			}
		}
		if c.alter {
			text = alter(text)
		}
		p := person{who: who, texts: []string{text}, effect: c.effect, skin: skin, fault: c.fault}
		if c.second {
			p.texts = append(p.texts, "https://example.com/menu?table=7")
		}
		all = append(all, p)
		return nil
	}
	neighbour := k.neighbour()
	for _, p := range []struct {
		who    string
		skin   int
		change func(*code)
	}{
		{"green, healthy", 36_500, func(c *code) {}},
		{"green of a recognised region", 36_700, func(c *code) {
			c.key, c.claims.Issuer, c.claims.Holder.Name = k.issuers[neighbour], neighbour, "李**"
		}},
		{"green, with glare on the screen", 36_400, func(c *code) { c.effect, c.claims.Holder.Name = "glare", "王*" }},
		{"two codes on one screen", 36_600, func(c *code) { c.second, c.effect = true, "two" }},
		{"yellow", 36_600, func(c *code) { c.claims.Grade, c.claims.Class = gatehouse.Yellow, gatehouse.Place }},
		{"red", 36_600, func(c *code) { c.claims.Grade, c.claims.Class = gatehouse.Red, gatehouse.Contact }},
		{"fever", 38_600, func(c *code) { c.claims.Holder.Name = "陈*" }},
		{"cold forehead", 33_200, func(c *code) { c.claims.Holder.Name = "刘*" }},
		{"expired", 36_500, func(c *code) {
			c.claims.Issued, c.claims.Expires = now.Add(-26*time.Hour), now.Add(-2*time.Hour)
		}},
		{"screenshot of last night", 36_500, func(c *code) {
			c.claims.Issued, c.claims.Expires = now.Add(-14*time.Hour), now.Add(9*time.Hour)
		}},
		{"altered after it was signed", 36_500, func(c *code) { c.alter = true }},
		{"issuer that nobody vouches for", 36_500, func(c *code) { c.key, c.claims.Issuer = stranger, "CN-659001" }},
		{"a menu, not a health code", 36_500, func(c *code) { c.text = "https://example.com/menu?table=7" }},
		{"green, but the thermometer's bus is noisy", 36_500, func(c *code) { c.fault = "pec" }},
	} {
		if err := add(p.who, p.skin, p.change); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// A code is what one person of the demo holds up.
type code struct {
	key    *ecdsa.PrivateKey
	claims credential.Claims
	text   string // instead of a signed code
	alter  bool
	second bool
	effect string
	fault  string
}

// neighbour is an issuer of the kit that is not the region itself.
func (k *kit) neighbour() gatehouse.Issuer {
	for issuer := range k.issuers {
		if issuer != k.region {
			return issuer
		}
	}
	return k.region
}

// alter changes one letter of the signature, as a forger's editor would: the code is still
// well formed, and worth nothing. Base45 carries two bytes in three letters, of which the
// first is worth least: 0 or 1 there is a letter that every group can take.
func alter(text string) string {
	body := len("RHC1:")
	at := body + (len(text)-body-12)/3*3
	letter := byte('0')
	if text[at] == letter {
		letter = '1'
	}
	return text[:at] + string(letter) + text[at+1:]
}

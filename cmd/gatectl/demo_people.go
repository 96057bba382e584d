package main

import (
	"crypto"
	"crypto/ecdsa"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"

	"gatehouse"
	"gatehouse/credential"
	"gatehouse/credential/revocation"
)

// A person is one in the demo's queue: what the code before the camera is, and what the
// forehead before the thermometer has.
type person struct {
	who    string // for the demo's own eyes; never drawn, never logged
	texts  []string
	effect string
	skin   int // thousandths of a degree Celsius
	fault  string
	codes  []string // under which the gate's book knows the codes, where it can read them
}

// How long one stands before the gate, and how long until the next comes up. Camera and
// thermometer read the same times from their scripts, so that they see the same person.
const (
	showFor = 1700 * time.Millisecond
	gapFor  = 800 * time.Millisecond
)

// rounds is how often each kind comes in the queue, each time with new codes. Then the same
// people come again, from the first on.
const rounds = 8

type signer = crypto.Signer

// A crowd makes the people of the demo.
type crowd struct {
	kit      *kit
	now      time.Time
	random   *rand.Rand
	sm2      signer // the region's second key
	travel   signer // the operator's
	stranger signer
	keys     credential.Ring

	takenBack [][]byte // ids of codes
}

// demoKit is the nation of the demo.
func demoKit() (*kit, error) {
	k, err := newKit(hangzhou, guangzhou, chengdu, harbin, urumqi, germany)
	if err != nil {
		return nil, err
	}
	k.of(germany).keys[0].usage = credential.UseProof
	if err := k.addKey(hangzhou, "issuer-CN-330100-sm2", "sm2", credential.UseHealthCode); err != nil {
		return nil, err
	}
	return k, k.addKey(hangzhou, "travel-CN-330100", "es256", credential.UseTravelCode)
}

// queue makes the people of the demo in an order that the seed gives. Every kind is met once
// before any comes twice, and the first is one who may pass. The codes that their issuer took
// back become the region's revocations.
func (k *kit) queue(seed uint64, now time.Time) ([]person, error) {
	stranger, err := newIssuerKey()
	if err != nil {
		return nil, err
	}
	own := k.of(k.region)
	c := &crowd{kit: k, now: now.Truncate(time.Second), random: rand.New(rand.NewPCG(seed, 0x6a7e)),
		sm2: own.keys[1].private, travel: own.keys[2].private, stranger: stranger}
	for _, r := range k.regions {
		for _, key := range r.keys {
			id, err := credential.KeyID(key.private.Public())
			if err != nil {
				return nil, err
			}
			c.keys = append(c.keys, credential.Key{ID: id, Issuer: key.issuer, Public: key.private.Public(), Usage: key.usage})
		}
	}
	var all []person
	for range rounds {
		people, err := c.round()
		if err != nil {
			return nil, err
		}
		all = append(all, people...)
	}
	base := revocation.Base{Issuer: k.region, Version: 1, Exact: true}
	for _, id := range c.takenBack {
		base.Prefixes = append(base.Prefixes, revocation.Prefix(id))
	}
	own.revocations, err = revocation.Build(base)
	return all, err
}

// round brings each kind once, and those that the demo's events are about at the beginning
// and at the end.
func (c *crowd) round() ([]person, error) {
	var visits [][]person
	for _, k := range singles() {
		p, err := c.person(k)
		if err != nil {
			return nil, err
		}
		visits = append(visits, []person{p})
	}
	c.shuffle(visits)
	for _, make := range []func() (first, second []person, err error){c.twice, c.flip} {
		first, second, err := make()
		if err != nil {
			return nil, err
		}
		// Somebody else comes in between: a code that is still held is not shown again.
		between := visits[0]
		visits = append(visits[1:], append(append(first, between...), second...))
	}
	for _, home := range []bool{true, false} {
		both, err := c.withTravelCode(home)
		if err != nil {
			return nil, err
		}
		visits = append(visits, both)
	}
	c.shuffle(visits)
	var all []person
	for _, k := range []kind{green, shulanKind(), chengduKind()} {
		p, err := c.person(k)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	for _, v := range visits {
		all = append(all, v...)
	}
	for _, k := range []kind{shulanKind(), chengduKind()} {
		p, err := c.person(k)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func (c *crowd) shuffle(visits [][]person) {
	c.random.Shuffle(len(visits), func(i, j int) { visits[i], visits[j] = visits[j], visits[i] })
}

// twice is a code that comes back while it is still remembered.
func (c *crowd) twice() (first, second []person, err error) {
	p, err := c.person(kind{"green, shown twice", 36_600, func(*sheet) {}})
	return []person{p}, []person{p}, err
}

// flip is one holder who was green, and is red a moment later.
func (c *crowd) flip() (first, second []person, err error) {
	tag := c.bytes(8)
	before, err := c.person(kind{"green, and then red: green", 36_500, func(s *sheet) { s.claims.Holder.Tag = hex.EncodeToString(tag) }})
	if err != nil {
		return nil, nil, err
	}
	after, err := c.person(kind{"green, and then red: red", 36_500, func(s *sheet) {
		s.claims.Holder.Tag = hex.EncodeToString(tag)
		s.colour(gatehouse.Red, gatehouse.Contact)
	}})
	return []person{before}, []person{after}, err
}

// withTravelCode is one holder who shows the operator's travel code first and the health
// code after it: two codes, one transaction.
func (c *crowd) withTravelCode(home bool) ([]person, error) {
	who, place := "travel code, at home; then green", "330100"
	if !home {
		who, place = "travel code of a high-risk city; then green", mudanjiang
	}
	tag := hex.EncodeToString(c.bytes(8))
	travel, err := c.person(kind{who, 36_500, func(s *sheet) {
		s.key, s.claims.Format, s.claims.Operator, s.claims.Grade = c.travel, gatehouse.FormatTravel, "Example Mobile", gatehouse.NoGrade
		s.claims.Holder = gatehouse.Holder{Name: "138****1234", Tag: tag}
		s.stay(place, 9, 5)
	}})
	if err != nil {
		return nil, err
	}
	health, err := c.person(kind{who, 36_500, func(s *sheet) { s.claims.Holder.Tag = tag }})
	return []person{travel, health}, err
}

// person makes one of a kind, with a code that was really signed, or really not.
func (c *crowd) person(k kind) (person, error) {
	s := c.sheet()
	k.change(s)
	p := person{who: k.who, skin: k.skin, effect: s.effect, fault: s.fault}
	text, err := s.sign()
	if err != nil {
		return p, fmt.Errorf("%s: %w", k.who, err)
	}
	p.texts = []string{text}
	switch {
	case s.companion:
		other, err := c.sheet().sign()
		if err != nil {
			return p, fmt.Errorf("%s: %w", k.who, err)
		}
		p.texts = append(p.texts, other)
	case s.beside != "":
		p.texts = append(p.texts, s.beside)
	}
	for _, text := range p.texts {
		if pass, err := (credential.Verifier{Keys: c.keys}).Verify(text, c.now); err == nil {
			p.codes = append(p.codes, pass.Code)
		}
	}
	return p, nil
}

// sheet begins a green code of here.
func (c *crowd) sheet() *sheet {
	names := []string{"张*", "李**", "王*", "陈*", "刘*", "赵**"}
	s := &sheet{crowd: c, claims: credential.Claims{Format: "RHC1", ID: c.bytes(12), Grade: gatehouse.Green,
		Holder: gatehouse.Holder{Name: names[c.random.IntN(len(names))], Birth: "1984", Tag: hex.EncodeToString(c.bytes(8))}}}
	s.of(c.kit.region)
	s.made(5*time.Minute, 20*time.Hour)
	return s
}

func (s *sheet) sign() (string, error) {
	if s.text != "" {
		return s.text, nil
	}
	if s.certificate {
		key, ok := s.crowd.kit.signer(germany).(*ecdsa.PrivateKey)
		if !ok {
			return "", fmt.Errorf("the key of %s is not for ES256", germany)
		}
		return testCertificate(key, germany, s.crowd.now.Add(-24*time.Hour), s.crowd.now.Add(-20*time.Hour))
	}
	text, err := credential.Issue(s.key, s.claims)
	if err == nil && s.altered {
		text = alter(text)
	}
	return text, err
}

func (c *crowd) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(c.random.Uint32())
	}
	return b
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

package main

import (
	"time"

	"gatehouse"
	"gatehouse/credential"
)

// The regions of the demo. Only what is said of the gate's own and of the four provinces is
// taken from life; see demo_policy.toml.
const (
	hangzhou  = gatehouse.Issuer("CN-330100")
	guangzhou = gatehouse.Issuer("CN-440100")
	chengdu   = gatehouse.Issuer("CN-510100") // whose key is withdrawn while the demo runs
	harbin    = gatehouse.Issuer("CN-230100")
	urumqi    = gatehouse.Issuer("CN-650100")
	germany   = gatehouse.Issuer("DE")
	nowhere   = gatehouse.Issuer("CN-659001") // which nobody vouches for
)

// The kinds that the demo's events are about: each comes before and after.
const (
	fromShulan  = "green, in Shulan three days ago"
	fromChengdu = "green of Chengdu"
)

// A kind is one of the people that a gate meets: how the code differs from a green one of
// here, made five minutes ago, and what the forehead has.
type kind struct {
	who    string
	skin   int // thousandths of a degree Celsius
	change func(*sheet)
}

// green is the kind that comes first: a queue that begins with a refusal looks broken.
var green = kind{"green, healthy", 36_500, func(*sheet) {}}

func shulanKind() kind {
	return kind{fromShulan, 36_400, func(s *sheet) { s.stay(shulan, 9, 3) }}
}

func chengduKind() kind {
	return kind{fromChengdu, 36_600, func(s *sheet) { s.of(chengdu) }}
}

// singles are the kinds that come with one code, once a round.
func singles() []kind {
	return []kind{
		{"green of Guangzhou", 36_700, func(s *sheet) { s.of(guangzhou) }},
		{"red of Harbin, for a contact", 36_500, func(s *sheet) { s.of(harbin); s.colour(gatehouse.Red, gatehouse.Contact) }},
		{"Urumqi, tested yesterday", 36_600, func(s *sheet) { s.of(urumqi); s.test(24 * time.Hour) }},
		{"Urumqi, a test of three days ago", 36_600, func(s *sheet) { s.of(urumqi); s.test(70 * time.Hour) }},
		{"yellow", 36_600, func(s *sheet) { s.colour(gatehouse.Yellow, gatehouse.Place) }},
		{"yellow, in a county now high-risk", 36_600, func(s *sheet) { s.colour(gatehouse.Yellow, gatehouse.Place); s.stay(fengtai, 9, 6) }},
		{"red", 36_600, func(s *sheet) { s.colour(gatehouse.Red, gatehouse.Contact) }},
		{"green, signed with SM2", 36_500, func(s *sheet) { s.key = s.crowd.sm2 }},
		{"certificate of Germany, negative test", 36_500, func(s *sheet) { s.certificate = true }},
		{"taken back by its issuer", 36_500, func(s *sheet) { s.crowd.takenBack = append(s.crowd.takenBack, s.claims.ID) }},
		{"expired", 36_500, func(s *sheet) { s.made(26*time.Hour, -2*time.Hour) }},
		{"screenshot of last night", 36_500, func(s *sheet) { s.made(14*time.Hour, 9*time.Hour) }},
		{"altered after it was signed", 36_500, func(s *sheet) { s.altered = true }},
		{"issuer that nobody vouches for", 36_500, func(s *sheet) { s.key, s.claims.Issuer = s.crowd.stranger, nowhere }},
		{"a menu, not a health code", 36_500, func(s *sheet) { s.text = menu }},
		{"green, glare on the screen", 36_400, func(s *sheet) { s.effect = "glare" }},
		{"green, a menu beside it", 36_600, func(s *sheet) { s.beside, s.effect = menu, "two" }},
		{"two people at once", 36_600, func(s *sheet) { s.companion, s.effect = true, "two" }},
		{"fever", 38_600, func(*sheet) {}},
		{"cold forehead", 33_200, func(*sheet) {}},
		{"the thermometer's bus is noisy", 36_500, func(s *sheet) { s.fault = "pec" }},
	}
}

const menu = "https://example.com/menu?table=7"

// A sheet is one code while it is being made.
type sheet struct {
	crowd  *crowd
	key    signer
	claims credential.Claims

	text        string // instead of a signed code
	certificate bool   // an EU test certificate instead of a health code
	altered     bool   // after it was signed
	beside      string // the other code on the screen
	companion   bool   // the other code is another person's, as good
	effect      string
	fault       string // of the thermometer
}

func (s *sheet) of(id gatehouse.Issuer) { s.key, s.claims.Issuer = s.crowd.kit.signer(id), id }

func (s *sheet) colour(g gatehouse.Grade, c gatehouse.Class) { s.claims.Grade, s.claims.Class = g, c }

func (s *sheet) made(ago, left time.Duration) {
	s.claims.Issued, s.claims.Expires = s.crowd.now.Add(-ago), s.crowd.now.Add(left)
}

func (s *sheet) stay(division string, from, until int) {
	day := 24 * time.Hour
	s.claims.Facts = append(s.claims.Facts, gatehouse.Fact{Kind: gatehouse.Travel, Division: division,
		At: s.claims.Issued.Add(-time.Duration(from) * day), Until: s.claims.Issued.Add(-time.Duration(until) * day)})
}

func (s *sheet) test(ago time.Duration) {
	s.claims.Facts = append(s.claims.Facts, gatehouse.Fact{Kind: gatehouse.Test, Method: "nucleic-acid",
		Result: gatehouse.Negative, At: s.crowd.now.Add(-ago)})
}

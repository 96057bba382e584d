package credential

import (
	"bytes"
	"crypto"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// travelCWT is the least that a travel code says.
func travelCWT() map[int64]any {
	return map[int64]any{1: "CN-330000", 4: noon.Unix() + 60, 6: noon.Unix(), 7: []byte("twelve bytes"),
		-70002: map[int64]any{1: 1, 4: [][]int{{330100, 3, 0}}}}
}

// writeVectors signs again what testdata/vectors holds. Reasons and stages are written by
// hand: a vector says what must come out, not what did.
func writeVectors(t *testing.T) {
	listed := func(public crypto.PublicKey, change ...func(k *Key)) TrustKey {
		key := ringOf(t, "CN-330000", public)[0]
		key.Usage, key.NotBefore, key.NotAfter = UseHealthCode|UseTravelCode, noon.AddDate(0, -1, 0), noon.AddDate(1, 0, 0)
		for _, c := range change {
			c(&key)
		}
		k, err := key.Listed()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	issued := func(key crypto.Signer, format string, c Claims) string {
		c.Format = format
		text, err := Issue(key, c)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	ec, ed, gm := testKey(t, "vector"), testEdKey("vector"), testSM2Key(t, "vector")
	esKey, edKey, gmKey := listed(ec.Public()), listed(ed.Public()), listed(gm.Public())
	german := listed(ec.Public(), func(k *Key) { k.Issuer, k.ID, k.Usage = "DE", unhex(t, "8899aabbccddeeff"), UseProof })

	// signed puts any payload under any head; changed, any claims into the least code.
	signed := func(prefix string, key crypto.Signer, head map[int64]any, payload []byte) string {
		return prefix + encodeBase45(signedMessage(t, key, head, nil, payload))
	}
	changed := func(prefix string, claims map[int64]any, change func(c, body map[int64]any)) string {
		body, _ := claims[-70001].(map[int64]any)
		if body == nil {
			body, _ = claims[-70002].(map[int64]any)
		}
		change(claims, body)
		payload := mustCBOR(t, claims)
		if prefix == "RHC2:" {
			payload = rawDeflated(t, payload, 9)
		}
		return signed(prefix, ec, headOf(t, ec), payload)
	}
	forged := func(key crypto.Signer, alg int64, change func(raw []byte) []byte) string {
		text, _ := forgedSignature(t, key, alg, change)
		return text
	}
	same := func(raw []byte) []byte { return raw }
	flip := func(text string) string {
		b := []byte(text)
		b[len(b)-4] = map[bool]byte{true: '1', false: '0'}[b[len(b)-4] == '0']
		return string(b)
	}
	least := Claims{Issuer: "CN-330000", Issued: noon, Expires: noon.Add(time.Minute), ID: make([]byte, 12), Grade: gatehouse.Green}
	plain, leastPlain := mustCBOR(t, leastCWT()), mustCBOR(t, travelCWT())
	packed := rawDeflated(t, plain, 9)
	day := noon.AddDate(0, 0, 1)
	type m = map[int64]any

	type row struct {
		name, about, text string
		key               TrustKey
		at                time.Time
		want              gatehouse.Reason
		stage             string
	}
	pass, none := gatehouse.ReasonNone, ""
	bad := gatehouse.ReasonMalformed
	rows := []row{
		{"rhc1-least", "nothing but a colour", issued(ed, "RHC1", least), edKey, noon, pass, none},
		{"rhc1-least-sm2", "the same, signed with SM2", issued(gm, "RHC1", least), gmKey, noon, pass, none},
		{"rhc1-other-version", "the prefix of another version", "RHC3:" + issued(ed, "RHC1", least)[5:], edKey, noon, gatehouse.ReasonNotOurs, none},
		{"rhc1-lower-case", "base45 has no small letters", "RHC1:" + strings.ToLower(issued(ec, "RHC1", typical())[5:]), esKey, noon, bad, "base45"},
		{"rhc1-left-over", "one character of base45 is left over", "RHC1:0", esKey, noon, bad, "base45"},
		{"rhc1-above-65535", "a group of base45 above 65535", "RHC1:GGW" + issued(ec, "RHC1", typical())[8:], esKey, noon, bad, "base45"},
		{"rhc1-cut-off", "the last three characters are missing", issued(ec, "RHC1", typical())[:len(issued(ec, "RHC1", typical()))-3], esKey, noon, bad, "cose"},
		{"rhc1-bytes-behind", "a byte follows the message", "RHC1:" + encodeBase45(append(signedMessage(t, ec, headOf(t, ec), nil, plain), 0)), esKey, noon, bad, "cose"},
		{"rhc1-key-id-outside", "the key id is not signed", "RHC1:" + encodeBase45(signedMessage(t, ec, m{1: algES256}, m{4: headOf(t, ec)[4]}, plain)), esKey, noon, bad, "cose"},
		{"rhc1-key-id-text", "the key id is text", signed("RHC1:", ec, m{1: algES256, 4: "8 bytes."}, plain), esKey, noon, bad, "cose"},
		{"rhc1-critical", "a header is critical that nobody knows", signed("RHC1:", ec, m{1: algES256, 2: []int{99}, 4: headOf(t, ec)[4], 99: 1}, plain), esKey, noon, bad, "cose"},
		{"rhc1-issuer-twice", "the issuer stands there twice", signed("RHC1:", ec, headOf(t, ec), slices.Concat([]byte{0xa6, 0x01, 0x62}, []byte("CN"), plain[1:])), esKey, noon, bad, "cwt"},
		{"rhc1-deep", "lists nest 40 deep", signed("RHC1:", ec, headOf(t, ec), slices.Concat([]byte{0xa1, 0x01}, bytes.Repeat([]byte{0x81}, 40), []byte{0})), esKey, noon, bad, "cwt"},
		{"rhc1-no-issuer", "the issuer has not the form of one", changed("RHC1:", leastCWT(), func(c, _ m) { c[1] = "Hangzhou" }), esKey, noon, bad, "cwt"},
		{"rhc1-short-id", "an id of 11 bytes", changed("RHC1:", leastCWT(), func(c, _ m) { c[7] = []byte("eleven byte") }), esKey, noon, bad, "cwt"},
		{"rhc1-no-colour", "a colour that is none", changed("RHC1:", leastCWT(), func(_, b m) { b[3] = 4 }), esKey, noon, bad, "claims"},
		{"rhc1-version-2", "a body of another version", changed("RHC1:", leastCWT(), func(_, b m) { b[1] = 2 }), esKey, noon, bad, "claims"},
		{"rhc1-travel-15-days", "a travel of 15 days ago", changed("RHC1:", leastCWT(), func(_, b m) { b[5] = [][]int{{330106, 15, 1, 0}} }), esKey, noon, bad, "claims"},
		{"rhc1-unknown-body-key", "a body key that is not known is passed over", changed("RHC1:", leastCWT(), func(_, b m) { b[77] = "later" }), esKey, noon, pass, none},
		{"rhc1-der-signature", "the signature is in DER", forged(ec, algES256, derOf(t)), esKey, noon, gatehouse.ReasonBadSignature, none},
		{"rhc1-sm2-der-signature", "the signature is in DER", forged(gm, algSM2, derOf(t)), gmKey, noon, gatehouse.ReasonBadSignature, none},
		{"rhc1-r-zero", "r is 0", forged(ec, algES256, func(raw []byte) []byte { return append(make([]byte, 32), raw[32:]...) }), esKey, noon, gatehouse.ReasonBadSignature, none},
		{"rhc1-sm2-r-zero", "r is 0", forged(gm, algSM2, func(raw []byte) []byte { return append(make([]byte, 32), raw[32:]...) }), gmKey, noon, gatehouse.ReasonBadSignature, none},
		{"rhc1-s-order", "s is the order of the curve", forged(ec, algES256, func(raw []byte) []byte { return orderFor(raw, ec.Curve.Params().N) }), esKey, noon, gatehouse.ReasonBadSignature, none},
		{"rhc1-sm2-s-order", "s is the order of the curve", forged(gm, algSM2, func(raw []byte) []byte { return orderFor(raw, gm.public.Curve.Params().N) }), gmKey, noon, gatehouse.ReasonBadSignature, none},
		{"rhc1-p256-as-sm2", "a P-256 key under SM2's number", forged(ec, algSM2, same), esKey, noon, gatehouse.ReasonBadSignature, none},
		{"rhc1-sm2-as-es256", "a SM2 key under ES256", forged(gm, algES256, same), gmKey, noon, gatehouse.ReasonBadSignature, none},
		{"rhc1-unknown-algorithm", "an algorithm that RHC1 has not", forged(ec, -35, same), esKey, noon, gatehouse.ReasonBadSignature, none},
		{"rhc1-key-id-of-another-curve", "the key id belongs to a SM2 key, the signature to P-256", signed("RHC1:", ec, m{1: algES256, 4: headOf(t, gm)[4]}, plain), gmKey, noon, gatehouse.ReasonBadSignature, none},

		{"rhc2-not-deflated", "the payload is not deflated", signed("RHC2:", ec, headOf(t, ec), plain), esKey, noon, bad, "inflate"},
		{"rhc2-zlib", "the payload is deflated with the head of zlib", signed("RHC2:", ec, headOf(t, ec), deflated(t, plain)), esKey, noon, bad, "inflate"},
		{"rhc2-bytes-behind", "a byte follows the deflated payload", signed("RHC2:", ec, headOf(t, ec), append(bytes.Clone(packed), 0)), esKey, noon, bad, "inflate"},
		{"rhc2-cut-off", "the deflated payload has no end", signed("RHC2:", ec, headOf(t, ec), packed[:len(packed)-1]), esKey, noon, bad, "inflate"},
		{"rhc2-bomb", "8,193 bytes come out", signed("RHC2:", ec, headOf(t, ec), rawDeflated(t, make([]byte, maxUnpacked+1), 9)), esKey, noon, bad, "inflate"},
		{"rhc2-byte-inside", "a byte follows the claims inside", signed("RHC2:", ec, headOf(t, ec), rawDeflated(t, append(bytes.Clone(plain), 0), 9)), esKey, noon, bad, "cwt"},
		{"rhc2-as-rhc1", "a RHC2 under the prefix of RHC1", "RHC1:" + issued(ec, "RHC2", typical())[5:], esKey, noon, bad, "cwt"},
		{"rhc2-signed-before", "the signature is over the payload before it was deflated", "RHC2:" + encodeBase45(signedElsewhere(t, ec, plain, packed)), esKey, noon, gatehouse.ReasonBadSignature, none},

		{"ttc1-least", "no telephone, one city", signed("TTC1:", ec, headOf(t, ec), leastPlain), esKey, noon, pass, none},
		{"ttc1-health-code", "a health code under the prefix of TTC1", signed("TTC1:", ec, headOf(t, ec), plain), esKey, noon, bad, "cwt"},
		{"ttc1-as-rhc1", "a travel code under the prefix of RHC1", signed("RHC1:", ec, headOf(t, ec), leastPlain), esKey, noon, bad, "cwt"},
		{"ttc1-district", "a district, where cities are due", changed("TTC1:", travelCWT(), func(_, b m) { b[4] = [][]int{{330106, 3, 0}} }), esKey, noon, bad, "claims"},
		{"ttc1-15-days", "a stay of 15 days ago", changed("TTC1:", travelCWT(), func(_, b m) { b[4] = [][]int{{330100, 15, 0}} }), esKey, noon, bad, "claims"},
		{"ttc1-left-before", "left before it came", changed("TTC1:", travelCWT(), func(_, b m) { b[4] = [][]int{{330100, 1, 2}} }), esKey, noon, bad, "claims"},
		{"ttc1-whole-number", "a telephone number that is not masked", changed("TTC1:", travelCWT(), func(_, b m) { b[2] = "13800001234" }), esKey, noon, bad, "claims"},
		{"ttc1-tag", "a holder's tag of 7 bytes", changed("TTC1:", travelCWT(), func(_, b m) { b[3] = []byte("7 bytes") }), esKey, noon, bad, "claims"},
		{"ttc1-version-2", "a body of another version", changed("TTC1:", travelCWT(), func(_, b m) { b[1] = 2 }), esKey, noon, bad, "claims"},

		{"dcc-es256", "a travel certificate of vaccination", dccTextWithID(t, ec, unhex(t, german.KID)), german, noon, pass, none},
		{"dcc-key-usage", "its key is for health codes", dccText(t, ec, dccClaims(vaccinated())), esKey, noon, gatehouse.ReasonKeyUsage, none},
	}
	// What holds for all of ours alike.
	for _, format := range []string{"RHC1", "RHC2", "TTC1"} {
		claims, cwt, other := typical(), leastCWT(), UseTravelCode
		if format == "TTC1" {
			claims, cwt, other = travelled(), travelCWT(), UseHealthCode
		}
		name := func(s string) string { return strings.ToLower(format) + "-" + s }
		full := issued(ec, format, claims)
		with := func(change func(k *Key)) TrustKey { return listed(ec.Public(), change) }
		rows = append(rows,
			row{name("es256"), "every list, signed with ES256", full, esKey, noon, pass, none},
			row{name("eddsa"), "the same, signed with Ed25519", issued(ed, format, claims), edKey, noon, pass, none},
			row{name("sm2"), "the same, signed with SM2", issued(gm, format, claims), gmKey, noon, pass, none},
			row{name("last-second"), "the instant of its expiry still counts", full, esKey, day, pass, none},
			row{name("expired"), "a second later", full, esKey, day.Add(time.Second), gatehouse.ReasonExpired, none},
			row{name("slow-clock"), "the gate's clock is a minute slow", full, esKey, noon.Add(-time.Minute), pass, none},
			row{name("not-yet"), "61 seconds before it was issued", full, esKey, noon.Add(-61 * time.Second), gatehouse.ReasonNotYetValid, none},
			row{name("long-life"), "it lives 24 hours and a second", changed(format+":", cwt, func(c, _ m) { c[4] = noon.Unix() + 24*60*60 + 1 }), esKey, noon, bad, "cwt"},
			row{name("bad-signature"), "one character of the signature is another", flip(full), esKey, noon, gatehouse.ReasonBadSignature, none},
			row{name("unknown-key"), "its key is not in the list", issued(testKey(t, "stranger"), format, claims), esKey, noon, gatehouse.ReasonUnknownKey, none},
			row{name("other-region"), "its key is another province's", full, with(func(k *Key) { k.Issuer = "CN-440000" }), noon, gatehouse.ReasonUnknownKey, none},
			row{name("withdrawn"), "its key was withdrawn", full, with(func(k *Key) { k.Withdrawn = true }), noon, gatehouse.ReasonKeyWithdrawn, none},
			row{name("key-not-yet"), "its key counts from a second later", full, with(func(k *Key) { k.NotBefore = noon.Add(time.Second) }), noon, gatehouse.ReasonKeyWithdrawn, none},
			row{name("key-no-more"), "its key counted until a second before", full, with(func(k *Key) { k.NotAfter = noon.Add(-time.Second) }), noon, gatehouse.ReasonKeyWithdrawn, none},
			row{name("key-usage"), "its key is for the other kind of code", full, with(func(k *Key) { k.Usage = other }), noon, gatehouse.ReasonKeyUsage, none},
		)
	}
	for _, v := range rows {
		out := vector{About: v.about, Text: v.text, Key: v.key, At: v.at, Expect: expect{Reason: v.want, Stage: v.stage}}
		if v.want == pass {
			if out.Expect = answer(t, out); out.Expect.Pass == nil {
				t.Errorf("%s: got %+v, want a pass", v.name, out.Expect)
			}
		}
		raw, err := json.MarshalIndent(out, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join("testdata", "vectors", v.name+".json"), append(raw, '\n'))
	}
	// Files that no row writes any more would be judged for ever.
	files, err := filepath.Glob(filepath.Join("testdata", "vectors", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if !slices.ContainsFunc(rows, func(v row) bool { return v.name == name }) {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// orderFor puts the order of the curve in the place of s.
func orderFor(raw []byte, n *big.Int) []byte {
	n.FillBytes(raw[32:])
	return raw
}

// signedElsewhere signs one payload and sends another.
func signedElsewhere(t testing.TB, key crypto.Signer, signed, sent []byte) []byte {
	t.Helper()
	head := mustCBOR(t, headOf(t, key))
	raw, err := signRaw(key, algES256, toBeSigned(head, signed))
	if err != nil {
		t.Fatal(err)
	}
	return mustCBOR(t, []any{head, map[int]int{}, sent, raw})
}

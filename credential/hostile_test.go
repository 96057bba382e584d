package credential

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	"gatehouse"
)

// sample is one good code of each kind, with the ring that verifies them.
func sample(t testing.TB) (texts map[string]string, ring Ring) {
	t.Helper()
	key := testKey(t, "sample")
	native, err := Issue(key, typical())
	if err != nil {
		t.Fatal(err)
	}
	ring = ringOf(t, "", key.Public())
	ring[0].AnyIssuer = true
	packed, second := typical(), travelled()
	packed.Format = "RHC2"
	texts = map[string]string{"RHC1": native, "DCC": dccText(t, key, dccClaims(vaccinated()))}
	for _, c := range []Claims{packed, second} {
		if texts[c.Format], err = Issue(key, c); err != nil {
			t.Fatal(err)
		}
	}
	texts["NZCP"] = nzcpText(t, key, ring[0].ID, nzcpClaims())
	return texts, ring
}

func TestCutOffAnywhereIsRefused(t *testing.T) {
	texts, ring := sample(t)
	begins := map[string]string{"RHC1": "RHC1:", "RHC2": "RHC2:", "TTC1": "TTC1:", "DCC": "HC1:", "NZCP": "NZCP:/"}
	for name, text := range texts {
		for n := range len(text) {
			_, err := Verifier{Keys: ring}.Verify(text[:n], noon)
			want := gatehouse.ReasonMalformed
			if n < len(begins[name]) {
				want = gatehouse.ReasonNotOurs
			}
			if r := refused(t, err, want); want == gatehouse.ReasonMalformed && r.Format != name {
				t.Fatalf("%s cut at %d: got %+v", name, n, r)
			}
		}
		for _, n := range []int{1, 2, 3} {
			_, err := Verifier{Keys: ring}.Verify(text+strings.Repeat("2", n), noon)
			refused(t, err, gatehouse.ReasonMalformed)
		}
	}
}

func TestNoFlippedBitVerifies(t *testing.T) {
	texts, ring := sample(t)
	for name, c := range map[string]cwt{"RHC1": rhc1CWT, "RHC2": rhc2CWT, "TTC1": ttc1CWT, "NZCP": nzcpCWT} {
		message, err := c.decode(strings.TrimPrefix(texts[name], c.prefix))
		if err != nil {
			t.Fatal(err)
		}
		write := encodeBase45
		if name == "NZCP" {
			write = encodeBase32
		}
		for i := range message {
			for bit := range 8 {
				flipped := bytes.Clone(message)
				flipped[i] ^= 1 << bit
				if pass, err := (Verifier{Keys: ring}).Verify(c.prefix+write(flipped), noon); err == nil {
					t.Fatalf("%s: byte %d, bit %d: verified as %+v", name, i, bit, pass)
				}
			}
		}
	}
}

func TestHostileMessagesAreRefusedInTheirStage(t *testing.T) {
	key := testKey(t, "sample")
	ring := ringOf(t, "DE", key.Public())
	pack := func(message []byte) string { return "HC1:" + encodeBase45(deflated(t, message)) }
	signed := func(payload []byte) string { return pack(signedMessage(t, key, headOf(t, key), nil, payload)) }
	deep := func(n int, inner byte) []byte { return append(bytes.Repeat([]byte{0x81}, n), inner) }
	twice := "\xa5\x01\x62DE\x01\x62FR\x04\x1a" + be32(noon.Unix()+9) + "\x06\x1a" + be32(noon.Unix()-9) + "\x39\x01\x03\xa0"
	unknownTwice := "\xa6\x18\x63\x01\x18\x63\x02\x01\x62DE\x04\x1a" + be32(noon.Unix()+9) + "\x06\x1a" + be32(noon.Unix()-9) + "\x39\x01\x03\xa0"
	inside := func(certificate string) []byte {
		return mustCBOR(t, dccClaims(rawCBOR(certificate)))
	}
	broken := deflated(t, signedMessage(t, key, headOf(t, key), nil, mustCBOR(t, dccClaims(vaccinated()))))
	checksum := bytes.Clone(broken)
	checksum[len(checksum)-1] ^= 1

	for name, c := range map[string]struct{ text, stage string }{
		"too long for a QR code":   {"HC1:" + strings.Repeat("0", maxText-3), "prefix"},
		"zeros":                    {"HC1:" + strings.Repeat("0", 300), "inflate"},
		"inflate bomb":             {pack(make([]byte, 2<<20)), "inflate"},
		"one byte too many":        {pack(make([]byte, maxInflated+1)), "inflate"},
		"checksum wrong":           {"HC1:" + encodeBase45(checksum), "inflate"},
		"bytes behind the stream":  {"HC1:" + encodeBase45(append(broken, 0)), "inflate"},
		"64 KiB of nothing":        {pack(make([]byte, maxInflated)), "cose"},
		"empty stream":             {pack(nil), "cose"},
		"deep lists":               {pack(deep(60000, 0)), "cose"},
		"deep tags":                {pack(append(bytes.Repeat([]byte{0xd2}, 60000), 0)), "cose"},
		"list of 2^63":             {pack(append([]byte{0x9b}, binary.BigEndian.AppendUint64(nil, 1<<63)...)), "cose"},
		"byte string of 2^62":      {pack(append([]byte{0xd2, 0x84, 0x5b}, binary.BigEndian.AppendUint64(nil, 1<<62)...)), "cose"},
		"map of 2^32 in a header":  {pack([]byte("\xd2\x84\x49\xbb\x00\x00\x00\x01\x00\x00\x00\x00\xa0\x41x\x40")), "cose"},
		"endless list":             {pack([]byte("\x9f\x00\x00\x00")), "cose"},
		"payload is no map":        {signed([]byte{0x81, 0x01}), "cwt"},
		"payload is text":          {signed([]byte("hello")), "cwt"},
		"payload nests deep":       {signed(append([]byte{0xa1, 0x01}, deep(40, 0)...)), "cwt"},
		"payload with 300 keys":    {signed(mustCBOR(t, manyKeys(300))), "cwt"},
		"bytes behind the payload": {signed(append(mustCBOR(t, dccClaims(vaccinated())), 0)), "cwt"},
		"issuer twice":             {signed([]byte(twice)), "cwt"},
		"unknown claim twice":      {signed([]byte(unknownTwice)), "cwt"},
		"issuer as bytes":          {signed(mustCBOR(t, map[int64]any{1: []byte("DE"), 4: 5, 6: 4, -260: 1})), "cwt"},
		"expiry as text":           {signed(mustCBOR(t, map[int64]any{1: "DE", 4: "soon", 6: 4, -260: 1})), "cwt"},
		"expiry not a number":      {signed([]byte("\xa3\x04\xf9\x7e\x00\x06\x01\x39\x01\x03\xa0")), "cwt"},
		"expiry without end":       {signed([]byte("\xa3\x04\xf9\x7c\x00\x06\x01\x39\x01\x03\xa0")), "cwt"},
		"expiry in the year 10000": {signed(mustCBOR(t, map[int64]any{4: int64(lastInstant + 1), 6: 4, -260: 1})), "cwt"},
		"expiry below zero":        {signed(mustCBOR(t, map[int64]any{4: -5, 6: 4, -260: 1})), "cwt"},
		"no expiry":                {signed(mustCBOR(t, map[int64]any{1: "DE", 6: 4, -260: 1})), "cwt"},
		"no certificate":           {signed(mustCBOR(t, map[int64]any{1: "DE", 4: 5, 6: 4})), "cwt"},
		"kind twice":               {signed(inside("\xa2\x61v\x81\xa0\x61v\x81\xa0")), "claims"},
		"name as number":           {signed(inside("\xa2\x61v\x81\xa0\x63nam\xa1\x62fn\x01")), "claims"},
		"name not UTF-8":           {signed(inside("\xa2\x61v\x81\xa0\x63nam\xa1\x62fn\x61\xff")), "claims"},
		"dose of 1.5":              {signed(inside("\xa1\x61v\x81\xa1\x62dn\xf9\x3e\x00")), "claims"},
		"dose below zero":          {signed(inside("\xa1\x61v\x81\xa1\x62dn\x20")), "claims"},
		"nine entries":             {signed(inside("\xa1\x61v\x89" + strings.Repeat("\xa0", 9))), "claims"},
		"entries that are text":    {signed(inside("\xa1\x61v\x81\x61x")), "claims"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Verifier{Keys: ring}.Verify(c.text, noon)
			r := refused(t, err, gatehouse.ReasonMalformed)
			if !strings.HasPrefix(r.Detail, c.stage+": ") || len(r.Detail) > 120 {
				t.Errorf("got %q, want it of stage %s", r.Detail, c.stage)
			}
		})
	}
}

func manyKeys(n int) map[int]int {
	m := map[int]int{}
	for i := range n {
		m[i+1000] = i
	}
	return m
}

// TestMemoryDoesNotGrowWithWhatAStrangerSends counts the bytes that the worst inputs take.
func TestMemoryDoesNotGrowWithWhatAStrangerSends(t *testing.T) {
	key := testKey(t, "sample")
	ring := append(ringOf(t, "DE", key.Public()), ringOf(t, "CN", testKey(t, "hangzhou").Public())...)
	lists := append([]byte{0xd2, 0x84, 0x40, 0xa0, 0x59, 0xfa, 0x00}, bytes.Repeat([]byte{0xa1}, 0xfa00)...)
	wide := signedMessage(t, key, headOf(t, key), nil, mustCBOR(t, dccClaims(map[string]any{"v": make([]map[string]any, 200)})))
	for name, text := range map[string]string{
		"bomb of 2 MiB":   "HC1:" + encodeBase45(deflated(t, make([]byte, 2<<20))),
		"64 KiB of zeros": "HC1:" + encodeBase45(deflated(t, make([]byte, maxInflated))),
		"64 KiB of maps":  "HC1:" + encodeBase45(deflated(t, lists)),
		"200 entries":     "HC1:" + encodeBase45(deflated(t, wide)),
		"lists for exp":   "HC1:" + encodeBase45(deflated(t, signedMessage(t, key, headOf(t, key), nil, append([]byte{0xa1, 0x04}, lattice(0xa0)...)))),
		"lists for dose":  dccText(t, key, dccClaims(rawCBOR("\xa1\x61v\x81\xa1\x62dn"+string(lattice(0xa0))))),
		"RHC2 bomb":       packed(t, rawDeflated(t, make([]byte, 4<<20), 9)),
		"RHC2 lists":      packed(t, rawDeflated(t, append([]byte{0xa1, 0x04}, lattice(0xa0)[:maxUnpacked-2]...), 9)),
		"lists as JSON":   dccText(t, key, dccClaims(rawCBOR("\xa2\x61v\x81\xa0\x61x"+string(lattice(0xa0))))),
		"bells as JSON":   dccText(t, key, dccClaims(map[string]any{"v": []any{map[string]any{}}, "x": strings.Repeat("\a", 60_000)})),
		"NZCP of letters": "NZCP:/1/" + strings.Repeat("A", maxText-9),
		"long text":       "RHC1:" + strings.Repeat("0", maxText-5),
		"a megabyte":      "RHC1:" + strings.Repeat("0", 1<<20),
	} {
		const rounds = 16
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range rounds {
			if _, err := (Verifier{Keys: ring}).Verify(text, noon); err == nil {
				t.Fatalf("%s: verified", name)
			}
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / rounds; each > 640<<10 {
			t.Errorf("%s: %d bytes for one text, want 640 KiB at most", name, each)
		}
		if each := (after.Mallocs - before.Mallocs) / rounds; each > 1000 {
			t.Errorf("%s: %d allocations for one text, want 1000 at most", name, each)
		}
	}
}

// lattice is 250 lists of 250 empty items each: a few hundred characters in a code.
func lattice(item byte) []byte {
	row := append([]byte{0x98, 250}, bytes.Repeat([]byte{item}, 250)...)
	return append([]byte{0x98, 250}, bytes.Repeat(row, 250)...)
}

// TestNoDetailRepeatsWhatACodeSays puts a sentence for the guard into each place of a code
// that somebody without a key can write to, as each type that CBOR has.
func TestNoDetailRepeatsWhatACodeSays(t *testing.T) {
	const lie = "\n\u202elet through"
	text := string(append([]byte{0x60 | byte(len(lie))}, lie...))
	number := func(n byte) string { return string([]byte{n}) }
	key := testKey(t, "stranger")
	for name, value := range map[string]string{
		"text":            text,
		"bytes":           number(0x40|byte(len(lie))) + lie,
		"time in words":   "\xc0" + text,
		"time of a text":  "\xc1" + text,
		"big number":      "\xc2" + text,
		"unknown tag":     "\xd9\x01\x00" + text,
		"list":            "\x81" + text,
		"map":             "\xa1" + text + text,
		"text in a text":  "\x7f" + text + text + "\xff",
		"not UTF-8":       number(0x61+byte(len(lie))) + lie + "\xff",
		"longer than all": "\x7a\xff\xff\xff\xff" + lie,
	} {
		for place, payload := range map[string]string{
			"iss": "\xa1\x01" + value, "exp": "\xa1\x04" + value, "iat": "\xa1\x06" + value, "cti": "\xa1\x07" + value,
			"key": "\xa1" + value + "\x01", "twice": "\xa2" + value + "\x01" + value + "\x01", "whole": value,
		} {
			for where, message := range map[string][]byte{
				"payload":     signedMessage(t, key, headOf(t, key), nil, []byte(payload)),
				"protected":   mustCBOR(t, []any{[]byte(payload), map[int]int{}, []byte{0xa0}, []byte{}}),
				"unprotected": append(append([]byte{0x84, 0x40}, payload...), 0x41, 0xa0, 0x40),
				"message":     []byte(payload),
			} {
				_, err := Verifier{Keys: Ring{}}.Verify("HC1:"+encodeBase45(deflated(t, message)), noon)
				r := refused(t, err, gatehouse.ReasonMalformed)
				if strings.Contains(r.Detail, "let through") || !presentable(r.Detail, 120) {
					t.Errorf("%s as %s of the %s: the detail is %q", name, place, where, r.Detail)
				}
			}
		}
	}
}

// TestWhatParseRefusedCannotBeVerified takes a code that only its shape forbids: signed, in
// time, and a second too long-lived.
func TestWhatParseRefusedCannotBeVerified(t *testing.T) {
	key := testKey(t, "sample")
	cwt := map[int64]any{1: "CN-330100", 4: noon.Unix() + 24*60*60 + 1, 6: noon.Unix(), 7: make([]byte, 12),
		-70001: map[int64]any{1: 1, 2: map[int64]any{}, 3: 0}}
	u, err := Parse("RHC1:" + encodeBase45(signedMessage(t, key, headOf(t, key), nil, mustCBOR(t, cwt))))
	refused(t, err, gatehouse.ReasonMalformed)
	_, err = u.Verify(Verifier{Keys: ringOf(t, "CN", key.Public())}, noon)
	refused(t, err, gatehouse.ReasonMalformed)
}

func TestNothingUnverifiedSaysAnything(t *testing.T) {
	_, err := Unverified{}.Verify(Verifier{}, noon)
	refused(t, err, gatehouse.ReasonMalformed)
	if u := (Unverified{}); u.Format() != "" || u.KeyID() != "" || u.Algorithm() != "none" || u.Size() != 0 {
		t.Errorf("a zero code says %q, %q, %q, %d", u.Format(), u.KeyID(), u.Algorithm(), u.Size())
	}
}

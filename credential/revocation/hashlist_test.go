package revocation

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/credential"
)

// batch writes a batch of one kind with the hashes of some texts.
func batch(kind, key string, texts ...string) []byte {
	var entries []string
	for _, text := range texts {
		entries = append(entries, fmt.Sprintf(`{"hash":%q}`, base64.StdEncoding.EncodeToString(hashOf(text))))
	}
	return fmt.Appendf(nil, `{"country":"DE","expires":"2022-11-01T00:00:00Z","kid":%q,"hashType":%q,"entries":[%s]}`,
		key, kind, strings.Join(entries, ","))
}

// goodBatch lists two made-up hashes of the signer "signer01".
const goodBatch = `{"country":"DE","expires":"2022-11-01T00:00:00Z","kid":"c2lnbmVyMDE=","hashType":"UCI","entries":[{"hash":"aaaaaaaaaaaaaaaaaaaaaA=="},{"hash":"AAAAAAAAAAAAAAAAAAAAAA=="}]}`

// named are the ids of one certificate, as a verifier asks for it.
func named() []credential.Revocable {
	own, country, signature := certificate(uci), certificate("DE"+uci), certificate("the first half of a signature...")
	country.Kind, signature.Kind = credential.CountryID, credential.SignatureID
	return []credential.Revocable{own, country, signature}
}

func TestBatchKnowsACertificateByItsKind(t *testing.T) {
	const signer01 = "c2lnbmVyMDE="
	for kind, word := range []string{"UCI", "COUNTRYCODEUCI", "SIGNATURE"} {
		listed := string(named()[kind].ID)
		for _, key := range []string{signer01, unknownKey} {
			b, err := ReadBatch(batch(word, key, listed, "other", listed))
			if err != nil {
				t.Fatal(err)
			}
			if b.Hashes.Len() != 2 || b.Country != "DE" || !b.Expires.Equal(time.Date(2022, 11, 1, 0, 0, 0, 0, time.UTC)) {
				t.Errorf("%s: read as %d hashes of %s until %s", word, b.Hashes.Len(), b.Country, b.Expires)
			}
			for _, code := range named() {
				want := credential.InForce
				if int(code.Kind) == kind {
					want = credential.Revoked
				}
				if got := b.List().Standing(code); got != want {
					t.Errorf("%s, kid %s: an id of kind %d is %d, want %d", word, key, code.Kind, got, want)
				}
				// What has the same bytes and is an id of another kind is not listed.
				code.Kind, code.ID = (code.Kind+1)%3, []byte(listed)
				if got := b.List().Standing(code); int(code.Kind) != kind && got != credential.InForce {
					t.Errorf("%s, kid %s: taken for an id of kind %d", word, key, code.Kind)
				}
			}
		}
	}
}

// TestBatchesBecomeAFileOfTheRegion: the first 64 bits of the EU's hash are the name that a
// List knows an id by, whatever its kind.
func TestBatchesBecomeAFileOfTheRegion(t *testing.T) {
	for kind, word := range []string{"UCI", "COUNTRYCODEUCI", "SIGNATURE"} {
		b, err := ReadBatch(batch(word, unknownKey, string(named()[kind].ID), "other"))
		if err != nil {
			t.Fatal(err)
		}
		l := open(t, build(t, Base{Issuer: b.Country, Version: 1, Prefixes: b.Prefixes(), Exact: true}))
		for i, code := range named() {
			want := credential.InForce
			if i == kind {
				want = credential.Revoked
			}
			if got := l.Standing(code); got != want {
				t.Errorf("%s: id %d is %d, want %d", word, i, got, want)
			}
		}
	}
}

func TestBatchRefuses(t *testing.T) {
	for what, change := range map[string][2]string{
		"two countries":      {`"country":"DE"`, `"country":"DE","country":"FR"`},
		"no country":         {`"country":"DE",`, ``},
		"country in small":   {`"DE"`, `"de"`},
		"no date":            {`"2022-11-01T00:00:00Z"`, `"soon"`},
		"unknown kind":       {`"UCI"`, `"NAME"`},
		"kind of no kind":    {`"UCI"`, `7`},
		"short kid":          {`c2lnbmVyMDE=`, `c2lnbmVy`},
		"kid of no base64":   {`c2lnbmVyMDE=`, `!!!`},
		"short hash":         {`AAAAAAAAAAAAAAAAAAAAAA==`, `AAAA`},
		"entries of no list": {`"entries":[`, `"entries":null,"more":[`},
		"more behind":        {`]}`, `]}{}`},
		"cut off":            {`]}`, ``},
		"other letters":      {`"entries"`, `"Entries"`},
	} {
		b := strings.Replace(goodBatch, change[0], change[1], 1)
		if b == goodBatch {
			t.Fatalf("%s: nothing was changed", what)
		}
		if _, err := ReadBatch([]byte(b)); err == nil {
			t.Errorf("%s: read", what)
		}
	}
	if _, err := ReadBatch(slices.Concat([]byte(goodBatch), make([]byte, maxBatch))); err == nil {
		t.Error("a batch past all bounds: read")
	}
}

// TestShortHashesSayMaybe reads lists with hashes of each width, in the order in which the
// EU's service sorts them: as signed numbers.
func TestShortHashesSayMaybe(t *testing.T) {
	for width := 1; width <= hashSize; width++ {
		listed := [][]byte{hashOf(uci)[:width], hashOf("two")[:width], hashOf("three")[:width]}
		slices.SortFunc(listed, func(a, b []byte) int { return int(int8(a[0])) - int(int8(b[0])) })
		b := append([]byte{0, 1, 0, 0, 0, 0, 0, 0, 0, 3, byte(width)}, slices.Concat(listed...)...)
		l, err := ReadHashList(b)
		if err != nil {
			t.Fatal(err)
		}
		want := credential.MaybeRevoked
		if width >= 8 {
			want = credential.Revoked
		}
		for _, id := range []string{uci, "two", "three"} {
			if got := (EUList{Hashes: l}).Standing(certificate(id)); got != want {
				t.Errorf("%d bytes: %s is %d, want %d", width, id, got, want)
			}
		}
	}
	for what, b := range map[string][]byte{
		"nothing":        nil,
		"head alone":     {0, 1, 0, 0, 0, 0, 0, 0, 0, 0},
		"no width":       {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
		"wider than all": {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 17},
		"within a hash":  {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1},
		"version 2":      {0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1},
	} {
		if _, err := ReadHashList(b); err == nil {
			t.Errorf("%s: read", what)
		}
	}
}

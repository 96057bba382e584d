package credential

import (
	"bytes"
	"slices"
	"testing"

	"gatehouse"
)

// notes remembers what it was asked and holds one id to be taken back.
type notes struct {
	asked    []Revocable
	listed   []byte
	standing Standing
}

func (n *notes) Revoked(code Revocable) Standing {
	n.asked = append(n.asked, code)
	if n.listed != nil && bytes.Equal(code.ID, n.listed) {
		return n.standing
	}
	return InForce
}

func TestEachFormatIsAskedForByItsIDs(t *testing.T) {
	texts, ring := sample(t)
	ring[0].Issuer, ring[0].AnyIssuer = "CN", false
	for name, want := range map[string]map[IDKind]string{
		"RHC1": {OwnID: "twelve bytes"},
		"RHC2": {OwnID: "twelve bytes"},
		"TTC1": {OwnID: "twelve bytes"},
		"NZCP": {OwnID: "sixteen bytes id"},
		"DCC":  {OwnID: "URN:UVCI:01:DE:1#A", CountryID: "CNURN:UVCI:01:DE:1#A"},
	} {
		list := &notes{}
		if _, err := (Verifier{Keys: ring, Revoked: list}).Verify(texts[name], noon); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := map[IDKind]string{}
		for _, code := range list.asked {
			if code.Issuer.Country() != "CN" || !bytes.Equal(code.Key, ring[0].ID) {
				t.Errorf("%s: asked for %+v", name, code)
			}
			if code.Kind == CountryID && code.ID[0] == 'D' {
				continue // the country that the code claims, asked for beside its key's
			}
			got[code.Kind] = string(code.ID)
		}
		if name == "DCC" {
			if len(got[SignatureID]) != 32 {
				t.Errorf("r of the signature has %d bytes, want 32", len(got[SignatureID]))
			}
			want[SignatureID] = got[SignatureID]
		}
		if len(got) != len(want) {
			t.Errorf("%s: asked for %q, want %q", name, got, want)
		}
		for kind, id := range want {
			if got[kind] != id {
				t.Errorf("%s: id of kind %d: got %q, want %q", name, kind, got[kind], id)
			}
			for standing, maybe := range map[Standing]bool{Revoked: false, MaybeRevoked: true, 77: true} {
				_, err := Verifier{Keys: ring, Revoked: &notes{listed: []byte(id), standing: standing}}.Verify(texts[name], noon)
				if r := refused(t, err, gatehouse.ReasonRevoked); r.Maybe != maybe {
					t.Errorf("%s, standing %d: maybe %v, want %v", name, standing, r.Maybe, maybe)
				}
			}
		}
	}
}

// TestCountryOfACertificateIsItsKeysAndItsClaim: lists were made with either.
func TestCountryOfACertificateIsItsKeysAndItsClaim(t *testing.T) {
	key := testKey(t, "berlin")
	text := dccText(t, key, dccClaims(vaccinated()))
	for country, want := range map[gatehouse.Issuer][]string{
		"DE": {"DEURN:UVCI:01:DE:1#A"},
		"FR": {"FRURN:UVCI:01:DE:1#A", "DEURN:UVCI:01:DE:1#A"},
	} {
		list := &notes{}
		if _, err := (Verifier{Keys: ringOf(t, country, key.Public()), Revoked: list}).Verify(text, noon); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, code := range list.asked {
			if code.Kind == CountryID {
				got = append(got, string(code.ID))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", country, got, want)
		}
	}
}

// TestNobodyAsksForWhatIsNotGenuine: a list must not become a way to guess ids.
func TestNobodyAsksForWhatIsNotGenuine(t *testing.T) {
	texts, _ := sample(t)
	for name, text := range texts {
		list := &notes{}
		ring := ringOf(t, "CN", testKey(t, "another").Public())
		ring[0].ID = ringOf(t, "CN", testKey(t, "sample").Public())[0].ID
		if _, err := (Verifier{Keys: ring, Revoked: list}).Verify(text, noon); err == nil || len(list.asked) > 0 {
			t.Errorf("%s: %v, asked %d times", name, err, len(list.asked))
		}
	}
}

// TestOtherHalfOfASignatureDoesNotEscapeTheList: whoever has (r, s) can write (r, n-s), which
// holds as well; r stays.
func TestOtherHalfOfASignatureDoesNotEscapeTheList(t *testing.T) {
	key := testKey(t, "berlin")
	message := signedMessage(t, key, headOf(t, key), nil, mustCBOR(t, dccClaims(vaccinated())))
	s := message[len(message)-32:]
	twin := append(bytes.Clone(message[:len(message)-32]), negated(key.Curve.Params().N, s)...)
	var ids [][]byte
	for _, m := range [][]byte{message, twin} {
		list := &notes{}
		if _, err := (Verifier{Keys: ringOf(t, "DE", key.Public()), Revoked: list}).Verify("HC1:"+encodeBase45(deflated(t, m)), noon); err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(list.asked, func(code Revocable) bool { return code.Kind == SignatureID })
		ids = append(ids, list.asked[i].ID)
	}
	if !bytes.Equal(ids[0], ids[1]) {
		t.Errorf("got ids %x and %x of one code", ids[0], ids[1])
	}
}

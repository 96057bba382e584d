package credential

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// TestKeyWithNamesSpeaksUnderNoOther: the key of an issuer of cards must not sign travel
// certificates in its country's name, nor in nobody's.
func TestKeyWithNamesSpeaksUnderNoOther(t *testing.T) {
	key := testKey(t, "pharmacy")
	listed := cardKey(t, key, cardIssuer)
	head := map[int64]any{1: algES256, 4: listed.ID}
	sign := func(iss any) string {
		claims := dccClaims(vaccinated())
		if claims[1] = iss; iss == nil {
			delete(claims, 1)
		}
		return "HC1:" + encodeBase45(deflated(t, signedMessage(t, key, head, nil, mustCBOR(t, claims))))
	}
	for _, iss := range []any{"US", "US-10", "DE", nil} {
		_, err := Verifier{Keys: Ring{listed}}.Verify(sign(iss), noon)
		refused(t, err, gatehouse.ReasonUnknownKey)
	}
	listed.Names = nil
	for _, iss := range []any{"US", "DE", nil} {
		if pass, err := (Verifier{Keys: Ring{listed}}).Verify(sign(iss), noon); err != nil || pass.Issuer != "US" {
			t.Errorf("a key without names, iss %v: %q, %v", iss, pass.Issuer, err)
		}
	}
}

// TestRegionThatListsAnothersKeyTakesNothingOver: whoever copies a public key into its own list
// can neither withdraw it, nor answer for its codes, nor keep them from being read.
func TestRegionThatListsAnothersKeyTakesNothingOver(t *testing.T) {
	berlin, hangzhou := testKey(t, "berlin"), testKey(t, "hangzhou")
	health, err := Issue(hangzhou, typical())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text        string
		key         steadyKey
		thief, mine gatehouse.Issuer
		told        gatehouse.Issuer
	}{
		{dccText(t, berlin, dccClaims(vaccinated())), berlin, "AT", "DE", "DE"},
		{health, hangzhou, "CN-11", "CN-33", "CN-330100"},
	} {
		for _, bend := range []func(k *Key){func(*Key) {}, func(k *Key) { k.Withdrawn = true }, func(k *Key) { k.Usage = 0 }, func(k *Key) { k.NotAfter = noon.Add(-time.Hour) }} {
			copied := ringOf(t, c.thief, c.key.Public())[0]
			bend(&copied)
			asked := &notes{}
			v := Verifier{Keys: Ring{copied, ringOf(t, c.mine, c.key.Public())[0]}, Revoked: asked}
			pass, err := v.Verify(c.text, noon)
			if err != nil || pass.Issuer != c.told {
				t.Errorf("%s beside %s: %q, %v", c.thief, c.mine, pass.Issuer, err)
			}
			for _, code := range asked.asked {
				if code.Issuer != c.told {
					t.Errorf("asked whether %s took a code of %s back", code.Issuer, c.mine)
				}
			}
		}
	}
}

func TestKeyWithdrawnByOneOfThoseWhoSpeakForItIsWithdrawn(t *testing.T) {
	key := testKey(t, "hangzhou")
	text, err := Issue(key, typical())
	if err != nil {
		t.Fatal(err)
	}
	for withdrawn := range 2 {
		ring := Ring{ringOf(t, "CN", key.Public())[0], ringOf(t, "CN-33", key.Public())[0]}
		ring[withdrawn].Withdrawn = true
		_, err := Verifier{Keys: ring}.Verify(text, noon)
		refused(t, err, gatehouse.ReasonKeyWithdrawn)
	}
}

// TestCodeOfUnclearIssueIsAskedForUnderEach: where a certificate names nobody and two regions list
// its key, either may have taken it back.
func TestCodeOfUnclearIssueIsAskedForUnderEach(t *testing.T) {
	key := testKey(t, "berlin")
	claims := dccClaims(vaccinated())
	delete(claims, 1)
	asked := &notes{}
	v := Verifier{Keys: Ring{ringOf(t, "AT", key.Public())[0], ringOf(t, "DE", key.Public())[0]}, Revoked: asked}
	if _, err := v.Verify(dccText(t, key, claims), noon); err != nil {
		t.Fatal(err)
	}
	got := map[gatehouse.Issuer]bool{}
	for _, code := range asked.asked {
		got[code.Issuer] = true
	}
	if !got["AT"] || !got["DE"] {
		t.Errorf("asked %v, want both", got)
	}
}

// byKey is a list for the codes of one key id, as the EU's are.
type byKey []byte

func (l byKey) Revoked(code Revocable) Standing {
	if bytes.Equal(l, code.Key) {
		return Revoked
	}
	return InForce
}

// TestOtherIDOfItsKeyDoesNotHideACodeTakenBack: a certificate whose key id is not signed can be
// shown with the other id of the same key, for which no list was made.
func TestOtherIDOfItsKeyDoesNotHideACodeTakenBack(t *testing.T) {
	key := testKey(t, "berlin")
	own := ringOf(t, "DE", key.Public())[0]
	own.Usage, own.NotBefore, own.NotAfter = UseProof, noon.AddDate(-1, 0, 0), noon.AddDate(1, 0, 0)
	ofCertificate := own
	ofCertificate.ID = []byte("8 bytes.")
	list := TrustList{Region: "CN-330000", Version: 1, Issued: noon}
	for _, k := range []Key{own, ofCertificate} {
		listed, err := k.Listed()
		if err != nil {
			t.Fatal(err)
		}
		list.Keys = append(list.Keys, listed)
	}
	trust := opened(t, list)
	for _, named := range [][]byte{own.ID, ofCertificate.ID} {
		message := signedMessage(t, key, map[int64]any{1: algES256}, map[int64]any{4: named}, mustCBOR(t, dccClaims(vaccinated())))
		text := "HC1:" + encodeBase45(deflated(t, message))
		if _, err := (Verifier{Keys: trust, Revoked: byKey("another!")}).Verify(text, noon); err != nil {
			t.Fatal(err)
		}
		for _, listed := range [][]byte{own.ID, ofCertificate.ID} {
			_, err := Verifier{Keys: trust, Revoked: byKey(listed)}.Verify(text, noon)
			refused(t, err, gatehouse.ReasonRevoked)
		}
	}
}

func TestKeyUnderTooManyIDsIsRefused(t *testing.T) {
	list := zhejiang(t)
	for i := range maxOwnIDs {
		more := list.Keys[1]
		more.KID = fmt.Sprintf("%016x", i)
		list.Keys = append(list.Keys, more)
	}
	if _, err := list.Body(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("at most %d", maxOwnIDs)) {
		t.Errorf("got %v", err)
	}
}

// twinned is a certificate with its ECDSA signature (r, s) written as (r, n-s).
func twinned(t testing.TB, der []byte, authority *ecdsa.PublicKey) []byte {
	t.Helper()
	var parts struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	var signature struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &parts); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(parts.Signature.Bytes, &signature); err != nil {
		t.Fatal(err)
	}
	signature.S.Sub(authority.Params().N, signature.S)
	written, err := asn1.Marshal(signature)
	if err != nil {
		t.Fatal(err)
	}
	parts.Signature = asn1.BitString{Bytes: written, BitLength: 8 * len(written)}
	twin, err := asn1.Marshal(parts)
	if err != nil {
		t.Fatal(err)
	}
	return twin
}

// TestNoSpellingOfACertificateEscapesItsWithdrawal: whoever stole a seal signer's key can write its
// certificate with the other signature, or may have a second certificate for the same key.
func TestNoSpellingOfACertificateEscapesItsWithdrawal(t *testing.T) {
	authority, key := testKey(t, "csca"), testKey(t, "seals")
	state := newState(t, "UT", authority)
	first := state.signer(t, &key.PublicKey, nil, "NV", "NT")
	twin := twinned(t, first, &authority.PublicKey)
	second := state.signer(t, &key.PublicKey, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(3) }, "NV")
	if bytes.Equal(first, twin) {
		t.Fatal("no twin")
	}
	sum := sha256.Sum256(first)
	ofCertificate := Key{ID: sum[:8], Issuer: "UT", Public: &key.PublicKey, Usage: UseProof, Withdrawn: true}
	ofKey := ofCertificate
	ofKey.ID = ringOf(t, "UT", &key.PublicKey)[0].ID
	for name, c := range map[string]struct {
		der    []byte
		listed []Key
		want   gatehouse.Reason
	}{
		"listed nowhere":                      {twin, nil, gatehouse.ReasonNone},
		"its own id":                          {first, []Key{ofCertificate}, gatehouse.ReasonKeyWithdrawn},
		"the twin's id":                       {twin, []Key{ofCertificate}, gatehouse.ReasonKeyWithdrawn},
		"the key's id":                        {first, []Key{ofKey}, gatehouse.ReasonKeyWithdrawn},
		"the key's id, twin":                  {twin, []Key{ofKey}, gatehouse.ReasonKeyWithdrawn},
		"the key's id, another certificate":   {second, []Key{ofKey}, gatehouse.ReasonKeyWithdrawn},
		"another certificate's id":            {second, []Key{ofCertificate}, gatehouse.ReasonNone},
		"withdrawn by another country":        {first, []Key{withIssuer(ofCertificate, "XX"), withIssuer(ofKey, "XX")}, gatehouse.ReasonNone},
		"another key under the id, withdrawn": {first, []Key{{ID: sum[:8], Issuer: "UT", Public: authority.Public(), Withdrawn: true}}, gatehouse.ReasonNone},
	} {
		_, err := Verifier{Keys: append(state.ring(t), c.listed...)}.Verify(sealText(t, key, c.der, sealedDoses), noon)
		if c.want == gatehouse.ReasonNone {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if got := reasonOf(t, err); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func withIssuer(k Key, issuer gatehouse.Issuer) Key {
	k.Issuer = issuer
	return k
}

// TestSignerOfSealsCertifiesNobody: neither a seal signer's certificate nor a key that is listed to
// sign takes the place of a state's authority.
func TestSignerOfSealsCertifiesNobody(t *testing.T) {
	state, key, thief := newState(t, "UT", testKey(t, "csca")), testKey(t, "seals"), testKey(t, "thief")
	id := pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 14}, Value: append([]byte{4, 20}, make([]byte, 20)...)}
	der := state.signer(t, &key.PublicKey, func(c *x509.Certificate) { c.ExtraExtensions = append(c.ExtraExtensions, id) }, "NV")
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	below := testState{key, certificate}.signer(t, &thief.PublicKey, nil, "NV")
	listed := Key{ID: make([]byte, 20), Issuer: "UT", Public: &key.PublicKey, Usage: UseAll}
	_, err = Verifier{Keys: append(state.ring(t), listed)}.Verify(sealText(t, thief, below, sealedDoses), noon)
	refused(t, err, gatehouse.ReasonUnknownKey)
}

// TestLongCardIsReadWhenAllItsPartsAreJoined: three full parts have more digits than one QR code.
func TestLongCardIsReadWhenAllItsPartsAreJoined(t *testing.T) {
	key := testKey(t, "cards")
	entropy := ""
	for i := range 80 {
		entropy += fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i)}))
	}
	text := cardText(t, key, card("", cardHolder, fmt.Sprintf(cardDose, "completed", "207", "2020-06-29"), `{"resourceType":"Other","x":"`+entropy+`"}`))
	digits := strings.TrimPrefix(text, "shc:/")
	if len(text) <= maxText {
		t.Fatalf("only %d characters", len(text))
	}
	var a Assembler
	var whole string
	const parts = 4
	size := len(digits) / parts / 2 * 2
	for i := range parts {
		end := (i + 1) * size
		if i == parts-1 {
			end = len(digits)
		}
		whole, _ = a.Add(fmt.Sprintf("shc:/%d/%d/%s", i+1, parts, digits[i*size:end]), noon)
	}
	if _, err := (Verifier{Keys: Ring{cardKey(t, key, cardIssuer)}}).Verify(whole, noon); err != nil {
		t.Error(err)
	}
	_, err := Parse("shc:/" + strings.Repeat("5", maxParts*maxText))
	refused(t, err, gatehouse.ReasonMalformed)
}

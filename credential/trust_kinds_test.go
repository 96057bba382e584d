package credential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"
)

// TestTrustListHoldsEachKindOfKeyForItsUseAlone: a key that no format verifies with must not
// stand in a list as if it did.
func TestTrustListHoldsEachKindOfKeyForItsUseAlone(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256, sm2Key, ed := testKey(t, "x").Public(), testSM2Key(t, "x").Public(), testEdKey("x").Public()
	for name, c := range map[string]struct {
		public crypto.PublicKey
		usage  Usage
		taken  bool
	}{
		"P-256 for health codes":        {p256, UseHealthCode, true},
		"SM2 for health codes":          {sm2Key, UseHealthCode, true},
		"SM2 for travel codes":          {sm2Key, UseTravelCode, true},
		"Ed25519 for travel codes":      {ed, UseTravelCode, true},
		"P-256 to enter":                {p256, UseEntitlement, true},
		"P-256 to certify":              {p256, UseCertify, true},
		"P-256 to certify and to sign":  {p256, UseCertify | UseVaccination, true},
		"P-384 to certify":              {p384.Public(), UseCertify, true},
		"P-384 for proofs":              {p384.Public(), UseProof, false},
		"P-384 to certify and to sign":  {p384.Public(), UseCertify | UseTest, false},
		"SM2 to certify":                {sm2Key, UseCertify, false},
		"Ed25519 to certify":            {ed, UseCertify, false},
		"for nothing, which is no list": {p256, 0, false},
	} {
		key := ringOf(t, "CN-330000", c.public)[0]
		key.Usage, key.NotBefore, key.NotAfter = c.usage, noon, noon.AddDate(1, 0, 0)
		listed, err := key.Listed()
		if err != nil {
			t.Fatal(err)
		}
		got, err := listed.key()
		if (err == nil) != c.taken {
			t.Errorf("%s: %v, want taken %v", name, err, c.taken)
		}
		if err == nil && got.Usage != c.usage {
			t.Errorf("%s: usage %s", name, got.Usage)
		}
	}
}

func TestKeyIDOfOurOwnFormatsIsMadeOfTheKey(t *testing.T) {
	for usage, taken := range map[Usage]bool{UseHealthCode: false, UseTravelCode: false, UseTravelCode | UseTest: false, UseTest: true, UseEntitlement: true} {
		key := ringOf(t, "CN-330000", testSM2Key(t, "x").Public())[0]
		key.Usage, key.NotBefore, key.NotAfter, key.ID = usage, noon, noon.AddDate(1, 0, 0), []byte("8 bytes.")
		listed, err := key.Listed()
		if err != nil {
			t.Fatal(err)
		}
		if _, err = listed.key(); (err == nil) != taken || err != nil && !strings.Contains(err.Error(), "kid of a key") {
			t.Errorf("usage %s: %v, want taken %v", usage, err, taken)
		}
	}
}

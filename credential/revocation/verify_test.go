package revocation

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/credential"
)

// asked remembers the codes that a verifier asks for.
type asked []credential.Revocable

func (a *asked) Standing(code credential.Revocable) credential.Standing {
	*a = append(*a, code)
	return credential.InForce
}

// TestCodeTakenBackIsRefused sends a genuine code through a verifier that has its region's
// file: the exact list refuses it, the filter alone refers it, and a delta lets it in again.
func TestCodeTakenBackIsRefused(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "vectors", "rhc1-es256.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Text string    `json:"text"`
		At   time.Time `json:"at"`
		Key  struct {
			Issuer gatehouse.Issuer `json:"issuer"`
			ID     string           `json:"kid"`
			SPKI   []byte           `json:"spki"`
		} `json:"key"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	kid, err := hex.DecodeString(v.Key.ID)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.ParsePKIXPublicKey(v.Key.SPKI)
	if err != nil {
		t.Fatal(err)
	}
	keys := credential.Ring{{Issuer: v.Key.Issuer, ID: kid, Public: public, Usage: credential.UseAll}}
	verify := func(sources ...Source) error {
		set := Set{}
		set.Add(v.Key.Issuer, sources...)
		_, err := credential.Verifier{Keys: keys, Revoked: set}.Verify(v.Text, v.At)
		return err
	}
	var ids asked
	if err := verify(&ids); err != nil || len(ids) != 1 {
		t.Fatalf("asked for %d ids, %v", len(ids), err)
	}
	own := []uint64{Prefix(ids[0].ID)}
	prefixes := append(taken(0, 1000), own...)
	exact := build(t, Base{Issuer: v.Key.Issuer, Version: 1, Prefixes: prefixes, Exact: true})
	filter := build(t, Base{Issuer: v.Key.Issuer, Version: 1, Prefixes: prefixes})
	for _, c := range []struct {
		what    string
		file    []byte
		refused bool
		maybe   bool
	}{
		{"of others", build(t, Base{Issuer: v.Key.Issuer, Version: 1, Prefixes: taken(0, 1000), Exact: true}), false, false},
		{"exact", exact, true, false},
		{"filter alone", filter, true, true},
		{"exact, then removed", extend(t, exact, Delta{From: 1, To: 2, Removes: own}), false, false},
		{"filter, then removed", extend(t, filter, Delta{From: 1, To: 2, Removes: own}), false, false},
	} {
		l, err := Open(bytes.NewReader(c.file), int64(len(c.file)))
		if err != nil {
			t.Fatal(err)
		}
		err = verify(l)
		var refusal *gatehouse.Refusal
		switch {
		case !c.refused && err != nil:
			t.Errorf("list %s: %v, want the code to hold", c.what, err)
		case c.refused && (!errors.As(err, &refusal) || refusal.Reason != gatehouse.ReasonRevoked || refusal.Maybe != c.maybe):
			t.Errorf("list %s: %v, want revoked, maybe %t", c.what, err, c.maybe)
		}
	}
}

package credential

import (
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// zhejiang is a trust list of two keys: Hangzhou's own and a travel certificate signer's.
func zhejiang(t testing.TB) TrustList {
	t.Helper()
	native := ringOf(t, "CN-330100", testKey(t, "hangzhou").Public())[0]
	native.Usage, native.NotBefore, native.NotAfter = UseHealthCode, noon.AddDate(0, -1, 0), noon.AddDate(1, 0, 0)
	travel := ringOf(t, "DE", testKey(t, "berlin").Public())[0]
	travel.ID, travel.Usage = []byte("8 bytes."), UseProof
	travel.NotBefore, travel.NotAfter = native.NotBefore, native.NotAfter
	list := TrustList{Region: "CN-330000", Version: 7, Issued: noon}
	for _, key := range []Key{native, travel} {
		listed, err := key.Listed()
		if err != nil {
			t.Fatal(err)
		}
		list.Keys = append(list.Keys, listed)
	}
	return list
}

func zhejiangKey(t testing.TB, name string) TrustKey {
	t.Helper()
	listed, err := ringOf(t, "CN-330000", testKey(t, name).Public())[0].Listed()
	if err != nil {
		t.Fatal(err)
	}
	return listed
}

func opened(t testing.TB, list TrustList) *Trust {
	t.Helper()
	body, err := list.Body()
	if err != nil {
		t.Fatal(err)
	}
	trust, err := ReadTrust(body)
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

func TestListedKeysVerifyCodes(t *testing.T) {
	trust := opened(t, zhejiang(t))
	if trust.Region != "CN-330000" || trust.Version != 7 || !trust.Issued.Equal(noon) || trust.Len() != 2 {
		t.Errorf("got %s/%d of %s, %d keys", trust.Region, trust.Version, trust.Issued, trust.Len())
	}
	native, err := Issue(testKey(t, "hangzhou"), typical())
	if err != nil {
		t.Fatal(err)
	}
	travel := dccTextWithID(t, testKey(t, "berlin"), []byte("8 bytes."))
	for _, text := range []string{native, travel} {
		if _, err := (Verifier{Keys: trust}).Verify(text, noon); err != nil {
			t.Error(err)
		}
	}
	// The same key under its native id is not in the list.
	_, err = Verifier{Keys: trust}.Verify(dccText(t, testKey(t, "berlin"), dccClaims(vaccinated())), noon)
	refused(t, err, gatehouse.ReasonUnknownKey)
}

func TestWithdrawnKeyOfTheListVerifiesNothing(t *testing.T) {
	list := zhejiang(t)
	list.Keys[0].Withdrawn = true
	text, err := Issue(testKey(t, "hangzhou"), typical())
	if err != nil {
		t.Fatal(err)
	}
	_, err = Verifier{Keys: opened(t, list)}.Verify(text, noon)
	refused(t, err, gatehouse.ReasonKeyWithdrawn)
}

func TestListWithASlipIsRefusedWhole(t *testing.T) {
	small, err := Key{Public: &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537}}.Listed()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(l *TrustList){
		"no region":               func(l *TrustList) { l.Region = "" },
		"region in words":         func(l *TrustList) { l.Region = "Zhejiang" },
		"version 0":               func(l *TrustList) { l.Version = 0 },
		"not issued":              func(l *TrustList) { l.Issued = time.Time{} },
		"no issuer":               func(l *TrustList) { l.Keys[1].Issuer = "" },
		"issuer in words":         func(l *TrustList) { l.Keys[1].Issuer = "Germany" },
		"no kid":                  func(l *TrustList) { l.Keys[1].KID = "" },
		"kid not hex":             func(l *TrustList) { l.Keys[1].KID = "xyz" },
		"kid of 33 bytes":         func(l *TrustList) { l.Keys[1].KID = strings.Repeat("00", 33) },
		"health code's kid wrong": func(l *TrustList) { l.Keys[0].KID = hex.EncodeToString([]byte("8 bytes.")) },
		"no key":                  func(l *TrustList) { l.Keys[1].SPKI = nil },
		"key cut off":             func(l *TrustList) { l.Keys[1].SPKI = l.Keys[1].SPKI[:40] },
		"RSA of 1024":             func(l *TrustList) { l.Keys[1].SPKI = small.SPKI },
		"no beginning":            func(l *TrustList) { l.Keys[1].NotBefore = time.Time{} },
		"no end":                  func(l *TrustList) { l.Keys[1].NotAfter = time.Time{} },
		"end before beginning":    func(l *TrustList) { l.Keys[1].NotAfter = l.Keys[1].NotBefore },
		"no usage":                func(l *TrustList) { l.Keys[1].Usage = nil },
		"unknown usage":           func(l *TrustList) { l.Keys[1].Usage = []string{"everything"} },
		"nine under one id": func(l *TrustList) {
			for i := range maxSameID {
				other := l.Keys[1]
				other.SPKI = zhejiangKey(t, fmt.Sprint("another", i)).SPKI
				l.Keys = append(l.Keys, other)
			}
		},
		"one key twice": func(l *TrustList) { l.Keys = append(l.Keys, l.Keys[1]) },
		"withdrawn under one id only": func(l *TrustList) {
			other := l.Keys[1]
			other.KID, other.Withdrawn = hex.EncodeToString([]byte("another.")), true
			l.Keys = append(l.Keys, other)
		},
		"10,001 keys": func(l *TrustList) { l.Keys = make([]TrustKey, maxTrustKeys+1) },
	} {
		list := zhejiang(t)
		change(&list)
		if _, err := list.Body(); err == nil {
			t.Errorf("%s: written", name)
		}
		list.Kind = trustKind
		body, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ReadTrust(body); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	for name, body := range map[string]string{
		"unknown member":        `{"kind":"trust","region":"CN-330000","version":1,"issued":"2020-07-10T00:00:00Z","keys":[],"more":1}`,
		"unknown member of key": `{"kind":"trust","region":"CN-330000","version":1,"issued":"2020-07-10T00:00:00Z","keys":[{"more":1}]}`,
		"version below zero":    `{"kind":"trust","region":"CN-330000","version":-1,"issued":"2020-07-10T00:00:00Z","keys":[]}`,
		"another kind":          `{"kind":"policy","region":"CN-330000","version":1,"issued":"2020-07-10T00:00:00Z","keys":[]}`,
		"two kinds":             `{"kind":"trust","kind":"policy","region":"CN-330000","version":1,"issued":"2020-07-10T00:00:00Z","keys":[]}`,
		"kind in capitals":      `{"KIND":"trust","region":"CN-330000","version":1,"issued":"2020-07-10T00:00:00Z","keys":[]}`,
		"two objects":           `{"kind":"trust","region":"CN-330000","version":1,"issued":"2020-07-10T00:00:00Z","keys":[]}{}`,
		"too long":              `{"kind":"trust","region":"CN-330000","version":1,"issued":"2020-07-10T00:00:00Z","keys":[]}` + strings.Repeat(" ", maxTrust),
		"issued in words":       `{"kind":"trust","region":"CN-330000","version":1,"issued":"today","keys":[]}`,
	} {
		if _, err := ReadTrust([]byte(body)); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

func TestTenThousandKeysFit(t *testing.T) {
	list := zhejiang(t)
	key := list.Keys[1]
	list.Keys = nil
	for i := range maxTrustKeys {
		if i%maxOwnIDs == 0 {
			spki, err := marshalSPKI(testEdKey(fmt.Sprint(i)).Public())
			if err != nil {
				t.Fatal(err)
			}
			key.SPKI = spki
		}
		key.KID = fmt.Sprintf("%016x", i)
		list.Keys = append(list.Keys, key)
	}
	if got := opened(t, list).Len(); got != maxTrustKeys {
		t.Errorf("got %d keys, want %d", got, maxTrustKeys)
	}
}

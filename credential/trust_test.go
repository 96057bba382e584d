package credential

import (
	"bytes"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"sync"
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

func trustKey(t testing.TB) (signer, root string) {
	t.Helper()
	signer, root, err := NewTrustKey("CN-330000")
	if err != nil {
		t.Fatal(err)
	}
	return signer, root
}

func opened(t testing.TB, list TrustList) *Trust {
	t.Helper()
	signer, root := trustKey(t)
	sealed, err := SealTrust(list, signer)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := OpenTrust(sealed, root)
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

func TestSealedTrustVerifiesCodes(t *testing.T) {
	trust := opened(t, zhejiang(t))
	if trust.Region != "CN-330000" || trust.Version != 7 || !trust.Issued.Equal(noon) || trust.Len() != 2 {
		t.Errorf("got %s/%d of %s, %d keys", trust.Region, trust.Version, trust.Issued, trust.Len())
	}
	if got := trust.Age(noon.Add(time.Hour)); got != time.Hour {
		t.Errorf("got age %s, want an hour", got)
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

func TestSealHoldsEachByteOfTheList(t *testing.T) {
	signer, root := trustKey(t)
	sealed, err := SealTrust(zhejiang(t), signer)
	if err != nil {
		t.Fatal(err)
	}
	want, err := OpenTrust(sealed, root)
	if err != nil {
		t.Fatal(err)
	}
	text := bytes.LastIndex(sealed, []byte("\n\n"))
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		// Base64 leaves two bits over in a signature's last character: those may change.
		if got, err := OpenTrust(changed, root); err == nil && (i <= text || got.body != want.body) {
			t.Fatalf("byte %d of %q changed: opened", i, sealed)
		}
		if _, err := OpenTrust(sealed[:i], root); err == nil {
			t.Fatalf("cut off at %d: opened", i)
		}
	}
	_, stranger := trustKey(t)
	if _, err := OpenTrust(sealed, stranger); err == nil {
		t.Error("opened with another key of the same name")
	}
	if _, err := OpenTrust(sealed, "no key"); err == nil {
		t.Error("opened with no key")
	}
	if _, err := OpenTrust(append(make([]byte, maxSealed), sealed...), root); err == nil {
		t.Error("opened what is too long")
	}
}

func TestSealedPolicyIsNoTrustList(t *testing.T) {
	signer, root := trustKey(t)
	list := zhejiang(t)
	list.Kind = "policy"
	body, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := Seal("policy", body, signer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenTrust(sealed, root); err == nil {
		t.Error("a policy was opened as a trust list")
	}
	got, err := Open("policy", sealed, root)
	if err != nil || string(got) != string(body)+"\n" {
		t.Errorf("got %q, %v, want the policy's body", got, err)
	}
	for name, body := range map[string]string{
		"no kind":           `{"region":"CN-330000"}`,
		"kind in capitals":  `{"KIND":"trust"}`,
		"kind twice":        `{"kind":"trust","kind":"policy"}`,
		"kind twice, other": `{"kind":"policy","kind":"trust"}`,
		"kind inside":       `{"keys":{"kind":"trust"}}`,
		"kind as number":    `{"kind":7}`,
		"a list":            `["kind","trust"]`,
		"cut off":           `{"kind":"trust"`,
		"prose":             `trust`,
		"nothing":           ``,
		"another behind":    `{"kind":"trust"}{"kind":"trust"}`,
	} {
		if _, err := Seal("trust", []byte(body), signer); err == nil {
			t.Errorf("%s: sealed", name)
		}
	}
}

func TestSealRefusesWhatWouldNotOpen(t *testing.T) {
	signer, _ := trustKey(t)
	if _, err := Seal("trust", []byte("{\"kind\":\"trust\",\n\t\"x\":1}"), signer); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a tab: got %v, want line 2 named", err)
	}
	if _, err := Seal("trust", []byte("{\"kind\":\"trust\",\n\"x\":\"\xff\"}"), signer); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("no UTF-8: got %v, want line 2 named", err)
	}
	if _, err := Seal("trust", []byte(`{"kind":"trust"}`)); err == nil {
		t.Error("sealed by nobody")
	}
	if _, err := Seal("trust", []byte(`{"kind":"trust"}`), "no key"); err == nil {
		t.Error("sealed with no key")
	}
	if _, err := Seal("trust", []byte(`{"kind":"trust","x":"`+strings.Repeat("x", maxSealed)+`"}`), signer); err == nil {
		t.Error("sealed what is too long")
	}
}

func TestRootCanOpenWhatOthersSignedToo(t *testing.T) {
	first, root := trustKey(t)
	second, otherRoot := trustKey(t)
	sealed, err := SealTrust(zhejiang(t), first, second)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{root, otherRoot} {
		if _, err := OpenTrust(sealed, key); err != nil {
			t.Error(err)
		}
	}
}

func TestListWithASlipIsRefusedWhole(t *testing.T) {
	signer, root := trustKey(t)
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
		if _, err := SealTrust(list, signer); err == nil {
			t.Errorf("%s: sealed", name)
		}
		list.Kind = trustKind
		body, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := Seal(trustKind, body, signer)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := OpenTrust(sealed, root); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	for name, body := range map[string]string{
		"unknown member":        `{"kind":"trust","region":"CN-330000","version":1,"issued":"2020-07-10T00:00:00Z","keys":[],"more":1}`,
		"unknown member of key": `{"kind":"trust","region":"CN-330000","version":1,"issued":"2020-07-10T00:00:00Z","keys":[{"more":1}]}`,
		"version below zero":    `{"kind":"trust","region":"CN-330000","version":-1,"issued":"2020-07-10T00:00:00Z","keys":[]}`,
		"issued in words":       `{"kind":"trust","region":"CN-330000","version":1,"issued":"today","keys":[]}`,
	} {
		sealed, err := Seal(trustKind, []byte(body), signer)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := OpenTrust(sealed, root); err == nil {
			t.Errorf("%s: opened", name)
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

func TestAdoptNeverRollsBack(t *testing.T) {
	list := func(change func(l *TrustList)) *Trust {
		l := zhejiang(t)
		change(&l)
		return opened(t, l)
	}
	inUse := list(func(l *TrustList) {})
	for name, c := range map[string]struct {
		next *Trust
		at   time.Time
		ok   bool
	}{
		"the same again":          {list(func(l *TrustList) {}), noon, true},
		"the next":                {list(func(l *TrustList) { l.Version = 8 }), noon, true},
		"far ahead by number":     {list(func(l *TrustList) { l.Version = 1 << 40 }), noon, true},
		"older":                   {list(func(l *TrustList) { l.Version = 6 }), noon, false},
		"same number, other keys": {list(func(l *TrustList) { l.Keys = l.Keys[:1] }), noon, false},
		"another region":          {list(func(l *TrustList) { l.Version, l.Region = 8, "CN-440000" }), noon, false},
		"issued tomorrow":         {list(func(l *TrustList) { l.Version, l.Issued = 8, noon.Add(23*time.Hour) }), noon, true},
		"issued next week":        {list(func(l *TrustList) { l.Version, l.Issued = 8, noon.AddDate(0, 0, 7) }), noon, false},
		"clock not trusted":       {list(func(l *TrustList) { l.Version, l.Issued = 8, noon.AddDate(0, 0, 7) }), time.Time{}, true},
	} {
		var set TrustSet
		if err := set.Adopt(inUse, noon); err != nil {
			t.Fatal(err)
		}
		err := set.Adopt(c.next, c.at)
		if (err == nil) != c.ok {
			t.Errorf("%s: got %v, want adopted %v", name, err, c.ok)
		}
		want := inUse
		if c.ok {
			want = c.next
		}
		if set.Current() != want {
			t.Errorf("%s: version %d is in use, want %d", name, set.Current().Version, want.Version)
		}
	}
}

func TestEmptySetKnowsNobody(t *testing.T) {
	var set TrustSet
	text := dccText(t, testKey(t, "berlin"), dccClaims(vaccinated()))
	_, err := Verifier{Keys: &set}.Verify(text, noon)
	refused(t, err, gatehouse.ReasonUnknownKey)
	if got := set.Age(noon); got < 100*365*24*time.Hour {
		t.Errorf("got age %s, want one without end", got)
	}
	if set.Current() != nil {
		t.Error("an empty set has a list in use")
	}
}

func TestGateVerifiesWhileTrustIsSwapped(t *testing.T) {
	text, err := Issue(testKey(t, "hangzhou"), typical())
	if err != nil {
		t.Fatal(err)
	}
	var lists []*Trust
	for i := range uint64(20) {
		list := zhejiang(t)
		list.Version += i
		lists = append(lists, opened(t, list))
	}
	var set TrustSet
	if err := set.Adopt(lists[0], noon); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for _, next := range lists {
				_ = set.Adopt(next, noon) // the other one may have been faster
			}
		})
	}
	for range 50 {
		if _, err := (Verifier{Keys: &set}).Verify(text, noon); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	if got := set.Current().Version; got != 26 {
		t.Errorf("version %d is in use, want 26", got)
	}
}

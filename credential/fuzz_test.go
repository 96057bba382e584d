package credential

import (
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"

	"gatehouse"

	"github.com/emmansun/gmsm/sm2"
)

func FuzzBase45(f *testing.F) {
	for _, text := range base45Examples {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := decodeBase45(text)
		if err == nil && encodeBase45(b) != text {
			t.Errorf("%q is a second text of %x", text, b)
		}
	})
}

func FuzzParse(f *testing.F) {
	texts, ring := sample(f)
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := Parse(text)
		var refusal *gatehouse.Refusal
		if err != nil {
			if !errors.As(err, &refusal) {
				t.Fatalf("a breakdown: %v", err)
			}
			if len(refusal.Detail) > 160 || len(refusal.KeyID) > 2*maxKeyID {
				t.Errorf("a refusal that is too long: %v", refusal)
			}
			return
		}
		if u.Size() > maxInflated || len(u.KeyID()) > 2*maxKeyID {
			t.Errorf("%d bytes, key %s", u.Size(), u.KeyID())
		}
		if pass, err := u.Verify(Verifier{Keys: ring}, noon); err == nil && !genuine(texts, pass) {
			t.Errorf("a forgery: %+v", pass)
		}
	})
}

// genuine reports whether a pass is that of one of the samples.
func genuine(texts map[string]string, pass gatehouse.Pass) bool {
	_, ok := texts[pass.Format]
	ids := []string{"twelve bytes", "URN:UVCI:01:DE:1#A", "sixteen bytes id"}
	return ok && slices.ContainsFunc(ids, func(id string) bool { return pass.Code == tagOf([]byte(id)) })
}

// FuzzVerify signs whatever comes, so that the fuzzer gets past the signature: an issuer
// may be careless or hostile too.
func FuzzVerify(f *testing.F) {
	f.Add(mustCBOR(f, dccClaims(vaccinated())), false)
	f.Add([]byte("\xa2\x04\xc0\x64soon\x06\xc1\xf6"), false) // tagged times that are none
	travel, native := testKey(f, "fuzz"), testEdKey("fuzz")
	rings := map[bool]Ring{false: ringOf(f, "DE", travel.Public()), true: ringOf(f, "CN-330000", native.Public())}
	f.Fuzz(func(t *testing.T, payload []byte, health bool) {
		if len(payload) > 4000 {
			return
		}
		var text string
		if health {
			text = "RHC1:" + encodeBase45(signedMessage(t, native, headOf(t, native), nil, payload))
		} else {
			text = "HC1:" + encodeBase45(deflated(t, signedMessage(t, travel, headOf(t, travel), nil, payload)))
		}
		pass, err := Verifier{Keys: rings[health]}.Verify(text, noon)
		if err != nil {
			var refusal *gatehouse.Refusal
			if !errors.As(err, &refusal) {
				t.Fatalf("a breakdown: %v", err)
			}
			if !presentable(refusal.Detail, 160) || !presentable(string(refusal.Issuer), 9) {
				t.Errorf("a refusal that cannot be shown: %q of %q", refusal.Detail, refusal.Issuer)
			}
			return
		}
		if noon.Before(pass.Issued) || noon.After(pass.Expires) || !pass.Issuer.Within(rings[health][0].Issuer) {
			t.Errorf("a pass of %s, from %s to %s", pass.Issuer, pass.Issued, pass.Expires)
		}
		if len(pass.Facts) > maxTravels+maxTemperatures+maxTests+maxVaccinations || health == (pass.Grade == gatehouse.NoGrade) {
			t.Errorf("%d facts, grade %q", len(pass.Facts), pass.Grade)
		}
		for _, fact := range pass.Facts {
			if !presentable(fact.Method+fact.Product+fact.Division, 3*maxWord) {
				t.Errorf("a fact that cannot be shown: %+v", fact)
			}
		}
		if !presentable(pass.Holder.Name+pass.Holder.Birth, maxName+10) || !presentable(strings.Join(pass.Warnings, ""), 2000) {
			t.Errorf("a holder that cannot be shown: %+v %q", pass.Holder, pass.Warnings)
		}
	})
}

// FuzzFormats signs whatever comes, as FuzzVerify does, in each of the other formats. What
// comes is the payload as it stands in the message: deflated or not is for RHC2 to see.
func FuzzFormats(f *testing.F) {
	least, travel := mustCBOR(f, leastCWT()), leastCWT()
	travel[-70002] = map[int64]any{1: 1, 2: "138****1234", 4: [][]int{{330100, 3, 0}}}
	f.Add(least, uint8(0))
	f.Add(rawDeflated(f, least, 9), uint8(0))
	f.Add(mustCBOR(f, travel), uint8(1))
	f.Add(mustCBOR(f, nzcpClaims()), uint8(2))
	key := testKey(f, "fuzz")
	ring := Ring{ringOf(f, "CN-330000", key.Public())[0], nzcpRing(f, key)[0]}
	f.Fuzz(func(t *testing.T, payload []byte, kind uint8) {
		if len(payload) > 4000 {
			return
		}
		native := encodeBase45(signedMessage(t, key, headOf(t, key), nil, payload))
		texts := [...]string{"RHC2:" + native, "TTC1:" + native, nzcpText(t, key, "key-1", payload)}
		pass, err := Verifier{Keys: ring}.Verify(texts[int(kind)%len(texts)], noon)
		if err != nil {
			if r := reasonOf(t, err); r == "" || !presentable(err.Error(), 200) {
				t.Errorf("a refusal that cannot be shown: %q", err)
			}
			return
		}
		if noon.Before(pass.Issued.Add(-clockSlack)) || noon.After(pass.Expires) || pass.Issuer == "" || pass.Code == "" {
			t.Errorf("got %+v", pass)
		}
		if len(pass.Facts) > maxTravels+maxTemperatures+maxTests+maxVaccinations || !presentable(pass.Holder.Name+pass.Holder.Birth, maxName+10) {
			t.Errorf("%d facts of %+v", len(pass.Facts), pass.Holder)
		}
	})
}

func FuzzBase32(f *testing.F) {
	f.Add("MZXW6YTBOI")
	f.Fuzz(func(t *testing.T, text string) {
		b, err := decodeBase32(text)
		if err == nil && encodeBase32(b) != text {
			t.Errorf("%q is a second text of %x", text, b)
		}
	})
}

func FuzzReadSigner(f *testing.F) {
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"))
	chinese, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sm2Certificate(f, chinese)) // read by another library than all others
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := ReadSigner(data)
		if err == nil && len(keys) == 0 {
			t.Error("neither a key nor an error")
		}
		for _, key := range keys {
			if len(key.ID) == 0 || len(key.ID) > maxKeyID || key.Usage == 0 || key.AnyIssuer != (key.Issuer == "" && key.Names == nil) || Sound(key.Public) != nil {
				t.Errorf("got %+v", key)
			}
		}
	})
}

func FuzzTrust(f *testing.F) {
	f.Fuzz(func(t *testing.T, body []byte) {
		trust, err := ReadTrust(body)
		if err != nil {
			return
		}
		if trust.Version == 0 || trust.Region == "" || trust.Issued.IsZero() || trust.Len() > maxTrustKeys {
			t.Errorf("got %+v", trust)
		}
		for _, keys := range trust.keys {
			for _, key := range keys {
				if key.Issuer == "" || key.AnyIssuer || key.Usage == 0 || key.NotAfter.IsZero() {
					t.Errorf("got %+v", key)
				}
			}
		}
	})
}

package credential

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"testing"
)

// The bar is 0.25 ms from the text of a travel certificate (ES256) to its pass.
func BenchmarkDCC(b *testing.B) {
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"ES256": testKey(b, "bench"), "PS256": weak} {
		text := dccText(b, key, dccClaims(vaccinated()))
		b.Run(name, func(b *testing.B) { verifyLoop(b, text, key) })
	}
}

func BenchmarkRHC1(b *testing.B) {
	for name, key := range map[string]crypto.Signer{"ES256": testKey(b, "bench"), "EdDSA": testEdKey("bench")} {
		text, err := Issue(key, typical())
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) { verifyLoop(b, text, key) })
	}
}

func verifyLoop(b *testing.B, text string, key crypto.Signer) {
	v := Verifier{Keys: ringOf(b, "", key.Public())}
	v.Keys.(Ring)[0].AnyIssuer = true
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(text, noon); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBase45(b *testing.B) {
	text := encodeBase45(make([]byte, 400))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := decodeBase45(text); err != nil {
			b.Fatal(err)
		}
	}
}

package credential

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"testing"
)

// BenchmarkVerify goes from the text of a code to its pass. The bar is 0.25 ms for a DCC signed
// with ES256.
func BenchmarkVerify(b *testing.B) {
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	es256, signers := testKey(b, "bench"), nativeSigners(b)
	issued := func(key crypto.Signer, format string, c Claims) string {
		c.Format = format
		text, err := Issue(key, c)
		if err != nil {
			b.Fatal(err)
		}
		return text
	}
	byHand := func(key crypto.Signer) Ring {
		ring := ringOf(b, "", key.Public())
		ring[0].AnyIssuer = true
		return ring
	}
	es, ed, gm, rs := byHand(es256), byHand(signers["EdDSA"]), byHand(signers["SM2"]), byHand(weak)
	for _, c := range []struct {
		name string
		ring Ring
		text string
	}{
		{"RHC1", es, issued(es256, "RHC1", typical())},
		{"RHC1/EdDSA", ed, issued(signers["EdDSA"], "RHC1", typical())},
		{"RHC1/SM2", gm, issued(signers["SM2"], "RHC1", typical())},
		{"RHC2", es, issued(es256, "RHC2", fullest())},
		{"TTC1", es, issued(es256, "TTC1", travelled())},
		{"TTC1/SM2", gm, issued(signers["SM2"], "TTC1", travelled())},
		{"DCC", es, dccText(b, es256, dccClaims(vaccinated()))},
		{"DCC/PS256", rs, dccText(b, weak, dccClaims(vaccinated()))},
		{"NZCP", es, nzcpText(b, es256, es[0].ID, nzcpClaims())},
	} {
		b.Run(c.name, func(b *testing.B) {
			v := Verifier{Keys: c.ring}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(c.text, noon); err != nil {
					b.Fatal(err)
				}
			}
		})
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

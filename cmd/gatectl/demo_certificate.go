package main

import (
	"bytes"
	"compress/zlib"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"gatehouse"
	"gatehouse/credential"
)

// testCertificate makes an EU DCC of a negative test, as a traveller to the demo brings one:
// base45 of zlib of a COSE_Sign1 with a CWT in it ("Electronic Health Certificate
// Specification", eHealth Network).
func testCertificate(key *ecdsa.PrivateKey, country gatehouse.Issuer, sampled, issued time.Time) (string, error) {
	kid, err := credential.KeyID(key.Public())
	if err != nil {
		return "", err
	}
	protected, err := cbor.Marshal(map[int]any{1: -7, 4: kid})
	if err != nil {
		return "", err
	}
	payload, err := cbor.Marshal(map[int]any{1: string(country), 4: issued.AddDate(0, 1, 0).Unix(), 6: issued.Unix(),
		-260: map[int]any{1: map[string]any{
			"ver": "1.3.0", "dob": "1984-07-12", "nam": map[string]string{"fn": "Muster", "fnt": "MUSTER"},
			"t": []any{map[string]string{"tg": "840539006", "tt": "LP6464-4", "tr": "260415000", "co": string(country),
				"sc": sampled.UTC().Format(time.RFC3339), "is": "Example", "ci": fmt.Sprintf("URN:UVCI:01:%s:%s", country, strings.ToUpper(rand.Text()))}}}}})
	if err != nil {
		return "", err
	}
	tbs, err := cbor.Marshal([]any{"Signature1", protected, []byte{}, payload})
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(tbs)
	r, s, err := ecdsa.Sign(rand.Reader, key, hash[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	message, err := cbor.Marshal(cbor.Tag{Number: 18, Content: []any{protected, map[int]any{}, payload, signature}})
	if err != nil {
		return "", err
	}
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, err = z.Write(message)
	if err = errors.Join(err, z.Close()); err != nil {
		return "", err
	}
	return "HC1:" + base45(packed.Bytes()), nil
}

// base45 is the encoding of RFC 9285: three letters for two bytes, two for a last one.
func base45(b []byte) string {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
	var out strings.Builder
	for ; len(b) > 1; b = b[2:] {
		n := int(b[0])<<8 | int(b[1])
		out.WriteString(string([]byte{letters[n%45], letters[n/45%45], letters[n/45/45]}))
	}
	if len(b) == 1 {
		out.WriteString(string([]byte{letters[int(b[0])%45], letters[int(b[0])/45]}))
	}
	return out.String()
}

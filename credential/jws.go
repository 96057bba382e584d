package credential

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A jws is a JSON Web Signature in its compact form (RFC 7515, section 7.1) taken apart. It is
// read here and not by a JOSE library: those want the key and the algorithm before they show
// the header, take base64 with line breaks in it, and know keys that a header brings along,
// which nobody here may believe. Keys come from the trust list alone.
type jws struct {
	header    jsonValue
	alg       int64  // of the IANA COSE registry; 0: none
	signed    []byte // header and payload as they were sent
	payload   []byte // decoded; nil in a detached signature
	signature []byte
}

// jwsAlgorithms are those of RFC 7518 and their numbers in COSE. Most of them no format
// takes; they have names so that a refusal can tell them.
var jwsAlgorithms = map[string]int64{
	"none": 0, "ES256": algES256, "ES384": -35, "ES512": -36, "EdDSA": algEdDSA, "PS256": algPS256,
	"PS384": -38, "PS512": -39, "RS256": -257, "RS384": -258, "RS512": -259, "HS256": 5, "HS384": 6, "HS512": 7,
}

func parseJWS(text string) (jws, error) {
	head, rest, _ := strings.Cut(text, ".")
	payload, signature, found := strings.Cut(rest, ".")
	if !found || strings.Contains(signature, ".") {
		return jws{}, errors.New("not three parts")
	}
	j := jws{signed: []byte(text[:len(head)+1+len(payload)])}
	written, err := decodeBase64URL(head)
	if err != nil {
		return jws{}, fmt.Errorf("header: %w", err)
	}
	if j.header, err = parseJSON(written); err != nil {
		return jws{}, fmt.Errorf("header: %w", err)
	}
	if j.header.kind() != '{' {
		return jws{}, errors.New("header: not an object")
	}
	name := j.header.get("alg")
	alg, known := jwsAlgorithms[name.str()]
	if !known {
		return jws{}, errors.New("header: no algorithm that is known here")
	}
	j.alg = alg
	if j.payload, err = decodeBase64URL(payload); err != nil {
		return jws{}, fmt.Errorf("payload: %w", err)
	}
	if j.signature, err = decodeBase64URL(signature); err != nil {
		return jws{}, fmt.Errorf("signature: %w", err)
	}
	return j, nil
}

// decodeBase64URL reads base64url without padding (RFC 7515, section 2) in its one spelling.
func decodeBase64URL(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") { // which Go's decoder passes over
		return nil, errors.New("not base64url")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, errors.New("not base64url")
	}
	return b, nil
}

// inflateRaw undoes DEFLATE without any wrapping (RFC 1951), as the zip parameter "DEF" has
// it (RFC 7516, section 4.1.3), and stops at what no code needs.
func inflateRaw(compressed []byte) ([]byte, error) {
	in := bytes.NewReader(compressed)
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(flate.NewReader(in), maxInflated+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("cut off")
	case err != nil:
		return nil, errors.New("not a deflated text")
	case n > maxInflated:
		return nil, fmt.Errorf("more than %d bytes come out", maxInflated)
	case in.Len() > 0:
		return nil, fmt.Errorf("%d bytes follow the end", in.Len())
	}
	return out.Bytes(), nil
}

package credential

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// divoc is the certificate of DIVOC (India's CoWIN, Sri Lanka, Jamaica and others): a zip of one
// JSON-LD credential with a Linked Data Signature, Ed25519Signature2018 or RsaSignature2018,
// over its canonical graph.
var divoc = format{
	name:   "DIVOC",
	begins: func(text string) bool { return strings.HasPrefix(text, divocText) || strings.HasPrefix(text, divocRaw) },
	parse:  parseDIVOC,
	algs:   []int64{algEdDSA, algPS256},
}

const (
	divocText = "B64:"       // base64 of the zip
	divocRaw  = "PK\x03\x04" // the zip itself
	divocFile = "certificate.json"

	// securityContext gives a proof's words their meaning (Linked Data Proofs 1.0).
	securityContext = "https://w3id.org/security/v2"
)

func parseDIVOC(u *Unverified, text string) error {
	packed, err := divocZip(text)
	if err != nil {
		return u.malformed("base64", err)
	}
	file, err := unzipOne(packed, divocFile)
	if err != nil {
		return u.malformed("zip", err)
	}
	u.size = len(file)
	document, err := parseJSON(file)
	if err != nil {
		return u.malformed("json", err)
	}
	proof := document.get("proof")
	if document.kind() != '{' || proof.kind() != '{' {
		return u.malformed("json", errors.New("no document with a proof"))
	}
	u.name = document.get("issuer").str()
	if u.name == "" || !presentable(u.name, maxIssuerName) {
		return u.malformed("json", errors.New("the issuer is not named by its address"))
	}
	if u.issued, err = isoTime(document.get("issuanceDate"), math.Ceil); err != nil || u.issued == 0 {
		return u.malformed("json", errors.New("no time of issue"))
	}
	if u.expires, err = isoTime(document.get("expirationDate"), math.Floor); err != nil {
		return u.malformed("json", err)
	}
	head, err := u.parseProof(proof)
	if err != nil {
		return u.malformed("proof", err)
	}
	// The graph is written by whoever verifies, and what was signed is all that is read.
	var graph atomic.Pointer[quads]
	named := *u
	u.signed = func(v Verifier) ([]byte, error) {
		if v.Graph == nil {
			return nil, errors.New("nobody here can write its graph")
		}
		options, err := v.Graph.Canonical(withContext(proof))
		if err != nil {
			return nil, errors.New("the graph of its proof cannot be written")
		}
		canonical, err := v.Graph.Canonical(without(document, "proof"))
		if err != nil {
			return nil, errors.New("its graph cannot be written")
		}
		read, err := parseQuads(canonical)
		if err != nil {
			return nil, err
		}
		graph.Store(&read)
		first, second := sha256.Sum256(options), sha256.Sum256(canonical)
		return bytes.Join([][]byte{[]byte(head + "."), first[:], second[:]}, nil), nil
	}
	u.open = func() (contents, error) {
		read := graph.Load()
		if read == nil {
			return nil, errors.New("its graph was not written")
		}
		return openDIVOC(named, document, *read)
	}
	return nil
}

// divocZip takes the zip out of a text: base64 after a prefix, or bytes, which a reader of codes
// may have turned into the letters of the same numbers.
func divocZip(text string) ([]byte, error) {
	if written, found := strings.CutPrefix(text, divocText); found {
		if strings.ContainsAny(written, "\r\n") {
			return nil, errors.New("not base64")
		}
		b, err := base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(written, "="))
		if err != nil {
			return nil, errors.New("not base64")
		}
		return b, nil
	}
	if !utf8.ValidString(text) {
		return []byte(text), nil
	}
	b := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return nil, errors.New("a letter that stands for no byte")
		}
		b = append(b, byte(r))
	}
	return b, nil
}

// unzipOne gives the one file of a zip, and stops at what no certificate needs.
func unzipOne(packed []byte, name string) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		return nil, errors.New("not a zip that can be read")
	}
	if len(z.File) != 1 || z.File[0].Name != name {
		return nil, fmt.Errorf("not one file %s", name)
	}
	r, err := z.File[0].Open()
	if err != nil {
		return nil, errors.New("a file that cannot be opened")
	}
	defer r.Close()
	file, err := io.ReadAll(io.LimitReader(r, maxInflated+1))
	switch {
	case len(file) > maxInflated:
		return nil, fmt.Errorf("more than %d bytes come out", maxInflated)
	case err != nil:
		return nil, errors.New("a file that is broken")
	}
	return file, nil
}

// isoTime reads a time of ISO 8601 as a string, rounded so that a code never counts longer than
// it says; 0 is absent.
func isoTime(v jsonValue, round func(float64) float64) (instant, error) {
	if v.kind() == 0 {
		return 0, nil
	}
	at, err := time.Parse(time.RFC3339, v.str())
	if err != nil || at.Unix() < 1 || at.Unix() >= lastInstant {
		return 0, errors.New("a time that cannot be read")
	}
	return instant(float64(at.Unix()) + round(float64(at.Nanosecond())/1e9)), nil
}

// parseProof reads a Linked Data Signature with a detached JWS (RFC 7797: b64 is false, and
// critical) and gives the JWS's header as it was sent.
func (u *Unverified) parseProof(proof jsonValue) (head string, err error) {
	suites := map[string]int64{"Ed25519Signature2018": algEdDSA, "RsaSignature2018": algPS256}
	suite, known := suites[proof.get("type").str()]
	method := proof.get("verificationMethod").str()
	switch {
	case proof.get("@context").kind() != 0:
		return "", errors.New("a context of its own")
	case !known:
		return "", errors.New("a kind of signature that is not known here")
	case proof.get("proofPurpose").str() != "assertionMethod":
		return "", errors.New("a purpose other than to assert")
	case method == "" || len(method) > maxIssuerName:
		return "", errors.New("no verification method")
	}
	head, signature, found := strings.Cut(proof.get("jws").str(), "..")
	if !found || head == "" || strings.Contains(signature, ".") {
		return "", errors.New("no detached signature")
	}
	written, err := decodeBase64URL(head)
	if err != nil {
		return "", fmt.Errorf("header: %w", err)
	}
	header, err := parseJSON(written)
	if err != nil {
		return "", fmt.Errorf("header: %w", err)
	}
	alg, known := jwsAlgorithms[header.get("alg").str()]
	crit := 0
	for name := range header.get("crit").elements() {
		if crit++; name.str() != "b64" {
			return "", errors.New("header: a parameter is critical that we do not know")
		}
	}
	switch {
	case !known:
		return "", errors.New("header: no algorithm that is known here")
	case header.get("b64").kind() != 'f' || crit != 1:
		return "", errors.New("header: b64 is not false and critical")
	case alg != suite && (alg == algEdDSA || alg == algPS256):
		return "", errors.New("header: the algorithm of another kind of signature")
	}
	u.alg = alg
	if u.signature, err = decodeBase64URL(signature); err != nil {
		return "", fmt.Errorf("signature: %w", err)
	}
	u.kid = methodID(method)
	return head, nil
}

// methodID is the id of a key that a proof names by a DID or URL: its bytes, or where they are
// more than a key id has, their SHA-256.
func methodID(method string) []byte {
	if len(method) <= maxKeyID {
		return []byte(method)
	}
	sum := sha256.Sum256([]byte(method))
	return sum[:]
}

// without writes an object again without one of its members.
func without(object jsonValue, left string) []byte {
	out := []byte{'{'}
	for name, member := range object.members() {
		if name == left {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(append(out, '"'), name...), '"', ':'), member.raw()...)
	}
	return append(out, '}')
}

// withContext writes a proof without its signature, in the words of the security vocabulary:
// the options that are signed with the document.
func withContext(proof jsonValue) []byte {
	out := without(proof, "jws")
	if len(out) > 2 {
		return append([]byte(`{"@context":"`+securityContext+`",`), out[1:]...)
	}
	return out
}

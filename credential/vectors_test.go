package credential

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

var update = flag.Bool("update", false, "write the project's own vectors and fuzz corpus again")

// A vector is one file of testdata/vectors, for implementations in any language: a text, the
// key under which it is looked up (as a trust list has it), a clock, and what must come out.
type vector struct {
	About  string    `json:"about"`
	Text   string    `json:"text"`
	Key    TrustKey  `json:"key"`
	At     time.Time `json:"at"`
	Expect expect    `json:"expect"`
}

type expect struct {
	Reason gatehouse.Reason `json:"reason,omitempty"` // empty: the code verifies
	Stage  string           `json:"stage,omitempty"`  // of a Q12: "base45", "inflate", "cose", "cwt", "claims"
	Pass   *told            `json:"pass,omitempty"`
}

// told is a Pass in words.
type told struct {
	Format  string           `json:"format"`
	Issuer  gatehouse.Issuer `json:"issuer"`
	Code    string           `json:"code"`
	Name    string           `json:"name"`
	Birth   string           `json:"birth"`
	Tag     string           `json:"tag,omitempty"`
	Grade   string           `json:"grade,omitempty"`
	Class   gatehouse.Class  `json:"class,omitempty"`
	Since   time.Time        `json:"since,omitzero"`
	Issued  time.Time        `json:"issued"`
	Expires time.Time        `json:"expires"`
	Facts   []map[string]any `json:"facts"`
}

func inWords(t testing.TB, p gatehouse.Pass) *told {
	t.Helper()
	raw, err := json.Marshal(p.Facts)
	if err != nil {
		t.Fatal(err)
	}
	w := &told{
		Format: p.Format, Issuer: p.Issuer, Code: p.Code, Name: p.Holder.Name, Birth: p.Holder.Birth,
		Tag: p.Holder.Tag, Grade: p.Grade.String(), Class: p.Class, Since: p.Since, Issued: p.Issued, Expires: p.Expires,
	}
	if err := json.Unmarshal(raw, &w.Facts); err != nil {
		t.Fatal(err)
	}
	return w
}

func answer(t testing.TB, v vector) expect {
	t.Helper()
	key, err := v.Key.key()
	if err != nil {
		t.Fatal(err)
	}
	pass, err := Verifier{Keys: Ring{key}}.Verify(v.Text, v.At)
	var refusal *gatehouse.Refusal
	if errors.As(err, &refusal) {
		return expect{Reason: refusal.Reason, Stage: stageOf(err)}
	}
	if err != nil {
		t.Fatal(err)
	}
	return expect{Pass: inWords(t, pass)}
}

func TestOwnVectorsHold(t *testing.T) {
	if *update {
		writeVectors(t)
		writeCorpus(t)
	}
	files, err := filepath.Glob(filepath.Join("testdata", "vectors", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	verified := map[string]bool{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if got := answer(t, v); !reflect.DeepEqual(got, v.Expect) {
			t.Errorf("%s:\ngot  %+v %+v\nwant %+v %+v", file, got, got.Pass, v.Expect, v.Expect.Pass)
		}
		if u, err := Parse(v.Text); err == nil && v.Expect.Pass != nil {
			verified[u.Format()+" "+u.Algorithm()] = true
		}
	}
	// Whoever writes an issuer finds a good code for each way to sign each format of ours.
	for _, format := range []string{"RHC1", "RHC2", "TTC1"} {
		for _, alg := range []string{"ES256", "EdDSA", "SM2"} {
			if !verified[format+" "+alg] {
				t.Errorf("no vector of a good %s signed with %s", format, alg)
			}
		}
	}
}

// writeCorpus writes what the fuzzers begin with.
func writeCorpus(t *testing.T) {
	ec, ed, cwt := testKey(t, "vector"), testEdKey("vector"), leastCWT()
	texts, _ := sample(t)
	spki, err := marshalSPKI(testSM2Key(t, "vector").Public())
	if err != nil {
		t.Fatal(err)
	}
	for n, seed := range map[string]string{
		"FuzzBase32/rfc": goString("MZXW6YTBOI"), "FuzzBase32/left-over": goString("MZ"), "FuzzBase32/padded": goString("MY======"),
		"FuzzFormats/rhc2":                goBytes(rawDeflated(t, mustCBOR(t, cwt), 9)) + "byte('\\x00')\n",
		"FuzzFormats/rhc2-plain":          goBytes(mustCBOR(t, cwt)) + "byte('\\x00')\n",
		"FuzzFormats/rhc2-bomb":           goBytes(rawDeflated(t, make([]byte, 1<<20), 9)) + "byte('\\x00')\n",
		"FuzzFormats/ttc1":                goBytes(mustCBOR(t, travelCWT())) + "byte('\\x01')\n",
		"FuzzFormats/ttc1-deep":           goBytes([]byte(strings.Repeat("\x81", 200))) + "byte('\\x01')\n",
		"FuzzFormats/nzcp":                goBytes(mustCBOR(t, nzcpClaims())) + "byte('\\x02')\n",
		"FuzzCertificateJSON/certificate": goBytes(mustCBOR(t, vaccinated())),
		"FuzzCertificateJSON/endless":     goBytes([]byte("\xbf\x61v\x9f\x7f\x61a\x61b\xff\xff\xff")),
		"FuzzCertificateJSON/deep":        goBytes([]byte(strings.Repeat("\xc1", 40))),
		"FuzzParse/rhc2":                  goString(texts["RHC2"]), "FuzzParse/ttc1": goString(texts["TTC1"]), "FuzzParse/nzcp": goString(texts["NZCP"]),
		"FuzzReadSigner/did": goBytes(did(t, func(_, _ map[string]any) {})),
		"FuzzReadSigner/set": goBytes([]byte(fmt.Sprintf(`{"keys":[%s]}`, jwkOf(t, ec.Public(), "key-1")))),
		"FuzzReadSigner/sm2": goBytes(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})),
		"FuzzBase45/full":    goString(texts["RHC1"][5:]), "FuzzBase45/odd": goString("BB8B"), "FuzzBase45/foreign": goString("a=\n"),
		"FuzzParse/rhc1": goString(texts["RHC1"]), "FuzzParse/dcc": goString(texts["DCC"]), "FuzzParse/cut": goString(texts["DCC"][:200]),
		"FuzzParse/zeros":     goString("HC1:" + strings.Repeat("0", 60)),
		"FuzzVerify/dcc":      goBytes(mustCBOR(t, dccClaims(vaccinated()))) + "bool(false)\n",
		"FuzzVerify/rhc1":     goBytes(mustCBOR(t, cwt)) + "bool(true)\n",
		"FuzzVerify/deep":     goBytes([]byte(strings.Repeat("\x81", 200))) + "bool(true)\n",
		"FuzzReadSigner/jwk":  goBytes(jwkOf(t, ec.Public(), "AAAAAAAAAAA")),
		"FuzzReadSigner/okp":  goBytes(jwkOf(t, ed.Public(), "")),
		"FuzzReadSigner/pem":  goBytes([]byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")),
		"FuzzReadSigner/der":  goBytes([]byte{0x30, 0x82, 0xff, 0xff, 0x30}),
		"FuzzTrust/list":      goBytes(trustBody(t, zhejiang(t))),
		"FuzzTrust/kinds":     goBytes([]byte(`{"kind":"trust","kind":"policy"}`)),
		"FuzzTrust/no-keys":   goBytes([]byte(`{"kind":"trust","region":"CN-33","version":1,"issued":"2020-07-10T00:00:00Z"}`)),
		"FuzzTrust/deep-list": goBytes([]byte(`{"kind":"trust","keys":` + strings.Repeat("[", 300))),
	} {
		write(t, filepath.Join("testdata", "fuzz", n), []byte("go test fuzz v1\n"+seed))
	}
}

func goString(s string) string { return fmt.Sprintf("string(%q)\n", s) }

func goBytes(b []byte) string { return fmt.Sprintf("[]byte(%q)\n", b) }

func trustBody(t testing.TB, list TrustList) []byte {
	t.Helper()
	list.Kind = trustKind
	body, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func write(t *testing.T, file string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

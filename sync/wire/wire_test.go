package wire

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"gatehouse"
)

var testKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

func keysOf(gate string, key crypto.PublicKey) func(string) (crypto.PublicKey, bool) {
	return func(name string) (crypto.PublicKey, bool) { return key, name == gate }
}

func batchOf(rows ...string) Batch {
	b := Batch{Gate: "hall-east", Epoch: [16]byte{1, 2, 3}, First: 41, Before: [32]byte{9}}
	for _, row := range rows {
		b.Rows = append(b.Rows, []byte(row))
	}
	return b
}

func same(a, b Batch) bool {
	if a.Gate != b.Gate || a.Epoch != b.Epoch || a.First != b.First || a.Before != b.Before || len(a.Rows) != len(b.Rows) {
		return false
	}
	for i := range a.Rows {
		if !bytes.Equal(a.Rows[i], b.Rows[i]) {
			return false
		}
	}
	return true
}

func TestOpenGivesBackWhatWasSealed(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	large := batchOf()
	for range MaxRows {
		large.Rows = append(large.Rows, make([]byte, 1000))
	}
	for _, key := range []crypto.Signer{testKey, p256} {
		for _, want := range []Batch{batchOf("a"), batchOf("a", strings.Repeat("b", MaxRow), "c"), large} {
			sealed, err := Seal(want, key)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Open(sealed, keysOf("hall-east", key.Public()))
			if err != nil || !same(got, want) {
				t.Errorf("%T: got %d rows from %d (%v), want %d rows from %d", key, len(got.Rows), got.First, err, len(want.Rows), want.First)
			}
		}
	}
}

func TestSealRefusesWhatOpenWould(t *testing.T) {
	many := batchOf()
	for range MaxRows + 1 {
		many.Rows = append(many.Rows, []byte("r"))
	}
	heavy := batchOf()
	for range 300 {
		heavy.Rows = append(heavy.Rows, make([]byte, MaxRow))
	}
	noGate, first0 := batchOf("a"), batchOf("a")
	noGate.Gate, first0.First = "hall/east", 0
	for name, b := range map[string]Batch{
		"no rows": batchOf(), "empty row": batchOf(""), "long row": batchOf(strings.Repeat("x", MaxRow+1)),
		"1,001 rows": many, "beyond 1 MiB": heavy, "gate name": noGate, "row 0": first0,
	} {
		if _, err := Seal(b, testKey); err == nil {
			t.Errorf("%s: sealed", name)
		}
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.Signer{p384, rsaKey} {
		if _, err := Seal(batchOf("a"), key); err == nil {
			t.Errorf("%T: sealed", key)
		}
	}
}

func TestFitFillsABatchThatStillSeals(t *testing.T) {
	var rows [][]byte
	for range 400 {
		rows = append(rows, make([]byte, MaxRow))
	}
	b := batchOf()
	b.Gate = strings.Repeat("g", 64)
	b.First = 1<<62 - 1
	b.Rows = rows[:Fit(rows)]
	if n := len(b.Rows); n < 250 || n == 400 {
		t.Errorf("%d rows of 4 KiB fit", n)
	}
	sealed, err := Seal(b, testKey)
	if err != nil || len(sealed) > MaxBatch {
		t.Errorf("%d bytes, %v", len(sealed), err)
	}
	if _, err := Open(sealed, keysOf(b.Gate, testKey.Public())); err != nil {
		t.Error(err)
	}
}

func TestOpenTrustsOnlyTheGatesOwnKey(t *testing.T) {
	stranger := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := Seal(batchOf("a", "b"), testKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, lookup := range map[string]func(string) (crypto.PublicKey, bool){
		"unknown gate":  keysOf("hall-west", testKey.Public()),
		"another key":   keysOf("hall-east", stranger.Public()),
		"another curve": keysOf("hall-east", p256.Public()),
	} {
		if b, err := Open(sealed, lookup); !errors.Is(err, ErrSignature) || len(b.Rows) != 0 {
			t.Errorf("%s: %d rows, %v; want ErrSignature", name, len(b.Rows), err)
		}
	}
	if _, err := Open(sealed, keysOf("hall-east", ed25519.PublicKey{1, 2})); err == nil {
		t.Error("a key of two bytes opened a batch")
	}
}

func TestOpenRefusesEveryFlippedBit(t *testing.T) {
	sealed, err := Seal(batchOf("row one", "row two"), testKey)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			if _, err := Open(bad, keysOf("hall-east", testKey.Public())); err == nil {
				t.Errorf("bit %d of byte %d flipped: opened", bit, i)
			}
		}
		if _, err := Open(sealed[:i], keysOf("hall-east", testKey.Public())); err == nil {
			t.Errorf("cut off after %d bytes: opened", i)
		}
	}
}

// A signature by the gate's key over something else must not pass as a batch.
func TestSignatureOfAnotherDomainIsNone(t *testing.T) {
	b := batchOf("a")
	content, err := encMode.Marshal(payload{Gate: b.Gate, Epoch: b.Epoch[:], First: uint64(b.First), Before: b.Before[:], Rows: b.Rows})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := cose.NewSigner(cose.AlgorithmEdDSA, testKey)
	if err != nil {
		t.Fatal(err)
	}
	for domain, want := range map[string]error{"": ErrSignature, "gatehouse trust 1": ErrSignature, "gatehouse batch 1": nil} {
		m := cose.NewSign1Message()
		m.Headers.Protected.SetAlgorithm(cose.AlgorithmEdDSA)
		m.Payload = content
		if err := m.Sign(rand.Reader, []byte(domain), signer); err != nil {
			t.Fatal(err)
		}
		sealed, err := m.MarshalCBOR()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(sealed, keysOf("hall-east", testKey.Public())); !errors.Is(err, want) {
			t.Errorf("domain %q: %v, want %v", domain, err, want)
		}
	}
}

func TestAlgorithmAndNothingElseStandsInTheHeaders(t *testing.T) {
	b := batchOf("a")
	content, err := encMode.Marshal(payload{Gate: b.Gate, Epoch: b.Epoch[:], First: uint64(b.First), Before: b.Before[:], Rows: b.Rows})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		protected, unprotected string
		ok                     bool
	}{
		"as it should be":    {"a10127", "a0", true},
		"none":               {"", "a0", false},
		"empty map":          {"a0", "a0", false},
		"key id instead":     {"a1044161", "a0", false},
		"key id beside":      {"a20127044161", "a0", false},
		"another's":          {"a10126", "a0", false},
		"unprotected key id": {"a10127", "a1044161", false},
		"unprotected":        {"", "a10127", false},
	} {
		protected, err := hex.DecodeString(test.protected)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := encMode.Marshal([]any{"Signature1", protected, []byte(domain), content})
		if err != nil {
			t.Fatal(err)
		}
		unprotected, err := hex.DecodeString(test.unprotected)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := encMode.Marshal(cbor.Tag{Number: 18, Content: []any{protected, cbor.RawMessage(unprotected), content, ed25519.Sign(testKey, signed)}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(sealed, keysOf("hall-east", testKey.Public())); (err == nil) != test.ok {
			t.Errorf("%s: %v, want it opened: %v", name, err, test.ok)
		}
	}
}

func TestBatchHasOneEncoding(t *testing.T) {
	signer, err := cose.NewSigner(cose.AlgorithmEdDSA, testKey)
	if err != nil {
		t.Fatal(err)
	}
	epoch, before, numbers := make([]byte, 16), make([]byte, 32), make([]int, 16)
	for name, test := range map[string]struct {
		content any
		ok      bool
	}{
		"as it should be":    {[]any{"hall-east", epoch, 1, before, []any{[]byte{24, 25}}}, true},
		"row of numbers":     {[]any{"hall-east", epoch, 1, before, []any{[]int{24, 25}}}, false},
		"epoch of numbers":   {[]any{"hall-east", numbers, 1, before, []any{[]byte{24, 25}}}, false},
		"number, spelt long": {[]any{"hall-east", epoch, cbor.RawMessage{0x18, 1}, before, []any{[]byte{24, 25}}}, false},
		"one element more":   {[]any{"hall-east", epoch, 1, before, []any{[]byte{24, 25}}, 0}, false},
	} {
		content, err := encMode.Marshal(test.content)
		if err != nil {
			t.Fatal(err)
		}
		m := cose.NewSign1Message()
		m.Headers.Protected.SetAlgorithm(cose.AlgorithmEdDSA)
		m.Payload = content
		if err := m.Sign(rand.Reader, []byte(domain), signer); err != nil {
			t.Fatal(err)
		}
		sealed, err := m.MarshalCBOR()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(sealed, keysOf("hall-east", testKey.Public())); (err == nil) != test.ok {
			t.Errorf("%s: %v, want it opened: %v", name, err, test.ok)
		}
	}
}

func TestAckReadsBackAndRefusesNonsense(t *testing.T) {
	want := Ack{Through: 12, Hash: [32]byte{1, 2}, Error: Gap}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ReadAck(bytes.NewReader(text)); err != nil || got != want {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
	for _, text := range []string{
		``, `{}`, `[]`, `{"through":1}`, `{"through":-1,"hash":"` + strings.Repeat("00", 32) + `"}`,
		`{"through":1,"hash":"00"}`, `{"hash":"` + strings.Repeat("00", 32) + `"}`,
		`{"through":9223372036854775808,"hash":"` + strings.Repeat("00", 32) + `"}`,
		`{"through":1,"hash":"` + strings.Repeat("00", 32) + `"}` + strings.Repeat(" ", 4096),
	} {
		if a, err := ReadAck(strings.NewReader(text)); err == nil {
			t.Errorf("%.60s: %+v", text, a)
		}
	}
}

func TestPathPartsReadBack(t *testing.T) {
	b := batchOf("a", "b")
	if got, want := Path(b), "/v1/gates/hall-east/log/01020300000000000000000000000000/41-42"; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
	if epoch, err := ParseEpoch("01020300000000000000000000000000"); err != nil || epoch != b.Epoch {
		t.Errorf("epoch %x, %v", epoch, err)
	}
	for _, s := range []string{"", "0102", "0102030000000000000000000000000G", "AB020300000000000000000000000000"} {
		if epoch, err := ParseEpoch(s); err == nil {
			t.Errorf("epoch %q: %x", s, epoch)
		}
	}
}

func TestGoldenBatch(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Gate, Epoch, Genesis string
		Rows                 []struct{ CBOR, Hash string }
		Batch                struct {
			First                 gatehouse.Seq
			Before, Path, Payload string
			SigStructure          string `json:"sig_structure"`
		}
		Ed25519, P256 struct {
			Seed, Sealed string
			Public       string `json:"public_key_spki"`
		}
		Answers map[string]string
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	unhex := func(s string) []byte {
		t.Helper()
		b, err := hex.DecodeString(s)
		if err != nil || len(b) == 0 {
			t.Fatalf("%.20q: %v", s, err)
		}
		return b
	}
	want := Batch{Gate: golden.Gate, Epoch: [16]byte(unhex(golden.Epoch)), First: golden.Batch.First, Before: [32]byte(unhex(golden.Batch.Before))}
	for _, row := range golden.Rows[want.First-1:] {
		want.Rows = append(want.Rows, unhex(row.CBOR))
	}
	if golden.Batch.Before != golden.Rows[want.First-2].Hash {
		t.Error("the batch does not begin after the hash of the row before")
	}
	if got := Path(want); got != golden.Batch.Path {
		t.Errorf("path %s, want %s", got, golden.Batch.Path)
	}

	key := ed25519.NewKeyFromSeed(unhex(golden.Ed25519.Seed))
	sealed, err := Seal(want, key) // Ed25519 signs the same bytes the same way every time
	if got := hex.EncodeToString(sealed); err != nil || got != golden.Ed25519.Sealed {
		t.Errorf("sealed %s (%v), want %s", got, err, golden.Ed25519.Sealed)
	}
	for _, signed := range []struct{ public, sealed string }{
		{golden.Ed25519.Public, golden.Ed25519.Sealed}, {golden.P256.Public, golden.P256.Sealed},
	} {
		public, err := x509.ParsePKIXPublicKey(unhex(signed.public))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Open(unhex(signed.sealed), keysOf(want.Gate, public)); err != nil || !same(got, want) {
			t.Errorf("%T: %+v, %v", public, got, err)
		}
	}

	// The signature by hand, without the COSE library: RFC 9052 section 4.4.
	var message struct {
		_           struct{} `cbor:",toarray"`
		Protected   []byte
		Unprotected map[int]int
		Payload     []byte
		Signature   []byte
	}
	if err := cbor.Unmarshal(sealed[1:], &message); err != nil || sealed[0] != 0xd2 {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(message.Payload); got != golden.Batch.Payload {
		t.Errorf("payload %s, want %s", got, golden.Batch.Payload)
	}
	if !ed25519.Verify(key.Public().(ed25519.PublicKey), unhex(golden.Batch.SigStructure), message.Signature) {
		t.Error("the signature is not over the Sig_structure of the golden file")
	}

	for name, word := range map[string]string{"taken_200": "", "gap_409": Gap, "fork_409": Fork} {
		ack, err := ReadAck(strings.NewReader(golden.Answers[name]))
		if err != nil || ack.Error != word {
			t.Errorf("%s: %+v, %v", name, ack, err)
		}
		if again, err := json.Marshal(ack); err != nil || string(again) != golden.Answers[name] {
			t.Errorf("%s is written %s, want %s", name, again, golden.Answers[name])
		}
	}
}

func FuzzOpen(f *testing.F) {
	known := []Batch{batchOf("a"), batchOf("a", "bb", "ccc")}
	for _, b := range known {
		sealed, err := Seal(b, testKey)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sealed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Open(data, keysOf("hall-east", testKey.Public()))
		if err != nil {
			return
		}
		// Only what the key's owner sealed opens, and the key's owner is this test.
		if !slices.ContainsFunc(known, func(k Batch) bool { return same(k, b) }) {
			t.Fatalf("%x opened as %+v", data, b)
		}
	})
}

// FuzzPayload goes past the signature: the key's owner may be hostile too.
func FuzzPayload(f *testing.F) {
	b := batchOf("a", "bb")
	good, err := encMode.Marshal(payload{Gate: b.Gate, Epoch: b.Epoch[:], First: uint64(b.First), Before: b.Before[:], Rows: b.Rows})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	signer, err := cose.NewSigner(cose.AlgorithmEdDSA, testKey)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		m := cose.NewSign1Message()
		m.Headers.Protected.SetAlgorithm(cose.AlgorithmEdDSA)
		m.Payload = content
		if err := m.Sign(rand.Reader, []byte(domain), signer); err != nil {
			return // an empty payload cannot be signed
		}
		sealed, err := m.MarshalCBOR()
		if err != nil {
			t.Fatal(err)
		}
		b, err := Open(sealed, keysOf("hall-east", testKey.Public()))
		if err != nil {
			return
		}
		if b.Gate != "hall-east" || b.First == 0 || len(b.Rows) == 0 || len(b.Rows) > MaxRows || b.Last() < b.First {
			t.Fatalf("%x opened as %+v", content, b)
		}
	})
}

func FuzzReadAck(f *testing.F) {
	f.Add([]byte(`{"through":12,"hash":"` + strings.Repeat("0a", 32) + `","error":"gap"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		ack, err := ReadAck(bytes.NewReader(text))
		if err != nil {
			return
		}
		again, err := json.Marshal(ack)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ReadAck(bytes.NewReader(again)); len(again) <= maxAck && (err != nil || back != ack) {
			t.Fatalf("%s reads %+v, again %+v (%v)", text, ack, back, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("00112233445566778899aabbccddeeff")
	f.Fuzz(func(t *testing.T, s string) {
		if epoch, err := ParseEpoch(s); err == nil && hex.EncodeToString(epoch[:]) != s {
			t.Fatalf("epoch %q reads %x", s, epoch)
		}
	})
}

package envelope

import (
	"crypto/hpke"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"gatehouse"
)

// A vector is the language-neutral example that another implementation can be held against:
// every step from the key to the row. Bytes are in lower-case hex.
type vector struct {
	About          string      `json:"about"`
	PrivateKeyFile string      `json:"private_key_file"`
	PublicKeyFile  string      `json:"public_key_file"`
	PrivateKey     string      `json:"private_key"`
	PublicKey      string      `json:"public_key"`
	KeyID          string      `json:"key_id"`
	Header         string      `json:"header"`
	HeaderID       string      `json:"header_id"`
	RowKey         string      `json:"row_key"`
	Gate           string      `json:"gate"`
	Epoch          string      `json:"epoch"`
	Rows           []vectorRow `json:"rows"`
}

type vectorRow struct {
	Seq       uint64   `json:"seq"`
	Holder    string   `json:"holder"`
	Divisions []string `json:"divisions"`
	Skin      *int32   `json:"skin_millidegrees"`
	Ambient   *int32   `json:"ambient_millidegrees"`
	Plaintext string   `json:"plaintext"`
	Sealed    string   `json:"sealed"`
}

func (r vectorRow) fields(t *testing.T) Fields {
	f := Fields{Divisions: r.Divisions}
	if r.Holder != "" {
		f.Holder = unhex(t, r.Holder)
	}
	if r.Skin != nil {
		f.Measured, f.Skin, f.Ambient = true, gatehouse.Temperature(*r.Skin), gatehouse.Temperature(*r.Ambient)
	}
	return f
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readVector(t testing.TB) (v vector) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "envelope-1.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestFormStaysAsItIs: what one version closed, every later one opens.
func TestFormStaysAsItIs(t *testing.T) {
	v := readVector(t)
	key, err := ParsePrivateKey([]byte(v.PrivateKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	public, err := ParsePublicKey([]byte(v.PublicKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	seed, err := key.key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	header := unhex(t, v.Header)
	_, kdf, aead := suite()
	recipient, err := hpke.NewRecipient(header[9:], key.key, kdf, aead, []byte("gatehouse envelope 1"))
	if err != nil {
		t.Fatal(err)
	}
	rowKey, err := recipient.Export("rows", 32)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ what, got, want string }{
		{"private key", hex.EncodeToString(seed), v.PrivateKey},
		{"public key", hex.EncodeToString(public.key.Bytes()), v.PublicKey},
		{"key id", public.ID().String(), v.KeyID},
		{"key id of the private key", key.Public().ID().String(), v.KeyID},
		{"header id", IDOf(header).String(), v.HeaderID},
		{"row key", hex.EncodeToString(rowKey), v.RowKey},
	} {
		if step.got != step.want {
			t.Errorf("%s: %.64s, want %.64s", step.what, step.got, step.want)
		}
	}
	o, err := NewOpener(key, header, v.Gate, Epoch(unhex(t, v.Epoch)))
	if err != nil {
		t.Fatal(err)
	}
	s := Sealer{row: o.row} // the sealer of that boot, with what it kept in memory
	if len(v.Rows) == 0 {
		t.Fatal("no rows")
	}
	for _, r := range v.Rows {
		want := r.fields(t)
		got, err := o.Open(gatehouse.Seq(r.Seq), unhex(t, r.Sealed))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("row %d: opened as %+v, %v, want %+v", r.Seq, got, err, want)
		}
		text, err := want.encode()
		if err != nil || hex.EncodeToString(text) != r.Plaintext {
			t.Errorf("row %d: written as %x, %v, want %s", r.Seq, text, err, r.Plaintext)
		}
		sealed, err := s.Seal(gatehouse.Seq(r.Seq), want)
		if err != nil || hex.EncodeToString(sealed) != r.Sealed {
			t.Errorf("row %d: sealed as %x, %v, want %s", r.Seq, sealed, err, r.Sealed)
		}
	}
}

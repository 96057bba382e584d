package envelope

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
)

func TestKeySurvivesItsFile(t *testing.T) {
	key := newKey(t)
	file, err := key.File()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParsePrivateKey(file)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ParsePublicKey(key.Public().File())
	if err != nil {
		t.Fatal(err)
	}
	if again.Public().ID() != key.Public().ID() || public.ID() != key.Public().ID() {
		t.Errorf("ids %s and %s, want %s", again.Public().ID(), public.ID(), key.Public().ID())
	}
	s, err := NewSealer(public, gate, epoch)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := s.Seal(1, example())
	if err != nil {
		t.Fatal(err)
	}
	o, err := NewOpener(again, s.Header(), gate, epoch)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Open(1, sealed); err != nil {
		t.Error(err)
	}
}

func TestKeyFileRefuses(t *testing.T) {
	key := newKey(t)
	private, err := key.File()
	if err != nil {
		t.Fatal(err)
	}
	public := key.Public().File()
	other := newKey(t).Public()
	for what, file := range map[string][]byte{
		"nothing":            nil,
		"a private key":      private,
		"two keys":           append(bytes.Clone(public), public...),
		"text before":        append([]byte("secret\n"), public...),
		"text behind":        append(bytes.Clone(public), "more"...),
		"another's id":       bytes.Replace(public, []byte(key.Public().ID().String()), []byte(other.ID().String()), 1),
		"no id":              pem.EncodeToMemory(&pem.Block{Type: publicFrame, Bytes: key.Public().key.Bytes()}),
		"another field":      pem.EncodeToMemory(&pem.Block{Type: publicFrame, Headers: map[string]string{idField: key.Public().ID().String(), "Proc-Type": "4"}, Bytes: key.Public().key.Bytes()}),
		"no key":             frame(publicFrame, other.ID(), nil),
		"key cut off":        frame(publicFrame, other.ID(), other.key.Bytes()[:1215]),
		"numbers past mod q": frame(publicFrame, other.ID(), bytes.Repeat([]byte{0xff}, 1216)),
		"past all bounds":    append(bytes.Clone(public), bytes.Repeat([]byte{'\n'}, maxKeyFile)...),
	} {
		if _, err := ParsePublicKey(file); err == nil {
			t.Errorf("%s: read as a public key", what)
		}
	}
	for what, file := range map[string][]byte{
		"a public key": public,
		"key cut off":  frame(privateFrame, other.ID(), make([]byte, 31)),
		"another's id": bytes.Replace(private, []byte(key.Public().ID().String()), []byte(other.ID().String()), 1),
	} {
		if _, err := ParsePrivateKey(file); err == nil {
			t.Errorf("%s: read as a private key", what)
		}
	}
}

// TestPrivateKeyIsNotTold: what is printed of it is its name.
func TestPrivateKeyIsNotTold(t *testing.T) {
	key := newKey(t)
	want := "private key " + key.Public().ID().String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, key); got != want {
			t.Errorf("%s prints %.80q, want %q", verb, got, want)
		}
	}
	if _, err := (PrivateKey{}).File(); err == nil || (PublicKey{}).File() != nil {
		t.Errorf("no key has a file: %v", err)
	}
	file, err := key.File()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(key.Public().File()), strings.Split(string(file), "\n")[3]) {
		t.Error("the public key's file tells the private key")
	}
}

package envelope

import (
	"bytes"
	"testing"

	"gatehouse"
)

func FuzzFields(f *testing.F) {
	for _, fields := range []Fields{{}, example(), {Measured: true}} {
		b, err := fields.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0xa1, 0x02, 0x9a, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		fields, err := decode(b)
		if err != nil {
			return
		}
		again, err := fields.encode()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x was read and is written %x, %v", b, again, err)
		}
	})
}

func FuzzKeyFile(f *testing.F) {
	key, err := ParsePrivateKey([]byte(readVector(f).PrivateKeyFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(readVector(f).PrivateKeyFile))
	f.Add(key.Public().File())
	f.Add([]byte("-----BEGIN " + publicFrame + "-----\n\n-----END " + publicFrame + "-----\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if k, err := ParsePublicKey(file); err == nil {
			if again, err := ParsePublicKey(k.File()); err != nil || again.ID() != k.ID() {
				t.Errorf("a public key does not survive its file: %v", err)
			}
		}
		if k, err := ParsePrivateKey(file); err == nil {
			b, err := k.File()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := ParsePrivateKey(b); err != nil || again.Public().ID() != k.Public().ID() {
				t.Errorf("a private key does not survive its file: %v", err)
			}
		}
	})
}

func FuzzHeader(f *testing.F) {
	v := readVector(f)
	key, err := ParsePrivateKey([]byte(v.PrivateKeyFile))
	if err != nil {
		f.Fatal(err)
	}
	header, sealed, book := unhex(f, v.Header), unhex(f, v.Rows[0].Sealed), Epoch(unhex(f, v.Epoch))
	f.Add(header, sealed)
	f.Add(header[:9], sealed[:16])
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, h, row []byte) {
		o, err := NewOpener(key, h, v.Gate, book)
		if err != nil {
			return
		}
		if _, err := o.Open(gatehouse.Seq(v.Rows[0].Seq), row); err == nil && !(bytes.Equal(h, header) && bytes.Equal(row, sealed)) {
			t.Error("a row opened that nobody closed")
		}
	})
}

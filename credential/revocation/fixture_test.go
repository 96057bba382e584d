package revocation

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"gatehouse"
	"gatehouse/credential"
)

const hangzhou = gatehouse.Issuer("CN-330100")

// code is the id of the nth code, twelve bytes as a health code has them.
func code(n int) credential.Revocable {
	id := make([]byte, 12)
	binary.BigEndian.PutUint64(id, uint64(n))
	return credential.Revocable{Issuer: hangzhou, ID: id}
}

// taken are the prefixes of codes from one number to below another.
func taken(from, to int) (prefixes []uint64) {
	for n := from; n < to; n++ {
		prefixes = append(prefixes, Prefix(code(n).ID))
	}
	return prefixes
}

// random gives prefixes as SHA-256 would scatter them, without its cost.
func random(seed uint64, n int) []uint64 {
	r := rand.New(rand.NewPCG(seed, 7))
	prefixes := make([]uint64, n)
	for i := range prefixes {
		prefixes[i] = r.Uint64()
	}
	return prefixes
}

func build(t testing.TB, base Base) []byte {
	t.Helper()
	file, err := Build(base)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func open(t testing.TB, file []byte) *List {
	t.Helper()
	l, err := Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func extend(t testing.TB, file []byte, d Delta) []byte {
	t.Helper()
	longer, err := Append(file, d)
	if err != nil {
		t.Fatal(err)
	}
	return longer
}

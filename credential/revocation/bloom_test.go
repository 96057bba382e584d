package revocation

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"testing"

	"gatehouse/credential"
)

// bloomBytes writes the published form; the two bytes behind the version stand in the order
// of the format's description: hash function, rounds.
func bloomBytes(version uint16, function, rounds byte, words []uint32) []byte {
	b := binary.BigEndian.AppendUint16(nil, version)
	b = append(b, function, rounds)
	b = append(b, make([]byte, 12)...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(words)))
	for _, w := range words {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

// add puts an element in, as an issuer does.
func (f *Bloom) add(element []byte) {
	for round := range f.rounds {
		at := f.bit(element, round)
		f.words[at/32] |= 1 << 31 >> (at % 32)
	}
}

const uci = "URN:UVCI:01:DE:GATEHOUSE/1"

func hashOf(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:hashSize]
}

func certificate(id string) credential.Revocable {
	return credential.Revocable{Issuer: "DE", Key: []byte("signer01"), ID: []byte(id)}
}

func TestBloomSaysMaybeAndNeverForgets(t *testing.T) {
	filter, err := newBloom(make([]uint32, 700), 32*700, 10)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 1000 {
		filter.add(hashOf(fmt.Sprint(uci, n)))
	}
	for _, order := range [][2]byte{{0, 10}, {10, 0}} { // as described, and as Java writes it
		read, err := ReadBloom(bloomBytes(1, order[0], order[1], filter.words))
		if err != nil {
			t.Fatal(err)
		}
		list := EUList{Key: []byte("signer01"), Hashes: read}
		strangers := 0
		for n := range 1000 {
			if got := list.Standing(certificate(fmt.Sprint(uci, n))); got != credential.MaybeRevoked {
				t.Fatalf("%v: certificate %d is %d, want %d: maybe", order, n, got, credential.MaybeRevoked)
			}
			if list.Standing(certificate(fmt.Sprint("stranger", n))) != credential.InForce {
				strangers++
			}
		}
		if strangers > 10 {
			t.Errorf("%v: %d of 1000 strangers were found", order, strangers)
		}
		other := certificate(uci + "1")
		other.Key = []byte("signer02")
		if got := list.Standing(other); got != credential.InForce {
			t.Errorf("another signer's certificate is %d, want %d", got, credential.InForce)
		}
	}
}

// TestBloomCountsAsJavaDoes holds the index against numbers that the common implementation's
// own tests state.
func TestBloomCountsAsJavaDoes(t *testing.T) {
	hundred, err := newBloom(make([]uint32, 4), 100, 2)
	if err != nil {
		t.Fatal(err)
	}
	if got := hundred.bit([]byte{11}, 1); got != 75 {
		t.Errorf("bit %d of a hundred, want 75", got)
	}
	word, err := newBloom(make([]uint32, 1), 32, 1)
	if err != nil {
		t.Fatal(err)
	}
	if word.add([]byte{0, 5, 33, 44}); word.words[0] != 1<<31>>26 {
		t.Errorf("word %08x, want bit 26", word.words[0])
	}
}

// TestBloomBitIsTheSignedRemainder holds the index against arbitrary-precision arithmetic.
func TestBloomBitIsTheSignedRemainder(t *testing.T) {
	for _, size := range []uint64{1, 2, 31, 32, 96, 1000, 1 << 20, 32 * 7_654_321} {
		filter, err := newBloom(make([]uint32, size/32+1), size, 1)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 2000 {
			element := fmt.Append(nil, n)
			sum := sha256.Sum256(append(element, 3))
			want := new(big.Int).SetBytes(sum[:])
			if sum[0] >= 0x80 {
				want.Sub(want, new(big.Int).Lsh(big.NewInt(1), 256))
			}
			want.Mod(want, new(big.Int).SetUint64(size))
			if got := filter.bit(element, 3); got != want.Uint64() {
				t.Fatalf("%d bits, element %d: bit %d, want %d", size, n, got, want)
			}
		}
	}
}

func TestBloomRefusesWhatALookUpCannotTrust(t *testing.T) {
	for what, b := range map[string][]byte{
		"nothing":             nil,
		"head cut off":        bloomBytes(1, 0, 3, nil)[:19],
		"no bits":             bloomBytes(1, 0, 3, nil),
		"version 2":           bloomBytes(2, 0, 3, []uint32{1}),
		"no rounds":           bloomBytes(1, 0, 0, []uint32{1}),
		"too many rounds":     bloomBytes(1, 0, 200, []uint32{1}),
		"another hash":        bloomBytes(1, 1, 3, []uint32{1}),
		"promises more words": append(bloomBytes(1, 0, 3, []uint32{1})[:16], 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1),
		"words left over":     append(bloomBytes(1, 0, 3, []uint32{1}), 0, 0, 0, 0),
	} {
		if _, err := ReadBloom(b); err == nil {
			t.Errorf("%s: read", what)
		}
	}
	if _, err := newBloom([]uint32{1}, 32, 1000); err == nil {
		t.Error("a thousand rounds: taken")
	}
	if _, err := newBloom([]uint32{1}, 33, 1); err == nil {
		t.Error("more bits than words: taken")
	}
}

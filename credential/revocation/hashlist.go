package revocation

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
	"time"

	"gatehouse"
	"gatehouse/credential"
)

const (
	maxHashList = 32 << 20 // bytes of a list of hashes
	maxBatch    = 4 << 20  // bytes of a batch; the EU's gateway allows a thousand entries in one
	partialHead = 11
)

// A HashList is a sorted list of hashes, each cut to the same number of bytes.
type HashList struct {
	width  int
	hashes []byte // one after the other
}

// newHashList sorts hashes of one width, in place, and drops what is there twice.
func newHashList(width int, hashes []byte) *HashList {
	l := &HashList{width: width, hashes: hashes}
	sort.Sort(unsorted{l})
	kept := l.hashes[:0]
	for i := range l.Len() {
		if i == 0 || !bytes.Equal(l.hash(i), kept[len(kept)-width:]) {
			kept = append(kept, l.hash(i)...)
		}
	}
	l.hashes = kept
	return l
}

func (l *HashList) hash(i int) []byte { return l.hashes[i*l.width : (i+1)*l.width] }

// Len is the number of hashes.
func (l *HashList) Len() int { return len(l.hashes) / max(l.width, 1) }

// unsorted is a list on its way to being sorted.
type unsorted struct{ *HashList }

func (l unsorted) Less(i, j int) bool { return bytes.Compare(l.hash(i), l.hash(j)) < 0 }

func (l unsorted) Swap(i, j int) {
	var kept [hashSize]byte
	n := copy(kept[:], l.hash(i))
	copy(l.hash(i), l.hash(j))
	copy(l.hash(j), kept[:n])
}

// Bits is how many bits of a hash are listed.
func (l *HashList) Bits() int { return 8 * l.width }

// Has reports whether the list holds a hash, as far as it keeps hashes.
func (l *HashList) Has(hash []byte) bool {
	if len(hash) < l.width {
		return false
	}
	at := sort.Search(l.Len(), func(i int) bool { return bytes.Compare(l.hash(i), hash[:l.width]) >= 0 })
	return at < l.Len() && bytes.Equal(l.hash(at), hash[:l.width])
}

// ReadHashList reads a list of hashes cut short as the EU's distribution service publishes
// it ("VARHASHLIST"), big-endian: 2 bytes of version, which is 1; 4 of the false-positive
// rate and 4 of the number of elements that were planned, which a look-up needs neither of; 1
// of the bytes of a hash; and the hashes.
//
// The service sorts hashes as signed numbers, so that those which begin with 0x80 and above
// come first; they are sorted anew here.
func ReadHashList(b []byte) (*HashList, error) {
	if len(b) < partialHead || len(b) > partialHead+maxHashList {
		return nil, fmt.Errorf("hash list: %d bytes, %d to %d are due", len(b), partialHead, partialHead+maxHashList)
	}
	if version := binary.BigEndian.Uint16(b); version != 1 {
		return nil, fmt.Errorf("hash list: byte 0: version %d, 1 is known", version)
	}
	width := int(b[10])
	if width < 1 || width > hashSize {
		return nil, fmt.Errorf("hash list: byte 10: hashes of %d bytes, 1 to %d are due", width, hashSize)
	}
	hashes := b[partialHead:]
	if len(hashes)%width != 0 {
		return nil, fmt.Errorf("hash list: byte %d: ends within a hash", len(b)-len(hashes)%width)
	}
	return newHashList(width, bytes.Clone(hashes)), nil
}

// A Batch is what a member state hands to the EU's gateway at once.
type Batch struct {
	Country gatehouse.Issuer
	Expires time.Time         // when the batch is to be forgotten
	Key     []byte            // of the signer; nil where the country does not say
	Kind    credential.IDKind // of which ids the hashes are
	Hashes  *HashList
}

// unknownKey stands for a key id where the country does not say.
const unknownKey = "UNKNOWN_KID"

// ReadBatch reads a batch of the EU's gateway, taken out of its signature: JSON with country,
// expires, kid, hashType and entries, each entry with the first 128 bits of a hash in base64.
func ReadBatch(b []byte) (Batch, error) {
	var (
		batch   Batch
		key     string
		kind    string
		known   bool
		entries []struct {
			Hash []byte `json:"hash"`
		}
	)
	err := readObject(b, maxBatch, map[string]any{
		"country": &batch.Country, "expires": &batch.Expires, "kid": &key, "hashType": &kind, "entries": &entries,
	})
	if err != nil {
		return Batch{}, fmt.Errorf("batch: %w", err)
	}
	if !country(batch.Country) {
		return Batch{}, errors.New("batch: country: two capital letters are due")
	}
	if batch.Kind, known = idKind(kind); !known {
		return Batch{}, errors.New("batch: hashType: UCI, COUNTRYCODEUCI or SIGNATURE are due")
	}
	if key != unknownKey {
		if batch.Key, err = base64.StdEncoding.DecodeString(key); err != nil || len(batch.Key) != 8 {
			return Batch{}, errors.New("batch: kid: 8 bytes in base64 are due")
		}
	}
	if entries == nil {
		return Batch{}, errors.New("batch: entries: a list is due")
	}
	hashes := make([]byte, 0, hashSize*len(entries))
	for i, entry := range entries {
		if len(entry.Hash) != hashSize {
			return Batch{}, fmt.Errorf("batch: entry %d: a hash of %d bytes, %d are due", i, len(entry.Hash), hashSize)
		}
		hashes = append(hashes, entry.Hash...)
	}
	batch.Hashes = newHashList(hashSize, hashes)
	return batch, nil
}

// List is the batch as a source of a Set.
func (b Batch) List() EUList { return EUList{Key: b.Key, Kind: b.Kind, Hashes: b.Hashes} }

// Prefixes are the batch's certificates under the names of a List, for a region that hands
// them on in a file of its own: a List is asked for a certificate under each of its ids, so
// that one file takes batches of every kind.
func (b Batch) Prefixes() []uint64 {
	prefixes := make([]uint64, b.Hashes.Len())
	for i := range prefixes {
		prefixes[i] = binary.BigEndian.Uint64(b.Hashes.hash(i))
	}
	return prefixes
}

package revocation

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// vectors finds a folder of published vectors: below $GATEHOUSE_VECTORS, or in the first
// ../shared/vectors beside the repository or a folder above it.
func vectors(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("GATEHOUSE_VECTORS")
	if root == "" {
		here, err := filepath.Abs(filepath.Join("..", ".."))
		if err != nil {
			t.Fatal(err)
		}
		for dir := here; root == "" && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			beside := filepath.Join(filepath.Dir(dir), "shared", "vectors")
			if _, err := os.Stat(beside); err == nil {
				root = beside
			}
		}
	}
	folder := filepath.Join(root, name)
	if _, err := os.Stat(folder); root == "" || err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no vectors %q: set GATEHOUSE_VECTORS", name)
		}
		t.Skipf("no vectors %q: set GATEHOUSE_VECTORS to their folder", name)
	}
	return folder
}

// A score counts vectors and names the misses.
type score struct{ passed, failed int }

func (s *score) count(t *testing.T, what string, err error) {
	if err != nil {
		s.failed++
		t.Errorf("%s: %v", what, err)
		return
	}
	s.passed++
}

// A bloomVector is one group of the EU's bloom filter vectors.
type bloomVector struct {
	Rate    float64         `json:"p"`
	Rounds  int             `json:"k"`
	Data    []string        `json:"data"`
	Written []int           `json:"written"`
	Exists  json.RawMessage `json:"exists"` // a list, or a text that holds one
	Filter  []byte          `json:"filter"` // a list of numbers as text, in base64
}

func (v bloomVector) exists() (found []int, err error) {
	raw := []byte(v.Exists)
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = []byte(text)
	}
	return found, json.Unmarshal(raw, &found)
}

// filter reads the numbers. The first vectors were made with one number for each bit and the
// rounds that they state; the later ones with 32 bits in a number, and rounds that follow
// from the false-positive rate.
func (v bloomVector) filter() (*Bloom, error) {
	var numbers []int32
	if err := json.Unmarshal(v.Filter, &numbers); err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	size := math.Ceil(float64(len(v.Data)) * math.Log(v.Rate) / math.Log(1/math.Pow(2, math.Ln2)))
	if len(numbers) == int(size) {
		words := make([]uint32, (len(numbers)+31)/32)
		for i, set := range numbers {
			words[i/32] |= uint32(set&1) << 31 >> (i % 32)
		}
		return newBloom(words, uint64(len(numbers)), v.Rounds)
	}
	words := make([]uint32, len(numbers))
	for i, n := range numbers {
		words[i] = uint32(n)
	}
	rounds := math.Round(float64(32*len(words)) / float64(len(v.Data)) * math.Ln2)
	return newBloom(words, 32*uint64(len(words)), max(1, int(rounds)))
}

// check asks the published filter for each element, builds the same filter from what was
// written into it, and sends it once through the published form.
func (v bloomVector) check() error {
	filter, err := v.filter()
	if err != nil {
		return err
	}
	exists, err := v.exists()
	if err != nil || len(exists) != len(v.Data) || len(v.Written) != len(v.Data) {
		return fmt.Errorf("%d elements, %d written, %d found (%v)", len(v.Data), len(v.Written), len(exists), err)
	}
	built, err := newBloom(make([]uint32, len(filter.words)), filter.size, filter.rounds)
	if err != nil {
		return err
	}
	for i, element := range v.Data {
		if got := filter.Has([]byte(element)); got != (exists[i] == 1) {
			return fmt.Errorf("%q: found %t, want %d", element, got, exists[i])
		}
		if v.Written[i] == 1 {
			built.add([]byte(element))
		}
	}
	if !slices.Equal(built.words, filter.words) {
		return fmt.Errorf("built %08x, want %08x", built.words, filter.words)
	}
	if filter.size%32 != 0 {
		return nil // the published form has whole words
	}
	read, err := ReadBloom(bloomBytes(1, 0, byte(filter.rounds), filter.words))
	if err != nil {
		return err
	}
	for i, element := range v.Data {
		if got := read.Has([]byte(element)); got != (exists[i] == 1) {
			return fmt.Errorf("%q: found %t when read anew, want %d", element, got, exists[i])
		}
	}
	return nil
}

func TestConformanceOfRevocation(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectors(t, "revocation"), "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s score
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var groups []bloomVector
		if err := json.Unmarshal(raw, &groups); err != nil {
			t.Logf("%s: holds no vectors: %v", filepath.Base(file), err)
			continue
		}
		for i, group := range groups {
			s.count(t, fmt.Sprintf("%s, group %d", filepath.Base(file), i), group.check())
		}
	}
	if s.passed+s.failed == 0 {
		t.Fatal("no vectors were read")
	}
	fmt.Printf("revocation: %d passed, %d failed\n", s.passed, s.failed)
}

// TestConformanceOfCardLists reads every card revocation list below the SMART Health Card
// vectors. Those of the examples hold; each below a folder of bad lists is refused, by itself
// or for the number that the issuer's key names.
func TestConformanceOfCardLists(t *testing.T) {
	root := vectors(t, "shc")
	var (
		s     score
		lists []cardList
	)
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Base(filepath.Dir(file)) != "crl" || filepath.Ext(file) != ".json" {
			return err
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		crl, err := readNewest(raw, filepath.Join(filepath.Dir(filepath.Dir(file)), "jwks.json"))
		if strings.Contains(name, "badcrl") {
			t.Logf("%s: %v", name, err)
			if err == nil {
				err = errors.New("a bad list was read")
			} else {
				err = nil
			}
		} else if err == nil {
			lists = append(lists, cardList{crl, string(raw)})
		}
		s.count(t, name, err)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.passed+s.failed == 0 {
		t.Fatal("no lists were read")
	}
	fmt.Printf("shc card revocation lists: %d passed, %d failed\n", s.passed, s.failed)
	checkExamples(t, root, lists)
}

// readNewest reads a list and holds its number against the issuer's key.
func readNewest(raw []byte, jwks string) (*CRL, error) {
	crl, err := ReadCRL(raw)
	if err != nil {
		return nil, err
	}
	keys, err := os.ReadFile(jwks)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []struct {
			ID      string `json:"kid"`
			Version uint64 `json:"crlVersion"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(keys, &set); err != nil {
		return nil, err
	}
	for _, key := range set.Keys {
		if key.ID == base64.RawURLEncoding.EncodeToString(crl.Key) {
			return crl, crl.Newest(key.Version)
		}
	}
	return nil, errors.New("the issuer has no such key")
}

// A cardList is a list and its text.
type cardList struct {
	*CRL
	text string
}

// checkExamples looks the example cards that name a revocation id up in the lists. What is due
// is read from the lists' text.
func checkExamples(t *testing.T, root string, lists []cardList) {
	cards, err := filepath.Glob(filepath.Join(root, "examples", "*payload-expanded.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range cards {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var card struct {
			From float64 `json:"nbf"`
			VC   struct {
				RID string `json:"rid"`
			} `json:"vc"`
		}
		if err := json.Unmarshal(raw, &card); err != nil {
			t.Fatal(err)
		}
		if card.VC.RID == "" {
			continue
		}
		got, want := false, false
		entry := regexp.MustCompile(`"` + regexp.QuoteMeta(card.VC.RID) + `(?:\.([0-9]+))?"`)
		for _, l := range lists {
			got = got || l.Revoked(card.VC.RID, time.UnixMilli(int64(1000*card.From)))
			for _, found := range entry.FindAllStringSubmatch(l.text, -1) {
				until, err := strconv.ParseFloat(found[1], 64)
				want = want || err != nil || card.From < until
			}
		}
		if got != want {
			t.Errorf("%s: revoked %t, want %t", filepath.Base(file), got, want)
		}
		t.Logf("%s: revoked %t", filepath.Base(file), got)
	}
}

// TestBloomFilterStreamsAreBigEndian pins the published form byte by byte.
func TestBloomFilterStreamsAreBigEndian(t *testing.T) {
	b := bloomBytes(1, 0, 1, []uint32{0x01000000, 0})
	if binary.BigEndian.Uint32(b[20:]) != 0x01000000 {
		t.Fatal("the test's own bytes are in another order")
	}
	filter, err := ReadBloom(b)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2000 {
		element := fmt.Append(nil, n)
		if got, want := filter.Has(element), filter.bit(element, 0) == 7; got != want {
			t.Errorf("%s names bit %d: found %t", element, filter.bit(element, 0), got)
		}
	}
}

package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"gatehouse"
)

const gate = "hangzhou-east-3"

var epoch = Epoch{0x0d, 0xef, 15: 1}

// example is a row as a usual passage has it: three districts in fourteen days.
func example() Fields {
	return Fields{
		Holder:    []byte{1, 2, 3, 4, 5, 6, 7, 8},
		Divisions: []string{"330106", "310115", "330102"},
		Measured:  true,
		Skin:      36_600,
		Ambient:   18_250,
	}
}

func newKey(t testing.TB) PrivateKey {
	t.Helper()
	key, err := GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func pair(t testing.TB, key PrivateKey, gate string, epoch Epoch) (*Sealer, *Opener) {
	t.Helper()
	s, err := NewSealer(key.Public(), gate, epoch)
	if err != nil {
		t.Fatal(err)
	}
	o, err := NewOpener(key, s.Header(), gate, epoch)
	if err != nil {
		t.Fatal(err)
	}
	return s, o
}

func TestRegionReadsWhatTheGateClosed(t *testing.T) {
	s, o := pair(t, newKey(t), gate, epoch)
	most := Fields{Holder: make([]byte, maxHolder), Divisions: slices.Repeat([]string{"1234567890123456"}, maxDivisions), Measured: true, Skin: -1 << 31, Ambient: 1<<31 - 1}
	for i, f := range []Fields{{}, example(), most, {Measured: true}, {Holder: []byte{0}}, {Divisions: []string{"330000"}}} {
		seq := gatehouse.Seq(3*i + 1)
		sealed, err := s.Seal(seq, f)
		if err != nil {
			t.Fatalf("row %d: %v", seq, err)
		}
		got, err := o.Open(seq, sealed)
		if err != nil || !reflect.DeepEqual(got, f) {
			t.Errorf("row %d: opened as %+v, %v, want %+v", seq, got, err, f)
		}
		if len(f.Divisions) > 0 && bytes.Contains(sealed, []byte(f.Divisions[0])) {
			t.Errorf("row %d tells a division", seq)
		}
	}
}

// TestRowOpensOnlyWhereItBelongs moves, renumbers, swaps, cuts and harms rows.
func TestRowOpensOnlyWhereItBelongs(t *testing.T) {
	key := newKey(t)
	s, o := pair(t, key, gate, epoch)
	first, err := s.Seal(1, example())
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.Seal(2, Fields{Holder: []byte("other")})
	if err != nil {
		t.Fatal(err)
	}
	refuses := func(what string, o *Opener, seq gatehouse.Seq, sealed []byte) {
		t.Helper()
		if f, err := o.Open(seq, sealed); !errors.Is(err, ErrClosed) || !reflect.DeepEqual(f, Fields{}) {
			t.Errorf("%s: %+v, %v, want %v", what, f, err, ErrClosed)
		}
	}
	refuses("rows swapped", o, 1, second)
	refuses("rows swapped", o, 2, first)
	refuses("renumbered", o, 3, first)
	refuses("number 0", o, 0, first)
	for n := range len(first) {
		refuses(fmt.Sprintf("cut to %d bytes", n), o, 1, first[:n])
	}
	refuses("lengthened", o, 1, append(slices.Clone(first), 0))
	refuses("endless", o, 1, make([]byte, 1<<20))
	for bit := range 8 * len(first) {
		harmed := slices.Clone(first)
		harmed[bit/8] ^= 1 << (bit % 8)
		refuses(fmt.Sprintf("bit %d flipped", bit), o, 1, harmed)
	}

	for what, where := range map[string]struct {
		gate  string
		epoch Epoch
	}{
		"another gate":                   {"hangzhou-east-4", epoch},
		"a gate whose name goes on":      {gate + "\x0d", epoch},
		"another epoch":                  {gate, Epoch{0x0d, 0xef, 15: 2}},
		"another epoch, the first bit":   {gate, Epoch{0x8d, 0xef, 15: 1}},
		"a name that takes of the epoch": {gate + "\x0d\xef", Epoch{13: 1}},
	} {
		elsewhere, err := NewOpener(key, s.Header(), where.gate, where.epoch)
		if err != nil {
			t.Fatal(err)
		}
		refuses(what, elsewhere, 1, first)
	}
	_, boot := pair(t, key, gate, epoch)
	refuses("another boot's header", boot, 1, first)
}

func TestHarmedHeaderOpensNothing(t *testing.T) {
	key := newKey(t)
	s, _ := pair(t, key, gate, epoch)
	sealed, err := s.Seal(1, example())
	if err != nil {
		t.Fatal(err)
	}
	header := s.Header()
	if len(header) != HeaderSize {
		t.Fatalf("a header of %d bytes, want %d", len(header), HeaderSize)
	}
	for at := range header {
		harmed := slices.Clone(header)
		harmed[at] ^= 1
		o, err := NewOpener(key, harmed, gate, epoch)
		if err != nil {
			continue // version and key id are told apart; the KEM refuses what it can
		}
		if _, err := o.Open(1, sealed); !errors.Is(err, ErrClosed) {
			t.Errorf("byte %d of the header harmed: %v, want %v", at, err, ErrClosed)
		}
	}
	for what, h := range map[string][]byte{"none": nil, "cut": header[:HeaderSize-1], "longer": append(slices.Clone(header), 0)} {
		if _, err := NewOpener(key, h, gate, epoch); err == nil {
			t.Errorf("a header that is %s was taken", what)
		}
	}
	if _, err := NewOpener(newKey(t), header, gate, epoch); err == nil || !strings.Contains(err.Error(), key.Public().ID().String()) {
		t.Errorf("another region's key: %v, want the id of the key that is due", err)
	}
	if IDOf(header) == IDOf(append([]byte{2}, header[1:]...)) {
		t.Error("two headers have one name")
	}
	header[0]++
	if s.Header()[0] != version {
		t.Error("who was given a header changed the sealer's")
	}
}

// TestNumberIsNeverUsedTwice: two rows under one number and one key would give both away.
func TestNumberIsNeverUsedTwice(t *testing.T) {
	s, o := pair(t, newKey(t), gate, epoch)
	if _, err := s.Seal(0, example()); !errors.Is(err, ErrUsed) {
		t.Errorf("row 0: %v, want %v", err, ErrUsed)
	}
	if _, err := s.Seal(7, example()); err != nil {
		t.Fatal(err)
	}
	for _, seq := range []gatehouse.Seq{1, 6, 7} {
		if sealed, err := s.Seal(seq, Fields{}); !errors.Is(err, ErrUsed) || sealed != nil {
			t.Errorf("row %d after row 7: %v, want %v", seq, err, ErrUsed)
		}
	}
	// Fields that cannot be written use no number up.
	if _, err := s.Seal(8, Fields{Divisions: []string{""}}); err == nil || errors.Is(err, ErrUsed) {
		t.Errorf("a division without a name: %v", err)
	}
	sealed, err := s.Seal(8, example())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Open(8, sealed); err != nil {
		t.Error(err)
	}

	// Of many at once, one gets each number.
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		used = make(map[gatehouse.Seq]int)
	)
	for range 8 {
		all.Go(func() {
			for seq := gatehouse.Seq(9); seq < 200; seq++ {
				if _, err := s.Seal(seq, example()); err == nil {
					mu.Lock()
					used[seq]++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	for seq, times := range used {
		if times != 1 {
			t.Errorf("row %d was sealed %d times", seq, times)
		}
	}
	if used[199] != 1 {
		t.Error("the last number was never given")
	}
}

func TestEachBootHasItsOwnSecret(t *testing.T) {
	key := newKey(t)
	a, _ := pair(t, key, gate, epoch)
	b, _ := pair(t, key, gate, epoch)
	if bytes.Equal(a.Header(), b.Header()) {
		t.Fatal("two boots have one header")
	}
	one, err := a.Seal(1, example())
	if err != nil {
		t.Fatal(err)
	}
	two, err := b.Seal(1, example())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(one, two) {
		t.Error("two boots close the same fields alike")
	}
}

func TestLengthTellsLittle(t *testing.T) {
	s, _ := pair(t, newKey(t), gate, epoch)
	lengths := make(map[int]bool)
	for n := range 5 {
		f := example()
		f.Divisions = slices.Repeat([]string{"330106"}, n+1)
		sealed, err := s.Seal(gatehouse.Seq(n+1), f)
		if err != nil {
			t.Fatal(err)
		}
		lengths[len(sealed)] = true
	}
	if len(lengths) > 2 {
		t.Errorf("one to five divisions have %d lengths", len(lengths))
	}
}

func TestFieldsPastTheirLimitsAreNotSealed(t *testing.T) {
	s, _ := pair(t, newKey(t), gate, epoch)
	for what, f := range map[string]Fields{
		"long tag":                    {Holder: make([]byte, maxHolder+1)},
		"many divisions":              {Divisions: slices.Repeat([]string{"330106"}, maxDivisions+1)},
		"long division":               {Divisions: []string{strings.Repeat("3", maxDivision+1)}},
		"division in words":           {Divisions: []string{"西湖区"}},
		"division with a space":       {Divisions: []string{"33 01"}},
		"temperature of no measuring": {Skin: 36_600},
		"ambient of no measuring":     {Ambient: 1},
	} {
		if _, err := s.Seal(1, f); err == nil {
			t.Errorf("%s: sealed", what)
		}
	}
	for _, name := range []string{"", strings.Repeat("g", maxGate+1)} {
		if _, err := NewSealer(newKey(t).Public(), name, epoch); err == nil {
			t.Errorf("a gate's name of %d bytes was taken", len(name))
		}
	}
	if _, err := NewSealer(PublicKey{}, gate, epoch); err == nil {
		t.Error("sealed for nobody")
	}
	if _, err := NewOpener(PrivateKey{}, s.Header(), gate, epoch); err == nil {
		t.Error("opened with no key")
	}
}

// TestRegionReadsOnlyTheOneForm: a gate that writes fields in any other form is broken, or
// tries what its region's reader can bear.
func TestRegionReadsOnlyTheOneForm(t *testing.T) {
	good, err := example().encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decode(good); err != nil {
		t.Fatal(err)
	}
	fill := func(b ...byte) []byte { return append(b, make([]byte, (filling-len(b)%filling)%filling)...) }
	for what, b := range map[string][]byte{
		"nothing":             nil,
		"zeros":               make([]byte, filling),
		"no filling":          {0xa0},
		"filling of ones":     append([]byte{0xa0}, bytes.Repeat([]byte{1}, filling-1)...),
		"too much filling":    append(fill(0xa0), make([]byte, filling)...),
		"a list":              fill(0x80),
		"unknown field":       fill(0xa1, 0x05, 0x01),
		"field by name":       fill(0xa1, 0x61, '1', 0x41, 1),
		"field twice":         fill(0xa2, 0x01, 0x41, 1, 0x01, 0x41, 1),
		"out of order":        fill(0xa2, 0x02, 0x81, 0x61, '3', 0x01, 0x41, 1),
		"endless map":         fill(0xbf, 0xff),
		"endless tag":         fill(0xa1, 0x01, 0x5f, 0x41, 1, 0xff),
		"empty tag":           fill(0xa1, 0x01, 0x40),
		"no division":         fill(0xa1, 0x02, 0x80),
		"half a measurement":  fill(0xa1, 0x03, 0x19, 0x8e, 0xf8),
		"long form":           fill(0xa2, 0x03, 0x1a, 0, 0, 0x8e, 0xf8, 0x04, 0x00),
		"temperature too far": fill(0xa2, 0x03, 0x1a, 0x80, 0, 0, 0, 0x04, 0x00),
		"fraction":            fill(0xa2, 0x03, 0xf9, 0x3c, 0x00, 0x04, 0x00),
		"promised, not held":  fill(0xa1, 0x01, 0x5a, 0xff, 0xff, 0xff, 0xff),
		"many promised":       fill(0xa1, 0x02, 0x9a, 0xff, 0xff, 0xff, 0xff),
		"deep":                append([]byte{0xa1, 0x02}, bytes.Repeat([]byte{0x81}, 94)...),
		"tagged":              fill(0xc1, 0xa0),
		"past all bounds":     make([]byte, maxFields+filling),
	} {
		if f, err := decode(b); err == nil || !reflect.DeepEqual(f, Fields{}) {
			t.Errorf("%s: read as %+v", what, f)
		}
	}
}

package revocation

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"gatehouse"
	"gatehouse/credential"
)

// TestListKnowsWhatWasTakenBack crosses every size at which the file changes its shape.
func TestListKnowsWhatWasTakenBack(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 5, 37, window - 1, window, 5000, 256*window - 1, 256 * window, 200_000} {
		for _, exact := range []bool{false, true} {
			l := open(t, build(t, Base{Issuer: hangzhou, Version: 3, Prefixes: taken(0, n), Exact: exact}))
			if l.Issuer() != hangzhou || l.Version() != 3 || l.Entries() != n || l.Exact() != exact {
				t.Errorf("%d: opened as %s, version %d, %d entries, exact %t", n, l.Issuer(), l.Version(), l.Entries(), l.Exact())
			}
			want := credential.MaybeRevoked
			if exact {
				want = credential.Revoked
			}
			for i := range min(n, 20_000) {
				if got := l.Standing(code(i)); got != want {
					t.Fatalf("%d, exact %t: code %d is %d, want %d", n, exact, i, got, want)
				}
			}
			strangers := 0
			for i := range 20_000 {
				if l.Standing(code(n+i)) != credential.InForce {
					strangers++
				}
			}
			// A filter takes one of 65,536 strangers for its own, a list none.
			if most := 6; exact && strangers > 0 || strangers > most {
				t.Errorf("%d, exact %t: %d of 20,000 strangers were taken for revoked", n, exact, strangers)
			}
		}
	}
}

func TestLastDeltaHasTheLastWord(t *testing.T) {
	for _, exact := range []bool{false, true} {
		file := build(t, Base{Issuer: hangzhou, Version: 1, Prefixes: taken(0, 1000), Exact: exact})
		before := slices.Clone(file)
		file = extend(t, file, Delta{From: 1, To: 2, Adds: taken(1000, 1010), Removes: taken(0, 10)})
		file = extend(t, file, Delta{From: 2, To: 5, Adds: taken(0, 5), Removes: taken(1000, 1005)})
		file = extend(t, file, Delta{From: 5, To: 6, Removes: taken(4, 5)})
		if !bytes.HasPrefix(file, before) {
			t.Error("a delta changed what a gate already has")
		}
		l := open(t, file)
		base := credential.MaybeRevoked
		if exact {
			base = credential.Revoked
		}
		for _, c := range []struct {
			what     string
			from, to int
			want     credential.Standing
		}{
			{"removed and added again", 0, 4, credential.Revoked},
			{"removed, added, removed", 4, 5, credential.InForce},
			{"removed", 5, 10, credential.InForce},
			{"of the base", 10, 1000, base},
			{"added and removed", 1000, 1005, credential.InForce},
			{"added", 1005, 1010, credential.Revoked},
		} {
			for n := c.from; n < c.to; n++ {
				if got := l.Standing(code(n)); got != c.want {
					t.Errorf("exact %t, %s: code %d is %d, want %d", exact, c.what, n, got, c.want)
				}
			}
		}
		if l.Version() != 6 || l.Changes() != 20 {
			t.Errorf("version %d with %d changes, want 6 with 20", l.Version(), l.Changes())
		}
	}
}

// TestNextVersionFollowsFromTheFile is the region's beat: read what is published, compare it
// with what should be, publish the difference.
func TestNextVersionFollowsFromTheFile(t *testing.T) {
	file := build(t, Base{Issuer: hangzhou, Version: 1, Prefixes: taken(0, 3000), Exact: true})
	for version, want := range [][]uint64{taken(100, 3100), taken(100, 2000), taken(50, 4000), nil} {
		have, err := open(t, file).Prefixes()
		if err != nil {
			t.Fatal(err)
		}
		file = extend(t, file, Diff(uint64(version+1), uint64(version+2), have, want))
		got, err := open(t, file).Prefixes()
		if err != nil {
			t.Fatal(err)
		}
		if want = sorted(want); !slices.Equal(got, want) {
			t.Fatalf("version %d: %d prefixes, want %d", version+2, len(got), len(want))
		}
		folded, err := open(t, build(t, Base{Issuer: hangzhou, Version: 9, Prefixes: got, Exact: true})).Prefixes()
		if err != nil || !slices.Equal(folded, want) {
			t.Errorf("version %d: a new base holds %d prefixes (%v), want %d", version+2, len(folded), err, len(want))
		}
	}
	if _, err := open(t, build(t, Base{Issuer: hangzhou, Version: 1, Prefixes: taken(0, 10)})).Prefixes(); err == nil {
		t.Error("a filter gave prefixes")
	}
}

// deadCard stops giving bytes once the file was opened.
type deadCard struct {
	*bytes.Reader
	dead bool
}

func (c *deadCard) ReadAt(b []byte, at int64) (int, error) {
	if c.dead {
		return 0, errors.New("input/output error")
	}
	return c.Reader.ReadAt(b, at)
}

func TestDeadCardLeavesTheFiltersWord(t *testing.T) {
	file := build(t, Base{Issuer: hangzhou, Version: 1, Prefixes: taken(0, 1000), Exact: true})
	card := &deadCard{Reader: bytes.NewReader(file)}
	l, err := Open(card, int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	card.dead = true
	if got := l.Standing(code(1)); got != credential.MaybeRevoked {
		t.Errorf("a listed code is %d, want %d: maybe", got, credential.MaybeRevoked)
	}
	if got := l.Standing(code(1001)); got != credential.InForce {
		t.Errorf("a code that the filter does not know is %d, want %d: in force", got, credential.InForce)
	}
}

func TestSetAsksTheIssuerAndWhomItIsAPartOf(t *testing.T) {
	file := func(from, to int, exact bool) *List {
		return open(t, build(t, Base{Issuer: "CN", Version: 1, Prefixes: taken(from, to), Exact: exact}))
	}
	set := Set{}
	set.Add("CN-330100", file(0, 10, true), file(5, 20, false))
	set.Add("CN-330000", file(30, 40, true))
	set.Add("CN", file(50, 60, false))
	set.Add("DE", file(70, 80, true))
	var answers credential.Revocations = set
	for _, c := range []struct {
		what   string
		issuer gatehouse.Issuer
		code   int
		want   credential.Standing
	}{
		{"in the city's list", "CN-330100", 1, credential.Revoked},
		{"in the city's list and filter", "CN-330100", 7, credential.Revoked},
		{"in the city's filter", "CN-330100", 15, credential.MaybeRevoked},
		{"in the city's list, of a district", "CN-330106", 1, credential.Revoked},
		{"in the city's list, of its province", "CN-330000", 1, credential.InForce},
		{"in the city's list, of another city", "CN-330200", 1, credential.InForce},
		{"in the province's list", "CN-330000", 30, credential.Revoked},
		{"in the province's list, written short", "CN-33", 30, credential.Revoked},
		{"in the province's list, of its city", "CN-330100", 30, credential.Revoked},
		{"in the province's list, of another province", "CN-510100", 30, credential.InForce},
		{"in the country's filter", "CN-330106", 50, credential.MaybeRevoked},
		{"in the country's filter, of the country", "CN", 50, credential.MaybeRevoked},
		{"in the country's filter, of another country", "DE", 50, credential.InForce},
		{"in another country's list", "CN-330100", 70, credential.InForce},
		{"in a country's list", "DE", 70, credential.Revoked},
		{"in no list", "CN-330106", 90, credential.InForce},
		{"of nobody", "", 1, credential.InForce},
		{"of a broken name", "-", 1, credential.InForce},
	} {
		code := code(c.code)
		code.Issuer = c.issuer
		if got := answers.Revoked(code); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
}

// TestSkewedListIsSearchedInBoundedMemory lists ids that are not random: all in one bucket.
func TestSkewedListIsSearchedInBoundedMemory(t *testing.T) {
	prefixes := make([]uint64, 200_000)
	for i := range prefixes {
		prefixes[i] = 7<<48 | uint64(3*i)
	}
	l := open(t, build(t, Base{Issuer: hangzhou, Version: 1, Prefixes: prefixes, Exact: true}))
	for i := 0; i < len(prefixes); i += 997 {
		for off, want := range []bool{true, false, false} {
			if got, err := l.exact.has(prefixes[i] + uint64(off)); err != nil || got != want {
				t.Fatalf("prefix %d+%d: %t, %v, want %t", i, off, got, err, want)
			}
		}
	}
	for _, p := range []uint64{0, 7<<48 - 1, 8 << 48, 1<<64 - 1} {
		if got, err := l.exact.has(p); err != nil || got {
			t.Errorf("prefix %x: %t, %v, want false", p, got, err)
		}
	}
}

func TestBuildRefusesWhatNoGateWouldOpen(t *testing.T) {
	for what, base := range map[string]Base{
		"no issuer":    {Version: 1},
		"long issuer":  {Issuer: "CN-330100-330100-330100-330100-330100", Version: 1},
		"odd issuer":   {Issuer: "CN 330100", Version: 1},
		"no version":   {Issuer: hangzhou},
		"many entries": {Issuer: hangzhou, Version: 1, Prefixes: make([]uint64, MaxEntries+1)},
	} {
		if _, err := Build(base); err == nil {
			t.Errorf("%s: built", what)
		}
	}
	file := build(t, Base{Issuer: hangzhou, Version: 4, Prefixes: taken(0, 10)})
	for what, d := range map[string]Delta{
		"gap":           {From: 5, To: 6, Adds: taken(20, 21)},
		"backwards":     {From: 4, To: 4, Adds: taken(20, 21)},
		"empty":         {From: 4, To: 5},
		"contradictory": {From: 4, To: 5, Adds: taken(20, 21), Removes: taken(20, 21)},
		"many changes":  {From: 4, To: 5, Adds: random(2, MaxChanges+1)},
	} {
		if _, err := Append(file, d); err == nil {
			t.Errorf("%s: appended", what)
		}
	}
}

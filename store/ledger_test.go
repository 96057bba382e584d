package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gatehouse"
)

// A conformingLedger is what the laws below ask of any engine.
type conformingLedger interface {
	Take(ctx context.Context, gate string, epoch Epoch, first gatehouse.Seq, before Hash, rows [][]byte) (gatehouse.Seq, Hash, error)
	Head(ctx context.Context, gate string, epoch Epoch) (gatehouse.Seq, Hash, error)
	Gates(ctx context.Context) ([]Standing, error)
	Passages(ctx context.Context, gate string, limit int) ([]gatehouse.Passage, error)
	Count(ctx context.Context) (int64, error)
	Verify(ctx context.Context) error
	Rebuild(ctx context.Context) error
	Close() error
}

func TestLedgerOnSQLite(t *testing.T) {
	ledgerConformance(t, func(t *testing.T, folder string) conformingLedger {
		l, err := OpenLedger(t.Context(), filepath.Join(folder, "ledger.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	})
}

// A chain is a gate's book as the ledger's tests need it.
type chain struct {
	gate   string
	epoch  Epoch
	rows   [][]byte
	hashes []Hash // hashes[i] is after row i
}

func newChain(t testing.TB, gate string, epoch byte, n int) *chain {
	c := &chain{gate: gate, epoch: Epoch{epoch}}
	c.hashes = []Hash{Genesis(gate, c.epoch)}
	c.grow(t, n, "")
	return c
}

func (c *chain) grow(t testing.TB, n int, note string) {
	t.Helper()
	for range n {
		p := admitted(len(c.rows))
		p.Seq, p.Gate, p.Note = gatehouse.Seq(len(c.rows)+1), c.gate, note
		p.Verdict.Call = gatehouse.Call(len(c.rows) % 4)
		row, err := Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		c.rows = append(c.rows, row)
		c.hashes = append(c.hashes, Link(c.hashes[len(c.hashes)-1], row))
	}
}

func (c *chain) hand(t testing.TB, l conformingLedger, first, last int) (gatehouse.Seq, Hash, error) {
	return l.Take(t.Context(), c.gate, c.epoch, gatehouse.Seq(first), c.hashes[first-1], c.rows[first-1:last])
}

// want fails the test unless the ledger says that it has come to through of the chain.
func (c *chain) want(t testing.TB, word string, wantThrough int) func(through gatehouse.Seq, hash Hash, err error) {
	return func(through gatehouse.Seq, hash Hash, err error) {
		t.Helper()
		var answer *Answer
		got := ""
		if errors.As(err, &answer) {
			got, err = answer.Answer(), nil
		}
		if err != nil || got != word || through != gatehouse.Seq(wantThrough) || hash != c.hashes[wantThrough] {
			t.Errorf("%q through %d, hash %x, %v; want %q through %d, hash %x", got, through, hash, err, word, wantThrough, c.hashes[wantThrough])
		}
	}
}

// ledgerConformance holds for every engine under a ledger. open opens the one in folder,
// again when it was closed.
func ledgerConformance(t *testing.T, open func(t *testing.T, folder string) conformingLedger) {
	t.Run("TakesAnyBatchAnyNumberOfTimes", func(t *testing.T) {
		l, c := open(t, t.TempDir()), newChain(t, "hall-east", 1, 10)
		c.want(t, "", 0)(l.Head(t.Context(), c.gate, c.epoch))
		c.want(t, "", 4)(c.hand(t, l, 1, 4))
		c.want(t, "", 4)(c.hand(t, l, 1, 4)) // the answer was lost
		c.want(t, "", 4)(c.hand(t, l, 2, 3)) // and the mark is behind
		c.want(t, "", 7)(c.hand(t, l, 3, 7)) // old and new rows
		c.want(t, "gap", 7)(c.hand(t, l, 9, 10))
		c.want(t, "", 10)(c.hand(t, l, 8, 10))
		c.want(t, "", 10)(l.Head(t.Context(), c.gate, c.epoch))
		if n, err := l.Count(t.Context()); err != nil || n != 10 {
			t.Errorf("%d rows (%v), want 10", n, err)
		}
		if err := l.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})

	t.Run("KeepsWhatItTookAcrossRestarts", func(t *testing.T) {
		folder, c := t.TempDir(), newChain(t, "hall-east", 1, 6)
		l := open(t, folder)
		c.want(t, "", 4)(c.hand(t, l, 1, 4))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l = open(t, folder)
		c.want(t, "", 4)(l.Head(t.Context(), c.gate, c.epoch))
		c.want(t, "", 6)(c.hand(t, l, 3, 6))
	})

	t.Run("KnowsNoBookWithoutARow", func(t *testing.T) {
		l := open(t, t.TempDir())
		for epoch := range byte(5) {
			c := newChain(t, "hall-east", epoch, 3)
			c.want(t, "gap", 0)(c.hand(t, l, 2, 3))
		}
		if gates, err := l.Gates(t.Context()); err != nil || len(gates) != 0 {
			t.Errorf("gates %+v (%v), want none", gates, err)
		}
		c := newChain(t, "hall-east", 1, 3)
		c.want(t, "", 3)(c.hand(t, l, 1, 3)) // the gate goes back to row 1
	})

	t.Run("SeesAForkAndTakesNoneOfIt", func(t *testing.T) {
		c := newChain(t, "hall-east", 1, 5)
		copied := newChain(t, "hall-east", 1, 3) // the card was copied after row 3
		copied.grow(t, 4, "written by the copy")
		for name, hand := range map[string]func(l conformingLedger) (gatehouse.Seq, Hash, error){
			"old rows differ":       func(l conformingLedger) (gatehouse.Seq, Hash, error) { return copied.hand(t, l, 1, 5) },
			"only the last differs": func(l conformingLedger) (gatehouse.Seq, Hash, error) { return copied.hand(t, l, 2, 4) },
			"old and new":           func(l conformingLedger) (gatehouse.Seq, Hash, error) { return copied.hand(t, l, 4, 7) },
			"new rows, other chain": func(l conformingLedger) (gatehouse.Seq, Hash, error) { return copied.hand(t, l, 6, 7) },
			"right rows, wrong hash": func(l conformingLedger) (gatehouse.Seq, Hash, error) {
				return l.Take(t.Context(), c.gate, c.epoch, 2, Hash{1}, c.rows[1:3])
			},
		} {
			t.Run(name, func(t *testing.T) {
				l := open(t, t.TempDir())
				c.want(t, "", 5)(c.hand(t, l, 1, 5))
				for range 3 { // the gate knocks again and again with the same
					c.want(t, "fork", 5)(hand(l))
				}
				gates, err := l.Gates(t.Context())
				if err != nil || len(gates) != 1 || gates[0].Forks != 1 || gates[0].Through != 5 {
					t.Errorf("gates %+v (%v), want one with one piece of evidence", gates, err)
				}
				c.want(t, "", 5)(c.hand(t, l, 1, 5)) // the true book is still welcome
				if err := l.Verify(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	})

	t.Run("TakesNoRowOfABadBatch", func(t *testing.T) {
		l, c := open(t, t.TempDir()), newChain(t, "hall-east", 1, 3)
		other := newChain(t, "hall-west", 1, 3)
		long := strings.Repeat("g", 65)
		for name, take := range map[string]func() (gatehouse.Seq, Hash, error){
			"no rows": func() (gatehouse.Seq, Hash, error) {
				return l.Take(t.Context(), c.gate, c.epoch, 1, c.hashes[0], nil)
			},
			"row 0": func() (gatehouse.Seq, Hash, error) {
				return l.Take(t.Context(), c.gate, c.epoch, 0, c.hashes[0], c.rows)
			},
			"another gate's row": func() (gatehouse.Seq, Hash, error) {
				return l.Take(t.Context(), c.gate, c.epoch, 1, c.hashes[0], [][]byte{c.rows[0], other.rows[1]})
			},
			"numbers out of step": func() (gatehouse.Seq, Hash, error) {
				return l.Take(t.Context(), c.gate, c.epoch, 1, c.hashes[0], [][]byte{c.rows[0], c.rows[2]})
			},
			"no row at all": func() (gatehouse.Seq, Hash, error) {
				return l.Take(t.Context(), c.gate, c.epoch, 1, c.hashes[0], [][]byte{c.rows[0], []byte("passage")})
			},
			"gate name": func() (gatehouse.Seq, Hash, error) {
				return l.Take(t.Context(), long, c.epoch, 1, c.hashes[0], c.rows)
			},
		} {
			var answer *Answer
			if _, _, err := take(); !errors.As(err, &answer) || answer.Answer() != "malformed" {
				t.Errorf("%s: %v, want malformed", name, err)
			}
		}
		if n, err := l.Count(t.Context()); err != nil || n != 0 {
			t.Errorf("%d rows (%v), want none", n, err)
		}
	})

	t.Run("TakesManyGatesAtOnce", func(t *testing.T) {
		l := open(t, t.TempDir())
		var wg sync.WaitGroup
		for g := range 8 {
			c := newChain(t, fmt.Sprintf("gate-%d", g), 1, 30)
			for range 2 { // each comes over two lines, one a little ahead
				wg.Go(func() {
					for first := 1; first <= 30; first += 5 {
						if _, _, err := c.hand(t, l, first, first+4); err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		wg.Wait()
		if n, err := l.Count(t.Context()); err != nil || n != 240 {
			t.Errorf("%d rows (%v), want 240", n, err)
		}
		if err := l.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})

	t.Run("ShowsGatesAndPassages", func(t *testing.T) {
		l := open(t, t.TempDir())
		old, east, west := newChain(t, "hall-east", 1, 3), newChain(t, "hall-east", 2, 6), newChain(t, "hall-west", 1, 5)
		old.want(t, "", 3)(old.hand(t, l, 1, 3))
		east.want(t, "", 6)(east.hand(t, l, 1, 6)) // a wiped card: the same gate, another epoch
		west.want(t, "", 5)(west.hand(t, l, 1, 5))
		check := func() {
			t.Helper()
			gates, err := l.Gates(t.Context())
			if err != nil || len(gates) != 3 {
				t.Fatalf("gates %+v, %v", gates, err)
			}
			for i, want := range []Standing{
				{Gate: "hall-east", Epoch: east.epoch, Through: 6, Hash: east.hashes[6], Deny: 2, Refer: 2, Admit: 1, Hint: 1},
				{Gate: "hall-east", Epoch: old.epoch, Through: 3, Hash: old.hashes[3], Deny: 1, Refer: 1, Admit: 1},
				{Gate: "hall-west", Epoch: west.epoch, Through: 5, Hash: west.hashes[5], Deny: 2, Refer: 1, Admit: 1, Hint: 1},
			} {
				got := gates[i]
				if got.Seen.IsZero() {
					t.Errorf("gate %d was never seen", i)
				}
				got.Seen = want.Seen
				if got != want {
					t.Errorf("gate %d: %+v, want %+v", i, got, want)
				}
			}
		}
		check()
		if err := l.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		check()
		for _, test := range []struct {
			gate  string
			limit int
			want  string
		}{
			{"", 6, "hall-west/5 hall-west/4 hall-west/3 hall-west/2 hall-west/1 hall-east/6"},
			{"hall-east", 8, "hall-east/6 hall-east/5 hall-east/4 hall-east/3 hall-east/2 hall-east/1 hall-east/3 hall-east/2"},
			{"hall-west", 1, "hall-west/5"},
			{"nowhere", 5, ""},
			{"", 0, ""},
		} {
			passages, err := l.Passages(t.Context(), test.gate, test.limit)
			var got []string
			for _, p := range passages {
				got = append(got, fmt.Sprintf("%s/%d", p.Gate, p.Seq))
			}
			if err != nil || strings.Join(got, " ") != test.want {
				t.Errorf("%d of %q: %v (%v), want %s", test.limit, test.gate, got, err, test.want)
			}
		}
	})
}

func TestLedgerVerifyAndRebuildNameTheFirstBadRow(t *testing.T) {
	for _, test := range []struct {
		name, damage string
		want         gatehouse.Seq
	}{
		{"altered", `UPDATE record SET row = CAST(replace(row, 'RHC1', 'RHC2') AS BLOB) WHERE seq = 2`, 2},
		{"deleted", `DELETE FROM record WHERE seq = 3`, 3},
		{"cut off", `DELETE FROM record WHERE seq >= 4`, 4},
		{"head moved", `UPDATE book SET through = 9`, 6},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := OpenLedger(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			c := newChain(t, "hall-east", 1, 5)
			c.want(t, "", 5)(c.hand(t, l, 1, 5))
			tamper(t, l.writer, test.damage)
			for name, check := range map[string]func(context.Context) error{"verify": l.Verify, "rebuild": l.Rebuild} {
				var broken *Broken
				if err := check(t.Context()); !errors.As(err, &broken) || broken.Seq != test.want || !strings.Contains(err.Error(), "hall-east") {
					t.Errorf("%s: %v, want row %d", name, err, test.want)
				}
			}
		})
	}
}

func TestForkEvidenceIsKeptAndBounded(t *testing.T) {
	l, err := OpenLedger(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := newChain(t, "hall-east", 1, 2)
	c.want(t, "", 2)(c.hand(t, l, 1, 2))
	for i := range mostForks + 5 {
		before := sha256.Sum256([]byte{byte(i)})
		through, hash, err := l.Take(t.Context(), c.gate, c.epoch, 2, before, c.rows[1:])
		c.want(t, "fork", 2)(through, hash, err)
	}
	var n int
	var row []byte
	before := sha256.Sum256([]byte{0})
	if err := l.reader.QueryRow(`SELECT count(*) FROM fork`).Scan(&n); err != nil || n != mostForks {
		t.Errorf("%d pieces of evidence (%v), want %d", n, err, mostForks)
	}
	err = l.reader.QueryRow(`SELECT row FROM fork WHERE seq = 2 AND before = ?1`, before[:]).Scan(&row)
	if err != nil || string(row) != string(c.rows[1]) {
		t.Errorf("evidence %x (%v), want %x", row, err, c.rows[1])
	}
}

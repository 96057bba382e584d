// Package uplink carries passages from a gate to its region.
//
// There is no queue here: the book is the outbox, and its mark says what the region has.
// Each round sends the rows above the mark and moves the mark only when the region's
// answer carries the hash that the book has at that row.
package uplink

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/sync/wire"
)

// A Book is where the rows are. Pending gives the rows above the mark, at most n, with the
// number of the first and the chain's hash ahead of it. Hash is the chain's after a row that
// the book holds. Ack moves the mark from one number to another, back as well, and fails
// without moving it when it is no longer at from. Queue counts the rows above the mark.
type Book interface {
	Pending(ctx context.Context, n int) (first gatehouse.Seq, before [32]byte, rows [][]byte, err error)
	Hash(ctx context.Context, seq gatehouse.Seq) ([32]byte, error)
	Ack(ctx context.Context, from, to gatehouse.Seq) error
	Queue(ctx context.Context) (uint64, error)
}

// ErrFork is what Flush gives when the region holds other rows under the same numbers: this
// card was copied, restored or rewritten. Nothing is acknowledged until people have looked.
var ErrFork = errors.New("the region holds another book under this gate's name and epoch")

// An Uplink sends one book to one region. Book, Gate, Key and URL are needed; the rest has
// a default. It must not be copied after its first use.
type Uplink struct {
	Book   Book
	Gate   string
	Epoch  [16]byte
	Key    crypto.Signer // the gate's, Ed25519 or ECDSA on P-256
	URL    string        // of the region: "https://region.example:8443"
	Client *http.Client  // see NewClient; nil trusts what the system trusts
	Logger *slog.Logger  // nil logs nothing

	Rows     int            // most rows in a batch; 0 means 500
	Beat     time.Duration  // between two rounds when nobody calls Wake; 0 means 30 s
	Patience time.Duration  // for one exchange; 0 means 1 min
	MinWait  time.Duration  // first wait after a failure; 0 means 1 s
	MaxWait  time.Duration  // longest wait after failures; 0 means 10 min
	Rand     func() float64 // in [0, 1), for the jitter; nil means math/rand

	once sync.Once
	bell chan struct{}

	mu    sync.Mutex
	state State
	size  int // rows in the next batch: halved when a batch does not get through
}

// A State is how the link stands, for screens and metrics.
type State struct {
	Success time.Time // when the region last took a batch; zero when never
	Error   string    // of the last round; empty when it ended well
	Fork    bool      // the last round ended with ErrFork
	Queue   uint64    // rows that the region does not have
}

// State tells how the link stands now.
func (u *Uplink) State(ctx context.Context) State {
	queue, err := u.Book.Queue(ctx)
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.state
	s.Queue = queue
	if err != nil {
		s.Error = err.Error()
	}
	return s
}

// Wake tells Run that there is a new row. It returns at once.
func (u *Uplink) Wake() {
	select {
	case u.wake() <- struct{}{}:
	default: // it is awake already
	}
}

func (u *Uplink) wake() chan struct{} {
	u.once.Do(func() { u.bell = make(chan struct{}, 1) })
	return u.bell
}

// Run sends whatever there is until ctx ends, and returns ctx's error. It goes to work when
// woken and on its own beat. After a failure it waits, longer each time, and no Wake makes
// it shorter: a region that comes back is met by all its gates.
func (u *Uplink) Run(ctx context.Context) error {
	for failures := 0; ; {
		err := u.Flush(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait, wake := u.beat(), u.wake()
		if err != nil {
			failures++
			wait, wake = u.backOff(failures, err), nil
			u.log(slog.LevelWarn, "uplink", "err", err, "failures", failures, "wait", wait)
		} else if failures > 0 {
			u.log(slog.LevelInfo, "uplink is back", "failures", failures)
			failures = 0
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// Flush sends batches until the region has the whole book, or something fails. It must not
// run twice at the same time; Run calls it.
func (u *Uplink) Flush(ctx context.Context) error {
	err := u.flush(ctx)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.state.Fork = errors.Is(err, ErrFork)
	u.state.Error = ""
	if err != nil {
		u.state.Error = err.Error()
	}
	return err
}

// mostGaps is how often in a row the region may ask for another row before that is an
// error. Two heal everything that can happen to a mark.
const mostGaps = 3

func (u *Uplink) flush(ctx context.Context) error {
	for gaps := 0; ; {
		first, before, rows, err := u.Book.Pending(ctx, u.rows())
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return nil
		}
		batch := wire.Batch{Gate: u.Gate, Epoch: u.Epoch, First: first, Before: before, Rows: rows[:wire.Fit(rows)]}
		sealed, err := wire.Seal(batch, u.Key)
		if err != nil {
			return err
		}
		ack, err := u.put(ctx, batch, sealed)
		if err != nil {
			u.shrink(len(batch.Rows), err)
			return fmt.Errorf("rows %d to %d: %w", batch.First, batch.Last(), err)
		}
		if ack.Error == wire.Gap {
			if gaps++; gaps > mostGaps {
				return fmt.Errorf("rows %d to %d: the region asks for row %d and does not take it", batch.First, batch.Last(), ack.Through+1)
			}
		} else {
			gaps = 0
		}
		if err := u.settle(ctx, batch, ack); err != nil {
			return err
		}
	}
}

// settle moves the mark to where the region says that it is, if both have the same chain.
func (u *Uplink) settle(ctx context.Context, b wire.Batch, ack wire.Ack) error {
	if ack.Error == wire.Fork {
		return fmt.Errorf("rows %d to %d: %w", b.First, b.Last(), ErrFork)
	}
	if ack.Error == "" && ack.Through < b.Last() {
		return fmt.Errorf("rows %d to %d: accepted, but the region has come to row %d only", b.First, b.Last(), ack.Through)
	}
	queue, err := u.Book.Queue(ctx)
	if err != nil {
		return err
	}
	if head := b.First - 1 + gatehouse.Seq(queue); ack.Through > head {
		return fmt.Errorf("the region has come to row %d, this book to %d: %w", ack.Through, head, ErrFork)
	}
	hash, err := u.Book.Hash(ctx, ack.Through)
	if err != nil {
		return fmt.Errorf("the region has come to row %d: %w", ack.Through, err)
	}
	if hash != ack.Hash {
		return fmt.Errorf("row %d: %w", ack.Through, ErrFork)
	}
	if ack.Through != b.First-1 {
		if err := u.Book.Ack(ctx, b.First-1, ack.Through); err != nil {
			return err
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if ack.Error == "" {
		u.state.Success = time.Now()
		u.size = min(2*max(u.size, 1), u.most())
	}
	return nil
}

func (u *Uplink) log(level slog.Level, msg string, args ...any) {
	if u.Logger != nil {
		u.Logger.Log(context.Background(), level, msg, args...)
	}
}

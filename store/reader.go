package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gatehouse"
)

// A Reader reads a gate's book, also while the gate's own program writes to it. What it
// gives is what was durable when it was asked.
type Reader struct {
	db    *sql.DB
	gate  string
	epoch Epoch
}

// OpenReader opens a book for reading. It never changes the file; a book that no program
// has open needs a folder where SQLite may put its -shm file for the time of reading.
func OpenReader(ctx context.Context, path string) (*Reader, error) {
	db, err := openReader(ctx, path, bookKind())
	if err != nil {
		return nil, fmt.Errorf("open book %s: %w", path, err)
	}
	r := &Reader{db: db}
	if err := db.QueryRowContext(ctx, `SELECT gate, epoch FROM book`).Scan(&r.gate, exactly(r.epoch[:])); err != nil {
		db.Close()
		return nil, fmt.Errorf("open book %s: %w", path, err)
	}
	return r, nil
}

// Close ends reading.
func (r *Reader) Close() error { return r.db.Close() }

// Gate is the name of the gate whose book it is.
func (r *Reader) Gate() string { return r.gate }

// Epoch tells this book from an earlier one of the same gate.
func (r *Reader) Epoch() Epoch { return r.epoch }

// Genesis is the hash before row 1.
func (r *Reader) Genesis() Hash { return Genesis(r.gate, r.epoch) }

// Head gives the number and the hash of the last row; 0 and Genesis of an empty book.
func (r *Reader) Head(ctx context.Context) (gatehouse.Seq, Hash, error) {
	seq, hash, err := scanHead(r.db.QueryRowContext(ctx, selectHead), r.Genesis())
	if err != nil {
		return 0, Hash{}, fmt.Errorf("head: %w", err)
	}
	return seq, hash, nil
}

const selectHead = `SELECT seq, hash FROM passage ORDER BY seq DESC LIMIT 1`

func scanHead(row *sql.Row, genesis Hash) (gatehouse.Seq, Hash, error) {
	var seq int64
	var hash Hash
	err := row.Scan(&seq, exactly(hash[:]))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, genesis, nil
	case err != nil:
		return 0, Hash{}, err
	}
	return gatehouse.Seq(seq), hash, nil
}

// Hash gives the chain's hash after row seq; Genesis for 0, ErrNoPassage beyond the head.
func (r *Reader) Hash(ctx context.Context, seq gatehouse.Seq) (Hash, error) {
	return hashOf(ctx, r.db, seq, r.Genesis())
}

func hashOf(ctx context.Context, q queryer, seq gatehouse.Seq, genesis Hash) (Hash, error) {
	if seq == 0 {
		return genesis, nil
	}
	var hash Hash
	err := q.QueryRowContext(ctx, `SELECT hash FROM passage WHERE seq = ?1`, int64(seq)).Scan(exactly(hash[:]))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoPassage
	}
	if err != nil {
		return Hash{}, fmt.Errorf("hash of row %d: %w", seq, err)
	}
	return hash, nil
}

// Passage reads row seq; ErrNoPassage when the book does not hold it.
func (r *Reader) Passage(ctx context.Context, seq gatehouse.Seq) (gatehouse.Passage, error) {
	var b []byte
	err := r.db.QueryRowContext(ctx, `SELECT row FROM passage WHERE seq = ?1`, int64(seq)).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoPassage
	}
	if err != nil {
		return gatehouse.Passage{}, fmt.Errorf("passage %d: %w", seq, err)
	}
	p, err := Decode(b)
	if err != nil {
		return gatehouse.Passage{}, fmt.Errorf("passage %d: %w", seq, err)
	}
	return p, nil
}

// Tail gives the last n passages, in the order in which they were written.
func (r *Reader) Tail(ctx context.Context, n int) ([]gatehouse.Passage, error) {
	rows, err := r.db.QueryContext(ctx, `
		SELECT row FROM (SELECT seq, row FROM passage ORDER BY seq DESC LIMIT ?1) ORDER BY seq`, max(n, 0))
	if err != nil {
		return nil, fmt.Errorf("tail: %w", err)
	}
	passages, err := decodeAll(rows)
	if err != nil {
		return nil, fmt.Errorf("tail: %w", err)
	}
	return passages, nil
}

func decodeAll(rows *sql.Rows) ([]gatehouse.Passage, error) {
	defer rows.Close()
	var passages []gatehouse.Passage
	for rows.Next() {
		var b sql.RawBytes
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		p, err := Decode(b)
		if err != nil {
			return nil, err
		}
		passages = append(passages, p)
	}
	return passages, rows.Err()
}

// Pending gives the rows above the mark, oldest first and at most n of them: the number
// of the first, the hash before it, and the rows' exact bytes. No rows: nothing is pending,
// and first is the number that the next row will have. A row that is not what was written is
// a *Broken, and none is given.
func (r *Reader) Pending(ctx context.Context, n int) (first gatehouse.Seq, before Hash, pending [][]byte, err error) {
	first, before, pending, err = r.pending(ctx, int64(max(n, 0)))
	if err != nil {
		return 0, Hash{}, nil, fmt.Errorf("pending: %w", err)
	}
	return first, before, pending, nil
}

func (r *Reader) pending(ctx context.Context, n int64) (gatehouse.Seq, Hash, [][]byte, error) {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}) // mark and rows of one moment
	if err != nil {
		return 0, Hash{}, nil, err
	}
	defer tx.Rollback()
	mark, err := mark(ctx, tx)
	if err != nil {
		return 0, Hash{}, nil, err
	}
	before, err := hashOf(ctx, tx, mark, r.Genesis())
	if err != nil {
		return 0, Hash{}, nil, err
	}
	rows, err := tx.QueryContext(ctx, `
		SELECT seq, row, hash FROM passage WHERE seq > ?1 ORDER BY seq LIMIT ?2`, int64(mark), n)
	if err != nil {
		return 0, Hash{}, nil, err
	}
	defer rows.Close()
	var pending [][]byte
	c := checker{gate: r.gate, seq: mark, hash: before}
	for rows.Next() {
		var seq int64
		var row []byte
		var hash sql.RawBytes
		if err := rows.Scan(&seq, &row, &hash); err != nil {
			return 0, Hash{}, nil, err
		}
		// The region keeps for ever what it is handed: a row that rotted on the card must not
		// become its truth.
		if _, err := c.next(seq, row, hash); err != nil {
			return 0, Hash{}, nil, err
		}
		pending = append(pending, row)
	}
	return mark + 1, before, pending, rows.Err()
}

// Mark is the number up to which the region has all rows.
func (r *Reader) Mark(ctx context.Context) (gatehouse.Seq, error) {
	return mark(ctx, r.db)
}

func mark(ctx context.Context, q queryer) (gatehouse.Seq, error) {
	var mark int64
	if err := q.QueryRowContext(ctx, `SELECT mark FROM outbox`).Scan(&mark); err != nil {
		return 0, fmt.Errorf("mark: %w", err)
	}
	return gatehouse.Seq(mark), nil
}

// Queue tells how many rows the region does not have yet.
func (r *Reader) Queue(ctx context.Context) (uint64, error) {
	var n int64
	err := r.db.QueryRowContext(ctx, `
		SELECT (SELECT coalesce(max(seq), 0) FROM passage) - mark FROM outbox`).Scan(&n)
	if err == nil && n < 0 {
		err = fmt.Errorf("the mark is %d rows beyond the last row", -n)
	}
	if err != nil {
		return 0, fmt.Errorf("queue: %w", err)
	}
	return uint64(n), nil
}

// Newest is the time of the last row that was written under a trusted clock, zero when
// there is none. A clock that shows less has been set back or was never set.
func (r *Reader) Newest(ctx context.Context) (time.Time, error) {
	var ms int64
	err := r.db.QueryRowContext(ctx, `SELECT at FROM passage WHERE clock = 1 ORDER BY seq DESC LIMIT 1`).Scan(&ms)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, fmt.Errorf("newest: %w", err)
	}
	return time.UnixMilli(ms).UTC(), nil
}

// Floor is the version below which no signed file of a kind may be adopted; 0 at first.
func (r *Reader) Floor(ctx context.Context, kind string) (uint64, error) {
	var version int64
	err := r.db.QueryRowContext(ctx, `SELECT version FROM floor WHERE kind = ?1`, kind).Scan(&version)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("%s floor: %w", kind, err)
	}
	return uint64(version), nil
}

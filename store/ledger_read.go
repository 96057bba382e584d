package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gatehouse"
)

// A Standing is how far one book of a gate has come. A gate has several when its card was
// wiped or changed; the newest is the one that it writes.
type Standing struct {
	Gate    string
	Epoch   Epoch
	Through gatehouse.Seq
	Hash    Hash
	Seen    time.Time // last delivery, by the region's clock
	Deny    int64
	Refer   int64
	Admit   int64
	Hint    int64
	Forks   int64 // pieces of evidence that this book was copied or rewritten
}

type storedBook struct {
	Standing
	id int64
}

// Head gives how far a book has come and the chain's hash there; 0 and Genesis of a book
// that the ledger has not seen.
func (l *Ledger) Head(ctx context.Context, gate string, epoch Epoch) (gatehouse.Seq, Hash, error) {
	var through int64
	var hash Hash
	err := l.reader.QueryRowContext(ctx, `
		SELECT through, hash FROM book WHERE gate = ?1 AND epoch = ?2`, gate, epoch[:]).Scan(&through, exactly(hash[:]))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, Genesis(gate, epoch), nil
	case err != nil:
		return 0, Hash{}, fmt.Errorf("head of gate %s: %w", gate, err)
	}
	return gatehouse.Seq(through), hash, nil
}

// Gates gives all books by gate name, the newest of each gate first.
func (l *Ledger) Gates(ctx context.Context) ([]Standing, error) {
	books, err := booksOf(ctx, l.reader)
	if err != nil {
		return nil, fmt.Errorf("gates: %w", err)
	}
	standings := make([]Standing, len(books))
	for i, b := range books {
		standings[i] = b.Standing
	}
	return standings, nil
}

// Count is the number of rows in the ledger.
func (l *Ledger) Count(ctx context.Context) (int64, error) {
	var n int64
	if err := l.reader.QueryRowContext(ctx, `SELECT coalesce(sum(through), 0) FROM book`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return n, nil
}

// Passages gives the newest limit passages, the newest first: of all gates in the order of
// arrival, or of one gate in the order of its newest book and then of those before it.
func (l *Ledger) Passages(ctx context.Context, gate string, limit int) ([]gatehouse.Passage, error) {
	passages, err := l.passages(ctx, gate, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("passages: %w", err)
	}
	return passages, nil
}

func (l *Ledger) passages(ctx context.Context, gate string, limit int) ([]gatehouse.Passage, error) {
	if gate == "" {
		rows, err := l.reader.QueryContext(ctx, `SELECT row FROM record ORDER BY arrival DESC LIMIT ?1`, limit)
		if err != nil {
			return nil, err
		}
		return decodeAll(rows)
	}
	ids, err := l.booksOfGate(ctx, gate)
	if err != nil {
		return nil, err
	}
	var passages []gatehouse.Passage
	for _, id := range ids {
		if len(passages) == limit {
			break
		}
		rows, err := l.reader.QueryContext(ctx, `
			SELECT row FROM record WHERE book = ?1 ORDER BY seq DESC LIMIT ?2`, id, limit-len(passages))
		if err != nil {
			return nil, err
		}
		more, err := decodeAll(rows)
		if err != nil {
			return nil, err
		}
		passages = append(passages, more...)
	}
	return passages, nil
}

func (l *Ledger) booksOfGate(ctx context.Context, gate string) ([]int64, error) {
	rows, err := l.reader.QueryContext(ctx, `SELECT id FROM book WHERE gate = ?1 ORDER BY id DESC`, gate)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

type rowsQueryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func booksOf(ctx context.Context, q rowsQueryer) ([]storedBook, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT id, gate, epoch, through, hash, seen, deny, refer, admit, hint,
		       (SELECT count(*) FROM fork WHERE fork.book = book.id)
		  FROM book ORDER BY gate, id DESC`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var books []storedBook
	for rows.Next() {
		var b storedBook
		var through, seen int64
		if err := rows.Scan(&b.id, &b.Gate, exactly(b.Epoch[:]), &through, exactly(b.Hash[:]), &seen,
			&b.Deny, &b.Refer, &b.Admit, &b.Hint, &b.Forks); err != nil {
			return nil, err
		}
		b.Through, b.Seen = gatehouse.Seq(through), time.UnixMilli(seen).UTC()
		books = append(books, b)
	}
	return books, rows.Err()
}

// Verify recomputes the chain of every book; the error names the gate and, as a *Broken,
// the first bad row.
func (l *Ledger) Verify(ctx context.Context) error {
	tx, err := l.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	defer tx.Rollback()
	books, err := booksOf(ctx, tx)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	for _, b := range books {
		last, err := b.walk(ctx, tx, func(gatehouse.Passage) error { return nil })
		if err == nil && (last.seq != b.Through || last.hash != b.Hash) {
			err = &Broken{last.seq + 1, fmt.Sprintf("missing: the book has come to row %d", b.Through)}
		}
		if err != nil {
			return fmt.Errorf("verify gate %s, epoch %x: %w", b.Gate, b.Epoch, err)
		}
	}
	return nil
}

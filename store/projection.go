package store

import (
	"context"
	"database/sql"
	"fmt"

	"gatehouse"
)

// counts holds how often each call was made.
type counts [gatehouse.Hint + 1]int64

func (c *counts) add(call gatehouse.Call) { c[call]++ }

// A projection writes the narrow table for searching.
type projection struct{ insert *sql.Stmt }

func prepareProjection(ctx context.Context, tx *sql.Tx) (projection, error) {
	insert, err := tx.PrepareContext(ctx, `
		INSERT INTO passage (book, seq, at, call, reason, issuer) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`)
	return projection{insert}, err
}

func (j projection) Close() error { return j.insert.Close() }

func (j projection) add(ctx context.Context, book int64, p gatehouse.Passage) error {
	_, err := j.insert.ExecContext(ctx, book, int64(p.Seq), p.At.UnixMilli(),
		int64(p.Verdict.Call), string(p.Verdict.Reason), string(p.Issuer))
	return err
}

// Rebuild makes the projection and the counts again from the records, and checks each
// book's chain on the way. It holds the writer for as long as it takes; a *Broken leaves
// everything as it was.
func (l *Ledger) Rebuild(ctx context.Context) error {
	err := write(ctx, l.writer, func(ctx context.Context, tx *sql.Tx) error {
		books, err := booksOf(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM passage`); err != nil {
			return err
		}
		for _, b := range books {
			if err := b.rebuild(ctx, tx); err != nil {
				return fmt.Errorf("gate %s, epoch %x: %w", b.Gate, b.Epoch, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	return nil
}

func (b *storedBook) rebuild(ctx context.Context, tx *sql.Tx) error {
	project, err := prepareProjection(ctx, tx)
	if err != nil {
		return err
	}
	defer project.Close()
	var calls counts
	last, err := b.walk(ctx, tx, func(p gatehouse.Passage) error {
		calls.add(p.Verdict.Call)
		return project.add(ctx, b.id, p)
	})
	if err != nil {
		return err
	}
	if last.seq != b.Through || last.hash != b.Hash {
		return &Broken{last.seq + 1, fmt.Sprintf("missing: the book has come to row %d", b.Through)}
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE book SET deny = ?2, refer = ?3, admit = ?4, hint = ?5 WHERE id = ?1`,
		b.id, calls[gatehouse.Deny], calls[gatehouse.Refer], calls[gatehouse.Admit], calls[gatehouse.Hint])
	return err
}

// walk follows the chain of a book through its records.
func (b *storedBook) walk(ctx context.Context, tx *sql.Tx, each func(gatehouse.Passage) error) (checker, error) {
	c := checker{gate: b.Gate, hash: Genesis(b.Gate, b.Epoch)}
	rows, err := tx.QueryContext(ctx, `SELECT seq, row, hash FROM record WHERE book = ?1 ORDER BY seq`, b.id)
	if err != nil {
		return c, err
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		var row, hash sql.RawBytes
		if err := rows.Scan(&seq, &row, &hash); err != nil {
			return c, err
		}
		p, err := c.next(seq, row, hash)
		if err != nil {
			return c, err
		}
		if err := each(p); err != nil {
			return c, err
		}
	}
	return c, rows.Err()
}

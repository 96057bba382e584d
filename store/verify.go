package store

import (
	"context"
	"database/sql"
	"fmt"

	"gatehouse"
)

// A Broken is what Verify finds: the first row that is not what was written.
type Broken struct {
	Seq gatehouse.Seq
	Why string
}

func (b *Broken) Error() string { return fmt.Sprintf("row %d: %s", b.Seq, b.Why) }

// Verify recomputes the chain from the first row on and compares all that is derived from
// a row. It returns a *Broken for the first bad row; another error when the book could not
// be read. What it cannot see is a book cut off above the mark: the region's hash can.
func (r *Reader) Verify(ctx context.Context) error {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}) // one snapshot while the gate goes on
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	defer tx.Rollback()
	c := checker{gate: r.gate, hash: r.Genesis()}
	rows, err := tx.QueryContext(ctx, `SELECT seq, at, clock, row, hash FROM passage ORDER BY seq`)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var seq, at int64
		var clock bool
		var row, hash sql.RawBytes
		if err := rows.Scan(&seq, &at, &clock, &row, &hash); err != nil {
			return fmt.Errorf("verify: after row %d: %w", c.seq, err)
		}
		p, err := c.next(seq, row, hash)
		if err != nil {
			return err
		}
		if p.At.UnixMilli() != at || p.Clock != clock {
			return &Broken{c.seq, "its time is not the one in the row"}
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("verify: after row %d: %w", c.seq, err)
	}
	mark, err := mark(ctx, tx)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if mark > c.seq {
		return &Broken{c.seq + 1, fmt.Sprintf("missing, though the region has acknowledged %d rows", mark)}
	}
	return nil
}

// A checker walks along a chain.
type checker struct {
	gate string
	seq  gatehouse.Seq // the last good row
	hash Hash          // after it
}

func (c *checker) next(seq int64, row, hash []byte) (gatehouse.Passage, error) {
	c.seq++
	if gatehouse.Seq(seq) != c.seq {
		return gatehouse.Passage{}, &Broken{c.seq, "missing"}
	}
	p, err := Decode(row)
	switch {
	case err != nil:
		return p, &Broken{c.seq, err.Error()}
	case p.Seq != c.seq || p.Gate != c.gate:
		return p, &Broken{c.seq, fmt.Sprintf("it says that it is row %d of gate %s", p.Seq, p.Gate)}
	}
	c.hash = Link(c.hash, row)
	if string(hash) != string(c.hash[:]) {
		return p, &Broken{c.seq, "its hash does not follow from the row before and its bytes"}
	}
	return p, nil
}

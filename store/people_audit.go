package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
)

// auditDomain begins the chain of an audit trail.
const auditDomain = "gatehouse audit 1"

// linkEntry is the hash after a line: SHA-256 over the hash before it and the line's number,
// time and words, each word with its length in front.
func linkEntry(before [32]byte, e Entry) [32]byte {
	b := append([]byte(nil), before[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Seq))
	b = binary.BigEndian.AppendUint64(b, uint64(millis(e.At)))
	for _, w := range []string{e.Who, e.Role, e.What, e.About, e.Why, e.Detail} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(w)))
		b = append(b, w...)
	}
	return sha256.Sum256(b)
}

func genesisOfAudit() [32]byte { return sha256.Sum256([]byte(auditDomain)) }

// addEntries appends to the trail within a transaction.
func addEntries(ctx context.Context, tx *sql.Tx, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	seq, hash := int64(0), genesisOfAudit()
	err := tx.QueryRowContext(ctx, `SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1`).Scan(&seq, exactly(hash[:]))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	for _, e := range entries {
		seq++
		e.Seq = seq
		hash = linkEntry(hash, e)
		if _, err := tx.ExecContext(ctx, `INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`,
			e.Seq, millis(e.At), e.Who, e.Role, e.What, e.About, e.Why, e.Detail, hash[:]); err != nil {
			return err
		}
	}
	return nil
}

// Audit appends to the audit trail.
func (p *People) Audit(ctx context.Context, entries ...Entry) error {
	err := write(ctx, p.writer, func(ctx context.Context, tx *sql.Tx) error { return addEntries(ctx, tx, entries) })
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

func scanEntry(row scanner) (e Entry, err error) {
	err = row.Scan(&e.Seq, moment{&e.At}, &e.Who, &e.Role, &e.What, &e.About, &e.Why, &e.Detail, exactly(e.Hash[:]))
	return e, err
}

// Trail gives the lines of the audit trail after one; a negative number counts from the end.
func (p *People) Trail(ctx context.Context, after int64, limit int) ([]Entry, error) {
	all, err := list(ctx, p.reader, scanEntry, `
		SELECT seq, at, who, role, what, about, why, detail, hash FROM audit
		 WHERE seq > CASE WHEN ?1 < 0 THEN (SELECT coalesce(max(seq), 0) FROM audit) + ?1 ELSE ?1 END
		 ORDER BY seq LIMIT ?2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("audit trail: %w", err)
	}
	return all, nil
}

// VerifyAudit holds the whole trail against its hashes. What it cannot see is an end that was
// cut off by somebody who also set SQLite's own counter back: a head noted elsewhere can.
func (p *People) VerifyAudit(ctx context.Context) error {
	tx, err := p.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("verify audit trail: %w", err)
	}
	defer tx.Rollback()
	rows, err := tx.QueryContext(ctx, `SELECT seq, at, who, role, what, about, why, detail, hash FROM audit ORDER BY seq`)
	if err != nil {
		return fmt.Errorf("verify audit trail: %w", err)
	}
	defer rows.Close()
	seq, hash := int64(0), genesisOfAudit()
	for rows.Next() {
		e, err := scanEntry(rows)
		if err != nil {
			return fmt.Errorf("verify audit trail: after line %d: %w", seq, err)
		}
		seq++
		if e.Seq != seq {
			return fmt.Errorf("audit trail: line %d is missing", seq)
		}
		if hash = linkEntry(hash, e); !bytes.Equal(hash[:], e.Hash[:]) {
			return fmt.Errorf("audit trail: line %d is not what was written", seq)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("verify audit trail: after line %d: %w", seq, err)
	}
	var last int64
	err = tx.QueryRowContext(ctx, `SELECT seq FROM sqlite_sequence WHERE name = 'audit'`).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("verify audit trail: %w", err)
	}
	if last != seq {
		return fmt.Errorf("audit trail: ends at line %d, %d were written", seq, last)
	}
	return nil
}

// Adopt keeps a version of the rules. A version that is lower than the newest, or the same
// with another text, is refused.
func (p *People) Adopt(ctx context.Context, d Document, e Entry) error {
	var refused error
	err := write(ctx, p.writer, func(ctx context.Context, tx *sql.Tx) error {
		var version int64
		var text string
		err := tx.QueryRowContext(ctx, `SELECT version, text FROM document ORDER BY version DESC LIMIT 1`).Scan(&version, &text)
		switch {
		case err != nil && !errors.Is(err, sql.ErrNoRows):
			return err
		case d.Version < version:
			refused = fmt.Errorf("version %d is lower than %d, which was in force", d.Version, version)
		case d.Version == version && d.Text == text:
			return errNothing
		case d.Version == version:
			refused = fmt.Errorf("another text under version %d, which was in force: give it a higher one", version)
		}
		if refused != nil {
			return errNothing
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO document VALUES (?1, ?2, ?3)`, d.Version, d.Text, millis(d.Adopted)); err != nil {
			return err
		}
		return addEntries(ctx, tx, []Entry{e})
	})
	switch {
	case refused != nil:
		return refused
	case err != nil && err != errNothing:
		return fmt.Errorf("adopt rules: %w", err)
	}
	return nil
}

// Document gives a version of the rules that was in force.
func (p *People) Document(ctx context.Context, version int64) (Document, error) {
	d := Document{Version: version}
	err := p.reader.QueryRowContext(ctx, `SELECT text, adopted FROM document WHERE version = ?1`, version).Scan(&d.Text, moment{&d.Adopted})
	if err != nil {
		return Document{}, fmt.Errorf("rules of version %d: %w", version, err)
	}
	return d, nil
}

// Quarantine notes lines of sources that were not taken. The same line is noted once.
func (p *People) Quarantine(ctx context.Context, bad []Bad) error {
	err := write(ctx, p.writer, func(ctx context.Context, tx *sql.Tx) error {
		for _, b := range bad {
			if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO bad VALUES (?1, ?2, ?3, ?4, ?5)`,
				b.Source, b.File, b.Line, b.Why, millis(b.At)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return nil
}

// Quarantined lists them, the newest first.
func (p *People) Quarantined(ctx context.Context, limit int) ([]Bad, error) {
	all, err := list(ctx, p.reader, func(row scanner) (b Bad, err error) {
		return b, row.Scan(&b.Source, &b.File, &b.Line, &b.Why, moment{&b.At})
	}, `SELECT source, file, line, why, at FROM bad ORDER BY at DESC, file, line LIMIT ?1`, limit)
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	return all, nil
}

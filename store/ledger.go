package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"gatehouse"
)

// A Ledger is a region's: the exact rows of many gates' books, each as far as it came. Its
// methods may be called at the same time.
type Ledger struct {
	writer *sql.DB
	reader *sql.DB
}

func ledgerKind() kind {
	return kind{id: 0x47484c31, name: "region's ledger", migrations: []string{ledgerSchema}} // "GHL1"
}

// Table record is the truth; passage and the four counts can be made from it again.
const ledgerSchema = `
CREATE TABLE book (
  id      INTEGER PRIMARY KEY,
  gate    TEXT NOT NULL,
  epoch   BLOB NOT NULL CHECK (length(epoch) = 16),
  through INTEGER NOT NULL CHECK (through >= 0), -- all rows up to here are in record
  hash    BLOB NOT NULL CHECK (length(hash) = 32), -- of the chain at through
  seen    INTEGER NOT NULL, -- Unix milliseconds of the region's clock
  deny    INTEGER NOT NULL DEFAULT 0,
  refer   INTEGER NOT NULL DEFAULT 0,
  admit   INTEGER NOT NULL DEFAULT 0,
  hint    INTEGER NOT NULL DEFAULT 0,
  UNIQUE (gate, epoch)
) STRICT;

CREATE TABLE record (
  arrival INTEGER PRIMARY KEY,
  book    INTEGER NOT NULL REFERENCES book (id),
  seq     INTEGER NOT NULL CHECK (seq > 0),
  row     BLOB NOT NULL CHECK (length(row) BETWEEN 1 AND 4096),
  hash    BLOB NOT NULL CHECK (length(hash) = 32),
  UNIQUE (book, seq)
) STRICT;

CREATE TRIGGER record_stays BEFORE UPDATE ON record
BEGIN SELECT raise(ABORT, 'a record is never changed'); END;

CREATE TABLE passage (
  book   INTEGER NOT NULL REFERENCES book (id),
  seq    INTEGER NOT NULL,
  at     INTEGER NOT NULL, -- Unix milliseconds of the gate's clock
  call   INTEGER NOT NULL,
  reason TEXT NOT NULL,
  issuer TEXT NOT NULL,
  PRIMARY KEY (book, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE fork (
  book   INTEGER NOT NULL REFERENCES book (id),
  seq    INTEGER NOT NULL,
  before BLOB NOT NULL CHECK (length(before) = 32), -- the hash that the gate claims before row
  row    BLOB NOT NULL,
  seen   INTEGER NOT NULL,
  PRIMARY KEY (book, seq, before, row)
) STRICT, WITHOUT ROWID;
`

// OpenLedger opens the ledger at path, and makes it when there is none.
func OpenLedger(ctx context.Context, path string) (*Ledger, error) {
	writer, err := create(ctx, path, ledgerKind())
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	reader, err := openReader(ctx, path, ledgerKind())
	if err != nil {
		writer.Close()
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	return &Ledger{writer: writer, reader: reader}, nil
}

// Close leaves a file that needs no recovery.
func (l *Ledger) Close() error { return errors.Join(l.reader.Close(), l.writer.Close()) }

// Ping takes and gives back the writer's lock and writes nothing, as a Log's does.
func (l *Ledger) Ping(ctx context.Context) error {
	if err := write(ctx, l.writer, func(context.Context, *sql.Tx) error { return errNothing }); err != errNothing {
		return fmt.Errorf("ping ledger: %w", err)
	}
	return nil
}

// An Answer is what a ledger says to rows that it did not take. It is not a failure: asking
// again with the same rows gives the same answer.
type Answer struct {
	word, detail string
}

func (a *Answer) Error() string { return a.word + ": " + a.detail }

// Answer is the word for the wire: "gap" when rows before the first are not here yet,
// "fork" when the gate's chain is another one than was taken, "malformed" when a row is none.
func (a *Answer) Answer() string { return a.word }

// Take adds rows first, first+1, ... of a gate's book, before being the chain's hash ahead
// of the first. Rows that are here already are compared instead, so that sending again does
// no harm. It returns how far the book has come and the chain's hash there, which would
// survive a power cut. Taking is all or nothing.
//
// An error that is an *Answer is final. With "gap" and "fork" come the same two values: after
// a gap the gate goes on at through+1; a fork leaves the first row that differs in the ledger
// as evidence and takes none.
func (l *Ledger) Take(ctx context.Context, gate string, epoch Epoch, first gatehouse.Seq, before Hash, rows [][]byte) (through gatehouse.Seq, hash Hash, err error) {
	passages, err := readRows(gate, first, rows)
	if err != nil {
		return 0, Hash{}, err
	}
	var answer *Answer
	err = write(ctx, l.writer, func(ctx context.Context, tx *sql.Tx) error {
		b, err := enter(ctx, tx, gate, epoch)
		if err != nil {
			return err
		}
		through, hash = b.through, b.hash
		if first > b.through+1 {
			answer = &Answer{"gap", fmt.Sprintf("row %d of gate %s when row %d comes next", first, gate, b.through+1)}
			if b.through == 0 {
				return errNothing // a book begins with a row: empty ones would be without end
			}
			return nil
		}
		old := min(uint64(b.through+1-first), uint64(len(rows)))
		differs, err := b.compare(ctx, tx, first, before, rows[:old])
		if err != nil {
			return err
		}
		if differs >= 0 {
			seq := first + gatehouse.Seq(differs)
			answer = &Answer{"fork", fmt.Sprintf("row %d of gate %s is not the one that was taken", seq, gate)}
			return b.keepEvidence(ctx, tx, seq, chainTo(before, rows[:differs]), rows[differs])
		}
		if err := b.add(ctx, tx, passages[old:], rows[old:]); err != nil {
			return err
		}
		through, hash = b.through, b.hash
		return nil
	})
	if err != nil && err != errNothing {
		return 0, Hash{}, fmt.Errorf("take rows from %d of gate %s: %w", first, gate, err)
	}
	if answer != nil {
		return through, hash, answer
	}
	return through, hash, nil
}

// readRows decodes rows before anything is locked for them.
func readRows(gate string, first gatehouse.Seq, rows [][]byte) ([]gatehouse.Passage, error) {
	if err := checkGate(gate); err != nil {
		return nil, &Answer{"malformed", err.Error()}
	}
	if first == 0 || len(rows) == 0 || first > math.MaxInt64-gatehouse.Seq(len(rows)) {
		return nil, &Answer{"malformed", fmt.Sprintf("%d rows from number %d", len(rows), first)}
	}
	passages := make([]gatehouse.Passage, len(rows))
	for i, row := range rows {
		seq := first + gatehouse.Seq(i)
		p, err := Decode(row)
		if err == nil && (p.Gate != gate || p.Seq != seq) {
			err = fmt.Errorf("it says that it is row %d of gate %s", p.Seq, p.Gate)
		}
		if err != nil {
			return nil, &Answer{"malformed", fmt.Sprintf("row %d of gate %s: %v", seq, gate, err)}
		}
		passages[i] = p
	}
	return passages, nil
}

func chainTo(hash Hash, rows [][]byte) Hash {
	for _, row := range rows {
		hash = Link(hash, row)
	}
	return hash
}

// A book is one gate's book of one epoch within a ledger.
type book struct {
	id      int64
	through gatehouse.Seq
	hash    Hash
	genesis Hash
}

// enter finds the book, or begins it, and notes that its gate was here.
func enter(ctx context.Context, tx *sql.Tx, gate string, epoch Epoch) (*book, error) {
	b := book{genesis: Genesis(gate, epoch)}
	var through int64
	err := tx.QueryRowContext(ctx, `
		INSERT INTO book (gate, epoch, through, hash, seen) VALUES (?1, ?2, 0, ?3, ?4)
		    ON CONFLICT (gate, epoch) DO UPDATE SET seen = excluded.seen
		RETURNING id, through, hash`,
		gate, epoch[:], b.genesis[:], time.Now().UnixMilli()).Scan(&b.id, &through, exactly(b.hash[:]))
	if err != nil {
		return nil, err
	}
	b.through = gatehouse.Seq(through)
	return &b, nil
}

// compare tells at which of rows the gate's chain leaves the one that was taken, -1 when
// nowhere. Without old rows it is the hash before the first that must agree.
func (b *book) compare(ctx context.Context, tx *sql.Tx, first gatehouse.Seq, before Hash, old [][]byte) (int, error) {
	have := b.genesis
	if first > 1 {
		err := tx.QueryRowContext(ctx, `
			SELECT hash FROM record WHERE book = ?1 AND seq = ?2`, b.id, int64(first-1)).Scan(exactly(have[:]))
		if err != nil {
			return 0, fmt.Errorf("record %d: %w", first-1, err)
		}
	}
	if have != before {
		return 0, nil
	}
	for i, row := range old {
		var stored []byte
		err := tx.QueryRowContext(ctx, `
			SELECT row FROM record WHERE book = ?1 AND seq = ?2`, b.id, int64(first)+int64(i)).Scan(&stored)
		if err != nil {
			return 0, fmt.Errorf("record %d: %w", first+gatehouse.Seq(i), err)
		}
		if !bytes.Equal(stored, row) {
			return i, nil
		}
	}
	return -1, nil
}

// add appends rows, their projection and their counts, and moves the head.
func (b *book) add(ctx context.Context, tx *sql.Tx, passages []gatehouse.Passage, rows [][]byte) error {
	if len(rows) == 0 {
		return nil
	}
	record, err := tx.PrepareContext(ctx, `INSERT INTO record (book, seq, row, hash) VALUES (?1, ?2, ?3, ?4)`)
	if err != nil {
		return err
	}
	defer record.Close()
	project, err := prepareProjection(ctx, tx)
	if err != nil {
		return err
	}
	defer project.Close()
	var calls counts
	for i, p := range passages {
		b.through, b.hash = p.Seq, Link(b.hash, rows[i])
		if _, err := record.ExecContext(ctx, b.id, int64(p.Seq), rows[i], b.hash[:]); err != nil {
			return err
		}
		if err := project.add(ctx, b.id, p); err != nil {
			return err
		}
		calls.add(p.Verdict.Call)
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE book SET through = ?2, hash = ?3,
		       deny = deny + ?4, refer = refer + ?5, admit = admit + ?6, hint = hint + ?7
		 WHERE id = ?1`,
		b.id, int64(b.through), b.hash[:], calls[gatehouse.Deny], calls[gatehouse.Refer], calls[gatehouse.Admit], calls[gatehouse.Hint])
	return err
}

// mostForks is how many pieces of evidence a book keeps; a gate that goes on knocking with
// a forked book must not fill the disk.
const mostForks = 100

func (b *book) keepEvidence(ctx context.Context, tx *sql.Tx, seq gatehouse.Seq, before Hash, row []byte) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO fork (book, seq, before, row, seen)
		SELECT ?1, ?2, ?3, ?4, ?5
		 WHERE (SELECT count(*) FROM fork WHERE book = ?1) < ?6
		    ON CONFLICT DO NOTHING`,
		b.id, int64(seq), before[:], row, time.Now().UnixMilli(), mostForks)
	return err
}

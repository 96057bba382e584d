package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"gatehouse"
)

// A Log is a gate's book, open for writing. The book is the outbox too: rows above the
// mark are not yet in the region's ledger. Its methods may be called at the same time.
type Log struct {
	*Reader
	writer *sql.DB

	// Compiled once: on a small board compiling takes longer than writing.
	last   *sql.Stmt
	insert *sql.Stmt
}

func bookKind() kind {
	return kind{id: 0x47484231, name: "gate's book", migrations: []string{bookSchema}} // "GHB1"
}

// The triggers make the file itself refuse what a book never does. They guard against
// faults in programs, not against a thief: that is what the chain is for.
const bookSchema = `
CREATE TABLE book (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  gate  TEXT NOT NULL,
  epoch BLOB NOT NULL CHECK (length(epoch) = 16)
) STRICT;

CREATE TABLE passage (
  seq   INTEGER PRIMARY KEY CHECK (seq > 0),
  at    INTEGER NOT NULL, -- Unix milliseconds, as in the row
  clock INTEGER NOT NULL CHECK (clock IN (0, 1)),
  row   BLOB NOT NULL CHECK (length(row) BETWEEN 1 AND 4096),
  hash  BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TRIGGER passage_without_gaps BEFORE INSERT ON passage
 WHEN new.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM passage)
BEGIN SELECT raise(ABORT, 'a passage must follow the last one'); END;

CREATE TRIGGER passage_stays BEFORE UPDATE ON passage
BEGIN SELECT raise(ABORT, 'a passage is never changed'); END;

CREATE TRIGGER passage_is_kept BEFORE DELETE ON passage
BEGIN SELECT raise(ABORT, 'a passage is never deleted'); END;

CREATE TABLE outbox (
  one  INTEGER PRIMARY KEY CHECK (one = 1),
  mark INTEGER NOT NULL CHECK (mark >= 0) -- the region has all up to here
) STRICT;
INSERT INTO outbox (one, mark) VALUES (1, 0);

-- Versions of signed files that were in use; older ones are never taken again.
CREATE TABLE floor (
  kind    TEXT PRIMARY KEY, -- 'trust', 'policy'
  version INTEGER NOT NULL CHECK (version >= 0)
) STRICT;
`

// OpenLog opens the book of a gate, and makes it with a new epoch when there is none. When
// it returns, the book's name and schema would survive a power cut. The folder must exist.
// The book of another gate, one of a newer program, and any other file are refused.
func OpenLog(ctx context.Context, path, gate string) (*Log, error) {
	if err := checkGate(gate); err != nil {
		return nil, err
	}
	writer, err := create(ctx, path, bookKind())
	if err != nil {
		return nil, fmt.Errorf("open book %s: %w", path, err)
	}
	if err := name(ctx, writer, gate); err != nil {
		writer.Close()
		return nil, fmt.Errorf("open book %s: %w", path, err)
	}
	reader, err := OpenReader(ctx, path)
	if err != nil {
		writer.Close()
		return nil, err
	}
	if reader.gate != gate {
		reader.Close()
		writer.Close()
		return nil, fmt.Errorf("open book %s: it is the book of gate %q, not of %q", path, reader.gate, gate)
	}
	l := &Log{Reader: reader, writer: writer}
	if err := l.prepare(ctx); err != nil {
		l.Close()
		return nil, fmt.Errorf("open book %s: %w", path, err)
	}
	return l, nil
}

func (l *Log) prepare(ctx context.Context) (err error) {
	if l.last, err = l.writer.PrepareContext(ctx, selectHead); err != nil {
		return err
	}
	l.insert, err = l.writer.PrepareContext(ctx, `
		INSERT INTO passage (seq, at, clock, row, hash) VALUES (?1, ?2, ?3, ?4, ?5)`)
	return err
}

// name writes gate and epoch into a new book.
func name(ctx context.Context, db *sql.DB, gate string) error {
	var epoch Epoch
	rand.Read(epoch[:])
	_, err := db.ExecContext(ctx, `INSERT INTO book (one, gate, epoch) VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING`, gate, epoch[:])
	return err
}

// Close leaves a file that needs no recovery.
func (l *Log) Close() error {
	return errors.Join(l.Reader.Close(), l.writer.Close())
}

// ErrNoPassage is what looking for a passage that the book does not hold gives.
var ErrNoPassage = errors.New("no such passage")

// Record writes p down as the next row and returns it as it stands in the book: numbered,
// texts cut to their limits, times to the precision of a row. When it returns without an
// error the row survives a power cut. When it returns one, p is not in the book, unless the
// sync itself failed; the next call may succeed, since nothing is ever half-written.
//
// A p.Gate that is empty is filled in; another gate's is an error. p.Amends must be in the
// book, else the error is ErrNoPassage.
func (l *Log) Record(ctx context.Context, p gatehouse.Passage) (gatehouse.Passage, error) {
	if p.Gate == "" {
		p.Gate = l.gate
	}
	if p.Gate != l.gate {
		return p, fmt.Errorf("record: passage of gate %q in the book of %q", p.Gate, l.gate)
	}
	written := fit(p)
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		seq, hash, err := scanHead(tx.StmtContext(ctx, l.last).QueryRowContext(ctx), l.Genesis())
		if err != nil {
			return err
		}
		if p.Amends > seq {
			return fmt.Errorf("amends %d: %w", p.Amends, ErrNoPassage)
		}
		written.Seq = seq + 1
		row, err := Encode(written)
		if err != nil {
			return err
		}
		link := Link(hash, row)
		_, err = tx.StmtContext(ctx, l.insert).ExecContext(ctx,
			int64(written.Seq), written.At.UnixMilli(), written.Clock, row, link[:])
		return err
	})
	if err != nil {
		return p, fmt.Errorf("record: %w", err)
	}
	return written, nil
}

// Ack moves the mark from one number to another: the region has all rows up to to. It
// moves back when the region was restored from a backup and asks for rows again. Where the
// mark is no longer at from, or to is beyond the last row, nothing moves and the error says so.
func (l *Log) Ack(ctx context.Context, from, to gatehouse.Seq) error {
	if from > math.MaxInt64 || to > math.MaxInt64 {
		return fmt.Errorf("ack %d to %d: beyond any book", from, to)
	}
	return l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		// Both conditions stand in the statement, not in a transaction around it: what
		// keeps the mark right should be visible where the mark is set.
		result, err := tx.ExecContext(ctx, `
			UPDATE outbox SET mark = ?2
			 WHERE mark = ?1 AND ?2 <= (SELECT coalesce(max(seq), 0) FROM passage)`,
			int64(from), int64(to))
		if err != nil {
			return fmt.Errorf("ack %d to %d: %w", from, to, err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return fmt.Errorf("ack %d to %d: the mark is elsewhere, or the book ends before", from, to)
		}
		return nil
	})
}

// RaiseFloor remembers the version of the newest signed file of a kind ("trust", "policy")
// that was in use. It only grows: a lower version is an error, since an older list would
// bring back withdrawn keys, an older policy rules that were given up.
func (l *Log) RaiseFloor(ctx context.Context, kind string, version uint64) error {
	if version > math.MaxInt64 {
		return fmt.Errorf("%s floor: version %d is beyond any file", kind, version)
	}
	return l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `
			INSERT INTO floor (kind, version) VALUES (?1, ?2)
			ON CONFLICT (kind) DO UPDATE SET version = ?2 WHERE version <= ?2`, kind, int64(version))
		if err != nil {
			return fmt.Errorf("%s floor: %w", kind, err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return fmt.Errorf("%s floor: version %d is older than one that was in use", kind, version)
		}
		return nil
	})
}

// Ping takes and gives back the writer's lock and writes nothing: it fails, or does not
// return before ctx ends, when the writer is stuck.
func (l *Log) Ping(ctx context.Context) error {
	if err := l.write(ctx, func(context.Context, *sql.Tx) error { return errNothing }); err != errNothing {
		return fmt.Errorf("ping book: %w", err)
	}
	return nil
}

var errNothing = errors.New("nothing to write")

func (l *Log) write(ctx context.Context, do func(context.Context, *sql.Tx) error) error {
	return write(ctx, l.writer, do)
}

// write runs do in a transaction and commits it. Waiting for the writer ends with ctx; from
// then on ctx is out of the game, as a commit that was interrupted may have happened or not.
func write(ctx context.Context, db *sql.DB, do func(context.Context, *sql.Tx) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx = context.WithoutCancel(ctx)
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(ctx, tx); err != nil {
		// What went wrong is told by err; after a full disk SQLite has rolled back by itself.
		tx.Rollback()
		return err
	}
	return tx.Commit()
}

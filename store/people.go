package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

// People is what a region that issues codes keeps of persons: not who they are, but an HMAC
// of it, the events behind their colours, and what people did with all that. It stands in a
// file of its own beside the ledger, since it is erased by other rules. Its methods may be
// called at the same time.
type People struct {
	writer  *sql.DB
	reader  *sql.DB
	glances glances

	mu      sync.Mutex
	queue   []*issue // codes that wait for the next commit
	leading bool
	leaders sync.WaitGroup
}

func peopleKind() kind {
	return kind{id: 0x47485031, name: "region's file of people", migrations: []string{peopleSchema}} // "GHP1"
}

// Rows about a person count within it, so that one person's lie together and a later engine
// can part them by person.
const peopleSchema = `
CREATE TABLE person (
  id       BLOB PRIMARY KEY CHECK (length(id) = 16),
  name     TEXT NOT NULL,
  birth    TEXT NOT NULL,
  last     INTEGER NOT NULL,
  declared INTEGER NOT NULL, -- times are Unix milliseconds, 0 for none
  normal   INTEGER NOT NULL,
  touched  INTEGER NOT NULL, -- last change
  n        INTEGER NOT NULL, -- the newest state, as the table state has it
  grade    INTEGER NOT NULL,
  class    INTEGER NOT NULL,
  number   INTEGER NOT NULL,
  since    INTEGER NOT NULL,
  until    INTEGER NOT NULL,
  cause    INTEGER NOT NULL,
  why      TEXT NOT NULL,
  at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE state (
  person BLOB NOT NULL, n INTEGER NOT NULL,
  grade INTEGER NOT NULL, class INTEGER NOT NULL, number INTEGER NOT NULL,
  since INTEGER NOT NULL, until INTEGER NOT NULL, cause INTEGER NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (person, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
  person BLOB NOT NULL, n INTEGER NOT NULL,
  indicator INTEGER NOT NULL CHECK (indicator IN (1, 2, 4)),
  kind TEXT NOT NULL, at INTEGER NOT NULL, division TEXT NOT NULL, risk INTEGER NOT NULL,
  reference TEXT NOT NULL, status TEXT NOT NULL, finding TEXT NOT NULL, skin INTEGER NOT NULL,
  source TEXT NOT NULL, operator TEXT NOT NULL, ref TEXT NOT NULL, digest BLOB NOT NULL, recorded INTEGER NOT NULL,
  policy INTEGER NOT NULL, rule TEXT NOT NULL, number INTEGER NOT NULL, grade INTEGER NOT NULL, days INTEGER NOT NULL,
  until INTEGER NOT NULL, ended INTEGER NOT NULL, withdrawn INTEGER NOT NULL,
  PRIMARY KEY (person, n), UNIQUE (person, ref)
) STRICT, WITHOUT ROWID;

-- An event ends; what it was does not change.
CREATE TRIGGER event_stays BEFORE UPDATE ON event
WHEN (new.indicator, new.kind, new.at, new.source, new.operator, new.rule, new.grade, new.until)
  IS NOT (old.indicator, old.kind, old.at, old.source, old.operator, old.rule, old.grade, old.until)
  OR old.withdrawn <> 0 AND new.withdrawn <> old.withdrawn
BEGIN SELECT raise(ABORT, 'an event is never changed'); END;

CREATE TABLE trip (
  person BLOB NOT NULL, n INTEGER NOT NULL,
  division TEXT NOT NULL, arrived INTEGER NOT NULL, departed INTEGER NOT NULL, risk INTEGER NOT NULL,
  ref TEXT NOT NULL, digest BLOB NOT NULL, recorded INTEGER NOT NULL,
  PRIMARY KEY (person, n), UNIQUE (person, ref)
) STRICT, WITHOUT ROWID;

CREATE TABLE declaration (
  person BLOB NOT NULL, n INTEGER NOT NULL,
  symptoms INTEGER NOT NULL, contact INTEGER NOT NULL, place INTEGER NOT NULL,
  ref TEXT NOT NULL, digest BLOB NOT NULL, at INTEGER NOT NULL, checked INTEGER NOT NULL, checked_by TEXT NOT NULL,
  PRIMARY KEY (person, n), UNIQUE (person, ref)
) STRICT, WITHOUT ROWID;
CREATE INDEX declaration_waits ON declaration (at) WHERE checked = 0;

CREATE TABLE correction (
  person BLOB NOT NULL, n INTEGER NOT NULL,
  event INTEGER NOT NULL, filed_by TEXT NOT NULL, reason TEXT NOT NULL, ref TEXT NOT NULL, digest BLOB NOT NULL,
  filed INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'refused')),
  PRIMARY KEY (person, n), UNIQUE (person, ref)
) STRICT, WITHOUT ROWID;
CREATE INDEX correction_waits ON correction (filed) WHERE state = 'pending';

CREATE TABLE word (
  person BLOB NOT NULL, n INTEGER NOT NULL, -- of the correction
  said_by TEXT NOT NULL, word TEXT NOT NULL CHECK (word IN ('approve', 'refuse')), note TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (person, n, said_by)
) STRICT, WITHOUT ROWID;

CREATE TABLE code (
  id BLOB PRIMARY KEY CHECK (length(id) = 12),
  person BLOB NOT NULL, state INTEGER NOT NULL, issued INTEGER NOT NULL, expires INTEGER NOT NULL,
  tag BLOB NOT NULL CHECK (length(tag) = 8)
) STRICT, WITHOUT ROWID;
CREATE INDEX code_of ON code (person, expires);

CREATE TABLE converted (
  id BLOB PRIMARY KEY CHECK (length(id) = 12),
  issuer TEXT NOT NULL, code TEXT NOT NULL, issued INTEGER NOT NULL, expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Gone with the key of the day: then nobody can tell whose a tag was.
CREATE TABLE tag (
  tag BLOB PRIMARY KEY CHECK (length(tag) = 8),
  person BLOB NOT NULL, day TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE day_key (
  day TEXT PRIMARY KEY,
  key BLOB NOT NULL CHECK (length(key) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE revocation (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 12),
  at INTEGER NOT NULL, expires INTEGER NOT NULL, why TEXT NOT NULL
) STRICT;

CREATE TABLE document (
  version INTEGER PRIMARY KEY, text TEXT NOT NULL, adopted INTEGER NOT NULL
) STRICT;

-- How many colours each cause brought, in slots of ten minutes, and by whose hand.
CREATE TABLE tally (
  cause TEXT NOT NULL, name TEXT NOT NULL, slot INTEGER NOT NULL, operator TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (cause, name, slot, operator)
) STRICT, WITHOUT ROWID;

CREATE TABLE alarm (
  id INTEGER PRIMARY KEY, cause TEXT NOT NULL, name TEXT NOT NULL, since INTEGER NOT NULL, at INTEGER NOT NULL,
  count INTEGER NOT NULL, expected INTEGER NOT NULL, cleared INTEGER NOT NULL, cleared_by TEXT NOT NULL, note TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX alarm_open ON alarm (cause, name) WHERE cleared = 0;

CREATE TABLE bad (
  source TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (source, file, line, why)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, -- so that a cut end shows in sqlite_sequence
  at INTEGER NOT NULL, who TEXT NOT NULL, role TEXT NOT NULL, what TEXT NOT NULL,
  about TEXT NOT NULL, why TEXT NOT NULL, detail TEXT NOT NULL, hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'an audit line is never changed'); END;
CREATE TRIGGER audit_keeps BEFORE DELETE ON audit
BEGIN SELECT raise(ABORT, 'an audit line is never erased'); END;
`

// OpenPeople opens the file at path, makes it when there is none, and holds its audit trail
// against its hashes. A trail that was altered is an error, and the file stays as it is.
func OpenPeople(ctx context.Context, path string) (*People, error) {
	made, err := create(ctx, path, peopleKind())
	if err != nil {
		return nil, fmt.Errorf("open people %s: %w", path, err)
	}
	if err := made.Close(); err != nil {
		return nil, fmt.Errorf("open people %s: %w", path, err)
	}
	// What is erased is overwritten, not just forgotten: a tag's key must not lie in a free page.
	writer, err := open(ctx, path, "rw", append(writerPragmas(), "secure_delete(1)"))
	if err != nil {
		return nil, fmt.Errorf("open people %s: %w", path, err)
	}
	writer.SetMaxOpenConns(1)
	reader, err := openReader(ctx, path, peopleKind())
	if err != nil {
		writer.Close()
		return nil, fmt.Errorf("open people %s: %w", path, err)
	}
	p := &People{writer: writer, reader: reader}
	if err = p.VerifyAudit(ctx); err == nil {
		p.glances, err = newGlances(ctx, reader)
	}
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("open people %s: %w", path, err)
	}
	return p, nil
}

// Close waits for codes that are being written down.
func (p *People) Close() error {
	p.leaders.Wait()
	return errors.Join(p.glances.Close(), p.reader.Close(), p.writer.Close())
}

// millis is a time as the file has it; 0 is the zero time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// moment scans a time.
type moment struct{ to *time.Time }

// Scan implements sql.Scanner.
func (m moment) Scan(from any) error {
	ms, ok := from.(int64)
	if !ok {
		return fmt.Errorf("time of type %T", from)
	}
	*m.to = time.Time{}
	if ms != 0 {
		*m.to = time.UnixMilli(ms).UTC()
	}
	return nil
}

// Package store keeps what must not be lost: the gate's book, which is also its outbox,
// and the region's ledger. Both are SQLite files.
//
// A [Log] is a gate's book: append-only, numbered without gaps, each row chained to the
// one before by SHA-256. What a row looks like as bytes is docs/wire.md; [Encode] and
// [Decode] are its only codec. A [Ledger] holds the exact bytes of many gates' rows.
package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// A kind is what an SQLite file is for; its number stands in the file's header as
// application_id, so that a ledger is never taken for a book.
type kind struct {
	id         int64
	name       string
	migrations []string // migrations[n] leads from version n to n+1
}

// writerPragmas are set on each writing connection.
func writerPragmas() []string {
	return []string{
		// Another program may hold the lock for as long as a checkpoint takes.
		"busy_timeout(5000)",
		// Readers do not hold up the lane, and a row costs one write and one sync.
		"journal_mode(WAL)",
		// NORMAL would lose the last rows of a WAL in a power cut; FULL syncs every commit.
		"synchronous(FULL)",
		// A mapped page that cannot be read is a signal that kills; a read is an error.
		"mmap_size(0)",
		// After a checkpoint the WAL gives back what a backlog had made it grow to.
		"journal_size_limit(4194304)",
		// A damaged page is reported when it is read, not when its cells are followed.
		"cell_size_check(1)",
		// The schema of a file from a foreign card runs no function with side effects.
		"trusted_schema(0)",
		"foreign_keys(1)",
	}
}

// readerPragmas are set on each reading connection.
func readerPragmas() []string {
	return []string{"busy_timeout(5000)", "mmap_size(0)", "cell_size_check(1)", "trusted_schema(0)", "query_only(1)"}
}

// create opens path for writing, makes the file when it is not there, and brings its
// schema up to date.
func create(ctx context.Context, path string, k kind) (*sql.DB, error) {
	// Made here and not by SQLite so that strangers cannot read it; -wal and -shm take
	// their mode from it. The file must not be touched like this once SQLite has it open:
	// closing a second descriptor would drop this program's locks.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o640)
	switch {
	case err == nil:
		if err := f.Close(); err != nil {
			return nil, err
		}
	case !os.IsExist(err):
		return nil, err
	}
	db, err := open(ctx, path, "rw", writerPragmas())
	if err != nil {
		return nil, err
	}
	// One writer: SQLite has one at a time anyway, and a queue in this program is fairer
	// than a busy timeout.
	db.SetMaxOpenConns(1)
	if err := migrate(ctx, db, k); err != nil {
		db.Close()
		return nil, err
	}
	// A file whose name was never synced is gone after a power cut, whatever is in it.
	// SQLite syncs the folder for its WAL on most builds; this does on all.
	if err := syncFolder(filepath.Dir(path)); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// openReader opens path for reading only, while another program may write to it.
func openReader(ctx context.Context, path string, k kind) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	db, err := open(ctx, path, "ro", readerPragmas())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	id, version, err := header(ctx, db)
	if err == nil {
		err = k.accepts(id, version)
	}
	if err == nil && version < k.current() {
		err = fmt.Errorf("%s of version %d, this program reads %d: open it once for writing", k.name, version, k.current())
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func open(ctx context.Context, path, mode string, pragmas []string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	name := url.URL{Scheme: "file", Path: abs, RawQuery: url.Values{
		"mode":    {mode},
		"_txlock": {"immediate"}, // the lock is taken before what is decided under it is read
		"_dqs":    {"0"},
		"_pragma": pragmas,
	}.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	var version string
	if err := db.QueryRowContext(ctx, `SELECT sqlite_version()`).Scan(&version); err != nil {
		db.Close()
		return nil, err
	}
	if err := soundVersion(version); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// soundVersion refuses the SQLite versions 3.7.0 to 3.51.2, whose WAL can be reset under
// a second connection and corrupt the file (sqlite.org/wal.html, "the WAL-reset bug").
func soundVersion(version string) error {
	var n [3]int
	for i, part := range strings.SplitN(version, ".", 3) {
		v, err := strconv.Atoi(part)
		if err != nil {
			return fmt.Errorf("SQLite version %q: %w", version, err)
		}
		n[i] = v
	}
	number := n[0]*1_000_000 + n[1]*1000 + n[2]
	if number < 3_051_003 {
		return fmt.Errorf("SQLite %s can corrupt its write-ahead log: 3.51.3 or later is needed", version)
	}
	return nil
}

func (k kind) current() int64 { return int64(len(k.migrations)) }

// accepts tells whether a file with this header is of this kind and not from the future.
// A file without any header yet is welcome.
func (k kind) accepts(id, version int64) error {
	if id != k.id && (id != 0 || version != 0) {
		return fmt.Errorf("not a %s: application id %#x, want %#x", k.name, id, k.id)
	}
	if version > k.current() {
		return fmt.Errorf("%s of version %d is newer than this program, which knows %d: run the newer program", k.name, version, k.current())
	}
	return nil
}

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func header(ctx context.Context, q queryer) (id, version int64, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT a.application_id, v.user_version
		  FROM pragma_application_id AS a, pragma_user_version AS v`).Scan(&id, &version)
	return id, version, err
}

// migrate leads the file to the current version, all steps or none.
func migrate(ctx context.Context, db *sql.DB, k kind) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	id, version, err := header(ctx, tx)
	if err != nil {
		return err
	}
	if err := k.accepts(id, version); err != nil {
		return err
	}
	if version == 0 {
		// Somebody else's database without a header is not ours to fill.
		var tables int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil {
			return err
		}
		if tables != 0 {
			return fmt.Errorf("not a %s: %d tables and no application id", k.name, tables)
		}
	}
	if version == k.current() {
		return nil
	}
	for ; version < k.current(); version++ {
		if _, err := tx.ExecContext(ctx, k.migrations[version]); err != nil {
			return fmt.Errorf("%s: migration %d: %w", k.name, version+1, err)
		}
	}
	// A pragma takes no parameters; both numbers are ours.
	header := fmt.Sprintf(`PRAGMA application_id = %d; PRAGMA user_version = %d`, k.id, k.current())
	if _, err := tx.ExecContext(ctx, header); err != nil {
		return fmt.Errorf("%s: write the header: %w", k.name, err)
	}
	return tx.Commit()
}

// exactly scans a blob into to and refuses one of another length.
type exactly []byte

// Scan implements sql.Scanner.
func (to exactly) Scan(from any) error {
	b, ok := from.([]byte)
	if !ok || len(b) != len(to) {
		return fmt.Errorf("blob of %d bytes, want %d", len(b), len(to))
	}
	copy(to, b)
	return nil
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		d.Close()
		return fmt.Errorf("sync folder %s: %w", path, err)
	}
	return d.Close()
}

package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"hash"
)

// Sweep erases what is over since before the horizon, and writes into the audit trail how
// much that was and a hash of what the rows were called, in the same transaction. When
// nothing was, nothing is written. Erased pages are overwritten, and so is the log that the
// rows came through.
func (p *People) Sweep(ctx context.Context, h Horizon, entry func(Gone) Entry) (gone Gone, err error) {
	err = write(ctx, p.writer, func(ctx context.Context, tx *sql.Tx) error {
		sum := sha256.New()
		if err := sweep(ctx, tx, h, &gone, sum); err != nil {
			return err
		}
		if gone == (Gone{}) {
			return errNothing
		}
		gone.Digest = [32]byte(sum.Sum(nil))
		return addEntries(ctx, tx, []Entry{entry(gone)})
	})
	if err != nil && err != errNothing {
		return Gone{}, fmt.Errorf("sweep: %w", err)
	}
	// A WAL keeps old pages until it is written over. A reader may hold it back: the next
	// sweep asks again, whether it erases anything or not.
	if _, err := p.writer.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		return gone, fmt.Errorf("sweep: empty the write-ahead log: %w", err)
	}
	return gone, nil
}

// erasable is one table, and which of its rows are over at the time ?1.
type erasable struct {
	table, key, over string
	at               any
	count            *int64
	own              bool // goes by its own time also when all else is erased
}

func sweep(ctx context.Context, tx *sql.Tx, h Horizon, g *Gone, sum hash.Hash) error {
	events, declarations, codes, persons := millis(h.Events), millis(h.Declarations), millis(h.Codes), millis(h.Persons)
	var words, rest int64
	for _, e := range []erasable{
		// A correction goes with its event, and its words with it.
		{"word", "hex(person) || n || said_by", `EXISTS (SELECT 1 FROM correction c JOIN event e ON e.person = c.person AND e.n = c.event
			WHERE c.person = word.person AND c.n = word.n AND e.until <= ?1)`, events, &words, false},
		{"correction", "hex(person) || n", `EXISTS (SELECT 1 FROM event e
			WHERE e.person = correction.person AND e.n = correction.event AND e.until <= ?1)`, events, &g.Corrections, false},
		// An event without a rule counts from when it came in.
		{"event", "hex(person) || n", `max(until, recorded) <= ?1`, events, &g.Events, false},
		{"trip", "hex(person) || n", `max(departed, recorded) <= ?1`, declarations, &g.Trips, false},
		{"declaration", "hex(person) || n", `checked <> 0 AND at <= ?1`, declarations, &g.Declarations, false},
		{"state", "hex(person) || n", `at <= ?1 AND n <> (SELECT n FROM person WHERE id = state.person)`, events, &g.States, false},
		{"code", "hex(id)", `expires <= ?1`, codes, &g.Codes, false},
		{"converted", "hex(id)", `expires <= ?1`, codes, &g.Codes, false},
		// A code that was taken back stays so until it has expired.
		{"revocation", "hex(id)", `expires <= ?1`, codes, &rest, true},
		{"tag", "hex(tag)", `day < ?1`, h.Day, &g.Tags, false},
		{"day_key", "day", `day < ?1`, h.Day, &g.Days, false},
		{"person", "hex(id)", `touched <= ?1 AND until <= ?1
			AND NOT EXISTS (SELECT 1 FROM event WHERE person = person.id)
			AND NOT EXISTS (SELECT 1 FROM trip WHERE person = person.id)
			AND NOT EXISTS (SELECT 1 FROM declaration WHERE person = person.id)
			AND NOT EXISTS (SELECT 1 FROM code WHERE person = person.id)`, persons, &g.Persons, false},
		{"state", "hex(person) || n", `?1 IS NOT NULL AND NOT EXISTS (SELECT 1 FROM person WHERE id = state.person)`, persons, &g.States, false},
		{"bad", "source || file || line", `at <= ?1`, millis(h.Bad), &rest, false},
		{"tally", "cause || name || slot", `slot < ?1`, slotOf(h.Events), &rest, false},
	} {
		if h.Everything && !e.own {
			e.over, e.at = `?1 IS NOT NULL`, 0
		}
		n, err := erase(ctx, tx, e, sum)
		if err != nil {
			return fmt.Errorf("%s: %w", e.table, err)
		}
		*e.count += n
	}
	return nil
}

// erase deletes rows and adds what they were called to the sum, in the order of their names.
func erase(ctx context.Context, tx *sql.Tx, e erasable, sum hash.Hash) (int64, error) {
	// Names of tables and columns are this file's own.
	names, err := list(ctx, tx, func(row scanner) (name string, err error) { return name, row.Scan(&name) },
		`SELECT `+e.key+` AS name FROM `+e.table+` WHERE `+e.over+` ORDER BY name`, e.at)
	if err != nil || len(names) == 0 {
		return 0, err
	}
	for _, name := range names {
		fmt.Fprintf(sum, "%s %s\n", e.table, name)
	}
	done, err := tx.ExecContext(ctx, `DELETE FROM `+e.table+` WHERE `+e.over, e.at)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

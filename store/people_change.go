package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gatehouse"
)

// slot is the width of a tally's count.
const slot = 10 * time.Minute

// Change reads a record, asks decide what to change, and writes it with its audit entries in
// one transaction. An error of decide is returned as it is, and nothing is written.
func (p *People) Change(ctx context.Context, id [16]byte, decide func(Record, bool) (Change, error)) error {
	var answer error
	err := write(ctx, p.writer, func(ctx context.Context, tx *sql.Tx) error {
		r, found, err := recordOf(ctx, tx, id)
		if err != nil {
			return err
		}
		c, err := decide(r, found)
		if err != nil {
			answer = err
			return errNothing
		}
		if c.Person.Last < r.Person.Last {
			return fmt.Errorf("rows up to %d are on record, the change knows %d", r.Person.Last, c.Person.Last)
		}
		c.Person.ID = id
		return apply(ctx, tx, c)
	})
	switch {
	case answer != nil:
		return answer
	case err != nil:
		return fmt.Errorf("change a person: %w", err)
	}
	return nil
}

func apply(ctx context.Context, tx *sql.Tx, c Change) error {
	if err := putPerson(ctx, tx, c.Person, c.At); err != nil {
		return err
	}
	id := c.Person.ID[:]
	for _, s := range c.States {
		if _, err := tx.ExecContext(ctx, `INSERT INTO state VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`,
			id, s.N, s.Grade, s.Class, s.Number, millis(s.Since), millis(s.Until), s.Cause, s.Why, millis(s.At)); err != nil {
			return err
		}
	}
	for _, e := range c.Events {
		if err := putEvent(ctx, tx, id, e); err != nil {
			return err
		}
	}
	for _, t := range c.Trips {
		if _, err := tx.ExecContext(ctx, `INSERT INTO trip VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`,
			id, t.N, t.Division, millis(t.In), millis(t.Out), t.Risk, t.Ref, t.Digest[:], millis(t.Recorded)); err != nil {
			return err
		}
	}
	for _, d := range c.Declarations {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO declaration VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
			    ON CONFLICT (person, n) DO UPDATE SET checked = excluded.checked, checked_by = excluded.checked_by`,
			id, d.N, d.Symptoms, d.Contact, d.Place, d.Ref, d.Digest[:], millis(d.At), millis(d.Checked), d.CheckedBy); err != nil {
			return err
		}
	}
	for _, x := range c.Corrections {
		if err := putCorrection(ctx, tx, id, x); err != nil {
			return err
		}
	}
	if c.Revoke != "" {
		if _, err := tx.ExecContext(ctx, `
			INSERT OR IGNORE INTO revocation (id, at, expires, why)
			SELECT id, ?2, expires, ?3 FROM code WHERE person = ?1 AND expires > ?2`, id, millis(c.At), c.Revoke); err != nil {
			return err
		}
	}
	return addEntries(ctx, tx, c.Audit)
}

func putPerson(ctx context.Context, tx *sql.Tx, p Person, at time.Time) error {
	s := p.State
	_, err := tx.ExecContext(ctx, `
		INSERT INTO person (`+personColumns+`, touched)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
		    ON CONFLICT (id) DO UPDATE SET name = excluded.name, birth = excluded.birth, last = excluded.last,
		       declared = excluded.declared, normal = excluded.normal, touched = excluded.touched, n = excluded.n,
		       grade = excluded.grade, class = excluded.class, number = excluded.number, since = excluded.since,
		       until = excluded.until, cause = excluded.cause, why = excluded.why, at = excluded.at`,
		p.ID[:], p.Name, p.Birth, p.Last, millis(p.Declared), millis(p.Normal),
		s.N, s.Grade, s.Class, s.Number, millis(s.Since), millis(s.Until), s.Cause, s.Why, millis(s.At), millis(at))
	return err
}

// putEvent adds an event and counts it by its causes, or writes down the end of one.
func putEvent(ctx context.Context, tx *sql.Tx, id []byte, e Event) error {
	ended, err := tx.ExecContext(ctx, `UPDATE event SET ended = ?3, withdrawn = ?4 WHERE person = ?1 AND n = ?2`,
		id, e.N, millis(e.Ended), millis(e.Withdrawn))
	if err != nil {
		return err
	}
	if n, err := ended.RowsAffected(); err != nil || n > 0 {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO event (person, `+eventColumns+`)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)`,
		id, e.N, e.Indicator, e.Kind, millis(e.At), e.Division, e.Risk, e.Case, e.Status, e.Finding, e.Skin,
		e.Source, e.Operator, e.Ref, e.Digest[:], millis(e.Recorded), e.Policy, e.Rule, e.Number, e.Grade, e.Days,
		millis(e.Until), millis(e.Ended), millis(e.Withdrawn)); err != nil {
		return err
	}
	if e.Grade == gatehouse.NoGrade || !e.Ended.IsZero() {
		return nil
	}
	for cause, name := range map[string]string{"rule": e.Rule, "source": e.Source, "operator": e.Operator} {
		if name == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO tally VALUES (?1, ?2, ?3, ?4, 1)
			    ON CONFLICT DO UPDATE SET count = count + 1`, cause, name, slotOf(e.Recorded), e.Operator); err != nil {
			return err
		}
	}
	return nil
}

func slotOf(t time.Time) int64 { return t.UnixMilli() / slot.Milliseconds() }

func putCorrection(ctx context.Context, tx *sql.Tx, id []byte, c Correction) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO correction (`+correctionColumns+`) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
		    ON CONFLICT (person, n) DO UPDATE SET state = excluded.state`,
		id, c.N, c.Event, c.By, c.Reason, c.Ref, c.Digest[:], millis(c.Filed), c.State); err != nil {
		return err
	}
	for _, w := range c.Words {
		if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO word VALUES (?1, ?2, ?3, ?4, ?5, ?6)`,
			id, c.N, w.By, w.Word, w.Note, millis(w.At)); err != nil {
			return err
		}
	}
	return nil
}

// Tally counts the colours of one cause within a span, and tells when its first slot began.
func (p *People) Tally(ctx context.Context, of, name string, from, to time.Time) (n int64, first time.Time, err error) {
	var begin sql.NullInt64
	err = p.reader.QueryRowContext(ctx, `
		SELECT coalesce(sum(count) FILTER (WHERE slot >= ?3 AND slot < ?4), 0), min(slot)
		  FROM tally WHERE cause = ?1 AND name = ?2`, of, name, slotOf(from), slotOf(to)).Scan(&n, &begin)
	if err != nil {
		return 0, first, fmt.Errorf("tally: %w", err)
	}
	if begin.Valid {
		first = time.UnixMilli(begin.Int64 * slot.Milliseconds()).UTC()
	}
	return n, first, nil
}

// Raise opens an alarm, unless one of the same cause is open or was cleared within its span.
func (p *People) Raise(ctx context.Context, a Alarm, e Entry) (raised bool, err error) {
	err = write(ctx, p.writer, func(ctx context.Context, tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `
			INSERT INTO alarm (cause, name, since, at, count, expected, cleared, cleared_by, note)
			SELECT ?1, ?2, ?3, ?4, ?5, ?6, 0, '', ''
			 WHERE NOT EXISTS (SELECT 1 FROM alarm WHERE cause = ?1 AND name = ?2 AND (cleared = 0 OR cleared > ?3))`,
			a.Of, a.Name, millis(a.From), millis(a.At), a.Count, a.Expected)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return errNothing
		}
		raised = true
		return addEntries(ctx, tx, []Entry{e})
	})
	if err != nil && err != errNothing {
		return false, fmt.Errorf("raise an alarm: %w", err)
	}
	return raised, nil
}

// Alarms lists alarms, the open ones first, then the newest.
func (p *People) Alarms(ctx context.Context, limit int) ([]Alarm, error) {
	all, err := list(ctx, p.reader, func(row scanner) (a Alarm, err error) {
		return a, row.Scan(&a.ID, &a.Of, &a.Name, moment{&a.From}, moment{&a.At}, &a.Count, &a.Expected, moment{&a.Cleared}, &a.ClearedBy, &a.Note)
	}, `SELECT id, cause, name, since, at, count, expected, cleared, cleared_by, note
	      FROM alarm ORDER BY cleared <> 0, id DESC LIMIT ?1`, limit)
	if err != nil {
		return nil, fmt.Errorf("alarms: %w", err)
	}
	return all, nil
}

// Clear closes an open alarm, unless one of its events came by the hand of who clears it.
func (p *People) Clear(ctx context.Context, id int64, by, note string, e Entry) (cleared, own bool, err error) {
	err = write(ctx, p.writer, func(ctx context.Context, tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `
			SELECT EXISTS (SELECT 1 FROM tally JOIN alarm ON tally.cause = alarm.cause AND tally.name = alarm.name
			                WHERE alarm.id = ?1 AND alarm.cleared = 0 AND tally.operator = ?2 AND tally.slot >= alarm.since / ?3)`,
			id, by, slot.Milliseconds()).Scan(&own)
		if err != nil {
			return err
		}
		if own {
			return errNothing
		}
		done, err := tx.ExecContext(ctx, `
			UPDATE alarm SET cleared = ?2, cleared_by = ?3, note = ?4 WHERE id = ?1 AND cleared = 0`, id, millis(e.At), by, note)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return errNothing
		}
		cleared = true
		return addEntries(ctx, tx, []Entry{e})
	})
	if err != nil && err != errNothing {
		return false, false, fmt.Errorf("clear an alarm: %w", err)
	}
	return cleared, own, nil
}

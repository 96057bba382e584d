package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const personColumns = `id, name, birth, last, declared, normal, n, grade, class, number, since, until, cause, why, at`

const eventColumns = `n, indicator, kind, at, division, risk, reference, status, finding, skin,
	source, operator, ref, digest, recorded, policy, rule, number, grade, days, until, ended, withdrawn`

const correctionColumns = `person, n, event, filed_by, reason, ref, digest, filed, state`

type scanner interface{ Scan(to ...any) error }

func scanPerson(row scanner) (p Person, err error) {
	s := &p.State
	err = row.Scan(exactly(p.ID[:]), &p.Name, &p.Birth, &p.Last, moment{&p.Declared}, moment{&p.Normal},
		&s.N, &s.Grade, &s.Class, &s.Number, moment{&s.Since}, moment{&s.Until}, &s.Cause, &s.Why, moment{&s.At})
	return p, err
}

func scanEvent(row scanner) (e Event, err error) {
	err = row.Scan(&e.N, &e.Indicator, &e.Kind, moment{&e.At}, &e.Division, &e.Risk, &e.Case, &e.Status, &e.Finding, &e.Skin,
		&e.Source, &e.Operator, &e.Ref, exactly(e.Digest[:]), moment{&e.Recorded},
		&e.Policy, &e.Rule, &e.Number, &e.Grade, &e.Days, moment{&e.Until}, moment{&e.Ended}, moment{&e.Withdrawn})
	return e, err
}

func scanTrip(row scanner) (t Trip, err error) {
	err = row.Scan(&t.N, &t.Division, moment{&t.In}, moment{&t.Out}, &t.Risk, &t.Ref, exactly(t.Digest[:]), moment{&t.Recorded})
	return t, err
}

func scanState(row scanner) (s State, err error) {
	err = row.Scan(&s.N, &s.Grade, &s.Class, &s.Number, moment{&s.Since}, moment{&s.Until}, &s.Cause, &s.Why, moment{&s.At})
	return s, err
}

func scanDeclaration(row scanner) (d Declaration, err error) {
	err = row.Scan(&d.N, &d.Symptoms, &d.Contact, &d.Place, &d.Ref, exactly(d.Digest[:]), moment{&d.At}, moment{&d.Checked}, &d.CheckedBy)
	return d, err
}

func scanCorrection(row scanner) (c Correction, err error) {
	err = row.Scan(exactly(c.Person[:]), &c.N, &c.Event, &c.By, &c.Reason, &c.Ref, exactly(c.Digest[:]), moment{&c.Filed}, &c.State)
	return c, err
}

// list reads all rows of a query.
func list[T any](ctx context.Context, q rowsQueryer, scan func(scanner) (T, error), query string, args ...any) (all []T, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return each(rows, scan)
}

// prepared is list for a statement.
func prepared[T any](ctx context.Context, s *sql.Stmt, scan func(scanner) (T, error), args ...any) ([]T, error) {
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	return each(rows, scan)
}

func each[T any](rows *sql.Rows, scan func(scanner) (T, error)) (all []T, err error) {
	defer rows.Close()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

type bothQueryer interface {
	queryer
	rowsQueryer
}

// Record gives all of one person as of one moment.
func (p *People) Record(ctx context.Context, id [16]byte) (Record, bool, error) {
	tx, err := p.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return Record{}, false, fmt.Errorf("read a person: %w", err)
	}
	defer tx.Rollback()
	r, found, err := recordOf(ctx, tx, id)
	if err != nil {
		return Record{}, false, fmt.Errorf("read a person: %w", err)
	}
	return r, found, nil
}

func recordOf(ctx context.Context, q bothQueryer, id [16]byte) (r Record, found bool, err error) {
	r.Person, err = scanPerson(q.QueryRowContext(ctx, `SELECT `+personColumns+` FROM person WHERE id = ?1`, id[:]))
	if errors.Is(err, sql.ErrNoRows) {
		r.Person.ID = id
		return r, false, nil
	}
	if err != nil {
		return r, false, err
	}
	if r.Events, err = list(ctx, q, scanEvent, `SELECT `+eventColumns+` FROM event WHERE person = ?1 ORDER BY n`, id[:]); err != nil {
		return r, false, err
	}
	if r.Trips, err = list(ctx, q, scanTrip, `
		SELECT n, division, arrived, departed, risk, ref, digest, recorded FROM trip WHERE person = ?1 ORDER BY n`, id[:]); err != nil {
		return r, false, err
	}
	if r.Declarations, err = list(ctx, q, scanDeclaration, `
		SELECT n, symptoms, contact, place, ref, digest, at, checked, checked_by FROM declaration WHERE person = ?1 ORDER BY n`, id[:]); err != nil {
		return r, false, err
	}
	if r.Corrections, err = list(ctx, q, scanCorrection, `SELECT `+correctionColumns+` FROM correction WHERE person = ?1 ORDER BY n`, id[:]); err != nil {
		return r, false, err
	}
	if err := addWords(ctx, q, r.Corrections); err != nil {
		return r, false, err
	}
	r.History, err = list(ctx, q, scanState, `
		SELECT n, grade, class, number, since, until, cause, why, at FROM state WHERE person = ?1 ORDER BY n`, id[:])
	return r, true, err
}

func addWords(ctx context.Context, q rowsQueryer, corrections []Correction) error {
	for i := range corrections {
		c := &corrections[i]
		words, err := list(ctx, q, func(row scanner) (w Word, err error) {
			return w, row.Scan(&w.By, &w.Word, &w.Note, moment{&w.At})
		}, `SELECT said_by, word, note, at FROM word WHERE person = ?1 AND n = ?2 ORDER BY at, said_by`, c.Person[:], c.N)
		if err != nil {
			return err
		}
		c.Words = words
	}
	return nil
}

// Glance is the part of a record that a code needs.
func (p *People) Glance(ctx context.Context, id [16]byte, since time.Time) (who Person, trips []Trip, fevers []Event, found bool, err error) {
	who, trips, fevers, found, err = p.glance(ctx, id, millis(since))
	if err != nil {
		err = fmt.Errorf("read a person: %w", err)
	}
	return who, trips, fevers, found, err
}

func (p *People) glance(ctx context.Context, id [16]byte, since int64) (who Person, trips []Trip, fevers []Event, found bool, err error) {
	who, err = scanPerson(p.glances.person.QueryRowContext(ctx, id[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return who, nil, nil, false, nil
	}
	if err != nil {
		return who, nil, nil, false, err
	}
	if trips, err = prepared(ctx, p.glances.trips, scanTrip, id[:], since); err != nil {
		return who, nil, nil, false, err
	}
	fevers, err = prepared(ctx, p.glances.fevers, scanEvent, id[:], since)
	return who, trips, fevers, true, err
}

// glances are the statements of Glance, read once: a city asks for thousands a second.
type glances struct{ person, trips, fevers *sql.Stmt }

func newGlances(ctx context.Context, db *sql.DB) (g glances, err error) {
	for _, s := range []struct {
		to    **sql.Stmt
		query string
	}{
		{&g.person, `SELECT ` + personColumns + ` FROM person WHERE id = ?1`},
		{&g.trips, `SELECT n, division, arrived, departed, risk, ref, digest, recorded FROM trip WHERE person = ?1 AND departed >= ?2 ORDER BY n`},
		{&g.fevers, `SELECT ` + eventColumns + ` FROM event WHERE person = ?1 AND kind = 'temperature' AND withdrawn = 0 AND at >= ?2 ORDER BY n`},
	} {
		if *s.to, err = db.PrepareContext(ctx, s.query); err != nil {
			return g, errors.Join(err, g.Close())
		}
	}
	return g, nil
}

// Close gives back the statements that were read.
func (g glances) Close() (err error) {
	for _, s := range []*sql.Stmt{g.person, g.trips, g.fevers} {
		if s != nil {
			err = errors.Join(err, s.Close())
		}
	}
	return err
}

// Tagged finds the person whose codes carried a tag.
func (p *People) Tagged(ctx context.Context, tag [8]byte) (id [16]byte, found bool, err error) {
	err = p.reader.QueryRowContext(ctx, `SELECT person FROM tag WHERE tag = ?1`, tag[:]).Scan(exactly(id[:]))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return id, false, nil
	case err != nil:
		return id, false, fmt.Errorf("find a tag: %w", err)
	}
	return id, true, nil
}

// Pending lists the corrections that wait, the oldest first.
func (p *People) Pending(ctx context.Context, limit int) ([]Correction, error) {
	all, err := list(ctx, p.reader, scanCorrection, `
		SELECT `+correctionColumns+` FROM correction WHERE state = 'pending' ORDER BY filed LIMIT ?1`, limit)
	if err == nil {
		err = addWords(ctx, p.reader, all)
	}
	if err != nil {
		return nil, fmt.Errorf("pending corrections: %w", err)
	}
	return all, nil
}

// Unchecked lists the persons whose declarations wait, the oldest first.
func (p *People) Unchecked(ctx context.Context, limit int) ([][16]byte, error) {
	all, err := list(ctx, p.reader, func(row scanner) (id [16]byte, err error) { return id, row.Scan(exactly(id[:])) }, `
		SELECT person FROM declaration WHERE checked = 0 GROUP BY person ORDER BY min(at) LIMIT ?1`, limit)
	if err != nil {
		return nil, fmt.Errorf("unchecked declarations: %w", err)
	}
	return all, nil
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gatehouse"
)

// mostInCommit bounds how many codes one commit writes down.
const mostInCommit = 256

// An issue is a code that waits for the next commit, and then what came of it.
type issue struct {
	code  Code
	kept  Code
	fresh bool
	err   error
	done  chan struct{}
}

// Issue writes a code down before it is handed out. Codes that are asked for at the same time
// share one commit: a disk syncs some hundred times a second, and a city asks for thousands.
//
// fresh is false, and nothing written, when the person's state is not the code's any more. Of
// an id that was given before, kept is the row that stands.
func (p *People) Issue(ctx context.Context, c Code) (kept Code, fresh bool, err error) {
	w := &issue{code: c, done: make(chan struct{})}
	p.mu.Lock()
	p.queue = append(p.queue, w)
	if !p.leading {
		p.leading = true
		p.leaders.Go(func() { p.lead(context.WithoutCancel(ctx)) })
	}
	p.mu.Unlock()
	select {
	case <-w.done:
		return w.kept, w.fresh, w.err
	case <-ctx.Done():
		return Code{}, false, ctx.Err() // a code that is written down and handed to nobody does no harm
	}
}

// lead commits what waits until nothing does.
func (p *People) lead(ctx context.Context) {
	for {
		p.mu.Lock()
		n := min(len(p.queue), mostInCommit)
		batch := p.queue[:n:n]
		p.queue = p.queue[n:]
		if n == 0 {
			p.queue, p.leading = nil, false
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		err := write(ctx, p.writer, func(ctx context.Context, tx *sql.Tx) error { return issueAll(ctx, tx, batch) })
		for _, w := range batch {
			if err != nil {
				w.kept, w.fresh, w.err = Code{}, false, fmt.Errorf("write a code down: %w", err)
			}
			close(w.done)
		}
	}
}

func issueAll(ctx context.Context, tx *sql.Tx, batch []*issue) error {
	// The state stands in the statement: a colour that changed meanwhile leaves no row.
	add, err := tx.PrepareContext(ctx, `
		INSERT INTO code (id, person, state, issued, expires, tag)
		SELECT ?1, ?2, ?3, ?4, ?5, ?6 FROM person WHERE id = ?2 AND n = ?3
		    ON CONFLICT (id) DO NOTHING`)
	if err != nil {
		return err
	}
	defer add.Close()
	// A day's key that is gone takes no more tags: they would outlive it.
	mark, err := tx.PrepareContext(ctx, `
		INSERT INTO tag (tag, person, day) SELECT ?1, ?2, day FROM day_key WHERE day = ?3 ON CONFLICT (tag) DO NOTHING`)
	if err != nil {
		return err
	}
	defer mark.Close()
	for _, w := range batch {
		c := w.code
		done, err := add.ExecContext(ctx, c.ID[:], c.Person[:], c.State, millis(c.Issued), millis(c.Expires), c.Tag[:])
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if err != nil {
			return err
		}
		if n == 0 {
			if w.kept, err = codeOf(ctx, tx, c.ID); err != nil {
				return err
			}
			w.fresh = w.kept.Person == c.Person && w.kept.State == c.State
			continue
		}
		if _, err := mark.ExecContext(ctx, c.Tag[:], c.Person[:], c.Day); err != nil {
			return err
		}
		w.kept, w.fresh = c, true
	}
	return nil
}

// codeOf gives the code of an id, the zero code when there is none.
func codeOf(ctx context.Context, q queryer, id [12]byte) (c Code, err error) {
	err = q.QueryRowContext(ctx, `SELECT id, person, state, issued, expires, tag FROM code WHERE id = ?1`, id[:]).
		Scan(exactly(c.ID[:]), exactly(c.Person[:]), &c.State, moment{&c.Issued}, moment{&c.Expires}, exactly(c.Tag[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return Code{}, nil
	}
	return c, err
}

// Convert writes down the code for a foreign one; of an id that was given before, the row
// that stands.
func (p *People) Convert(ctx context.Context, c Converted) (kept Converted, err error) {
	kept = c
	err = write(ctx, p.writer, func(ctx context.Context, tx *sql.Tx) error {
		var issuer string
		if _, err := tx.ExecContext(ctx, `INSERT INTO converted VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO NOTHING`,
			c.ID[:], string(c.Issuer), c.Foreign, millis(c.Issued), millis(c.Expires)); err != nil {
			return err
		}
		err := tx.QueryRowContext(ctx, `SELECT issuer, code, issued, expires FROM converted WHERE id = ?1`, c.ID[:]).
			Scan(&issuer, &kept.Foreign, moment{&kept.Issued}, moment{&kept.Expires})
		kept.Issuer = gatehouse.Issuer(issuer)
		return err
	})
	if err != nil {
		return Converted{}, fmt.Errorf("write a converted code down: %w", err)
	}
	return kept, nil
}

// Revocations gives the codes that were taken back, after number after.
func (p *People) Revocations(ctx context.Context, after int64, limit int) ([]Revocation, error) {
	all, err := list(ctx, p.reader, func(row scanner) (r Revocation, err error) {
		return r, row.Scan(&r.N, exactly(r.ID[:]), moment{&r.At}, moment{&r.Expires}, &r.Why)
	}, `SELECT n, id, at, expires, why FROM revocation WHERE n > ?1 ORDER BY n LIMIT ?2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("revocations: %w", err)
	}
	return all, nil
}

// Revoked reports whether a code was taken back.
func (p *People) Revoked(ctx context.Context, id [12]byte) (revoked bool, err error) {
	err = p.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM revocation WHERE id = ?1)`, id[:]).Scan(&revoked)
	if err != nil {
		return false, fmt.Errorf("revocations: %w", err)
	}
	return revoked, nil
}

// DayKey gives the key of a day, and makes it of fresh when there is none.
func (p *People) DayKey(ctx context.Context, day string, fresh []byte) (key []byte, err error) {
	err = write(ctx, p.writer, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO day_key VALUES (?1, ?2) ON CONFLICT DO NOTHING`, day, fresh); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT key FROM day_key WHERE day = ?1`, day).Scan(&key)
	})
	if err != nil {
		return nil, fmt.Errorf("day key: %w", err)
	}
	return key, nil
}

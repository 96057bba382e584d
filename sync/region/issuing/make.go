package issuing

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"gatehouse"
)

// A Made is a code, handed out.
type Made struct {
	Text    string          `json:"code"`
	Colour  gatehouse.Grade `json:"colour"`
	Issued  time.Time       `json:"issued"`
	Expires time.Time       `json:"expires"`
}

// What a code can carry: a full one still fits a QR code that a phone can show.
const (
	mostTrips  = 10
	mostFevers = 14
	codeDays   = 14
)

// Make gives a person's code as of now. It is written down before it is handed out, so that
// it can be taken back. With a key, a request that comes again gives the same code again, and
// a conflict once the colour is another.
func (d *Desk) Make(ctx context.Context, caller Caller, key string, i Identity) (Made, error) {
	rules, err := d.open()
	if err != nil {
		return Made{}, err
	}
	if caller.Role != App {
		return Made{}, notYours(App)
	}
	if err := i.Check(); err != nil {
		return Made{}, err
	}
	id := d.personID(i)
	c := Code{Person: id}
	rand.Read(c.ID[:]) // never fails, by its own word
	if key != "" {
		// The same id for the same key: the store finds the code that was given for it.
		c.ID = [12]byte(mac(d.Secret, "code", caller.Name, key, hex.EncodeToString(id[:]))[:12])
	}
	// A colour that changes between reading and writing is read again; it cannot do so for ever.
	for range 5 {
		made, again, err := d.make(ctx, rules, i, c, key != "")
		if err != nil || !again {
			return made, err
		}
	}
	return Made{}, no(Conflict, "ask again", "the colour changes while the code is made")
}

func (d *Desk) make(ctx context.Context, rules *Rules, i Identity, c Code, keyed bool) (_ Made, again bool, _ error) {
	now := d.Now().UTC().Truncate(time.Second)
	p, trips, fevers, found, err := d.Store.Glance(ctx, c.Person, now.AddDate(0, 0, -codeDays))
	switch {
	case err != nil:
		return Made{}, false, err
	case !found || p.Declared.IsZero():
		return Made{}, false, undeclared()
	case ranOut(p, now):
		return Made{}, true, d.runOut(ctx, rules, c.Person)
	}
	day, dayKey, err := d.dayKey(ctx, rules, now)
	if err != nil {
		return Made{}, false, err
	}
	c.State, c.Tag, c.Day = p.State.N, tag(dayKey, i), day
	c.Issued, c.Expires = now, now.Add(time.Duration(rules.CodeHours)*time.Hour)
	statement := gatehouse.Pass{
		Issuer: rules.Region, Code: hex.EncodeToString(c.ID[:]), Issued: c.Issued, Expires: c.Expires,
		Holder: gatehouse.Holder{Name: p.Name, Birth: p.Birth, Tag: hex.EncodeToString(c.Tag[:])},
		Grade:  p.State.Grade, Class: p.State.Class, Since: p.State.Since, Facts: facts(trips, fevers, now),
	}
	if lately := now.AddDate(-1, 0, 0); statement.Since.Before(lately) {
		statement.Since = lately // a code counts back for a year at most
	}
	if statement.Since.After(now) {
		statement.Since = now // within this second
	}
	text, err := d.Signer.Sign(statement, p.State.Number)
	if err != nil {
		return Made{}, false, err
	}
	kept, fresh, err := d.Store.Issue(ctx, c)
	switch {
	case err != nil:
		return Made{}, false, err
	case !fresh && kept.ID == c.ID && keyed && kept.State != c.State:
		return Made{}, false, no(Conflict, "ask with a new key", "the colour has changed since this code was made")
	case !fresh:
		return Made{}, true, nil
	case !kept.Issued.Equal(c.Issued):
		if !kept.Expires.After(now) {
			return Made{}, false, no(Conflict, "ask with a new key", "the code that was made for this key has expired")
		}
		statement.Issued, statement.Expires, statement.Holder.Tag = kept.Issued, kept.Expires, hex.EncodeToString(kept.Tag[:])
		statement.Facts = facts(trips, fevers, kept.Issued)
		if statement.Since.After(kept.Issued) {
			statement.Since = kept.Issued
		}
		if text, err = d.Signer.Sign(statement, p.State.Number); err != nil {
			return Made{}, false, err
		}
	}
	return Made{Text: text, Colour: statement.Grade, Issued: statement.Issued, Expires: statement.Expires}, false, nil
}

// facts are what a gate may judge by itself: where the person was, and the temperatures that
// the region knows of. What is longer ago than a code can say is left out.
func facts(trips []Trip, fevers []Event, issued time.Time) (all []gatehouse.Fact) {
	first := issued.AddDate(0, 0, -codeDays)
	for _, t := range slices.Backward(trips) {
		if t.Out.Before(first) || t.Out.After(issued) || len(all) == mostTrips {
			continue
		}
		in := t.In
		if in.Before(first) {
			in = first
		}
		all = append(all, gatehouse.Fact{Kind: gatehouse.Travel, At: in, Until: t.Out, Division: t.Division, Risk: uint8(t.Risk)})
	}
	n := 0
	for _, e := range slices.Backward(fevers) {
		if e.At.Before(first) || e.At.After(issued) || n == mostFevers {
			continue
		}
		n++
		all = append(all, gatehouse.Fact{Kind: gatehouse.Fever, At: e.At, Temperature: e.Skin})
	}
	return all
}

// A Checked is what a code says, and whether it counts.
type Checked struct {
	Valid   bool             `json:"valid"`
	Reason  gatehouse.Reason `json:"reason,omitempty"`
	Detail  string           `json:"detail,omitempty"`
	Issuer  gatehouse.Issuer `json:"issuer,omitempty"`
	Colour  gatehouse.Grade  `json:"colour,omitempty"`
	Since   time.Time        `json:"since,omitzero"`
	Issued  time.Time        `json:"issued,omitzero"`
	Expires time.Time        `json:"expires,omitzero"`
	Holder  string           `json:"holder,omitempty"` // masked
}

// maxText bounds the text of a code; a full QR code holds 4,296 signs.
const maxText = 4296

// Check tells what a code says. Codes that were taken back do not count.
func (d *Desk) Check(_ context.Context, text string) (Checked, error) {
	pass, err := d.verify(text)
	var refusal *gatehouse.Refusal
	switch {
	case errors.As(err, &refusal):
		return Checked{Reason: refusal.Reason, Detail: refusal.Detail, Issuer: refusal.Issuer}, nil
	case err != nil:
		return Checked{}, err
	}
	return Checked{Valid: true, Issuer: pass.Issuer, Colour: pass.Grade, Since: pass.Since, Issued: pass.Issued,
		Expires: pass.Expires, Holder: pass.Holder.Name}, nil
}

func (d *Desk) verify(text string) (gatehouse.Pass, error) {
	if text == "" || len(text) > maxText {
		return gatehouse.Pass{}, no(Malformed, "send the text of one QR code", "code: want 1 to %d bytes", maxText)
	}
	return d.Verifier.Verify(text, d.Now())
}

// Convert gives a code of this region for one of another, where the recognition list says
// so. It lives no longer than the foreign one, and is the same however often it is asked for.
func (d *Desk) Convert(ctx context.Context, caller Caller, text string) (Made, error) {
	rules, err := d.open()
	if err != nil {
		return Made{}, err
	}
	if caller.Role != App {
		return Made{}, notYours(App)
	}
	pass, err := d.verify(text)
	var refusal *gatehouse.Refusal
	switch {
	case errors.As(err, &refusal):
		return Made{}, no(Unfit, "show a code that counts", "the foreign code does not: %s", refusal.Reason)
	case err != nil:
		return Made{}, err
	case pass.Issuer.Within(rules.Region):
		return Made{}, no(Unfit, "ask for a code with the identity document", "the code is this region's own")
	}
	now := d.Now().UTC().Truncate(time.Second)
	agreement := rules.recognises(pass.Issuer, now)
	if agreement == nil {
		return Made{}, no(Unfit, "declare health here", "no agreement with %s is in force", pass.Issuer)
	}
	here := gradeOf(agreement.Colours[pass.Grade.String()])
	if here == gatehouse.NoGrade {
		return Made{}, no(Unfit, "declare health here", "%s does not cover this colour", agreement.Agreement)
	}
	if pass.Code == "" || pass.Expires.IsZero() || !pass.Expires.After(now) {
		return Made{}, no(Unfit, "refresh the code and show it again", "the foreign code has no id or no end")
	}
	_, dayKey, err := d.dayKey(ctx, rules, now)
	if err != nil {
		return Made{}, err
	}
	c := Converted{ID: [12]byte(mac(d.Secret, "converted", string(pass.Issuer), pass.Code)[:12]), Issuer: pass.Issuer, Foreign: pass.Code,
		Issued: now, Expires: now.Add(time.Duration(rules.CodeHours) * time.Hour)}
	if pass.Expires.Before(c.Expires) {
		c.Expires = pass.Expires.UTC().Truncate(time.Second)
	}
	if c, err = d.Store.Convert(ctx, c); err != nil {
		return Made{}, err
	}
	holder := pass.Holder
	if holder.Tag != "" {
		holder.Tag = hex.EncodeToString(mac(dayKey, "foreign", string(pass.Issuer), holder.Tag)[:8])
	}
	statement := gatehouse.Pass{Issuer: rules.Region, Code: hex.EncodeToString(c.ID[:]), Issued: c.Issued, Expires: c.Expires,
		Holder: holder, Grade: here, Class: pass.Class, Since: pass.Since, Facts: carried(pass.Facts, c.Issued)}
	if statement.Since.After(c.Issued) {
		statement.Since = c.Issued // the other region's clock is ahead
	}
	text, err = d.Signer.Sign(statement, agreement.Number)
	if err != nil {
		return Made{}, err
	}
	return Made{Text: text, Colour: here, Issued: c.Issued, Expires: c.Expires}, nil
}

// carried are the facts that a local code has a place for, as of its issue.
func carried(facts []gatehouse.Fact, issued time.Time) (kept []gatehouse.Fact) {
	first := issued.AddDate(0, 0, -codeDays)
	for _, f := range facts {
		if f.At.After(issued) {
			continue
		}
		switch f.Kind {
		case gatehouse.Travel:
			if f.Until.Before(first) || f.Until.After(issued) {
				continue
			}
			if f.At.Before(first) {
				f.At = first
			}
		case gatehouse.Fever:
			if f.At.Before(first) {
				continue
			}
		case gatehouse.Test, gatehouse.Vaccination:
		default:
			continue
		}
		kept = append(kept, f)
	}
	return kept
}

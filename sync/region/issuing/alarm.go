package issuing

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// usual is how far back the usual rate is taken from.
const usual = 14 * 24 * time.Hour

// watch compares what the causes of an event brought lately with what they use to bring, and
// raises an alarm on a spike. In June 2022 Henan's codes turned red for 1,317 people who had
// come to ask for their savings: one reason, one place, few hands.
func (d *Desk) watch(ctx context.Context, rules *Rules, e Event) error {
	causes := [][2]string{{"rule", e.Rule}, {"source", e.Source}}
	if e.Operator != "" {
		causes = append(causes, [2]string{"operator", e.Operator})
	}
	now := d.Now()
	window := time.Duration(rules.Alarm.Minutes) * time.Minute
	for _, c := range causes {
		from := now.Add(-window)
		// Up to and with the slot that is being filled.
		lately, _, err := d.Store.Tally(ctx, c[0], c[1], from, now.Add(window))
		if err != nil {
			return err
		}
		if lately < rules.Alarm.Least {
			continue
		}
		before, first, err := d.Store.Tally(ctx, c[0], c[1], from.Add(-usual), from)
		if err != nil {
			return err
		}
		expected := expectedIn(window, before, first, from)
		if lately*100 <= rules.Alarm.Factor*expected {
			continue
		}
		a := Alarm{Of: c[0], Name: c[1], From: from, At: now, Count: lately, Expected: expected}
		raised, err := d.Store.Raise(ctx, a, Entry{At: now, Who: "region", What: "alarm raised", About: c[0] + " " + c[1],
			Detail: fmt.Sprintf("%d within %v, %.2f are usual", lately, window, float64(expected)/100)})
		if err != nil {
			return err
		}
		if raised {
			d.log(slog.LevelWarn, "alarm", "of", c[0], "name", c[1], "count", lately, "usual_hundredths", expected)
		}
	}
	return nil
}

// expectedIn is the usual count within a window, in hundredths: the mean of the time that is
// on record, which is at least one window.
func expectedIn(window time.Duration, before int64, first, from time.Time) int64 {
	span := window
	if !first.IsZero() && from.Sub(first) > span {
		span = min(from.Sub(first), usual)
	}
	return int64(float64(before) * 100 * float64(window) / float64(span))
}

// Alarms lists them, open ones first, then the newest.
func (d *Desk) Alarms(ctx context.Context, caller Caller) ([]Alarm, error) {
	if caller.Role != Auditor && caller.Role != Officer && caller.Role != Viewer {
		return nil, notYours(Viewer, Officer, Auditor)
	}
	return d.Store.Alarms(ctx, mostListed)
}

// ClearAlarm closes an alarm. Whoever entered one of its events cannot.
func (d *Desk) ClearAlarm(ctx context.Context, caller Caller, id int64, note string) error {
	if caller.Role != Officer && caller.Role != Auditor {
		return notYours(Officer, Auditor)
	}
	if !shown(note, 5, maxNote) {
		return no(Malformed, "say in a line what was found", "an alarm is cleared with a note of 5 to %d bytes", maxNote)
	}
	cleared, own, err := d.Store.Clear(ctx, id, caller.Name, note, d.entry(caller, "alarm cleared", fmt.Sprintf("alarm %d", id), note, ""))
	switch {
	case err != nil:
		return err
	case own:
		if err := d.Store.Audit(ctx, d.entry(caller, "alarm not cleared", fmt.Sprintf("alarm %d", id), note, "it is the caller's own")); err != nil {
			return err
		}
		return no(Forbidden, "leave it to somebody else", "the alarm is about events that you entered")
	case !cleared:
		return no(Conflict, "look at the list again", "there is no such alarm, or it was cleared")
	}
	return nil
}

// Trail gives the audit trail after a line.
func (d *Desk) Trail(ctx context.Context, caller Caller, after int64) ([]Entry, error) {
	if caller.Role != Auditor {
		return nil, notYours(Auditor)
	}
	return d.Store.Trail(ctx, after, mostListed)
}

// Sweep erases what the rules do not keep any longer, and writes down how much that was.
// Dormant rules keep nothing that concerns health, nor who people are.
func (d *Desk) Sweep(ctx context.Context) (Gone, error) {
	rules := d.Rules()
	if rules == nil {
		return Gone{}, nil
	}
	now := d.Now()
	back := func(days int64) time.Time { return now.AddDate(0, 0, -int(days)) }
	h := Horizon{
		Events: back(rules.Keep.Events), Declarations: back(rules.Keep.Declarations), Persons: back(rules.Keep.Persons), Bad: back(rules.Keep.Declarations),
		Codes: back(1), Day: back(rules.Keep.Tags).In(rules.zone).Format(time.DateOnly), Everything: rules.Dormant,
	}
	return d.Store.Sweep(ctx, h, func(g Gone) Entry {
		what := "erased by age"
		if h.Everything {
			what = "erased: dormant"
		}
		return Entry{At: now, Who: "region", What: what, About: fmt.Sprintf("rules of version %d", rules.Version),
			Detail: fmt.Sprintf("events %d, trips %d, declarations %d, corrections %d, states %d, codes %d, tags %d, day keys %d, persons %d, sha256 %x",
				g.Events, g.Trips, g.Declarations, g.Corrections, g.States, g.Codes, g.Tags, g.Days, g.Persons, g.Digest)}
	})
}

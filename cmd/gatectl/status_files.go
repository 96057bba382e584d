package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"gatehouse"
	"gatehouse/credential/trust"
	"gatehouse/store"
)

// readFiles is what a gate's files say of it.
func (s *status) readFiles(ctx context.Context, line *statusLine, warn io.Writer) error {
	sick := func(r gatehouse.Reason, format string, args ...any) {
		line.Conditions = append(line.Conditions, conditionLine{Reason: r, Detail: fmt.Sprintf(format, args...)})
	}
	var floor time.Time
	book, err := store.OpenReader(ctx, s.settings.Book)
	if err != nil {
		sick(gatehouse.ReasonLog, "%v", err)
	} else {
		defer book.Close()
		queue, err := book.Queue(ctx)
		if err == nil {
			floor, err = book.Newest(ctx)
		}
		if err != nil {
			return fmt.Errorf("status: %w", err)
		}
		line.Queue = int(min(queue, 1<<31-1))
	}
	if err := s.readTrust(warn); err != nil {
		sick(gatehouse.ReasonNoRule, "%v", err)
	}
	if s.set != nil {
		if s.set.Issued.After(floor) {
			floor = s.set.Issued
		}
		age := s.set.Age(s.now)
		line.TrustVersion, line.TrustAge, line.TrustIssued = fmt.Sprint(s.set.Versions()["timestamp"]), int64(age/time.Second), optional(s.set.Issued)
		p := s.rules.inForce(s.now)
		line.Trust = p.State(age).String()
		if p != nil {
			line.Policy, line.Mode, line.Site = p.Name(), string(p.Mode()), p.Site()
			line.StaleAt, line.TooOldAt = s.turns(p)
			if !p.Holds(s.now) {
				sick(gatehouse.ReasonNoRule, "policy %s does not hold now", p.Name())
			}
			if p.State(age) == gatehouse.TrustTooOld {
				sick(gatehouse.ReasonTrustStale, "the signed trust is %s old, and the policy relies on it up to %s", spelled(age), stamp(*line.TooOldAt))
			}
		}
		line.Ends = s.ends(s.now.Add(366 * trust.Day))
	}
	line.Clock = believable(s.now, floor)
	if !line.Clock {
		sick(gatehouse.ReasonClock, "the clock says %s, and the newest that is known to have passed is %s", stamp(s.now), stamp(floor))
	}
	return nil
}

func (s *status) readTrust(warn io.Writer) error {
	flags := trustFlags{folder: s.settings.Trust.Folder, root: s.settings.Trust.Root, site: string(s.settings.Trust.Site)}
	if _, err := os.Stat(flags.folder); err != nil {
		return err
	}
	set, _, err := flags.openSet(warn)
	if err != nil {
		return err
	}
	s.set = set
	s.rules, err = readRegional(set, s.settings.Trust.Site)
	return err
}

// The bounds of a clock that a gate believes: two minutes behind what has passed, and a year
// ahead of it.
const (
	clockBehind = 2 * time.Minute
	clockAhead  = 366 * trust.Day
)

func believable(now, floor time.Time) bool {
	return !floor.IsZero() && !now.Before(floor.Add(-clockBehind)) && !now.After(floor.Add(clockAhead))
}

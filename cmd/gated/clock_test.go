package main

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestClockIsNotBelievedAgainstItsFloor(t *testing.T) {
	row := time.Date(2020, 7, 10, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name  string
		board time.Time
		want  bool
	}{
		{"1970, forty seconds after power-up", time.Unix(40, 0), false},
		{"three minutes behind", row.Add(-3 * time.Minute), false},
		{"a minute behind", row.Add(-time.Minute), true},
		{"the same day", row.Add(time.Hour), true},
		{"switched off for half a year", row.AddDate(0, 6, 0), true},
		{"2099", time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := &clock{now: func() time.Time { return c.board }}
				if _, trusted := clock.Now(); trusted {
					t.Error("a clock that nothing bears out is trusted")
				}
				clock.raise(row)
				want := row
				if c.want {
					want = c.board
				}
				if at, trusted := clock.Now(); trusted != c.want || !at.Equal(want) {
					t.Errorf("%v, trusted %v; want %v, %v", at, trusted, want, c.want)
				}
			})
		})
	}
}

func TestFloorNeverComesDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		row := time.Date(2020, 7, 10, 12, 0, 0, 0, time.UTC)
		c := &clock{now: func() time.Time { return time.Unix(40, 0) }}
		c.raise(row)
		c.raise(row.Add(-time.Hour))
		c.raise(time.Time{})
		if at, _ := c.Now(); !at.Equal(row) {
			t.Errorf("the floor came down to %v", at)
		}
	})
}

func TestMinutesPassOnAClockThatIsNotTrusted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		row := time.Date(2020, 7, 10, 12, 0, 0, 0, time.UTC)
		c := &clock{now: func() time.Time { return time.Unix(40, 0) }}
		c.raise(row)
		before, _ := c.Now()
		<-time.After(11 * time.Minute)
		if at, trusted := c.Now(); trusted || at.Sub(before) != 11*time.Minute {
			t.Errorf("%v later by the floor, trusted %v; want 11m, a passage grows too old to decide", at.Sub(before), trusted)
		}
	})
}

func TestRegionsWordMovesTheFloorOfAnUntrustedClockAlone(t *testing.T) {
	row := time.Date(2020, 7, 10, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name  string
		board time.Time
		floor time.Time
		says  time.Time
		want  time.Time // of the floor
	}{
		{"a clock of 1970", time.Unix(40, 0), row, row.Add(time.Hour), row.Add(time.Hour)},
		{"a clock that is believed", row.Add(time.Minute), row, row.Add(time.Hour), row},
		{"a server of 2099", time.Unix(40, 0), row, row.AddDate(79, 0, 0), row},
		{"a server that lags", time.Unix(40, 0), row, row.Add(-time.Hour), row},
	} {
		clock := &clock{now: func() time.Time { return c.board }}
		clock.raise(c.floor)
		clock.told(c.says)
		if got := clock.floor.Load().at; !got.Equal(c.want) {
			t.Errorf("%s: the floor is %v, want %v", c.name, got, c.want)
		}
	}
	nothing := &clock{now: func() time.Time { return time.Unix(40, 0) }}
	if nothing.told(row); nothing.floor.Load() != nil {
		t.Error("a word that nothing bears out became a floor")
	}
}

package main

import (
	"testing"
	"time"
)

func TestClockIsNotBelievedBelowItsFloor(t *testing.T) {
	row := time.Date(2020, 7, 10, 12, 0, 0, 0, time.UTC)
	board := time.Unix(40, 0) // 1970, forty seconds after power-up
	c := &clock{now: func() time.Time { return board }}
	if _, trusted := c.Now(); !trusted {
		t.Error("a gate that knows of nothing has only its clock")
	}
	c.raise(row)
	if at, trusted := c.Now(); trusted || !at.Equal(row) {
		t.Errorf("in 1970 after a row of 2020: %v, trusted %v; want the floor, not trusted", at, trusted)
	}
	c.raise(row.Add(-time.Hour))
	c.raise(time.Time{})
	if at, _ := c.Now(); !at.Equal(row) {
		t.Errorf("the floor came down to %v", at)
	}
	board = row.Add(-time.Minute)
	if at, trusted := c.Now(); !trusted || !at.Equal(board) {
		t.Errorf("a minute behind the floor: %v, trusted %v; want the clock, trusted", at, trusted)
	}
	board = row.Add(-3 * time.Minute)
	if _, trusted := c.Now(); trusted {
		t.Error("three minutes behind the floor is trusted")
	}
}

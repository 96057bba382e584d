package main

import (
	"fmt"
	"time"
)

// A clock is what a time is measured in.
type clock int

const (
	wall clock = iota
	cpu        // of the thread: what others do on the machine is left out, mostly
)

func (c *clock) Set(name string) error {
	switch name {
	case "wall":
		*c = wall
	case "cpu":
		if _, err := threadTime(); err != nil {
			return err
		}
		*c = cpu
	default:
		return fmt.Errorf("no clock is called %.20q: there are wall and cpu", name)
	}
	return nil
}

func (c *clock) String() string {
	if *c == cpu {
		return "cpu"
	}
	return "wall"
}

func (c *clock) Type() string { return "clock" }

// measure times one call. For the cpu clock the goroutine must be locked to its thread.
func (c clock) measure(work func()) time.Duration {
	if c == wall {
		began := time.Now()
		work()
		return time.Since(began)
	}
	began, _ := threadTime()
	work()
	ended, _ := threadTime()
	return ended - began
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"sync"
)

// generate runs the generator of camera frames into a folder, a few at a time. It draws the
// sets whose names hold one of only; none is all that it has.
func generate(ctx context.Context, generator string, seed uint64, only []string, out string, atOnce int) error {
	if len(only) == 0 {
		only = []string{"easy", "medium", "hard", "extreme", "none"}
	}
	faults := make([]error, len(only))
	turn := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, part := range only {
		all.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			cmd := exec.CommandContext(ctx, "go", "run", ".", "-out", out, "-seed", strconv.FormatUint(seed, 10), "-only", part)
			cmd.Dir = generator
			if said, err := cmd.CombinedOutput(); err != nil {
				faults[i] = fmt.Errorf("frames %s of %s: %w: %.400s", part, generator, err, said)
			}
		})
	}
	all.Wait()
	return errors.Join(faults...)
}

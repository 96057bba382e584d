package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"gatehouse/cmd/daemon"
)

func drawCommand() *cobra.Command {
	var name, out string
	var seed, index uint64
	c := &cobra.Command{
		Use:   "draw",
		Short: "Write the frames of a sequence as PGM files, to look at",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, l := range []level{easy, medium, hard, empty} {
				if l.String() == name {
					return drawFrames(l, seed, index, out)
				}
			}
			return daemon.UsageError{Err: fmt.Errorf("no level is called %q: there are easy, medium, hard and empty", name)}
		},
	}
	c.Flags().StringVar(&name, "level", "medium", "easy, medium, hard or empty")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of the sequences")
	c.Flags().Uint64Var(&index, "index", 0, "which of them")
	c.Flags().StringVar(&out, "out", "", "folder to write NNN.pgm to, and NNN.txt from the frame on that shows the whole code")
	c.MarkFlagRequired("out")
	return c
}

func drawFrames(l level, seed, index uint64, out string) error {
	s, err := newSequence(l, seed, index)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	f := film{sequence: s}
	for n := range s.count {
		path := filepath.Join(out, fmt.Sprintf("%03d", n))
		file := fmt.Appendf(nil, "P5\n%d %d\n255\n", frameWidth, frameHeight)
		if err := os.WriteFile(path+".pgm", append(file, f.frame(n).Pix...), 0o644); err != nil {
			return err
		}
		if n < s.whole {
			continue
		}
		if err := os.WriteFile(path+".txt", []byte(s.text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"gatehouse/store"
)

func logCommand() *cobra.Command {
	c := &cobra.Command{Use: "log", Short: "Read a gate's book, while the gate runs"}
	var asJSON bool
	var last int
	tail := &cobra.Command{
		Use:   "tail BOOK",
		Short: "Print the last passages",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			book, err := store.OpenReader(c.Context(), args[0])
			if err != nil {
				return err
			}
			defer book.Close()
			rows, err := book.Tail(c.Context(), last)
			if err != nil {
				return err
			}
			for _, p := range rows {
				if err := printPassage(c.OutOrStdout(), lineOf(p), asJSON); err != nil {
					return err
				}
			}
			return nil
		},
	}
	tail.Flags().IntVarP(&last, "lines", "n", 20, "how many")
	tail.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")

	verify := &cobra.Command{
		Use:   "verify BOOK",
		Short: "Recompute the hash chain and name the first row that does not fit",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			book, err := store.OpenReader(c.Context(), args[0])
			if err != nil {
				return err
			}
			defer book.Close()
			if err := book.Verify(c.Context()); err != nil {
				return err
			}
			seq, hash, err := book.Head(c.Context())
			if err != nil {
				return err
			}
			mark, err := book.Mark(c.Context())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%d passages, no gap, the chain holds; the region has %d; head %x\n", seq, mark, hash)
			return err
		},
	}
	c.AddCommand(tail, verify)
	return c
}

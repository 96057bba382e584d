package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/gate/console"
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

// A passageLine is a passage as programs read it, from gated's log and from gatectl alike.
type passageLine struct {
	Seq     gatehouse.Seq         `json:"seq"`
	Call    string                `json:"call"`
	Reason  gatehouse.Reason      `json:"reason"`
	Detail  string                `json:"detail"`
	Issuer  gatehouse.Issuer      `json:"issuer"`
	Grade   string                `json:"grade"`
	Skin    gatehouse.Temperature `json:"skin"` // thousandths of a degree Celsius
	Quality string                `json:"quality"`
	TookMS  float64               `json:"took_ms"`
	Queue   uint64                `json:"queue"`
	Amends  gatehouse.Seq         `json:"amends,omitempty"`
	Guard   string                `json:"guard,omitempty"`
	At      time.Time             `json:"time"`
}

func lineOf(p gatehouse.Passage) passageLine {
	return passageLine{Seq: p.Seq, Call: p.Verdict.Call.String(), Reason: p.Verdict.Reason, Detail: p.Verdict.Detail,
		Issuer: p.Issuer, Grade: p.Grade.String(), Skin: p.Skin.Skin, Quality: p.Skin.Quality.String(),
		TookMS: float64(p.Took.Microseconds()) / 1000, Amends: p.Amends, Guard: p.Guard, At: p.At}
}

// printPassage writes the line that a person likes to read: the call first, then why, then
// the particulars.
func printPassage(w io.Writer, l passageLine, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(l)
	}
	why := "may pass"
	if l.Reason != gatehouse.ReasonNone {
		why = string(l.Reason) + " " + console.Words(console.English, l.Reason)
	}
	skin := "   -   "
	if l.Quality == gatehouse.Steady.String() {
		skin = l.Skin.String()
	}
	_, err := fmt.Fprintf(w, "%s %4d  %s  %-10s %-7s %s %5.0f ms  queue %-3d %s\n", l.At.Local().Format("15:04:05"),
		l.Seq, callMark(w, l.Call), orDash(string(l.Issuer)), orDash(l.Grade), skin, l.TookMS, l.Queue, why)
	return err
}

// callMark is the call as a coloured word on a terminal, as a plain one elsewhere.
func callMark(w io.Writer, call string) string {
	word, colour := "ASK  ", "\x1b[30;43m"
	switch call {
	case "admit":
		word, colour = "PASS ", "\x1b[97;42m"
	case "deny":
		word, colour = "STOP ", "\x1b[97;41m"
	case "hint":
		word, colour = "SHOW ", "\x1b[97;44m"
	}
	if !terminal(w) {
		return word
	}
	return colour + " " + word + "\x1b[0m"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

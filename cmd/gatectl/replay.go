package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/policy"
	"gatehouse/store"
)

// replayLine is what `gatectl replay --json` says: a contract, see docs/gatectl.md.
type replayLine struct {
	Policy    string         `json:"policy"`
	Gate      string         `json:"gate"`
	Since     time.Time      `json:"since"`
	Rows      int            `json:"rows"`       // since then
	Judged    int            `json:"judged"`     // again, by this policy
	NotJudged int            `json:"not_judged"` // of a guard, or of a gate that was out of order
	Same      int            `json:"same"`       // whose call would be the same
	Inexact   int            `json:"inexact"`    // the row does not tell all that a rule asks for
	Lacks     map[string]int `json:"lacks"`      // what was asked for in vain, by how many rows
	Changes   []replayChange `json:"changes"`    // other calls, the most frequent first
}

// A replayChange is a number of passages that would have become something else in one way.
type replayChange struct {
	From       string           `json:"from"`
	FromReason gatehouse.Reason `json:"from_reason"`
	FromRule   string           `json:"from_rule,omitempty"`
	To         string           `json:"to"`
	ToReason   gatehouse.Reason `json:"to_reason"`
	ToRule     string           `json:"to_rule,omitempty"`
	Count      int              `json:"count"`
	Inexact    int              `json:"inexact"` // of them
	Seqs       []gatehouse.Seq  `json:"seqs"`    // the newest few
}

// samples is how many rows a change names, for people to look at.
const samples = 5

func replayCommand() *cobra.Command {
	var book, since, site, file string
	var asJSON bool
	c := &cobra.Command{
		Use:   "replay --book FILE --policy NEW",
		Short: "Judge a gate's book again by another policy: what would have become of whom",
		Long: `replay judges the passages of a book once more, by a policy that nobody has to have signed, and
counts whose call would be another. It reads the book while the gate runs, and changes nothing.

A row keeps format, issuer, colour, temperature, clock and age of trust, and not what else the
code said. Where a rule asks for more, it is taken to say what it said then, under the same id;
such rows are counted as inexact, with what they lack.`,
		Example: `  gatectl replay --book /var/lib/gatehouse/book.db --since 24h --policy next.toml
  gatectl replay --book book.db --since 2020-07-10T08:00:00+08:00 --policy next.toml --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if book == "" || file == "" {
				return daemon.UsageError{Err: errors.New("--book and --policy are both needed")}
			}
			from, err := sinceWhen(since, time.Now())
			if err != nil {
				return err
			}
			flags := trustFlags{site: site}
			rules, err := flags.rules(&belief{}, file)
			if err != nil {
				return err
			}
			reader, err := store.OpenReader(c.Context(), book)
			if err != nil {
				return err
			}
			defer reader.Close()
			line, err := replay(c.Context(), reader, rules.everyday, from)
			if err != nil {
				return fmt.Errorf("replay %s: %w", book, err)
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(line)
			}
			return line.print(c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&book, "book", "", "the gate's book")
	c.Flags().StringVar(&file, "policy", "", "the policy to judge by, signed by nobody yet")
	c.Flags().StringVar(&since, "since", "24h", "how far back, as 36h or 7d, or an RFC 3339 time")
	c.Flags().StringVar(&site, "site", "", "the gate's region, where the policy is that of a larger one")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return c
}

// replay reads back to a moment. Rows stand in the order in which they were written; one that
// was written under a clock that nobody trusted says nothing about where to stop.
func replay(ctx context.Context, book *store.Reader, next *policy.Policy, since time.Time) (replayLine, error) {
	line := replayLine{Policy: next.Name(), Gate: book.Gate(), Since: since.UTC().Truncate(time.Second), Lacks: map[string]int{}, Changes: []replayChange{}}
	groups := map[replayKey]*replayChange{}
	err := eachRow(ctx, book, since, func(row gatehouse.Passage) {
		line.Rows++
		v, lacks, err := next.Replay(row)
		if err != nil {
			line.NotJudged++
			return
		}
		line.Judged++
		if len(lacks) > 0 {
			line.Inexact++
		}
		for _, what := range lacks {
			line.Lacks[what]++
		}
		if v.Call == row.Verdict.Call {
			line.Same++
			return
		}
		key := replayKey{row.Verdict.Call, v.Call, row.Verdict.Reason, v.Reason, row.Verdict.Rule, v.Rule}
		g := groups[key]
		if g == nil {
			g = &replayChange{From: key.from.String(), To: key.to.String(), FromReason: key.fromReason, ToReason: key.toReason,
				FromRule: key.fromRule, ToRule: key.toRule}
			groups[key] = g
		}
		g.Count++
		if len(lacks) > 0 {
			g.Inexact++
		}
		if len(g.Seqs) < samples {
			g.Seqs = append(g.Seqs, row.Seq)
		}
	})
	for _, g := range groups {
		line.Changes = append(line.Changes, *g)
	}
	slices.SortFunc(line.Changes, func(a, b replayChange) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(b.Seqs[0], a.Seqs[0]))
	})
	return line, err
}

// A replayKey is one way in which a passage would have become something else.
type replayKey struct {
	from, to             gatehouse.Call
	fromReason, toReason gatehouse.Reason
	fromRule, toRule     string
}

// eachRow gives the rows of a book since a moment, the newest first.
func eachRow(ctx context.Context, book *store.Reader, since time.Time, row func(gatehouse.Passage)) error {
	head, _, err := book.Head(ctx)
	if err != nil {
		return err
	}
	for seq := head; seq > 0; seq-- {
		p, err := book.Passage(ctx, seq)
		if err != nil {
			return err
		}
		if p.Clock && p.At.Before(since) {
			return nil
		}
		row(p)
	}
	return nil
}

func (l replayLine) print(w io.Writer) error {
	fmt.Fprintf(w, "%s: %d passages since %s, %d judged again by %s\n", l.Gate, l.Rows, stamp(l.Since), l.Judged, l.Policy)
	if l.NotJudged > 0 {
		fmt.Fprintf(w, "  %d are no policy's: a guard decided, or the gate was out of order\n", l.NotJudged)
	}
	totals, order := map[string]int{}, []string{}
	for _, c := range l.Changes {
		key := called(c.From) + " would have become " + called(c.To)
		if totals[key] == 0 {
			order = append(order, key)
		}
		totals[key] += c.Count
	}
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(totals[b], totals[a]) })
	for _, key := range order {
		fmt.Fprintf(w, "  %d %s\n", totals[key], key)
	}
	fmt.Fprintf(w, "  %d would have been called the same\n", l.Same)
	if len(l.Changes) > 0 {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "\nhow many\tthen\tnow\tinexact\tsuch as")
		for _, c := range l.Changes {
			var seqs []string
			for _, seq := range c.Seqs {
				seqs = append(seqs, "#"+strconv.FormatUint(uint64(seq), 10))
			}
			fmt.Fprintf(t, "%d\t%s\t%s\t%d\t%s\n", c.Count, because(c.From, c.FromReason, c.FromRule), because(c.To, c.ToReason, c.ToRule),
				c.Inexact, strings.Join(seqs, " "))
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	if l.Inexact == 0 {
		_, err := fmt.Fprintln(w, "every row could be judged exactly")
		return err
	}
	fmt.Fprintf(w, "\n%d rows could not be judged exactly; rules ask for what the book does not keep:\n", l.Inexact)
	lacks := make([]string, 0, len(l.Lacks))
	for what := range l.Lacks {
		lacks = append(lacks, what)
	}
	slices.SortFunc(lacks, func(a, b string) int {
		return cmp.Or(cmp.Compare(l.Lacks[b], l.Lacks[a]), cmp.Compare(a, b))
	})
	for _, what := range lacks {
		if _, err := fmt.Fprintf(w, "  %-24s %d rows\n", what, l.Lacks[what]); err != nil {
			return err
		}
	}
	return nil
}

// called is a call as the screens say it.
func called(call string) string {
	switch call {
	case "admit":
		return "pass"
	case "refer":
		return "ask"
	case "deny":
		return "stop"
	}
	return call
}

// because is a call with what it rests on.
func because(call string, reason gatehouse.Reason, rule string) string {
	text := called(call)
	if reason != gatehouse.ReasonNone {
		text += " " + string(reason)
	}
	if rule != "" {
		text += " (" + rule + ")"
	}
	return text
}

// sinceWhen reads how far back: a length of time, or a moment.
func sinceWhen(text string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	d, err := lengthOf(text)
	if err != nil {
		return now, daemon.UsageError{Err: fmt.Errorf("--since %q: want a length of time, as 36h or 7d, or an RFC 3339 time", text)}
	}
	return now.Add(-d), nil
}

// lengthOf reads "36h", "90m" and "9d"; nothing is negative.
func lengthOf(text string) (time.Duration, error) {
	if number, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(number, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	d, err := time.ParseDuration(text)
	if err == nil && d < 0 {
		err = errors.New("negative")
	}
	return d, err
}

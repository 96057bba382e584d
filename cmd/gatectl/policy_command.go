package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gatehouse/cmd/daemon"
	"gatehouse/policy"
)

func policyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "Write, check, test, compare and sign the rules that gates judge by",
		Long: `policy is for the people who write a region's rules: docs/policy.md is their language.

A policy is one text file that carries its own tests. Begin with an example, change it, check
and test it, see what it changes, try it on the book of a gate with 'gatectl replay', and
sign it: two people at least, none of whom signs the firmware.`,
		Example: `  gatectl policy example everyday > policy.toml
  gatectl policy check policy.toml
  gatectl policy test policy.toml
  gatectl policy diff old.toml policy.toml
  gatectl policy sign nation CN-330100 policy.toml --key fan.key
  gatectl trust sign nation --key gao.key              # the second person sees it, and signs`,
	}
	for _, sub := range []*cobra.Command{policyCheckCommand(), policyTestCommand(), policyDiffCommand(), policyExampleCommand()} {
		sub.PreRun = endAtOnce
		c.AddCommand(sub)
	}
	c.AddCommand(policySignCommand())
	return c
}

// checkLine is what `gatectl policy check --json` says of one file: a contract.
type checkLine struct {
	File     string      `json:"file"`
	OK       bool        `json:"ok"`
	Policy   string      `json:"policy,omitempty"`
	Faults   []faultLine `json:"faults"`
	Untested []string    `json:"untested,omitempty"` // rules that decide in none of its tests
}

type faultLine struct {
	Line int    `json:"line"` // 0: something is missing altogether
	Key  string `json:"key"`
	What string `json:"what"`
}

func policyCheckCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "check FILE...",
		Short: "Name everything that is wrong with a policy, by line",
		Long: `check reads policies, and activations of emergency policies, as a gate does when it adopts one:
each name, type, word, date and table, and what each rule can cost. All faults are named in one
run. Exit code 1 when a file has any.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error {
			bad := false
			for _, file := range files {
				line, err := checkPolicy(file)
				if err != nil {
					return err
				}
				bad = bad || !line.OK
				if err := line.print(c.OutOrStdout(), asJSON); err != nil {
					return err
				}
			}
			if bad {
				return daemon.ExitError{Code: daemon.Fault}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a file")
	return c
}

func checkPolicy(file string) (checkLine, error) {
	line := checkLine{File: file, Faults: []faultLine{}}
	body, err := daemon.ReadFile(file, maxSmall)
	if err != nil {
		return line, daemon.UsageError{Err: err}
	}
	if kindOf(body) == kindActivation {
		var a policy.Activation
		a, err = policy.ReadActivation(body)
		line.Policy = a.Policy
	} else {
		var p *policy.Policy
		p, err = policy.Read(body)
		line.Policy, line.Untested = p.Name(), p.Untested()
	}
	var faults policy.Faults
	switch {
	case errors.As(err, &faults):
		for _, f := range faults {
			line.Faults = append(line.Faults, faultLine(f))
		}
	case err != nil:
		line.Faults = append(line.Faults, faultLine{What: err.Error()})
	}
	line.OK = err == nil
	return line, nil
}

func (l checkLine) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(l)
	}
	for _, f := range l.Faults {
		fmt.Fprintf(w, "%s: %s\n", l.File, policy.Fault(f))
	}
	if !l.OK {
		return nil
	}
	untested := ""
	if len(l.Untested) > 0 {
		untested = "; no test of its own decides by " + strings.Join(l.Untested, ", ")
	}
	_, err := fmt.Fprintf(w, "%s: %s is sound%s\n", l.File, l.Policy, untested)
	return err
}

func policyTestCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "test FILE",
		Short: "Run a policy's own tests",
		Long: `test judges the invented people of the policy's [[test]] tables and says of each what became of
them. Exit code 1 when one is not what was wanted, or when there are none: such a policy cannot
be signed.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			body, err := daemon.ReadFile(args[0], maxSmall)
			if err != nil {
				return daemon.UsageError{Err: err}
			}
			p, results, err := policy.Ready(body)
			out := c.OutOrStdout()
			for _, r := range results {
				if !asJSON {
					continue
				}
				if err := json.NewEncoder(out).Encode(testLine{r.Name, r.Line, r.Passed, r.Got, r.Want}); err != nil {
					return err
				}
			}
			if !asJSON {
				printResults(out, results)
			}
			if err != nil {
				return named(args[0], err)
			}
			if !asJSON {
				_, err = fmt.Fprintf(out, "%s: %d tests hold, it may be signed\n", p.Name(), len(results))
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a test")
	return c
}

// testLine is what `gatectl policy test --json` says of one test: a contract.
type testLine struct {
	Name   string `json:"name"`
	Line   int    `json:"line"`
	Passed bool   `json:"passed"`
	Got    string `json:"got"`
	Want   string `json:"want"`
}

func printResults(w io.Writer, results []policy.Result) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range results {
		if r.Passed {
			fmt.Fprintf(t, "ok\t%d\t%s\t%s\n", r.Line, r.Name, r.Got)
			continue
		}
		fmt.Fprintf(t, "FAILS\t%d\t%s\t%s, want %s\n", r.Line, r.Name, r.Got, r.Want)
	}
	_ = t.Flush() // the writer's own error shows with the next line
}

func policyDiffCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "What a newer policy changes, and whether it may take the old one's place",
		Long: `diff compares what two policies say, by rule, by row and by division, and not by line. The last
line tells whether a gate that has the old one takes the new one.`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			var both [2]*policy.Policy
			for i, file := range args {
				body, err := daemon.ReadFile(file, maxSmall)
				if err != nil {
					return daemon.UsageError{Err: err}
				}
				if both[i], err = policy.Read(body); err != nil {
					return named(file, err)
				}
			}
			changes, follows := policy.Diff(both[0], both[1]), both[1].Follows(both[0])
			out := c.OutOrStdout()
			if asJSON {
				line := diffLine{Old: both[0].Name(), New: both[1].Name(), Follows: follows == nil, Changes: []changeLine{}}
				if follows != nil {
					line.Why = follows.Error()
				}
				for _, change := range changes {
					line.Changes = append(line.Changes, changeLine(change))
				}
				return json.NewEncoder(out).Encode(line)
			}
			printChanges(out, changes)
			if follows != nil {
				_, err := fmt.Fprintf(out, "no gate takes it after the old one: %v\n", follows)
				return err
			}
			_, err := fmt.Fprintf(out, "%s may take the place of %s\n", both[1].Name(), both[0].Name())
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return c
}

// diffLine is what `gatectl policy diff --json` says: a contract.
type diffLine struct {
	Old     string       `json:"old"`
	New     string       `json:"new"`
	Follows bool         `json:"follows"`
	Why     string       `json:"why,omitempty"` // a gate would not take it
	Changes []changeLine `json:"changes"`
}

type changeLine struct {
	Key string `json:"key"`
	Old string `json:"old"`
	New string `json:"new"`
}

func printChanges(w io.Writer, changes []policy.Change) {
	if len(changes) == 0 {
		fmt.Fprintln(w, "they say the same")
	}
	for _, c := range changes {
		fmt.Fprintln(w, strings.ReplaceAll(c.String(), "\n", " "))
	}
}

func policyExampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "example [NAME]",
		Short: "List the examples that come along, or print one to begin with",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			names, err := fs.Glob(policy.Examples(), "*.toml")
			if err != nil {
				return err
			}
			out := c.OutOrStdout()
			if len(args) == 1 {
				body, err := fs.ReadFile(policy.Examples(), strings.TrimSuffix(path.Base(args[0]), ".toml")+".toml")
				if err != nil {
					return daemon.UsageError{Err: fmt.Errorf("there is no example %s: 'gatectl policy example' lists them", args[0])}
				}
				_, err = out.Write(body)
				return err
			}
			for _, name := range names {
				body, err := fs.ReadFile(policy.Examples(), name)
				if err != nil {
					return err
				}
				fmt.Fprintf(out, "%-26s %s\n", strings.TrimSuffix(name, ".toml"), opening(string(body)))
			}
			return nil
		},
	}
}

// opening is the first sentence of a file's opening comment.
func opening(text string) string {
	var words []string
	for line := range strings.Lines(text) {
		comment, is := strings.CutPrefix(strings.TrimSpace(line), "#")
		if !is {
			break
		}
		words = append(words, strings.Fields(comment)...)
	}
	first, _, _ := strings.Cut(strings.Join(words, " ")+" ", ". ")
	return strings.TrimSpace(first)
}

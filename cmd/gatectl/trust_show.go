package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/cmd/daemon"
	"gatehouse/credential/trust"
)

func trustShowCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "show DIR",
		Short:   "Roles, keys, thresholds, versions, ends, and what is missing",
		Example: "  gatectl trust show nation\n  gatectl trust show nation --json | jq '.drafts'",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			report, err := desk(args[0]).Report()
			if err != nil {
				return fmt.Errorf("show: %w", err)
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(report)
			}
			return printReport(c.OutOrStdout(), report)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return c
}

func trustVerifyCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify DIR",
		Short: "Check a repository as a new gate would, and say whose signatures its drafts lack",
		Long: `verify reads the whole repository as a new gate would, each signature, hash, version and end, and
counts the signatures of drafts. Exit code 1 when a gate would refuse it or leave a region
out; drafts that wait for signatures are no fault.`,
		Example: "  gatectl trust verify nation\n  gatectl trust verify /media/stick",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			report, err := desk(args[0]).Report()
			if err != nil {
				return fmt.Errorf("verify: %w", err)
			}
			if asJSON {
				if err := json.NewEncoder(c.OutOrStdout()).Encode(report); err != nil {
					return err
				}
			} else {
				printNeeds(c.OutOrStdout(), report)
			}
			switch {
			case report.Fault != "":
				return fmt.Errorf("verify %s: a gate would refuse it: %s", args[0], report.Fault)
			case len(report.Regions) > 0:
				return fmt.Errorf("verify %s: a new gate would take nothing of %s: %s", args[0], report.Regions[0].Region, report.Regions[0].Fault)
			case !asJSON:
				_, err = fmt.Fprintf(c.OutOrStdout(), "sound: a gate takes it, with %d keys; it is %s old\n", report.Keys, report.Age)
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return c
}

func trustImportCommand() *cobra.Command {
	var cache, root, at string
	var untrusted bool
	c := &cobra.Command{
		Use:   "import DIR",
		Short: "Take a repository from a stick into a gate's trust folder",
		Long: `import checks a repository and puts it into a gate's trust folder, whole or not at all. It may run
beside gated, which takes over what it finds. What is older than what the folder ever
held, has ended, or is not signed by the right people is refused, and what is in use stays.`,
		Example: "  gatectl trust import /media/stick --cache /var/lib/gatehouse/trust --root /etc/gatehouse/1.root.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if cache == "" || root == "" {
				return daemon.UsageError{Err: errors.New("--cache and --root are both needed: the gate's trust folder, and the root that it came with")}
			}
			pinned, err := daemon.ReadFile(root, maxSmall)
			if err != nil {
				return daemon.UsageError{Err: fmt.Errorf("--root: %w", err)}
			}
			flags := trustFlags{at: at}
			when, err := flags.time()
			if err != nil {
				return err
			}
			src, closer, err := trust.OpenFolder(args[0])
			if err != nil {
				return daemon.UsageError{Err: fmt.Errorf("import: %w", err)}
			}
			defer closer.Close()
			gate, err := trust.Open(cache, pinned)
			if err != nil {
				return fmt.Errorf("import: %w", err)
			}
			if fault := gate.Fault(); fault != nil {
				fmt.Fprintf(c.ErrOrStderr(), "%s: %v\n", cache, fault)
			}
			set, err := gate.Adopt(src, when, !untrusted)
			if err != nil {
				if gate.Current() != nil {
					return fmt.Errorf("import %s: %w (what is in use stays)", args[0], err)
				}
				return fmt.Errorf("import %s: %w", args[0], err)
			}
			printSet(c.OutOrStdout(), set, when)
			return nil
		},
	}
	c.Flags().StringVar(&cache, "cache", "", "the gate's trust folder")
	c.Flags().StringVar(&root, "root", "", "1.root.json, as the gate was given it")
	c.Flags().StringVar(&at, "at", "", "the time to check against, RFC 3339 (default: now)")
	c.Flags().BoolVar(&untrusted, "clock-unset", false, "this machine's clock may be wrong: rely on what the folder knows")
	return c
}

// printSet says what a gate has in use then.
func printSet(w io.Writer, set *trust.Set, at time.Time) {
	v := set.Versions()
	fmt.Fprintf(w, "in use: %d keys of %d regions; root %d, targets %d, snapshot %d, timestamp %d; issued %s, %s old\n",
		set.Len(), len(set.Regions()), v["root"], v["targets"], v["snapshot"], v["timestamp"],
		set.Issued.Format(time.RFC3339), set.Age(at).Round(time.Second))
	for _, r := range set.Regions() {
		if r.Fault != "" {
			fmt.Fprintf(w, "  %s: %s\n", r.ID, r.Fault)
		}
	}
	if set.Unusable != "" {
		fmt.Fprintf(w, "  firmware: %s\n", set.Unusable)
	}
}

func printDrafts(w io.Writer, d trust.Desk) error {
	report, err := d.Report()
	if err != nil {
		return err
	}
	printNeeds(w, report)
	return nil
}

func printNeeds(w io.Writer, report trust.Report) {
	for _, draft := range report.Drafts {
		if draft.Complete() {
			fmt.Fprintf(w, "draft of %s %d: complete, the next refresh takes it in\n", draft.Role, draft.Version)
			continue
		}
		for _, need := range draft.Needs {
			if need.Left() == 0 {
				continue
			}
			var who []string
			for _, id := range need.Waiting {
				who = append(who, report.Names.Of(id))
			}
			fmt.Fprintf(w, "draft of %s %d: %d of %d signed for %s, %d missing, of %s\n", draft.Role, draft.Version,
				len(need.Signed), need.Threshold, need.By, need.Left(), strings.Join(who, ", "))
		}
	}
}

func printReport(w io.Writer, report trust.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "role\tversion\tissued\tends\tsigned by")
	for _, r := range report.Roles {
		var who []string
		for _, id := range r.Keys {
			who = append(who, report.Names.Of(id))
		}
		version, issued, ends := "-", "-", "-"
		if r.Version > 0 {
			version, issued, ends = fmt.Sprint(r.Version), r.Issued.Format(time.DateOnly), r.Expires.Format(time.DateOnly)
		}
		if r.Expired {
			ends += " ENDED"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d of %s\n", r.Role, version, issued, ends, r.Threshold, strings.Join(who, ", "))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if report.Age != "" {
		fmt.Fprintf(w, "\n%d keys for gates; the timestamp is %s old\n", report.Keys, report.Age)
	}
	for _, fault := range report.Regions {
		fmt.Fprintf(w, "%s: a new gate would take nothing of it: %s\n", fault.Region, fault.Fault)
	}
	printNeeds(w, report)
	if report.Fault != "" {
		fmt.Fprintf(w, "a gate would refuse this: %s\n", report.Fault)
	}
	return nil
}

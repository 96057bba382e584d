package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/cmd/daemon"
	"gatehouse/credential/trust"
)

func trustPublishCommand() *cobra.Command {
	var life int
	c := &cobra.Command{
		Use:   "publish DIR REGION [NAME=FILE]...",
		Short: "Draft what a region signs: keys, policy, revocations, risk",
		Long: `publish checks files as a gate will, drafts the next version of what a region signs, and copies
them to their place. A policy has to follow the one that is published, and its own tests have
to hold. Names that are not given stay as they were; NAME= takes one out; no name at all
renews the role with a later end. keys is a list as 'gatectl trust keys' makes it; rules are
other states' rules, {"rules":{"DE/entry":[...]},"value_sets":{...}}. For the role firmware
any file name can stand.`,
		Example: "  gatectl trust publish nation CN-330100 keys=keys.json policy=policy.toml\n" +
			"  gatectl trust publish nation CN-330100 risk=\n" +
			"  gatectl trust publish nation firmware gatehouse-7.img=build/gatehouse-7.img",
		Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			files, err := filesOf(args[2:])
			if err != nil {
				return err
			}
			d := desk(args[0])
			if err := draftFiles(c.OutOrStdout(), d, args[1], files, life); err != nil {
				return err
			}
			return printDrafts(c.OutOrStdout(), d)
		},
	}
	c.Flags().IntVar(&life, "days", 90, "lifetime of what is drafted")
	return c
}

func trustSignCommand() *cobra.Command {
	var keys, brought []string
	var drop string
	c := &cobra.Command{
		Use:   "sign DIR|FILE [ROLE]",
		Short: "Add your signature to the drafts in which you have a say",
		Long: `sign adds one person's signature to each draft of the folder in which their key has a say, or to
that of one role. It shows first what is being signed and what is different from what is
published, runs a policy's own tests, and signs nothing that a gate would not take.

A draft may also travel alone: sign the FILE, and put it back into drafts/ of the folder. Its
rules travel with it: --file policy=policy.toml. When enough people have signed, the next
refresh takes it in.`,
		Example: "  gatectl trust sign nation --key anna.key\n" +
			"  gatectl trust sign /media/stick/CN-330100.json --key fan.key\n" +
			"  gatectl trust sign nation --drop CN-330100       # take a draft back",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			if drop != "" {
				return desk(args[0]).Drop(drop)
			}
			signers, err := privateKeys(keys)
			if err != nil {
				return err
			}
			if info, err := os.Stat(args[0]); errors.Is(err, fs.ErrNotExist) {
				return daemon.UsageError{Err: fmt.Errorf("%s: there is no such folder or draft", args[0])}
			} else if err == nil && !info.IsDir() {
				files, err := filesOf(brought)
				if err != nil {
					return err
				}
				if err := lookAtFile(c.OutOrStdout(), args[0], files); err != nil {
					return fmt.Errorf("sign %s: %w", args[0], err)
				}
				for _, key := range signers {
					role, version, err := trust.SignFile(args[0], key)
					if err != nil {
						return fmt.Errorf("sign %s: %w", args[0], err)
					}
					fmt.Fprintf(c.OutOrStdout(), "signed %s: a %s role, version %d; 'verify' at the desk says who is missing\n", args[0], role, version)
				}
				return nil
			}
			role := ""
			if len(args) == 2 {
				role = args[1]
			}
			d := desk(args[0])
			if err := lookAt(c.OutOrStdout(), d, role, signers); err != nil {
				return fmt.Errorf("sign: %w", err)
			}
			for _, key := range signers {
				signed, err := d.Sign(role, key)
				if err != nil {
					return fmt.Errorf("sign: %w", err)
				}
				for _, draft := range signed {
					fmt.Fprintf(c.OutOrStdout(), "signed %s %d\n", draft.Role, draft.Version)
				}
			}
			return printDrafts(c.OutOrStdout(), d)
		},
	}
	c.Flags().StringSliceVar(&keys, "key", nil, "your key file")
	c.Flags().StringSliceVar(&brought, "file", nil, "a file that a draft alone names, as policy=policy.toml")
	c.Flags().StringVar(&drop, "drop", "", "take the draft of this role back instead")
	return c
}

func trustRefreshCommand() *cobra.Command {
	var keys []string
	var snapshot, timestamp int
	c := &cobra.Command{
		Use:   "refresh DIR",
		Short: "Take in what enough people signed, and say that this is the newest",
		Long: `refresh takes in each draft that enough people signed, and signs a new snapshot and timestamp.
It is the desk's daily work, also when nothing is new: gates count the age of their trust
from the timestamp. The result is checked as a gate checks it before anything is written.`,
		Example: "  gatectl trust refresh nation --key desk.key",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			signers, err := privateKeys(keys)
			if err != nil {
				return err
			}
			d := desk(args[0])
			set, taken, err := d.Refresh(signers, days(snapshot), days(timestamp))
			if err != nil {
				return fmt.Errorf("refresh %s: %w", args[0], err)
			}
			if len(taken) == 0 {
				taken = []string{"no draft"}
			}
			fmt.Fprintf(c.OutOrStdout(), "took in %s\n", strings.Join(taken, ", "))
			printSet(c.OutOrStdout(), set, d.Now)
			return printDrafts(c.OutOrStdout(), d)
		},
	}
	c.Flags().StringSliceVar(&keys, "key", nil, "key files of the desk")
	c.Flags().IntVar(&snapshot, "snapshot-days", 30, "lifetime of the snapshot")
	c.Flags().IntVar(&timestamp, "timestamp-days", 14, "lifetime of the timestamp: a stick older than that is refused")
	return c
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"gatehouse/cmd/daemon"
	"gatehouse/credential/trust"
)

func policySignCommand() *cobra.Command {
	var keys []string
	var life int
	c := &cobra.Command{
		Use:   "sign DIR REGION FILE",
		Short: "Draft a policy, an emergency policy or an activation, and sign it as the first",
		Long: `sign holds a policy to everything that a gate asks of it and to its own tests, drafts it as the
region's in the trust repository DIR, and adds the first signature. What the file is stands in
it: a policy, an emergency policy (mode = "emergency"), or an activation.

It counts when a second person has signed: 'gatectl trust sign' shows them what it changes.
Then the desk publishes it: 'gatectl trust refresh'.`,
		Example: "  gatectl policy sign nation CN-330100 policy.toml --key fan.key",
		Args:    cobra.ExactArgs(3),
		RunE: func(c *cobra.Command, args []string) error {
			signers, err := privateKeys(keys)
			if err != nil {
				return err
			}
			dir, region, file := args[0], args[1], args[2]
			if !isRegion(region) {
				return daemon.UsageError{Err: fmt.Errorf("%q is no region as CN-330100 or DE", region)}
			}
			body, err := daemon.ReadFile(file, maxSmall)
			if err != nil {
				return daemon.UsageError{Err: err}
			}
			name := trust.Policy
			if kind := kindOf(body); kind == trust.Emergency || kind == kindActivation {
				name = kind
			}
			d, out := desk(dir), c.OutOrStdout()
			if err := draftFiles(out, d, region, map[string]string{name: file}, life); err != nil {
				return fmt.Errorf("policy: %w", err)
			}
			for _, key := range signers {
				if _, err := d.Sign(region, key); err != nil {
					return fmt.Errorf("%s is drafted, and not signed: %w", name, err)
				}
			}
			fmt.Fprintf(out, "drafted and signed as the %s of %s\n", name, region)
			return printDrafts(out, d)
		},
	}
	c.Flags().StringSliceVar(&keys, "key", nil, "your key file")
	c.Flags().IntVar(&life, "days", 90, "lifetime of what the region signs")
	return c
}

package main

import (
	"crypto"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/cmd/daemon"
	"gatehouse/credential/trust"
)

func trustCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "trust",
		Short: "Make, sign, check and import a nation's trust repository",
		Long: `trust works on a repository folder: whose keys gates believe, by which rules they judge, which
codes were taken back, each signed by those whose business it is. docs/trust.md describes
the ceremony and the layout.

No command here uses a network. What is not signed by enough people yet lies in drafts/ of the
folder; carry the folder from one to the next, or the draft alone.`,
		Example: `  gatectl trust key anna                               # each person, on a machine of their own
  gatectl trust init nation --root anna.pub,bo.pub,cai.pub,dai.pub,eva.pub --threshold 3 --desk desk.pub
  gatectl trust add-region nation CN-330100 --key fan.pub,gao.pub,han.pub --threshold 2
  gatectl trust sign nation --key anna.key             # then bo, then cai
  gatectl trust publish nation CN-330100 keys=keys.json policy=policy.toml
  gatectl trust sign nation --key fan.key              # then gao
  gatectl trust refresh nation --key desk.key          # takes in what enough people signed
  gatectl trust verify nation`,
	}
	c.AddCommand(trustKeyCommand(), trustInitCommand(), trustAddCommand(), trustRotateCommand(), trustPublishCommand(),
		trustSignCommand(), trustRefreshCommand(), trustVerifyCommand(), trustShowCommand(), trustImportCommand(), trustKeysCommand())
	return c
}

func desk(dir string) trust.Desk { return trust.Desk{Dir: dir, Now: time.Now()} }

// days is a lifetime as people count it.
func days(n int) time.Duration { return time.Duration(n) * trust.Day }

func trustKeyCommand() *cobra.Command {
	var curve string
	c := &cobra.Command{
		Use:   "key NAME",
		Short: "Make a person's key: NAME.key to keep, NAME.pub to hand out",
		Long: `key makes NAME.key, which only its owner can read and which never leaves their machine, and
NAME.pub for those who run the ceremony. Neither is written over a file that is there.`,
		Example: "  gatectl trust key anna\n  gatectl trust key --type p256 desk",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			key, err := newTrustKey(curve)
			if err != nil {
				return err
			}
			if err := writeKey(args[0]+".key", key); err != nil {
				return fmt.Errorf("key of %s: %w", args[0], err)
			}
			text, err := publicKey(key)
			if err != nil {
				return err
			}
			if err := writeNew(args[0]+".pub", text); err != nil {
				return err
			}
			id, err := trust.KeyID(key.Public())
			if err == nil {
				fmt.Fprintf(c.OutOrStdout(), "made %[1]s.key (keep it) and %[1]s.pub (hand it out), id %.16s\n", args[0], id)
			}
			return err
		},
	}
	c.Flags().StringVar(&curve, "type", "ed25519", "ed25519 or p256")
	return c
}

func newTrustKey(curve string) (crypto.Signer, error) {
	switch curve {
	case "ed25519":
		return newGateKey() // any Ed25519 key is like another
	case "p256":
		return newIssuerKey()
	}
	return nil, daemon.UsageError{Err: fmt.Errorf("--type %q: want ed25519 or p256", curve)}
}

// signersOf reads public keys; people are called by the names of their files.
func signersOf(flag string, paths []string) ([]trust.Signer, error) {
	var list []trust.Signer
	for _, path := range paths {
		text, err := daemon.ReadFile(path, maxSmall)
		if err != nil {
			return nil, daemon.UsageError{Err: fmt.Errorf("--%s: %w", flag, err)}
		}
		public, err := trust.ReadPublic(text)
		if err != nil {
			return nil, daemon.UsageError{Err: fmt.Errorf("--%s %s: %w: 'gatectl trust key' makes .pub files", flag, path, err)}
		}
		list = append(list, trust.Signer{Name: strings.TrimSuffix(filepath.Base(path), ".pub"), Public: public})
	}
	return list, nil
}

// privateKeys reads key files, and refuses those that others on the machine could read too.
func privateKeys(paths []string) ([]crypto.Signer, error) {
	if len(paths) == 0 {
		return nil, daemon.UsageError{Err: fmt.Errorf("--key is missing: the key file to sign with")}
	}
	var keys []crypto.Signer
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, daemon.UsageError{Err: fmt.Errorf("--key: %w", err)}
		}
		if info.Mode().Perm()&0o077 != 0 {
			return nil, daemon.UsageError{Err: fmt.Errorf("--key %s: others can read it: chmod 600 %s", path, path)}
		}
		text, err := daemon.ReadFile(path, maxSmall)
		if err != nil {
			return nil, daemon.UsageError{Err: fmt.Errorf("--key: %w", err)}
		}
		key, err := trust.ReadPrivate(text)
		if err != nil {
			return nil, daemon.UsageError{Err: fmt.Errorf("--key %s: %w: 'gatectl trust key' makes key files", path, err)}
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func trustInitCommand() *cobra.Command {
	var root, targets, publishers []string
	var threshold, targetsThreshold, life int
	c := &cobra.Command{
		Use:   "init DIR",
		Short: "Draft a nation's first root in a new folder",
		Long: `init drafts the first root, which says whose signatures count for what, and an empty list of
regions. Both wait for signatures: see 'gatectl trust sign'. The first refresh publishes
them. 1.root.json is then what each gate is given to begin with.`,
		Example: "  gatectl trust init nation --root anna.pub,bo.pub,cai.pub,dai.pub,eva.pub --threshold 3 --desk desk.pub",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ceremony := trust.Ceremony{Life: days(life)}
			var err error
			if ceremony.Root.Signers, err = signersOf("root", root); err != nil {
				return err
			}
			if ceremony.Targets.Signers, err = signersOf("targets", targets); err != nil {
				return err
			}
			people, err := signersOf("desk", publishers)
			if err != nil {
				return err
			}
			if len(root) == 0 || len(people) == 0 {
				return daemon.UsageError{Err: fmt.Errorf("--root and --desk are both needed: .pub files of who signs")}
			}
			ceremony.Root.Threshold, ceremony.Targets.Threshold = threshold, targetsThreshold
			ceremony.Snapshot = trust.Quorum{Signers: people, Threshold: 1}
			ceremony.Timestamp = ceremony.Snapshot
			d := desk(args[0])
			if err := d.Init(ceremony); err != nil {
				return fmt.Errorf("init %s: %w", args[0], err)
			}
			fmt.Fprintf(c.OutOrStdout(), "drafted the first root and an empty list of regions in %s\n", args[0])
			return printDrafts(c.OutOrStdout(), d)
		},
	}
	c.Flags().StringSliceVar(&root, "root", nil, "public keys of who signs for the nation, comma-separated (5 of them)")
	c.Flags().IntVar(&threshold, "threshold", 3, "how many of them must sign")
	c.Flags().StringSliceVar(&targets, "targets", nil, "public keys of who names regions (default: the root's)")
	c.Flags().IntVar(&targetsThreshold, "targets-threshold", 2, "how many of those must sign")
	c.Flags().StringSliceVar(&publishers, "desk", nil, "public keys of the desk that publishes: snapshot and timestamp, one of them signs")
	c.Flags().IntVar(&life, "days", 365, "lifetime of root and list of regions")
	return c
}

func trustAddCommand() *cobra.Command {
	var keys []string
	var threshold, life int
	c := &cobra.Command{
		Use:   "add-region DIR REGION",
		Short: "Draft who signs for a region, or for firmware",
		Long: `add-region drafts a new list of regions, for those who sign targets. REGION is a country (DE), a
country and division (CN-330100), or the word firmware. A region needs two different people at
least, none of whom signs the firmware: gates follow no other.`,
		Example: "  gatectl trust add-region nation CN-330100 --key fan.pub,gao.pub,han.pub --threshold 2",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			people, err := signersOf("key", keys)
			if err != nil {
				return err
			}
			d := desk(args[0])
			err = rehearsed(d, args[1], func(d trust.Desk) error {
				return d.AddRole(args[1], trust.Quorum{Signers: people, Threshold: threshold}, days(life))
			})
			if err != nil {
				return fmt.Errorf("add %s: %w", args[1], err)
			}
			return printDrafts(c.OutOrStdout(), d)
		},
	}
	c.Flags().StringSliceVar(&keys, "key", nil, "public keys of who signs for it, comma-separated (3 of them)")
	c.Flags().IntVar(&threshold, "threshold", 2, "how many of them must sign")
	c.Flags().IntVar(&life, "days", 365, "lifetime of the list of regions")
	return c
}

func trustRotateCommand() *cobra.Command {
	var add, remove []string
	var threshold, life int
	c := &cobra.Command{
		Use:   "rotate DIR ROLE",
		Short: "Draft a change of a role's keys, or renew root or targets",
		Long: `rotate changes who signs for root, targets, snapshot, timestamp, a region or firmware. The first
four are the root's business: old and new root people both sign. The others are that of
those who sign targets. Without --add and --remove the role is renewed with a later end.

A key that left a role does not come back to it: make a new one.`,
		Example: "  gatectl trust rotate nation root --remove 3f2a91c0 --add fei.pub\n" +
			"  gatectl trust rotate nation CN-330100 --remove 77ab01ee --add ida.pub\n" +
			"  gatectl trust rotate nation root          # renew it before it ends",
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			people, err := signersOf("add", add)
			if err != nil {
				return err
			}
			d := desk(args[0])
			var drafted []string
			err = rehearsed(d, args[1], func(d trust.Desk) (err error) {
				drafted, err = d.Rotate(args[1], trust.Change{Add: people, Remove: remove, Threshold: threshold, Life: days(life)})
				return err
			})
			if err != nil {
				return fmt.Errorf("rotate %s: %w", args[1], err)
			}
			fmt.Fprintf(c.OutOrStdout(), "drafted %s\n", strings.Join(drafted, " and "))
			return printDrafts(c.OutOrStdout(), d)
		},
	}
	c.Flags().StringSliceVar(&add, "add", nil, "public keys to add, comma-separated")
	c.Flags().StringSliceVar(&remove, "remove", nil, "ids of keys to remove, or their beginnings, as 'show' lists them")
	c.Flags().IntVar(&threshold, "threshold", 0, "how many must sign from now on (default: as before)")
	c.Flags().IntVar(&life, "days", 365, "lifetime of what is drafted")
	return c
}

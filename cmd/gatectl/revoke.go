package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential/revocation"
)

func revokeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "revoke",
		Short: "Make and show the file of codes that a region took back",
		Long: `revoke works on the file that a region signs as its revocations (docs/revocation.md). Codes come
one a line: a code's id in hex, as the format has it (the id of an RHC1), or any other id as
"text:" and the id itself (the certificate id of a DCC), or 16 hex digits after "prefix:".`,
		Example: `  gatectl revoke build --region CN-330100 ids.txt > revocations
  gatectl revoke delta --add more.txt --remove again.txt revocations > next
  gatectl revoke show next
  gatectl trust publish nation CN-330100 revocations=next`,
	}
	c.AddCommand(revokeBuildCommand(), revokeDeltaCommand(), revokeShowCommand())
	return c
}

func revokeBuildCommand() *cobra.Command {
	var region string
	var version uint64
	var filterOnly bool
	c := &cobra.Command{
		Use:   "build [FILE|-]",
		Short: "Begin a new list from ids",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if !isRegion(region) || version == 0 {
				return daemon.UsageError{Err: errors.New("--region and --version are needed: whose list it is, as CN-330100, and its number from 1")}
			}
			prefixes, err := readPrefixes(c.InOrStdin(), first(args))
			if err != nil {
				return daemon.UsageError{Err: err}
			}
			file, err := revocation.Build(revocation.Base{Issuer: gatehouse.Issuer(region), Version: version, Prefixes: prefixes, Exact: !filterOnly})
			if err != nil {
				return fmt.Errorf("build: %w", err)
			}
			_, err = c.OutOrStdout().Write(file)
			return err
		},
	}
	c.Flags().StringVar(&region, "region", "", "whose list it is")
	c.Flags().Uint64Var(&version, "version", 1, "number of this state of the list; it only grows")
	c.Flags().BoolVar(&filterOnly, "filter-only", false, "hand out no prefixes: a code that the filter knows is referred, not denied")
	return c
}

func revokeDeltaCommand() *cobra.Command {
	var add, remove string
	c := &cobra.Command{
		Use:   "delta FILE",
		Short: "Write what changed behind a list, one version on",
		Long: `delta writes the list with what changed behind it: what was there stays byte for byte, so that
gates fetch the rest alone.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if add == "" && remove == "" {
				return daemon.UsageError{Err: errors.New("--add or --remove is needed: a file of ids")}
			}
			file, list, err := openRevocations(args[0])
			if err != nil {
				return daemon.UsageError{Err: err}
			}
			d := revocation.Delta{From: list.Version(), To: list.Version() + 1}
			for _, part := range []struct {
				from string
				to   *[]uint64
			}{{add, &d.Adds}, {remove, &d.Removes}} {
				if part.from == "" {
					continue
				}
				if *part.to, err = readPrefixes(c.InOrStdin(), part.from); err != nil {
					return daemon.UsageError{Err: err}
				}
			}
			next, err := revocation.Append(file, d)
			if err != nil {
				return fmt.Errorf("delta: %w", err)
			}
			_, err = c.OutOrStdout().Write(next)
			return err
		},
	}
	c.Flags().StringVar(&add, "add", "", "file of ids that were taken back")
	c.Flags().StringVar(&remove, "remove", "", "file of ids that count again")
	return c
}

// revokeLine is what `gatectl revoke show --json` says: a contract, see docs/gatectl.md.
type revokeLine struct {
	Issuer  gatehouse.Issuer `json:"issuer"`
	Version uint64           `json:"version"`
	Entries int              `json:"entries"`
	Changes int              `json:"changes"`
	Exact   bool             `json:"exact"`
	Bytes   int              `json:"bytes"`
	Memory  int              `json:"memory"` // bytes at a gate
}

func revokeShowCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show FILE",
		Short: "Whose list it is, how much is in it, and what it costs a gate",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file, list, err := openRevocations(args[0])
			if err != nil {
				return err
			}
			line := revokeLine{list.Issuer(), list.Version(), list.Entries(), list.Changes(), list.Exact(), len(file), list.Memory()}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(line)
			}
			form := "filter and prefixes"
			if !line.Exact {
				form = "filter alone"
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s, version %d: %d codes and %d changes since, %s; %d bytes, %d in a gate's memory\n",
				line.Issuer, line.Version, line.Entries, line.Changes, form, line.Bytes, line.Memory)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return c
}

// maxRevocations is what a region's file may have (docs/trust.md).
const maxRevocations = 96 << 20

func openRevocations(path string) ([]byte, *revocation.List, error) {
	file, err := daemon.ReadFile(path, maxRevocations)
	if err != nil {
		return nil, nil, err
	}
	list, err := revocation.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return file, list, nil
}

func first(args []string) string {
	if len(args) == 0 {
		return "-"
	}
	return args[0]
}

// readPrefixes reads codes, one a line; "-" is the standard input.
func readPrefixes(stdin io.Reader, path string) (list []uint64, err error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		prefix, err := readPrefix(line)
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, n, err)
		}
		if len(list) == revocation.MaxEntries {
			return nil, fmt.Errorf("%s: more than %d codes", path, revocation.MaxEntries)
		}
		list = append(list, prefix)
	}
	return list, lines.Err()
}

// readPrefix reads one code. Errors hold no id: they end up in logs.
func readPrefix(line string) (uint64, error) {
	if id, ok := strings.CutPrefix(line, "text:"); ok {
		return revocation.Prefix([]byte(id)), nil
	}
	if digits, ok := strings.CutPrefix(line, "prefix:"); ok {
		b, err := hex.DecodeString(digits)
		if err != nil || len(b) != 8 {
			return 0, errors.New("no prefix of 16 hex digits")
		}
		return binary.BigEndian.Uint64(b), nil
	}
	id, err := hex.DecodeString(line)
	if err != nil || len(id) == 0 {
		return 0, errors.New(`no id in hex; one that is text begins with "text:"`)
	}
	return revocation.Prefix(id), nil
}

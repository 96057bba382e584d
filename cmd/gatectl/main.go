// Command gatectl is the operator's tool: it decodes, verifies and judges single codes,
// makes and signs what regions sign, reads a gate's book, and shows the whole at work.
package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"gatehouse/cmd/daemon"
)

// version is set by the build to the commit.
var version = "unknown"

func main() {
	os.Exit(daemon.Execute(command(), os.Args[1:], os.Stdout, os.Stderr))
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "gatectl",
		Short: "Decode, verify, judge and look after what gates and regions do",
		Long: `gatectl decodes, verifies and judges single codes, makes and signs what regions sign,
reads a gate's book, and shows the whole at work.

Begin with 'gatectl demo'. Exit codes: 0 done, 1 it did not work, 2 it was asked wrongly.`,
		Version: version,
	}
	root.AddCommand(demoCommand(), initCommand(), logCommand(), benchCommand(), trustCommand(), policyCommand(),
		passCommand(), scanCommand(), replayCommand(), statusCommand(), revokeCommand())
	for _, c := range []*cobra.Command{qrCommand(), issueCommand(), keysCommand(), pinCommand()} {
		c.PreRun = endAtOnce
		root.AddCommand(c)
	}
	return root
}

// endAtOnce gives ctrl-C and SIGTERM back to the system, for commands that leave nothing
// behind: one that waits for its input, or decodes a large image, looks at no context.
func endAtOnce(*cobra.Command, []string) { signal.Reset(os.Interrupt, syscall.SIGTERM) }

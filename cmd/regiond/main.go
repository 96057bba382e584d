// Command regiond is a region's server: it takes the gates' books into its ledger and shows
// them to those who may look.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"gatehouse/cmd/daemon"
)

// version is set by the build to the commit.
var version = "unknown"

func main() {
	os.Exit(daemon.Execute(command(), os.Args[1:], os.Stdout, os.Stderr))
}

func command() *cobra.Command {
	var conf config
	c := daemon.Program{
		Name: "regiond", Short: "Run a region's server", Version: version, File: "/etc/gatehouse/region.toml", Settings: &conf,
		Long: `regiond takes signed batches of passages from the region's gates over HTTPS, holds each
against the chain that it has, commits, and only then acknowledges. Its page and its read
interface are for this machine, and with a token for others.`,
		Run: func(ctx context.Context, logger *slog.Logger) error { return run(ctx, conf, logger) },
	}.Command()
	c.AddCommand(hashTokenCommand())
	return c
}

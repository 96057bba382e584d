// Command gated is one gate: camera, thermometer, keys, rules, book and barrier, wired
// together and looked after until it is told to stop.
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

// built is set by the build to the commit's time, in Unix seconds: no board that runs it can
// be earlier than that.
var built = ""

func main() {
	os.Exit(daemon.Execute(command(), os.Args[1:], os.Stdout, os.Stderr))
}

func command() *cobra.Command {
	var conf config
	return daemon.Program{
		Name: "gated", Short: "Run one gate", Version: version, File: "/etc/gatehouse/gate.toml", Settings: &conf,
		Long: `gated runs one gate: it reads codes from the camera, verifies them with the keys of the
regions' signed files, measures, judges by the region's policy, writes each passage down, opens
the barrier, and hands its book to the regional server when a link is there.

SIGHUP makes it look for new signed files at once; it looks every few seconds anyway.`,
		Run: func(ctx context.Context, logger *slog.Logger) error { return run(ctx, conf, logger) },
	}.Command()
}

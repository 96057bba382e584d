package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/spf13/cobra"

	"gatehouse/cmd/settings"
)

// A Program is a daemon that lives by one settings file.
type Program struct {
	Name     string // "gated"
	Short    string
	Long     string
	File     string // where its settings lie when nobody says otherwise
	Version  string
	Settings settings.Checker // filled from the file before Run
	Run      func(ctx context.Context, logger *slog.Logger) error
}

// Command is the program's command line: --config, --check and what cobra brings.
func (p Program) Command() *cobra.Command {
	var file string
	var check bool
	c := &cobra.Command{
		Use:     p.Name + " --config FILE",
		Short:   p.Short,
		Long:    p.Long + "\n\nExit codes: 0 stopped as told, 1 could not go on, 2 settings with faults (all are named).",
		Version: p.Version,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := settings.Read(file, p.Settings); err != nil {
				return unreadable(err)
			}
			if check {
				_, err := fmt.Fprintf(c.OutOrStdout(), "%s: no faults\n", file)
				return err
			}
			// A panic would end with exit code 2, which is a mistake in the settings, and a
			// service manager does not start that again. This way it ends with a signal.
			debug.SetTraceback("crash")
			return p.Run(c.Context(), Logger(c.ErrOrStderr()))
		},
	}
	c.Flags().StringVar(&file, "config", p.File, "settings file")
	c.Flags().BoolVar(&check, "check", false, "say what is wrong with the settings file, and end")
	return c
}

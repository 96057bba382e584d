package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"gatehouse/cmd/settings"
)

func TestExitCodesTellTheShellWhoseMistakeItWas(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		err  error
		want int
		says string
	}{
		{"done", []string{"do", "a"}, nil, OK, ""},
		{"broken", []string{"do", "a"}, errors.New("disk full"), Fault, "disk full"},
		{"unknown flag", []string{"do", "--fast"}, nil, Usage, "--fast"},
		{"unknown verb", []string{"undo"}, nil, Usage, "undo"},
		{"too few arguments", []string{"do"}, nil, Usage, "arg"},
		{"asked wrongly", []string{"do", "a"}, fmt.Errorf("at: %w", UsageError{errors.New("no date")}), Usage, "no date"},
		{"settings with faults", []string{"do", "a"}, &settings.Faults{File: "gate.toml", List: []settings.Fault{{Line: 3, What: "unknown key"}}}, Usage, "gate.toml: line 3: unknown key"},
		{"a code of its own", []string{"do", "a"}, ExitError{Degraded}, Degraded, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := &cobra.Command{Use: "gatectl"}
			root.AddCommand(&cobra.Command{Use: "do", Args: cobra.MinimumNArgs(1), RunE: func(*cobra.Command, []string) error { return c.err }})
			var out, errs bytes.Buffer
			if got := Execute(root, c.args, &out, &errs); got != c.want {
				t.Errorf("exit code %d, want %d", got, c.want)
			}
			if !strings.Contains(errs.String(), c.says) || c.says == "" && errs.Len() > 0 {
				t.Errorf("said %q, want %q in it", errs.String(), c.says)
			}
		})
	}
}

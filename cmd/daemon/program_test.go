package daemon

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// blank are settings without a key.
type blank struct{}

func (*blank) Check(func(key, what, hint string)) {}

// child is set in the process that a test starts to see it break down.
const child = "GATEHOUSE_TEST_CHILD"

func TestPanicIsNoMistakeInTheSettings(t *testing.T) {
	if file := os.Getenv(child); file != "" {
		p := Program{Name: "gated", Settings: &blank{}, Run: func(context.Context, *slog.Logger) error { panic("out of luck") }}
		os.Exit(Execute(p.Command(), []string{"--config", file}, os.Stdout, os.Stderr))
	}
	file := filepath.Join(t.TempDir(), "gate.toml")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), child+"="+file)
	cmd.Dir = t.TempDir()
	said, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(string(said), "out of luck") {
		t.Fatalf("ended with %v:\n%s\nwant a panic", err, said)
	}
	if code := exit.ExitCode(); code >= 0 {
		t.Errorf("a panic ends with exit code %d, want a signal: a service that ends with %d is not started again", code, Usage)
	}
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/cmd/daemon"
)

func regiondSays(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out, errs bytes.Buffer
	code := daemon.Execute(command(), args, &out, &errs)
	return code, out.String() + errs.String()
}

func TestShippedSettingsHaveNoFault(t *testing.T) {
	code, said := regiondSays(t, "--check", "--config", filepath.Join("..", "..", "firmware", "etc", "region.toml"))
	if code != daemon.OK {
		t.Errorf("exit code %d: %s", code, said)
	}
}

func TestSettingsWithFaultsNameThemAllAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "region.toml")
	text := "regoin = \"CN-330100\"\nlisten = \"8443\"\ntoken = \"short\"\n[[gate]]\nname = \"a\"\nkey = \"none\"\n[[gate]]\nname = \"a\"\nkey = \"none\"\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, said := regiondSays(t, "--config", path)
	if code != daemon.Usage {
		t.Errorf("exit code %d, want %d", code, daemon.Usage)
	}
	for _, want := range []string{"line 1: regoin: unknown key (did you mean region?)", "line 2: listen", "line 3: token",
		"ledger: is missing", "certificate: is missing", "key: is missing", "line 4: gate: ", "two gates are called a"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in:\n%s", want, said)
		}
	}
}

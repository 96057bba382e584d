package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/cmd/daemon"
)

func gatedSays(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out, errs bytes.Buffer
	code := daemon.Execute(command(), args, &out, &errs)
	return code, out.String() + errs.String()
}

func TestShippedSettingsLackNothing(t *testing.T) {
	code, said := gatedSays(t, "--check", "--config", filepath.Join("..", "..", "firmware", "etc", "gate.toml"))
	if code != daemon.OK {
		t.Errorf("exit code %d:\n%s", code, said)
	}
}

func TestSettingsWithFaultsNameThemAllAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gate.toml")
	text := `name = "Ost 7"
bok = "/tmp/book.db"
camera = 7
[console]
listen = "0.0.0.0:8440"
sound = "loud"
[region]
url = "http://region.example"
beat = "soon"
[[guard]]
name = "Li"
pin = "2468"
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, said := gatedSays(t, "--config", path)
	if code != daemon.Usage {
		t.Errorf("exit code %d, want %d", code, daemon.Usage)
	}
	for _, want := range []string{
		"line 1: name: may hold", "line 2: bok: unknown key (did you mean book?)", "line 3: ", "book: is missing", "thermometer: is missing",
		"barrier: is missing", "trust.folder: is missing", "trust.root: is missing", "console.token: is missing", "line 6: console.sound",
		"line 8: region.url", "region.ca: is missing", "region.key: is missing", "line 9: ", "line 12: guard.pin",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in:\n%s", want, said)
		}
	}
}

func TestSettingsThatCannotWorkAreFaults(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"a name that no book takes", `name = "-north"`, "line 1: name: may hold"},
		{"a camera that nobody makes", `camera = "gopro:1"`, "line 1: camera: begins with none of"},
		{"a relay for a barrier", `barrier = "relay:1"`, "line 1: barrier: begins with none of"},
		{"a thermometer of glass", `thermometer = "mercury:"`, "line 1: thermometer: begins with none of"},
		{"lights of wax", `lights = "candle:"`, "line 1: lights: begins with none of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "gate.toml")
			if err := os.WriteFile(path, []byte(c.line), 0o600); err != nil {
				t.Fatal(err)
			}
			if code, said := gatedSays(t, "--check", "--config", path); code != daemon.Usage || !strings.Contains(said, c.want) {
				t.Errorf("exit code %d, no %q in:\n%s", code, c.want, said)
			}
		})
	}
}

func TestGateWithoutLightsNeedsNoLineForThem(t *testing.T) {
	c := newPlace(t).config()
	c.Lights = ""
	c.Check(func(key, what, _ string) { t.Errorf("%s %s", key, what) })
	if c.Lights != "none" {
		t.Errorf("lights %q, want none", c.Lights)
	}
}

func TestSettingsThatAreNotThereAreTheCallersMistake(t *testing.T) {
	if code, said := gatedSays(t, "--config", filepath.Join(t.TempDir(), "none.toml")); code != daemon.Usage || !strings.Contains(said, "none.toml") {
		t.Errorf("exit code %d: %s", code, said)
	}
}

package settings

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type lane struct {
	Name   string `toml:"name"`
	Tries  int    `toml:"tries"`
	Region struct {
		URL string `toml:"url"`
	} `toml:"region"`
	Guard []struct {
		Name string `toml:"name"`
	} `toml:"guard"`
}

func (l *lane) Check(fault func(key, what, hint string)) {
	if l.Name == "" {
		fault("name", "is missing", `as in name = "north-1"`)
	}
	if !strings.HasPrefix(l.Region.URL, "https://") {
		fault("region.url", "is no https address", "")
	}
}

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gate.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestGoodFileIsTaken(t *testing.T) {
	var l lane
	path := write(t, "name = \"north\" # the door\ntries = 3\n[region]\nurl = \"https://r\"\n[[guard]]\nname = \"Li\"\n")
	if err := Read(path, &l); err != nil {
		t.Fatal(err)
	}
	if l.Name != "north" || l.Tries != 3 || l.Region.URL != "https://r" || len(l.Guard) != 1 {
		t.Errorf("got %+v", l)
	}
}

func TestEveryFaultIsNamedInOneRun(t *testing.T) {
	var l lane
	err := Read(write(t, "nane = \"north\"\ntries = \"three\"\n\n[region]\nurl = \"http://r\"\nport = 1\n[[guard]]\nnam = \"Li\"\n"), &l)
	var faults *Faults
	if !errors.As(err, &faults) {
		t.Fatalf("error %v, want faults", err)
	}
	text := err.Error()
	for _, want := range []string{
		"line 1: nane: unknown key (did you mean name?)",
		"line 2: ",
		"name: is missing",
		"line 5: region.url: is no https address",
		"line 6: region.port: unknown key",
		"line 8: guard.nam: unknown key (did you mean guard.name?)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if len(faults.List) != 6 {
		t.Errorf("%d faults, want 6:\n%s", len(faults.List), text)
	}
}

func TestFileThatIsNoTOMLIsNamedByItsLine(t *testing.T) {
	var l lane
	err := Read(write(t, "name = \"north\"\ntries = = 3\n[region]\nurl = \"https://r\"\n"), &l)
	if err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("error %v, want one of line 2", err)
	}
}

func TestFileWithoutAnEndIsNotRead(t *testing.T) {
	var l lane
	if err := Read(write(t, strings.Repeat("#", maxFile+1)), &l); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("error %v", err)
	}
	if err := Read(filepath.Join(t.TempDir(), "none.toml"), &l); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("name = \"north\"\n[region]\nurl = \"https://r\"\n")
	f.Add("name = 1\ntries = \"a\"\n[[guard]]\n[guard]\n")
	f.Fuzz(func(t *testing.T, text string) {
		var l lane
		if err := Read(write(t, text), &l); err == nil && l.Name == "" {
			t.Error("a lane without a name was taken")
		}
	})
}

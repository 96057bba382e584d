package policy

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

//go:embed examples/*.toml
var examples embed.FS

// Examples are policies to read and to begin with, each with its own tests: a folder of TOML
// files.
func Examples() fs.FS {
	dir, err := fs.Sub(examples, "examples")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return dir
}

// Everyday is the example everyday.toml made out for a region: for a laboratory, a demo, or
// as the pattern of a real one.
type Everyday struct {
	Site    gatehouse.Issuer
	Version uint64
	Issued  time.Time
	Until   time.Time          // zero: a year after Issued
	Accept  []gatehouse.Issuer // whose codes are recognised, beside the site's own
	Cold    bool               // no thermometer: nobody is measured
	Stale   time.Duration      // how long trust may serve; zero: as the example says
}

// Text gives the policy, as Ready takes it and a region signs it.
func (e Everyday) Text() ([]byte, error) {
	body, err := examples.ReadFile("examples/everyday.toml")
	if err != nil {
		return nil, err
	}
	until := e.Until
	if until.IsZero() {
		until = e.Issued.AddDate(1, 0, 0)
	}
	stale := e.Stale
	if stale == 0 {
		stale = 7 * 24 * time.Hour
	}
	var out []string
	recognised := false
	for _, block := range strings.Split(string(body), "\n\n") {
		switch {
		case strings.HasPrefix(block, "kind = "):
			block = replaceLines(block, map[string]string{
				"site":    fmt.Sprintf("%q", e.Site),
				"version": fmt.Sprint(e.Version),
				"issued":  e.Issued.UTC().Format(time.RFC3339),
				"until":   until.UTC().Format(time.RFC3339),
			})
		case strings.HasPrefix(block, "[trust]"):
			block = replaceLines(block, map[string]string{"fresh_for": quoted(min(stale, 24*time.Hour)), "stale_ok": quoted(stale)})
		case strings.HasPrefix(block, "[[recognise]]"):
			if recognised {
				continue
			}
			block, recognised = e.recognise(), true
		case strings.HasPrefix(block, "[temperature]") && e.Cold:
			block = "[temperature]\noff = true"
		case strings.HasPrefix(block, "[[test]]"):
			if block = e.test(block, stale); block == "" {
				continue
			}
		}
		out = append(out, block)
	}
	return append(bytes.TrimSpace([]byte(strings.Join(out, "\n\n"))), '\n'), nil
}

// quoted writes a length of time as the language does: "24h" and not "24h0m0s".
func quoted(d time.Duration) string {
	return fmt.Sprintf("%q", strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m"))
}

func (e Everyday) recognise() string {
	var rows []string
	regions := append([]gatehouse.Issuer{e.Site}, e.Accept...)
	slices.SortFunc(regions, func(a, b gatehouse.Issuer) int { return strings.Compare(normal(a), normal(b)) })
	for _, region := range slices.CompactFunc(regions, func(a, b gatehouse.Issuer) bool { return normal(a) == normal(b) }) {
		rows = append(rows, fmt.Sprintf("[[recognise]]\nissuer = %q\ndo = \"accept\"", region))
	}
	return strings.Join(rows, "\n\n")
}

// test gives one of the example's tests as it holds here, or nothing when it cannot.
func (e Everyday) test(block string, stale time.Duration) string {
	const neighbour, stranger = gatehouse.Issuer("CN-310000"), gatehouse.Issuer("CN-420100")
	others := slices.DeleteFunc(slices.Clone(e.Accept), func(i gatehouse.Issuer) bool { return normal(i) == normal(e.Site) })
	known := func(i gatehouse.Issuer) bool { return slices.ContainsFunc(append(others, e.Site), i.Within) }
	switch {
	case strings.Contains(block, string(neighbour)) && len(others) == 0,
		strings.Contains(block, string(stranger)) && known(stranger),
		strings.Contains(block, "skin = ") && e.Cold:
		return ""
	case strings.Contains(block, string(neighbour)):
		return strings.ReplaceAll(block, string(neighbour), string(others[0]))
	case strings.Contains(block, `trust_age = "2d"`) && stale < 3*24*time.Hour,
		strings.Contains(block, `trust_age = "8d"`) && stale > 7*24*time.Hour:
		return ""
	}
	return block
}

// replaceLines gives keys of a block new values.
func replaceLines(block string, values map[string]string) string {
	lines := strings.Split(block, "\n")
	for i, line := range lines {
		key, _, ok := strings.Cut(line, " = ")
		if v, given := values[key]; ok && given {
			lines[i] = key + " = " + v
		}
	}
	return strings.Join(lines, "\n")
}

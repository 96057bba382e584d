package gatehouse_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// floors says which of the project's own packages each part of the house may stand on, as
// docs/architecture.md draws it. A part holds the packages below it. Anything that is not
// listed may not exist.
var floors = map[string][]string{
	"gatehouse":              {},
	"gatehouse/credential":   {"gatehouse", "gatehouse/credential"},
	"gatehouse/policy":       {"gatehouse", "gatehouse/policy"},
	"gatehouse/scanner":      {"gatehouse", "gatehouse/scanner"},
	"gatehouse/sensors":      {"gatehouse", "gatehouse/sensors"},
	"gatehouse/store":        {"gatehouse", "gatehouse/store"},
	"gatehouse/sync/wire":    {"gatehouse"},
	"gatehouse/sync/uplink":  {"gatehouse", "gatehouse/sync/wire"},
	"gatehouse/sync/region":  {"gatehouse", "gatehouse/sync/wire", "gatehouse/sync/region"},
	"gatehouse/sync/site":    {"gatehouse"},
	"gatehouse/firmware":     {},
	"gatehouse/gate":         {"gatehouse"},
	"gatehouse/gate/console": {"gatehouse", "gatehouse/gate"},
	"gatehouse/cmd":          {"gatehouse"}, // the roof knows every name below it
}

// noWeb are the parts that can be audited without a network: none of what they stand on,
// libraries included, may bring the web's client and server along.
var noWeb = []string{"gatehouse", "gatehouse/credential", "gatehouse/policy", "gatehouse/gate", "gatehouse/store"}

type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
}

func TestHouseKeepsItsFloors(t *testing.T) {
	all := list(t)
	if len(all) < 10 {
		t.Fatalf("%d packages: the walk saw no house", len(all))
	}
	for _, p := range all {
		part := partOf(p.ImportPath)
		if part == "" {
			t.Errorf("%s stands in no part of the house", p.ImportPath)
			continue
		}
		for _, dep := range p.Deps {
			if own(dep) && !allowed(part, dep) {
				t.Errorf("%s stands on %s", p.ImportPath, dep)
			}
			if slices.ContainsFunc(noWeb, func(quiet string) bool { return part == quiet }) && dep == "net/http" {
				t.Errorf("%s brings net/http along", p.ImportPath)
			}
			if strings.HasPrefix(p.ImportPath, "gatehouse/sync/region") && strings.HasPrefix(dep, "gatehouse/scanner") {
				t.Errorf("%s holds camera code", p.ImportPath)
			}
		}
		if p.ImportPath == "gatehouse" {
			for _, dep := range p.Deps {
				if strings.Contains(dep, ".") {
					t.Errorf("the words stand on %s, which is not the standard library", dep)
				}
			}
		}
	}
}

func allowed(part, dep string) bool {
	if part == "gatehouse/cmd" {
		return true
	}
	for _, floor := range floors[part] {
		if dep == floor || floor != "gatehouse" && strings.HasPrefix(dep, floor+"/") {
			return true
		}
	}
	return false
}

// partOf finds the part of the house that a package belongs to: the longest that holds it.
func partOf(path string) (part string) {
	for p := range floors {
		inside := path == p || p != "gatehouse" && strings.HasPrefix(path, p+"/")
		if inside && len(p) > len(part) {
			part = p
		}
	}
	return part
}

func own(path string) bool { return path == "gatehouse" || strings.HasPrefix(path, "gatehouse/") }

func list(t *testing.T) (all []listed) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,Imports,Deps", "./...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(out))
	for {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if own(p.ImportPath) {
			all = append(all, p)
		}
	}
}

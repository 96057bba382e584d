package policy

import (
	"io/fs"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestExamplesAreReadyToSign(t *testing.T) {
	names, err := fs.Glob(Examples(), "*.toml")
	if err != nil || len(names) < 10 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			body, err := fs.ReadFile(Examples(), name)
			if err != nil {
				t.Fatal(err)
			}
			p, results, err := Ready(body)
			if err != nil {
				t.Fatal(err)
			}
			if len(results) < 3 {
				t.Errorf("%d tests", len(results))
			}
			if ids := p.Untested(); len(ids) > 0 {
				t.Errorf("no test of its own is decided by %q", ids)
			}
		})
	}
}

func TestEverydayIsReadyForEveryRegion(t *testing.T) {
	for _, e := range []Everyday{
		{Site: "CN-330100", Version: 1, Issued: july},
		{Site: "CN-330100", Version: 7, Issued: july, Accept: []gatehouse.Issuer{"CN-310000", "CN-330100", "CN-3301"}},
		{Site: "CN-420100", Version: 2, Issued: july, Accept: []gatehouse.Issuer{"CN"}, Cold: true},
		{Site: "CN-310000", Version: 2, Issued: july, Accept: []gatehouse.Issuer{"CN-659001"}, Stale: 36 * time.Hour},
		{Site: "DE", Version: 1, Issued: july, Accept: []gatehouse.Issuer{"FR", "CN-42"}, Stale: 30 * 24 * time.Hour},
	} {
		body, err := e.Text()
		if err != nil {
			t.Fatal(err)
		}
		p, results, err := Ready(body)
		if err != nil {
			t.Errorf("%s: %v\n%s", e.Site, err, body)
			continue
		}
		if _, measures := p.Measures(); measures == e.Cold || len(results) < 15 {
			t.Errorf("%s: measures %v, %d tests", e.Site, measures, len(results))
		}
	}
}

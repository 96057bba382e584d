package trust

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse"
)

func TestRegionWhoseFileTheGateCannotUseKeepsWhatItHad(t *testing.T) {
	n := newNation(t, "CN-330100", "DE")
	dir := filepath.Join(t.TempDir(), "cache")
	var asked []string
	opened := func() *Cache {
		c, err := Open(dir, n.root)
		n.must(err)
		c.Check = func(region gatehouse.Issuer, name string, text []byte) error {
			asked = append(asked, string(region)+" "+name)
			if strings.Contains(string(text), "broken") {
				return errors.New("line 3: broken")
			}
			return nil
		}
		return c
	}
	adopt := func(c *Cache) *Set {
		source, closer, err := OpenFolder(n.desk.Dir)
		n.must(err)
		defer closer.Close()
		s, err := c.Adopt(source, noon, true)
		n.must(err)
		return s
	}
	sign := func(region, text string) {
		file := filepath.Join(t.TempDir(), "policy")
		n.must(os.WriteFile(file, []byte(text), 0o600))
		n.must(n.desk.Publish(region, map[string]string{Policy: file}, 90*Day))
		n.sign(region, region+"-1", region+"-2")
		n.refresh()
	}
	policyOf := func(s *Set, id gatehouse.Issuer) string {
		text, _ := s.Target(id, Policy)
		return string(text)
	}

	c := opened()
	sign("CN-330100", "good")
	sign("DE", "good too")
	adopt(c)
	sign("CN-330100", "broken")
	sign("DE", "better")
	s := adopt(c)
	if got := policyOf(s, "CN-330100"); got != "good" {
		t.Errorf("CN-330100 lives by %q, want its last good policy", got)
	}
	if got := policyOf(s, "DE"); got != "better" {
		t.Errorf("DE lives by %q: another's slip is not its own", got)
	}
	for _, r := range s.Regions() {
		if told := strings.Contains(r.Fault, "policy: line 3: broken"); told != (r.ID == "CN-330100") {
			t.Errorf("%s: fault %q", r.ID, r.Fault)
		}
	}
	// A restart finds the same: what serves lies in the slot.
	c = opened()
	if got := policyOf(c.Current(), "CN-330100"); got != "good" {
		t.Errorf("after a restart CN-330100 lives by %q", got)
	}
	asked = nil
	n.refresh()
	adopt(c)
	for _, a := range asked {
		if a == "DE policy" {
			t.Error("a file that is in use was asked of again")
		}
	}
	sign("CN-330100", "mended")
	if got := policyOf(adopt(c), "CN-330100"); got != "mended" {
		t.Errorf("the mended policy is not in use: %q", got)
	}
}

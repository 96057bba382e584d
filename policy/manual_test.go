package policy

import (
	"os"
	"strings"
	"testing"
)

func manual(t *testing.T) (text string, blocks []string) {
	t.Helper()
	body, err := os.ReadFile("../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(body), "```toml\n")
	for _, part := range parts[1:] {
		block, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, block)
	}
	return string(body), blocks
}

func TestTheManualNamesAllThatAPolicyCanSay(t *testing.T) {
	text, _ := manual(t)
	for _, f := range fields() {
		if !strings.Contains(text, "| `"+f.path()+"` | "+strings.Join(f.claim.names(), " ")+" | "+f.means+" |") {
			t.Errorf("no line for %s: %s", f.path(), f.means)
		}
	}
	for _, p := range placeholders() {
		if !strings.Contains(text, "`{"+p.name+"}` "+p.means) {
			t.Errorf("no word of {%s} %s", p.name, p.means)
		}
	}
}

func TestTheManualsExampleIsReadyToSign(t *testing.T) {
	_, blocks := manual(t)
	if len(blocks) != 3 {
		t.Fatalf("%d examples", len(blocks))
	}
	if _, results, err := Ready([]byte(openHouse + blocks[0])); err != nil || len(results) != 1 {
		t.Errorf("%v %v", results, err)
	}
	if _, err := Read([]byte(strings.Replace(openHouse, `do = "accept"`, "do = \"map\"\n"+blocks[1], 1))); err != nil {
		t.Error(err)
	}
	if _, err := ReadActivation([]byte(blocks[2])); err != nil {
		t.Error(err)
	}
}

package credential

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFormatsAreWrittenDownAsTheyAre holds the examples of docs/formats.md, byte by byte, to
// the vectors that they name.
func TestFormatsAreWrittenDownAsTheyAre(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "formats.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		vector, prefix string
		payload        bool // the page has the payload alone
	}{{"rhc1-least", "RHC1:", false}, {"ttc1-least", "TTC1:", true}} {
		raw, err := os.ReadFile(filepath.Join("testdata", "vectors", c.vector+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		want, err := decodeBase45(strings.TrimPrefix(v.Text, c.prefix))
		if err != nil {
			t.Fatal(err)
		}
		if c.payload {
			m, err := parseSign1(want)
			if err != nil {
				t.Fatal(err)
			}
			want = m.payload
		}
		_, text, found := strings.Cut(string(page), c.vector+".json`")
		_, text, fenced := strings.Cut(text, "```\n")
		text, _, closed := strings.Cut(text, "```")
		if !found || !fenced || !closed {
			t.Fatalf("the page has no bytes of %s", c.vector)
		}
		var dump strings.Builder
		for line := range strings.Lines(text) {
			line, _, _ = strings.Cut(line, "#")
			dump.WriteString(strings.Join(strings.Fields(line), ""))
		}
		if got := unhex(t, dump.String()); !bytes.Equal(got, want) {
			t.Errorf("%s: the page has\n%x, the vector\n%x", c.vector, got, want)
		}
		if count := fmt.Sprintf("%d bytes", len(want)); !strings.Contains(string(page), count) {
			t.Errorf("%s: the page does not say %q", c.vector, count)
		}
	}
	for _, f := range formats {
		if !strings.Contains(string(page), "\n## "+f.name+"\n") {
			t.Errorf("the page has no section %s", f.name)
		}
	}
}

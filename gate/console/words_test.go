package console

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/gate"
)

// reasons reads the constants of type Reason where they are declared, so that a new one
// without words is noticed.
func reasons(t *testing.T) []gatehouse.Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../verdict.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []gatehouse.Reason
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, gatehouse.Reason(text))
		return true
	})
	if len(all) < 20 {
		t.Fatalf("found %d reasons in verdict.go, want at least 20", len(all))
	}
	return all
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

func TestCataloguesSayTheSameThings(t *testing.T) {
	zh, en := catalogues()[Chinese], catalogues()[English]
	for key, text := range en {
		other, ok := zh[key]
		if !ok {
			t.Errorf("zh-Hans lacks %q", key)
			continue
		}
		a, b := placeholder.FindAllString(text, -1), placeholder.FindAllString(other, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Errorf("%s: placeholders %v in en, %v in zh-Hans", key, a, b)
		}
		if strings.TrimSpace(text) == "" || strings.TrimSpace(other) == "" {
			t.Errorf("%s is empty", key)
		}
		if strings.HasPrefix(key, "reason.") && len(a) > 0 && en[key+".plain"] == "" {
			t.Errorf("%s has placeholders and no line that does without", key)
		}
	}
	for key := range zh {
		if _, ok := en[key]; !ok {
			t.Errorf("en lacks %q", key)
		}
	}
}

func TestEveryReasonHasWordsAndAHandbookEntry(t *testing.T) {
	handbook, err := os.ReadFile("../../docs/reasons.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range reasons(t) {
		for _, lang := range Languages() {
			line := Words(lang, r)
			if line == word(lang, "reason.other") || strings.Contains(line, "{") || strings.HasPrefix(line, "reason.") {
				t.Errorf("%s %q: %q", lang, r, line)
			}
		}
		if r != gatehouse.ReasonNone && !strings.Contains(string(handbook), "\n### "+string(r)+" ") {
			t.Errorf("docs/reasons.md has no entry for %s", r)
		}
	}
	for lang, want := range map[string]string{Chinese: "请按代码查阅手册", English: "See the handbook under this code"} {
		if got := Words(lang, "X99"); got != want {
			t.Errorf("%s: unknown reason: %q, want %q", lang, got, want)
		}
	}
}

// TestNoLineBlamesTheHolder is a short list of words that do.
func TestNoLineBlamesTheHolder(t *testing.T) {
	for lang, bad := range map[string][]string{English: {"you ", "fake", "fraud", "illegal", "violat", "suspect"}, Chinese: {"你", "伪造", "非法", "违规", "嫌疑"}} {
		for key, text := range catalogues()[lang] {
			for _, b := range bad {
				if strings.Contains(strings.ToLower(text), b) {
					t.Errorf("%s %s: %q says %q", lang, key, text, b)
				}
			}
		}
	}
}

func TestPagesUseOnlyWordsThatExist(t *testing.T) {
	used := regexp.MustCompile(`data-[wl]="([a-z.]+)"|(?:word|fill)\('([a-zA-Z.]+)'[,)]`)
	n := 0
	for _, name := range []string{"page/guard.html", "page/public.html", "page/console.js"} {
		b, err := pageFiles.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range used.FindAllStringSubmatch(string(b), -1) {
			n++
			if key := m[1] + m[2]; word(English, key) == key {
				t.Errorf("%s uses %q, which no catalogue has", name, key)
			}
		}
	}
	if n < 20 {
		t.Errorf("found %d keys in the pages, want at least 20: has the page's way to name them changed?", n)
	}
	for _, c := range []gatehouse.Call{gatehouse.Admit, gatehouse.Deny} {
		for _, note := range notes(c) {
			if key := "note." + note; word(English, key) == key {
				t.Errorf("no words for the guard's reason %q", note)
			}
		}
	}
}

func TestDescribeFillsInWhatTheViewKnows(t *testing.T) {
	at := time.Date(2026, 3, 1, 14, 2, 0, 0, time.FixedZone("CST", 8*3600))
	pass := func(p gatehouse.Pass) *gatehouse.Pass { return &p }
	for _, tt := range []struct {
		reason gatehouse.Reason
		pass   *gatehouse.Pass
		grade  gatehouse.Grade
		want   string
	}{
		{gatehouse.ReasonExpired, nil, 0, "Expired. Refresh and scan again"},
		{gatehouse.ReasonExpired, pass(gatehouse.Pass{Expires: at.Add(-time.Hour).UTC()}), 0, "Expired at 13:02. Refresh and scan again"},
		{gatehouse.ReasonExpired, pass(gatehouse.Pass{Expires: at.Add(-24 * time.Hour)}), 0, "Expired at 2026-02-28 14:02. Refresh and scan again"},
		{gatehouse.ReasonExpired, pass(gatehouse.Pass{Expires: at.Add(time.Hour)}), 0, "Expired. Refresh and scan again"},
		{gatehouse.ReasonColour, pass(gatehouse.Pass{}), gatehouse.Red, "Colour is red. Send to the desk"},
		{gatehouse.ReasonFlipped, pass(gatehouse.Pass{Since: at.Add(-2 * time.Hour)}), 0, "Colour changed since 12:02. Check by hand"},
		{gatehouse.ReasonFlipped, pass(gatehouse.Pass{}), 0, "Colour changed since the last visit. Check by hand"},
		{gatehouse.ReasonUnknownKey, nil, 0, "Unknown issuer. Keys are 3 d old; check by hand"},
	} {
		v := gate.View{Pass: tt.pass, Passage: gatehouse.Passage{At: at, TrustAge: 75 * time.Hour, Grade: tt.grade,
			Verdict: gatehouse.Verdict{Reason: tt.reason}}}
		if got := Describe(English, v); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
		}
	}
	if got, want := Describe("xx", gate.View{}), "Nothing speaks against it"; got != want {
		t.Errorf("unknown language: %q, want %q", got, want)
	}
}

func TestAgesReadAsPeopleSayThem(t *testing.T) {
	for d, want := range map[time.Duration]string{-time.Hour: "0 min", 0: "0 min", 119 * time.Minute: "119 min",
		2 * time.Hour: "2 h", 47*time.Hour + 59*time.Minute: "47 h", 48 * time.Hour: "2 d", 400 * 24 * time.Hour: "400 d"} {
		if got := age(English, d); got != want {
			t.Errorf("age(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestEveryAimHasItsWordsOnBothPages(t *testing.T) {
	for _, lang := range Languages() {
		said := map[string]gatehouse.Aim{}
		for a := gatehouse.TooFar; a <= gatehouse.CutOff; a++ {
			v := gate.View{Aim: a, Passage: gatehouse.Passage{Verdict: gatehouse.Verdict{Call: gatehouse.Hint, Reason: gatehouse.ReasonUnreadable}}}
			key := "do." + string(doFor(faceOf(v.Passage), v.Passage.Verdict.Reason, a))
			holder, guard := word(lang, key), Describe(lang, v)
			if holder == key || !strings.Contains(guard, holder) {
				t.Errorf("%s, %s: the holder reads %q, the guard %q", lang, a, holder, guard)
			}
			if old, ok := said[holder]; ok {
				t.Errorf("%s: %s and %s are said alike", lang, old, a)
			}
			said[holder] = a
		}
	}
}

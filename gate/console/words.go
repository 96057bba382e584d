package console

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/gate"
)

// The languages of the console. Each is one catalogue under words/.
const (
	Chinese = "zh-Hans"
	English = "en"
)

// Languages lists them, the usual one first.
func Languages() []string { return []string{Chinese, English} }

//go:embed words/*.json
var wordFiles embed.FS

// catalogues reads the embedded files once. One that cannot be read would have failed the
// tests of this package.
var catalogues = sync.OnceValue(func() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, lang := range Languages() {
		b, err := wordFiles.ReadFile("words/" + lang + ".json")
		if err != nil {
			panic(err)
		}
		words := map[string]string{}
		if err := json.Unmarshal(b, &words); err != nil {
			panic(fmt.Errorf("words/%s.json: %w", lang, err))
		}
		all[lang] = words
	}
	return all
})

// word looks a key up. An unknown language is answered in English, an unknown key with
// itself.
func word(lang, key string) string {
	words, ok := catalogues()[lang]
	if !ok {
		words = catalogues()[English]
	}
	if w, ok := words[key]; ok {
		return w
	}
	return key
}

// Words says what a reason means and what to do about it, in one short line. args are the
// names and values of the line's placeholders, in pairs: "age", "3 h". When a value is
// missing or empty, a line that does without is taken. Every reason of package gatehouse
// has its words; any other is answered with the advice to look it up.
func Words(lang string, r gatehouse.Reason, args ...string) string {
	key := "reason." + string(r)
	if r == gatehouse.ReasonNone {
		key = "reason.none"
	}
	line := word(lang, key)
	if line == key {
		return word(lang, "reason.other")
	}
	for i := 0; i+1 < len(args); i += 2 {
		if args[i+1] != "" {
			line = strings.ReplaceAll(line, "{"+args[i]+"}", args[i+1])
		}
	}
	if strings.Contains(line, "{") {
		return word(lang, key+".plain")
	}
	return line
}

// Describe is Words with every value that the view can give; a rule that has words of its
// own is heard instead, since its region knows better why it was made.
func Describe(lang string, v gate.View) string {
	says := map[string]string{Chinese: v.Passage.Verdict.Says.Zh, English: v.Passage.Verdict.Says.En}
	if says[lang] != "" {
		return says[lang]
	}
	p, args := v.Passage, []string{"age", age(lang, v.Passage.TrustAge)}
	if v.Pass != nil && p.Verdict.Reason == gatehouse.ReasonExpired && v.Pass.Expires.Before(p.At) {
		args = append(args, "time", moment(v.Pass.Expires, p.At))
	}
	if v.Pass != nil && p.Verdict.Reason == gatehouse.ReasonFlipped {
		args = append(args, "time", moment(v.Pass.Since, p.At))
	}
	if p.Grade != gatehouse.NoGrade {
		args = append(args, "grade", word(lang, "grade."+p.Grade.String()))
	}
	if p.Skin.Quality == gatehouse.Steady {
		args = append(args, "skin", p.Skin.Skin.String())
	}
	if v.Aim != gatehouse.NoAim {
		args = append(args, "aim", word(lang, "do."+string(doAim(v.Aim))))
	}
	return Words(lang, p.Verdict.Reason, args...)
}

// moment is a time of day, with the date when it was another day.
func moment(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(now.Location())
	if t.Year() == now.Year() && t.YearDay() == now.YearDay() {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// keys is the age of the trust in use, and what that makes of it where it is not fresh.
func keys(lang string, d time.Duration, state gatehouse.Trust) string {
	if state == gatehouse.TrustFresh {
		return age(lang, d)
	}
	return age(lang, d) + " · " + word(lang, "trust."+state.String())
}

// age is a duration as people say it: minutes up to two hours, hours up to two days, days.
func age(lang string, d time.Duration) string {
	n, unit := int64(max(d, 0)/time.Minute), "unit.minutes"
	switch {
	case d >= 48*time.Hour:
		n, unit = int64(d/(24*time.Hour)), "unit.days"
	case d >= 2*time.Hour:
		n, unit = int64(d/time.Hour), "unit.hours"
	}
	return strings.ReplaceAll(word(lang, unit), "{n}", fmt.Sprint(n))
}

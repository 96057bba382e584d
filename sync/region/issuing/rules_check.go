package issuing

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gatehouse"
)

// kinds are the kinds of events of each indicator. What else a registry may call them is its
// connector's to translate.
func kinds(c gatehouse.Class) []string {
	switch c {
	case gatehouse.Place:
		return []string{"stay", "arrival"}
	case gatehouse.Contact:
		return []string{"close", "household", "secondary"}
	case gatehouse.Health:
		return []string{"temperature", "symptoms", "test-positive", "confirmed", "suspected", "asymptomatic"}
	}
	return nil
}

func statuses() []string { return []string{"confirmed", "suspected", "asymptomatic"} }

// classOf reads an indicator; 0 is none.
func classOf(word string) gatehouse.Class {
	switch word {
	case "place":
		return gatehouse.Place
	case "contact":
		return gatehouse.Contact
	case "health":
		return gatehouse.Health
	}
	return 0
}

// indicatorOf is the word of one indicator.
func indicatorOf(c gatehouse.Class) string {
	switch c {
	case gatehouse.Place:
		return "place"
	case gatehouse.Contact:
		return "contact"
	case gatehouse.Health:
		return "health"
	}
	return ""
}

// gradeOf reads a colour.
func gradeOf(word string) gatehouse.Grade {
	for _, g := range []gatehouse.Grade{gatehouse.Green, gatehouse.Yellow, gatehouse.Red, gatehouse.Grey} {
		if g.String() == word {
			return g
		}
	}
	return gatehouse.NoGrade
}

// riskOf reads a risk; 0 is none.
func riskOf(word string) int64 {
	return int64(slices.Index([]string{"", "low", "medium", "high"}, word))
}

func riskWord(risk int64) string {
	if risk < 1 || risk > 3 {
		return ""
	}
	return [...]string{"", "low", "medium", "high"}[risk]
}

// A checker collects what is wrong with a document whose grammar is right.
type checker struct {
	lines  map[string]int
	faults []error
}

// linesOf notes on which line each table and key stands: "alarm.least", and "rule#2.days" of
// the third [[rule]].
func linesOf(text string) map[string]int {
	lines, counts, table := map[string]int{}, map[string]int{}, ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "[["); ok {
			name, _, _ = strings.Cut(name, "]")
			name = strings.TrimSpace(name)
			table = fmt.Sprintf("%s#%d", name, counts[name])
			counts[name]++
			lines[table] = i + 1
			table += "."
			continue
		}
		if name, ok := strings.CutPrefix(line, "["); ok {
			name, _, _ = strings.Cut(name, "]")
			table = strings.TrimSpace(name)
			lines[table] = i + 1
			table += "."
			continue
		}
		if key, _, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			lines[table+strings.TrimSpace(key)] = i + 1
		}
	}
	return lines
}

// need notes a fault unless ok. The line is the key's, or its table's where it is missing.
func (c *checker) need(ok bool, key, what string, args ...any) {
	if ok {
		return
	}
	line, found := c.lines[key]
	if table, _, in := strings.Cut(key, "."); !found && in {
		line = c.lines[table]
	}
	c.faults = append(c.faults, RulesFault{line, key + ": " + fmt.Sprintf(what, args...)})
}

var (
	ruleName     = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	issuerName   = regexp.MustCompile(`^[A-Z]{2}(-[1-9][0-9]{5})?$`)
	divisionName = regexp.MustCompile(`^[1-9][0-9]{5}$`)
	keyName      = regexp.MustCompile(`^[0-9a-f]{16}$`)
)

func (c *checker) rules(r *Rules) {
	c.need(issuerName.MatchString(string(r.Region)), "region", `want a region as in "CN-330100"`)
	c.need(r.Version > 0, "version", "want a number above 0 that grows with each document")
	c.need(r.CodeHours >= 1 && r.CodeHours <= 24, "code_hours", "want 1 to 24: a code shows a person's state only at that moment")
	c.need(r.Fever >= 36 && r.Fever <= 40, "fever", "want 36.0 to 40.0 degrees Celsius")
	zone, err := time.LoadLocation(r.Zone)
	c.need(err == nil && r.Zone != "" && r.Zone != "Local", "zone", `want the IANA name of a time zone as in "Asia/Shanghai"`)
	r.zone = zone
	for _, g := range r.Grey {
		c.need(g == "yellow" || g == "red", "grey_while_corrected", "%q: want yellow or red", g)
	}
	c.need(len(r.Purposes) > 0, "purposes", "want at least one: no record is read for no purpose")
	for _, p := range r.Purposes {
		c.need(shown(p, 1, 60), "purposes", "want words of at most 60 bytes")
	}
	c.need(r.Alarm.Minutes >= 10 && r.Alarm.Minutes <= 24*60, "alarm.minutes", "want 10 to 1440")
	c.need(r.Alarm.Least >= 2, "alarm.least", "want 2 or more")
	c.need(r.Alarm.Factor >= 2 && r.Alarm.Factor <= 1000, "alarm.factor", "want 2 to 1000")
	for key, days := range map[string]int64{"keep.events": r.Keep.Events, "keep.declarations": r.Keep.Declarations, "keep.tags": r.Keep.Tags, "keep.persons": r.Keep.Persons} {
		c.need(days >= 1 && days <= 3660, key, "want 1 to 3660 days")
	}
	c.need(shown(r.Contact.Zh, 1, 200) && shown(r.Contact.En, 1, 200) && shown(r.Contact.Phone, 1, 40), "contact",
		"want zh, en and phone: whoever has a colour must be told whom to turn to")
	c.need(len(r.Grading) > 0 && len(r.Grading) <= 1000, "rule", "want 1 to 1000 of them")
	names, numbers := map[string]bool{}, map[int64]bool{}
	for i := range r.Grading {
		g := &r.Grading[i]
		c.rule(fmt.Sprintf("rule#%d", i), g)
		c.need(!names[g.ID], fmt.Sprintf("rule#%d.id", i), "%s is the name of two rules", g.ID)
		c.need(!numbers[g.Number], fmt.Sprintf("rule#%d.number", i), "%d is the number of two rules", g.Number)
		names[g.ID], numbers[g.Number] = true, true
	}
	for i, a := range r.Areas {
		at := fmt.Sprintf("area#%d", i)
		c.need(divisionName.MatchString(a.Division), at+".division", "want six digits of GB/T 2260")
		c.need(riskOf(a.Risk) > 0, at+".risk", "want low, medium or high")
		c.need(!a.From.IsZero() && (a.Until.IsZero() || a.Until.After(a.From)), at+".from", "want a time before until")
	}
	for i, g := range r.Recognise {
		c.recognition(fmt.Sprintf("recognise#%d", i), g, r.Region)
	}
	for i, g := range r.Retired {
		at := fmt.Sprintf("retired#%d", i)
		c.need(issuerName.MatchString(string(g.Issuer)), at+".issuer", `want a region as in "CN-330100"`)
		c.need(g.Key == "" || keyName.MatchString(g.Key), at+".key", "want 16 lower-case hex digits")
		c.need(!g.Since.IsZero(), at+".since", "want a time")
	}
}

func (c *checker) rule(at string, g *Rule) {
	g.class, g.grade = classOf(g.Indicator), gradeOf(g.Colour)
	c.need(ruleName.MatchString(g.ID), at+".id", "want a name of a-z, 0-9 and hyphens, at most 40")
	c.need(g.Number > 0 && g.Number <= math.MaxUint16, at+".number", "want 1 to %d", math.MaxUint16)
	c.need(g.class != 0, at+".indicator", "want place, contact or health")
	c.need(g.grade == gatehouse.Yellow || g.grade == gatehouse.Red, at+".colour", "want yellow or red")
	c.need(g.Days >= 1 && g.Days <= 90, at+".days", "want 1 to 90")
	c.need(len(g.Kinds) > 0, at+".kinds", "want one or more of %s", strings.Join(kinds(g.class), ", "))
	for _, k := range g.Kinds {
		c.need(slices.Contains(kinds(g.class), k), at+".kinds", "%q is no kind of this indicator: %s", k, strings.Join(kinds(g.class), ", "))
	}
	c.need(len(g.Risk) == 0 || g.class == gatehouse.Place, at+".risk", "only a place has a risk")
	for _, w := range g.Risk {
		c.need(riskOf(w) > 0, at+".risk", "%q: want low, medium or high", w)
	}
	c.need(len(g.Status) == 0 || g.class == gatehouse.Contact, at+".status", "only a contact has the status of a case")
	for _, w := range g.Status {
		c.need(slices.Contains(statuses(), w), at+".status", "%q: want %s", w, strings.Join(statuses(), ", "))
	}
	c.need(shown(g.Zh, 1, 200) && shown(g.En, 1, 200), at, "want zh and en, at most 200 bytes each: a colour without a reason in words is none")
}

func (c *checker) recognition(at string, g Recognition, here gatehouse.Issuer) {
	c.need(issuerName.MatchString(string(g.Issuer)) && g.Issuer != here, at+".issuer", `want another region as in "CN-440000"`)
	c.need(shown(g.Agreement, 1, 200), at+".agreement", "want the agreement's name")
	c.need(!g.From.IsZero() && g.Until.After(g.From), at+".until", "want from and until: an agreement has dates")
	c.need(g.Number > 0 && g.Number <= math.MaxUint16, at+".number", "want 1 to %d", math.MaxUint16)
	c.need(len(g.Colours) > 0, at+".colours", `want colours = { green = "green", ... }`)
	for there, here := range g.Colours {
		c.need(gradeOf(there) != gatehouse.NoGrade && gradeOf(here) != gatehouse.NoGrade, at+".colours", "%q = %q: want green, yellow, red or grey", there, here)
	}
}

// shown reports whether a line can be shown to people: its length in bytes, no hidden signs.
func shown(s string, least, most int) bool {
	if len(s) < least || len(s) > most || !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, hidden)
}

// hidden are the signs that no screen draws, or that turn what stands beside them. A signer
// refuses them too. The wide space of Chinese text is none.
func hidden(c rune) bool {
	return !unicode.IsPrint(c) && c != '\u3000' || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, c) || c == '\u2800'
}

package settings

import (
	"reflect"
	"strings"
)

// keys lists the keys that a struct takes, "region.url", from its toml tags.
func keys(t reflect.Type, prefix string) (all []string) {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("toml"), ",")
		if name == "" || name == "-" {
			continue
		}
		all = append(all, prefix+name)
		all = append(all, keys(t.Field(i).Type, prefix+name+".")...)
	}
	return all
}

// keyLines finds the line on which each key stands. Of an array of tables the first one
// counts; a check that means another names its place in words.
func keyLines(text string) map[string]int {
	lines, table := map[string]int{}, ""
	note := func(key string, line int) {
		if _, ok := lines[key]; !ok {
			lines[key] = line
		}
	}
	for i, l := range strings.Split(text, "\n") {
		l = strings.TrimSpace(l)
		switch {
		case strings.HasPrefix(l, "["):
			name, _, _ := strings.Cut(strings.TrimLeft(l, "["), "]")
			table = strings.TrimSpace(name) + "."
			note(strings.TrimSuffix(table, "."), i+1)
		case strings.HasPrefix(l, "#"):
		default:
			if key, _, ok := strings.Cut(l, "="); ok {
				note(table+strings.Trim(strings.TrimSpace(key), `"`), i+1)
			}
		}
	}
	return lines
}

// meant finds the known key that a misspelt one is nearest to, by edit distance, and says
// nothing when none is near.
func meant(key string, known []string) string {
	best, least := "", 1+len(key)/3
	for _, k := range known {
		if d := distance(key, k); d <= least {
			best, least = k, d-1
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}

// distance counts the letters to insert, delete or change between two words (Levenshtein
// 1965), one row of the table at a time.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

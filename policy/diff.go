package policy

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// A Change is one thing in which two policies differ: what it is about, how it was and how
// it is. An empty side is one that does not say it.
type Change struct {
	Key string // "rule red: call", "risk 330106", "sets vaccines: EU/1/20/1528"
	Old string
	New string
}

func (c Change) String() string {
	switch {
	case c.Old == "":
		return fmt.Sprintf("+ %s = %s", c.Key, c.New)
	case c.New == "":
		return fmt.Sprintf("- %s = %s", c.Key, c.Old)
	}
	return fmt.Sprintf("~ %s: %s -> %s", c.Key, c.Old, c.New)
}

// Diff gives what is different in a newer policy, in the order of its keys. Rules are the
// same by their ids, rows of the matrix by issuer, site, formats and dates, divisions of the
// risk table by their codes. A nil policy says nothing.
func Diff(old, next *Policy) (changes []Change) {
	a, b := old.sayings(), next.sayings()
	for key := range a {
		if a[key] != b[key] {
			changes = append(changes, Change{key, a[key], b[key]})
		}
	}
	for key := range b {
		if _, had := a[key]; !had {
			changes = append(changes, Change{key, "", b[key]})
		}
	}
	slices.SortFunc(changes, func(x, y Change) int { return cmp.Compare(x.Key, y.Key) })
	return changes
}

// sayings is all that a policy says, flat.
func (p *Policy) sayings() map[string]string {
	all := map[string]string{}
	if p == nil || p.doc == nil {
		return all
	}
	say(all, "", reflect.ValueOf(*p.doc))
	for level, list := range map[string][]string{"high": p.doc.Risk.High, "medium": p.doc.Risk.Medium, "low": p.doc.Risk.Low} {
		delete(all, "risk: "+level)
		for _, division := range list {
			all["risk "+division] = level
		}
	}
	for name, list := range p.doc.Sets {
		for _, word := range list {
			all["sets "+name+": "+word] = "in it"
		}
	}
	return all
}

// say walks a document. What has an id is called by it; what has none, by its place.
func say(all map[string]string, name string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			all[name] = t.Format(time.RFC3339)
			return
		}
		if s, ok := v.Interface().(fmt.Stringer); ok {
			all[name] = s.String()
			return
		}
		for i := range v.NumField() {
			key := v.Type().Field(i).Tag.Get("toml")
			if name != "" {
				key = strings.TrimSuffix(name, ":") + ": " + key
				if strings.Contains(name, ": ") {
					key = name + "." + v.Type().Field(i).Tag.Get("toml")
				}
			}
			say(all, key, v.Field(i))
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Struct {
			if v.Len() > 0 {
				all[name] = fmt.Sprintf("%q", v.Interface())
			}
			return
		}
		for i := range v.Len() {
			say(all, fmt.Sprintf("%s %s", name, called(v.Index(i), i)), v.Index(i))
		}
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			say(all, name, v.Elem())
		}
	case reflect.Map: // sets are told word by word
	default:
		if !v.IsZero() {
			all[name] = fmt.Sprint(v.Interface())
		}
	}
}

// called names one element of a list.
func called(v reflect.Value, i int) string {
	switch d := v.Interface().(type) {
	case ruleDoc:
		return d.ID
	case secondDoc:
		return d.ID
	case manualDoc:
		return d.ID
	case testDoc:
		return fmt.Sprintf("%q", d.Name)
	case publishedDoc:
		return d.Country + "/" + d.Purpose
	case recogniseDoc:
		parts := []string{d.Issuer}
		if d.Site != "" {
			parts = append(parts, "at "+d.Site)
		}
		if len(d.Formats) > 0 {
			parts = append(parts, strings.Join(d.Formats, "+"))
		}
		if d.From != nil {
			parts = append(parts, fmt.Sprint("from ", d.From))
		}
		return strings.Join(parts, " ")
	}
	return fmt.Sprint(i + 1)
}

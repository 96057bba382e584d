package main

import (
	_ "embed"
	"fmt"
	"strings"
	"time"
)

// demoRules is the policy of the demo's city, as it was first signed.
//
//go:embed demo_policy.toml
var demoRules string

// The table of risk of the demo's policy, and the county that is put on it while the demo runs.
const (
	fengtai    = "110106" // a district of Beijing
	mudanjiang = "231000" // a city of Heilongjiang
	shulan     = "220283" // a county of Jilin
)

func riskBefore() []string { return []string{fengtai, mudanjiang} }
func riskAfter() []string  { return append(riskBefore(), shulan) }

// demoPolicy makes out the demo's policy as a version of today with a table of risk.
func demoPolicy(version int, now time.Time, high []string) []byte {
	text := demoRules
	for _, line := range []struct{ begins, value string }{
		{"version = ", fmt.Sprint(version)},
		{"issued = ", now.UTC().Format(time.RFC3339)},
		{"until = ", now.UTC().AddDate(0, 0, 30).Format(time.RFC3339)},
		{"as_of = ", now.UTC().Format(time.DateOnly)},
		{"high = [", `"` + strings.Join(high, `", "`) + `"]`},
	} {
		before, rest, _ := strings.Cut(text, "\n"+line.begins)
		_, after, _ := strings.Cut(rest, "\n")
		text = before + "\n" + line.begins + line.value + "\n" + after
	}
	return []byte(text)
}

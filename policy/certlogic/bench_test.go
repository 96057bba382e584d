package certlogic

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

type measured struct {
	logic *Expr
	data  Data
}

// BenchmarkPublishedRules evaluates every published test of every member state's rule.
func BenchmarkPublishedRules(b *testing.B) {
	var all []measured
	eachRule(b, func(_, _ string, text []byte, tests map[string]ruleTest) {
		rules, err := ReadRules(text)
		if err != nil {
			b.Fatal(err)
		}
		for _, rt := range tests {
			d, err := ReadData([]byte(fmt.Sprintf(`{"payload":%s,"external":%s}`, rt.Payload, rt.External)))
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, measured{rules[0].Logic, d})
		}
	})
	took := make([]time.Duration, 0, 1<<20)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		p := all[i%len(all)]
		i++
		start := time.Now()
		if _, err := p.logic.Eval(p.data); err != nil {
			b.Fatal(err)
		}
		if len(took) < cap(took) {
			took = append(took, time.Since(start))
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*95/100].Nanoseconds()), "p95-ns/rule")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns/rule")
}

// BenchmarkJudge is what a lane pays for one certificate: its JSON read, a country's rules
// run.
func BenchmarkJudge(b *testing.B) {
	var rules Rules
	eachRule(b, func(folder, _ string, text []byte, _ map[string]ruleTest) {
		r, err := ReadRules(text)
		if err != nil {
			b.Fatal(err)
		}
		if len(rules) == 0 || rules[0].Country == r[0].Country {
			rules = append(rules, r...)
		}
	})
	dcc := []byte(`{"ver":"1.3.0","nam":{"fn":"X","fnt":"X"},"dob":"1990-05-17","v":[{"tg":"840539006","vp":"1119349007","mp":"EU/1/20/1528","ma":"ORG-100030215","dn":2,"sd":2,"dt":"2021-05-29","co":"XX","is":"X","ci":"URN:UVCI:01:XX:1#0"}]}`)
	external := External{ValidationClock: time.Date(2021, 8, 1, 0, 0, 0, 0, time.UTC)}
	b.ReportAllocs()
	for b.Loop() {
		if got := rules.Judge(dcc, external); len(got) != len(rules) {
			b.Fatal("a rule without a result")
		}
	}
	b.ReportMetric(float64(len(rules)), "rules")
}

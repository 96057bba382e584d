package policy

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"gatehouse"
)

// rulesLike makes the everyday policy n rules long.
func rulesLike(tb testing.TB, n int, of func(i int) string) []byte {
	tb.Helper()
	body, err := os.ReadFile("examples/everyday.toml")
	if err != nil {
		tb.Fatal(err)
	}
	var b strings.Builder
	text := strings.Replace(string(body), `reads = ["colour",`, `reads = ["age", "travel", "colour",`, 1)
	b.WriteString(text)
	have := strings.Count(text, "\n[[rule]]")
	for i := range n - have {
		b.WriteString(of(i))
	}
	return []byte(b.String())
}

// regional is the i-th rule of a policy as a region writes it: rules for codes of one
// origin or format, rules by colour, rules that look through travel and tests.
func regional(i int) string {
	head := fmt.Sprintf("\n[[rule]]\nid = \"r%d\"\ncall = \"refer\"\nreason = \"V33\"\n", i)
	switch i % 8 {
	case 0, 1, 2:
		return head + fmt.Sprintf("issuers = [\"CN-%02d%02d\"]\nwhen = 'here.grade == \"yellow\" && days_since(pass.since) < %d'\n", 34+i%3, 1+i%9, 14+i)
	case 3:
		return head + fmt.Sprintf("formats = [\"DCC\"]\nwhen = 'pass.tests.exists(t, t.result == \"positive\" && hours_since(t.at) < %d)'\n", 240+i)
	case 4:
		return head + fmt.Sprintf("when = 'within(issuer, \"CN-%02d\") && here.grade in [\"yellow\", \"red\"] && pass.contact && days_since(pass.issued) < %d'\n", 41+i%6, 30+i)
	case 5:
		return head + fmt.Sprintf("when = 'here.grade == \"yellow\" && has(pass.since) && hours_since(pass.since) < %d'\n", 24+i)
	case 6:
		return head + fmt.Sprintf("when = 'has(history.graded) && hours_since(history.graded) < %d && history.grade == \"red\"'\n", 24+i)
	}
	if i%40 != 7 {
		return head + fmt.Sprintf("when = 'skin.state == \"ok\" && skin.celsius > 37.%d'\n", 3000+i)
	}
	return head + fmt.Sprintf("when = 'pass.travel.exists(t, t.division.startsWith(\"%d\") && days_since(t.until) <= 14)'\n", 620000+i)
}

func bench(b *testing.B, of func(int) string) {
	p, err := Read(rulesLike(b, 200, of))
	if err != nil {
		b.Fatal(err)
	}
	c := p.tests[0]
	e := c.evidence
	pass := *e.Pass
	pass.Facts = []gatehouse.Fact{
		{Kind: "travel", Division: "330106", At: e.At.AddDate(0, 0, -9), Until: pass.Issued},
		{Kind: "travel", Division: "310115", At: e.At.AddDate(0, 0, -12), Until: e.At.AddDate(0, 0, -9)},
		{Kind: "test", Result: gatehouse.Negative, Method: "pcr", At: e.At.AddDate(0, 0, -1)},
		{Kind: "test", Result: gatehouse.Negative, Method: "pcr", At: e.At.AddDate(0, 0, -4)},
		{Kind: "temperature", Temperature: 36_500, At: e.At.AddDate(0, 0, -1)},
	}
	e.Pass = &pass
	if v := p.Judge(e); v.Call != gatehouse.Admit {
		b.Fatalf("%+v", v)
	}
	b.ReportAllocs()
	before := cpu(b)
	for b.Loop() {
		p.Judge(e)
	}
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpu is the processor time that this program has used: the fair measure on a machine that
// others use, too.
func cpu(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func BenchmarkJudge200Regional(b *testing.B) { bench(b, regional) }

func BenchmarkJudge200Compared(b *testing.B) {
	bench(b, func(i int) string {
		return fmt.Sprintf("\n[[rule]]\nid = \"r%d\"\ncall = \"refer\"\nreason = \"V33\"\nwhen = 'hours_since(pass.issued) > %d'\n", i, 100+i)
	})
}

func BenchmarkJudge200Machine(b *testing.B) {
	bench(b, func(i int) string {
		return fmt.Sprintf("\n[[rule]]\nid = \"r%d\"\ncall = \"refer\"\nreason = \"V33\"\nwhen = 'hours_since(pass.issued) + trust.hours > %d'\n", i, 100+i)
	})
}

func BenchmarkJudge200Loops(b *testing.B) {
	bench(b, func(i int) string {
		return fmt.Sprintf("\n[[rule]]\nid = \"r%d\"\ncall = \"refer\"\nreason = \"V33\"\nwhen = 'pass.travel.exists(t, t.division == \"%d\")'\n", i, 620000+i)
	})
}

func BenchmarkRead1000(b *testing.B) {
	body := rulesLike(b, 1000, regional)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	before := cpu(b)
	for b.Loop() {
		if _, err := Read(body); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
}

package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// A zone is the site's offset from UTC. Days are counted in it; there is no table of time
// zones on a gate, and a policy says its offset.
type zone struct{ *time.Location }

func readZone(s string) (zone, error) {
	t, err := time.Parse("-07:00", s)
	if err != nil {
		return zone{time.UTC}, fmt.Errorf("%.20q is no offset: want the form \"+08:00\"", s)
	}
	_, offset := t.Zone()
	return zone{time.FixedZone(s, offset)}, nil
}

// days counts midnights of the site between two instants: 0 is the same day.
func (z zone) days(from, to time.Time) int {
	day := func(t time.Time) int64 {
		_, offset := t.In(z.Location).Zone()
		seconds := t.Unix() + int64(offset)
		if seconds < 0 {
			seconds -= 86399 // days before 1970 count downwards, too
		}
		return seconds / 86400
	}
	return int(day(to) - day(from))
}

// readSpan reads the two ends that bound something. A bare date is a whole day of the site:
// from its first instant, until its last.
func (z zone) readSpan(key string, from, until any, f *faults) (s span) {
	s.from = z.readMoment(join(key, "from"), from, false, f)
	s.until = z.readMoment(join(key, "until"), until, true, f)
	if !s.from.IsZero() && !s.until.IsZero() && !s.from.Before(s.until) {
		f.at(join(key, "until"), "it ends before it begins")
	}
	return s
}

func (z zone) readMoment(key string, v any, last bool, f *faults) time.Time {
	var t time.Time
	switch v := v.(type) {
	case nil:
		return t
	case time.Time:
		t = v
	case toml.LocalDate:
		t = v.AsTime(z.Location)
		if last {
			t = t.AddDate(0, 0, 1)
		}
	case toml.LocalDateTime:
		t = v.AsTime(z.Location)
	default:
		f.at(key, "want a date or a time, as 2020-05-01 or 2020-05-01T08:00:00+08:00, without quotes")
		return t
	}
	if t.Year() < 2000 || t.Year() > 2199 {
		f.at(key, "the year %d", t.Year())
		return time.Time{}
	}
	return t
}

// readDuration reads "90s", "30m", "12h", "7d". Nothing is negative and nothing is over limit.
func readDuration(s string, limit time.Duration) (time.Duration, error) {
	var d time.Duration
	var err error
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		d = time.Duration(n) * 24 * time.Hour
	} else {
		d, err = time.ParseDuration(s)
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("%.20q is no length of time: want the form \"30m\", \"12h\" or \"7d\"", s)
	case d <= 0 || d > limit:
		return 0, fmt.Errorf("%s is not more than nothing and at most %s", s, spell(limit))
	}
	return d, nil
}

// spell writes a length of time as people say it: "40 s", "5 min", "3 h", "9 d".
func spell(d time.Duration) string {
	switch d = d.Abs(); {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}

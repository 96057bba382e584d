package certlogic

import (
	"fmt"
	"testing"
	"time"
)

func TestDateTimesAreReadInEveryAllowedFormat(t *testing.T) {
	const layout = "2006-01-02T15:04:05.000Z"
	for in, want := range map[string]string{
		"2021":                             "2021-12-31T00:00:00.000Z",
		"2020-02":                          "2020-02-29T00:00:00.000Z",
		"2021-02":                          "2021-02-28T00:00:00.000Z",
		"2021-02-03":                       "2021-02-03T00:00:00.000Z",
		"0000-01-01":                       "0000-01-01T00:00:00.000Z",
		"2021-02-03T04:05:06":              "2021-02-03T04:05:06.000Z",
		"2021-02-03T04:05:06Z":             "2021-02-03T04:05:06.000Z",
		"2021-02-03T04:05:06+1":            "2021-02-03T03:05:06.000Z",
		"2021-02-03T04:05:06-11":           "2021-02-03T15:05:06.000Z",
		"2021-02-03T04:05:06+130":          "2021-02-03T02:35:06.000Z",
		"2021-02-03T04:05:06-0130":         "2021-02-03T05:35:06.000Z",
		"2021-02-03T04:05:06+1:30":         "2021-02-03T02:35:06.000Z",
		"2021-02-03T04:05:06+14:00":        "2021-02-02T14:05:06.000Z",
		"2021-02-03T04:05:06.7":            "2021-02-03T04:05:06.700Z",
		"2021-02-03T04:05:06.78Z":          "2021-02-03T04:05:06.780Z",
		"2021-02-03T04:05:06.9999999999":   "2021-02-03T04:05:06.999Z",
		"2021-02-03T04:05:06.123456+02:00": "2021-02-03T02:05:06.123Z",
		"1969-12-31T23:59:59.9999Z":        "1969-12-31T23:59:59.999Z",
	} {
		milli, ok := parseTime(in)
		if got := time.UnixMilli(milli).UTC().Format(layout); !ok || got != want {
			t.Errorf("%q is %s, %t, want %s", in, got, ok, want)
		}
	}
	for _, in := range []string{
		"", "202", "20211", "2021-", "2021-1", "2021-00", "2021-13", "2021-02-00", "2021-02-29", "2021-04-31",
		"2021-09-99", "2021-2-03", "20210203", "2021-02-03T", "2021-02-03 04:05:06", "2021-02-03t04:05:06z",
		"2021-02-03T04:05", "2021-02-03T24:00:00Z", "2021-02-03T04:60:06Z", "2021-02-03T04:05:60Z",
		"2021-02-03T04:05:06.", "2021-02-03T04:05:06.Z", "2021-02-03T04:05:06,5Z", "2021-02-03T04:05:06ZZ",
		"2021-02-03T04:05:06+", "2021-02-03T04:05:06+24:00", "2021-02-03T04:05:06+01:60", "2021-02-03T04:05:06+01:",
		"2021-02-03T04:05:06+01:0", "2021-02-03T04:05:06+1:0", "2021-02-03T04:05:06+013000", "2021-02-03T04:05:06+-1",
		"+2021-02-03", " 2021-02-03", "2021-02-03 ", "2021-02-03Z", "２０２１-02-03", "2021-02T04:05:06Z", "XX-XX-1963",
	} {
		if milli, ok := parseTime(in); ok {
			t.Errorf("%q is read as %d, want a refusal", in, milli)
		}
	}
}

// A date of birth is a date and no more.
func TestADateOfBirthHasNoTime(t *testing.T) {
	for _, in := range []string{"1990-05-17T00:00:00Z", "1990-05-17T00:00:00"} {
		if _, ok := parseDate(in); ok {
			t.Errorf("%q is read, want a refusal", in)
		}
	}
}

func TestPlusTimeRunsOverAsTheSpecificationsDatesDo(t *testing.T) {
	for _, c := range []struct {
		date   string
		amount int64
		unit   string
		want   string
	}{
		// the specification's table of leap days
		{"2020-02-29", 1, "day", "2020-03-01T00:00:00.000Z"},
		{"2020-02-29", 1, "month", "2020-03-29T00:00:00.000Z"},
		{"2020-02-29", 1, "year", "2021-03-01T00:00:00.000Z"},
		{"2020-02-29", -1, "year", "2019-03-01T00:00:00.000Z"},
		{"2020-02-29", 4, "year", "2024-02-29T00:00:00.000Z"},
		// ends of months
		{"2021-01-31", 1, "month", "2021-03-03T00:00:00.000Z"},
		{"2020-01-31", 1, "month", "2020-03-02T00:00:00.000Z"},
		{"2021-03-31", -1, "month", "2021-03-03T00:00:00.000Z"},
		{"2021-05-31", 1, "month", "2021-07-01T00:00:00.000Z"},
		{"2021-12-15", 1, "month", "2022-01-15T00:00:00.000Z"},
		{"2021-01-15", -13, "month", "2019-12-15T00:00:00.000Z"},
		// a partial date is rounded up first
		{"2021-02", 1, "month", "2021-03-28T00:00:00.000Z"},
		{"2021", 1, "day", "2022-01-01T00:00:00.000Z"},
		// the zone goes first, then the amount is added in UTC
		{"2021-03-01T00:30:00+01:00", 1, "month", "2021-03-28T23:30:00.000Z"},
		{"2021-03-27T23:30:00+01:00", 24, "hour", "2021-03-28T22:30:00.000Z"},
		{"2021-10-31T00:00:00.5", 180, "day", "2022-04-29T00:00:00.500Z"},
		{"2021-01-01", 100_000, "year", "102021-01-01T00:00:00.000Z"},
	} {
		logic := fmt.Sprintf(`{"plusTime":[%q,%d,%q]}`, c.date, c.amount, c.unit)
		if got := evaluate(t, logic, `null`); got != `"`+c.want+`"` {
			t.Errorf("%s is %s, want %q", logic, got, c.want)
		}
	}
	for _, unit := range []string{"hour", "day", "month", "year"} {
		for _, amount := range []int64{maxInteger, -maxInteger, 10_000_000_000} {
			logic := fmt.Sprintf(`{"plusTime":["2021-01-01",%d,%q]}`, amount, unit)
			if got := evaluate(t, logic, `null`); got != "error: plusTime: a date-time beyond the calendar" {
				t.Errorf("%s is %s, want an error", logic, got)
			}
		}
	}
}

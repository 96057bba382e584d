package certlogic

import (
	"errors"
	"fmt"
	"time"
)

// unit is what plusTime counts in. The zero value is none.
type unit uint8

const (
	noUnit unit = iota
	hour
	day
	month
	year
)

func unitNamed(name string) (unit, bool) {
	switch name {
	case "hour":
		return hour, true
	case "day":
		return day, true
	case "month":
		return month, true
	case "year":
		return year, true
	}
	return noUnit, false
}

// maxMilli is how far from 1970 a date-time may be: 100,000,000 days, as ECMA-262 has it
// for the dates that the specification refers to (section "Time Values and Time Range").
const maxMilli = 8_640_000_000_000_000

const (
	hourMilli = int64(time.Hour / time.Millisecond)
	dayMilli  = 24 * hourMilli
)

var (
	errDate  = errors.New("not a date or date-time of an allowed format that exists in the calendar")
	errRange = errors.New("a date-time beyond the calendar")
)

// time is plusTime and dccDateOfBirth, the only two that make date-times.
func (r *run) time(n *node, s *scope) (Value, error) {
	v, err := r.eval(&n.args[0], s)
	if err != nil {
		return Value{}, err
	}
	if v.kind != kindString {
		return Value{}, wrong(n, 0, v, "a string")
	}
	if !r.spendText(v.text) {
		return Value{}, errSteps
	}
	read := parseTime
	if n.op == opBirth {
		read = parseDate
	}
	at, ok := read(v.text)
	if !ok {
		return Value{}, fmt.Errorf("%s: operand 1 (%s) is %w", n.name, &n.args[0], errDate)
	}
	if at, ok = plusTime(at, n.n, n.unit); !ok {
		return Value{}, fmt.Errorf("%s: %w", n.name, errRange)
	}
	return instant(at), nil
}

// plusTime adds an amount to a time in milliseconds, in UTC, as ECMA-262's setUTC methods
// do: a day that the month does not have runs over into the next one.
func plusTime(milli, amount int64, u unit) (int64, bool) {
	switch u {
	case hour, day:
		step := hourMilli
		if u == day {
			step = dayMilli
		}
		// Checked before the product, which would not fit otherwise.
		if most := 2 * maxMilli / step; amount > most || amount < -most {
			return 0, false
		}
		milli += amount * step
	case month, year:
		const most = 2 * 275_760 * 12 // months between the ends of the calendar
		if amount > most || amount < -most {
			return 0, false
		}
		years, months := int(amount), 0
		if u == month {
			years, months = 0, int(amount)
		}
		milli = time.UnixMilli(milli).UTC().AddDate(years, months, 0).UnixMilli()
	}
	return milli, -maxMilli <= milli && milli <= maxMilli
}

// digits reads a number of exactly n digits at the head of s.
func digits(s string, n int) (value int, rest string, ok bool) {
	if len(s) < n {
		return 0, "", false
	}
	for i := range n {
		if s[i] < '0' || s[i] > '9' {
			return 0, "", false
		}
		value = 10*value + int(s[i]-'0')
	}
	return value, s[n:], true
}

// after reads a separator and a number of two digits.
func after(separator byte, s string) (value int, rest string, ok bool) {
	if s == "" || s[0] != separator {
		return 0, "", false
	}
	return digits(s[1:], 2)
}

// parseDate reads YYYY, YYYY-MM or YYYY-MM-DD as midnight UTC of the last day that fits,
// which is how a date of birth is read for the holder's benefit.
func parseDate(s string) (milli int64, ok bool) {
	y, s, ok := digits(s, 4)
	if !ok {
		return 0, false
	}
	m, d := 12, 31
	if s != "" {
		if m, s, ok = after('-', s); !ok || m < 1 || m > 12 {
			return 0, false
		}
		last := time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC).Day()
		d = last
		if s != "" {
			if d, s, ok = after('-', s); !ok || d < 1 || d > last || s != "" {
				return 0, false
			}
		}
	}
	return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).UnixMilli(), true
}

// parseTime reads a date as parseDate does, or a date-time: YYYY-MM-DDThh:mm:ss, a fraction
// of any length of which three digits count, and a zone; without one it is UTC.
func parseTime(s string) (milli int64, ok bool) {
	const date = len("2021-05-17")
	if len(s) <= date {
		return parseDate(s)
	}
	if milli, ok = parseDate(s[:date]); !ok {
		return 0, false
	}
	h, s, ok := after('T', s[date:])
	if !ok || h > 23 {
		return 0, false
	}
	minute, s, ok := after(':', s)
	if !ok || minute > 59 {
		return 0, false
	}
	second, s, ok := after(':', s)
	if !ok || second > 59 {
		return 0, false
	}
	fraction, s, ok := parseFraction(s)
	if !ok {
		return 0, false
	}
	offset, ok := parseZone(s)
	if !ok {
		return 0, false
	}
	return milli + int64((h*60+minute-offset)*60+second)*1000 + int64(fraction), true
}

// parseFraction reads ".S", any number of digits, as whole milliseconds rounded down.
func parseFraction(s string) (milli int, rest string, ok bool) {
	if s == "" || s[0] != '.' {
		return 0, s, true
	}
	s = s[1:]
	n := 0
	for scale := 100; n < len(s) && s[n] >= '0' && s[n] <= '9'; n++ {
		milli += scale * int(s[n]-'0')
		scale /= 10
	}
	return milli, s[n:], n > 0
}

// parseZone reads nothing, Z, or a sign and h, hh, hmm, hhmm, h:mm or hh:mm as minutes
// east of UTC.
func parseZone(s string) (minutes int, ok bool) {
	if s == "" || s == "Z" {
		return 0, true
	}
	sign := 1
	switch s[0] {
	case '+':
	case '-':
		sign = -1
	default:
		return 0, false
	}
	s = s[1:]
	var h, m int
	wide := 1 // digits of the hour
	switch {
	case len(s) == 2, len(s) == 4 && s[1] != ':', len(s) == 5:
		wide = 2
	}
	if h, s, ok = digits(s, wide); !ok || h > 23 {
		return 0, false
	}
	if s != "" {
		if s[0] == ':' {
			s = s[1:]
		}
		if m, s, ok = digits(s, 2); !ok || s != "" || m > 59 {
			return 0, false
		}
	}
	return sign * (h*60 + m), true
}

package sensors

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxSource is the length of a source, in bytes.
const maxSource = 4096

// A source says where a piece of hardware is: "scheme:path?option=value&option=value".
type source struct {
	scheme  string
	path    string
	options map[string]string
}

// parseSource takes a source apart. The path is taken as it stands, up to the first
// question mark; options are written as in a URL, each at most once.
func parseSource(text string) (source, error) {
	if len(text) > maxSource {
		return source{}, fmt.Errorf("longer than %d bytes", maxSource)
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r == 0x7F || r == '\uFFFD' }); i >= 0 {
		return source{}, fmt.Errorf("a byte that is not text, at %d", i)
	}
	head, query, _ := strings.Cut(text, "?")
	scheme, path, _ := strings.Cut(head, ":")
	values, err := url.ParseQuery(query)
	if err != nil {
		return source{}, fmt.Errorf("options %q: %w", query, err)
	}
	s := source{scheme: scheme, path: path, options: make(map[string]string)}
	for name, v := range values {
		if len(v) > 1 {
			return source{}, fmt.Errorf("option %q is given %d times", name, len(v))
		}
		s.options[name] = v[0]
	}
	return s, nil
}

// only refuses options that nobody would look at: a misspelt one must not pass for a
// default.
func (s source) only(known ...string) error {
	for name := range s.options {
		if !slices.Contains(known, name) {
			if len(known) == 0 {
				return fmt.Errorf("option %q: %s: has no options", name, s.scheme)
			}
			return fmt.Errorf("option %q: %s: knows %s", name, s.scheme, strings.Join(known, ", "))
		}
	}
	return nil
}

// duration gives an option such as "800ms", or a default.
func (s source) duration(name string, otherwise, low, high time.Duration) (time.Duration, error) {
	text, ok := s.options[name]
	if !ok {
		return otherwise, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%s=%s is no time: write it as %v", name, text, otherwise)
	}
	if d < low || d > high {
		return 0, fmt.Errorf("%s=%s is outside of %v to %v", name, text, low, high)
	}
	return d, nil
}

// number gives an option that is a whole number from 0, or a default.
func (s source) number(name string, otherwise, most uint64) (uint64, error) {
	text, ok := s.options[name]
	if !ok {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > most {
		return 0, fmt.Errorf("%s=%s is no whole number from 0 to %d", name, text, most)
	}
	return n, nil
}

// activeLow gives the option active=high|low. It has no default: with the wrong level the
// relay holds the barrier open whenever it should rest.
func (s source) activeLow() (bool, error) {
	switch level := s.options["active"]; level {
	case "low":
		return true, nil
	case "high":
		return false, nil
	case "":
		return false, fmt.Errorf("active= is missing: active=low when the relay board switches on a low level, else active=high")
	default:
		return false, fmt.Errorf("active=%s is neither low nor high", level)
	}
}

// A lineAddress is a GPIO line: a name that the board gives it, or a number on a chip.
type lineAddress struct {
	name   string // when set, the others are not
	chip   string // "/dev/gpiochip0"
	offset int
}

func (a lineAddress) String() string {
	if a.name != "" {
		return fmt.Sprintf("gpio line %q", a.name)
	}
	return fmt.Sprintf("gpio line %d of %s", a.offset, a.chip)
}

// maxOffset bounds a line's number; the largest chips have some hundreds.
const maxOffset = 4095

// parseLine reads "/dev/gpiochip0/17" or a line's name, such as "GPIO17".
func parseLine(text string) (lineAddress, error) {
	if text == "" {
		return lineAddress{}, fmt.Errorf("no gpio line: write /dev/gpiochip0/17 or a name that gpioinfo shows")
	}
	if !strings.HasPrefix(text, "/") {
		if len(text) > 31 { // GPIO_MAX_NAME_SIZE of the kernel, less its zero
			return lineAddress{}, fmt.Errorf("gpio line name %q is longer than 31 bytes", text)
		}
		return lineAddress{name: text}, nil
	}
	slash := strings.LastIndex(text, "/")
	chip, number := text[:slash], text[slash+1:]
	offset, err := strconv.Atoi(number)
	if err != nil || offset < 0 || offset > maxOffset || !strings.HasPrefix(chip, "/dev/") {
		return lineAddress{}, fmt.Errorf("gpio line %q: write the chip and the line's number, as in /dev/gpiochip0/17", text)
	}
	return lineAddress{chip: chip, offset: offset}, nil
}

package module

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxLine is the length of a module's line, in bytes.
const maxLine = 4096

// The pause in which a text without a suffix ends. A keyboard on USB types a character in 2
// to 16 ms, a serial port at 9600 baud in one.
const (
	defaultIdle  = 60 * time.Millisecond
	shortestIdle = 5 * time.Millisecond
	longestIdle  = 5 * time.Second
)

// A spec is a module's line taken apart.
type spec struct {
	scheme, path string
	options      url.Values
}

// parse takes "scheme:path?option=value&option=value" apart. The path is taken as it
// stands, up to the first question mark.
func parse(line string) (spec, error) {
	if len(line) > maxLine {
		return spec{}, fmt.Errorf("longer than %d bytes", maxLine)
	}
	head, query, _ := strings.Cut(line, "?")
	scheme, path, ok := strings.Cut(head, ":")
	if !ok || path == "" {
		return spec{}, errors.New(`no device after a colon, as in "serial:/dev/ttyACM0"`)
	}
	if strings.ContainsRune(path, 0) {
		return spec{}, errors.New("a zero byte in the device's name")
	}
	options, err := url.ParseQuery(query)
	if err != nil {
		return spec{}, fmt.Errorf("options: %w", err)
	}
	return spec{scheme, path, options}, nil
}

// only refuses options that nobody would look at: a misspelt one must not pass for a
// default.
func (s spec) only(known ...string) error {
	for name, values := range s.options {
		if !slices.Contains(known, name) {
			return fmt.Errorf("option %.20q: %s: knows %s", name, s.scheme, strings.Join(known, ", "))
		}
		if len(values) > 1 {
			return fmt.Errorf("option %q is given %d times", name, len(values))
		}
	}
	return nil
}

func (s spec) idle() (time.Duration, error) {
	text := s.options.Get("idle")
	if text == "" {
		return defaultIdle, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < shortestIdle || d > longestIdle {
		return 0, fmt.Errorf("option idle=%.20q: want a time from %v to %v, as in idle=%v", text, shortestIdle, longestIdle, defaultIdle)
	}
	return d, nil
}

// A suffix is what ends a text: one of some bytes, and unless it is strict a pause too.
type suffix struct {
	name   string
	ends   string
	strict bool
}

// The suffixes that modules can be set to. The first is the default. A CR LF ends a text
// and then an empty one, which nobody is told of.
var (
	serialSuffixes = []suffix{{"any", "\r\n", false}, {"cr", "\r", true}, {"lf", "\n", true}, {"crlf", "\r\n", true}, {"tab", "\t", true}, {"none", "", false}}
	hidSuffixes    = []suffix{{"any", "\r\t", false}, {"enter", "\r", true}, {"tab", "\t", true}, {"none", "", false}}
)

func (s spec) suffix(known []suffix) (suffix, error) {
	text := s.options.Get("suffix")
	if text == "" {
		return known[0], nil
	}
	var names []string
	for _, k := range known {
		if k.name == text {
			return k, nil
		}
		names = append(names, k.name)
	}
	return suffix{}, fmt.Errorf("option suffix=%.20q: %s: knows %s", text, s.scheme, strings.Join(names, ", "))
}

// framing reads the options that say where a text ends.
func (s spec) framing(known []suffix) (end suffix, idle time.Duration, err error) {
	if end, err = s.suffix(known); err != nil {
		return end, 0, err
	}
	idle, err = s.idle()
	return end, idle, err
}

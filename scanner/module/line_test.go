package module

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestLineThatMakesNoSenseIsAnErrorAtOnce(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("modules are read on Linux only")
	}
	for line, want := range map[string]string{
		"":                                    "no device after a colon",
		"serial":                              "no device after a colon",
		"serial:?baud=9600":                   "no device after a colon",
		"hid:":                                "no device after a colon",
		"usb:/dev/ttyACM0":                    "there are serial: and hid:",
		"serial:/dev/a\x00b":                  "a zero byte",
		"serial:/dev/a?baud=%zz":              "options:",
		"serial:/dev/a?speed=9600":            `option "speed": serial: knows baud, idle, suffix`,
		"serial:/dev/a?baud=9600&baud=19200":  `option "baud" is given 2 times`,
		"serial:/dev/a?baud=14400":            `option baud="14400": there are 1200, `,
		"serial:/dev/a?baud=-1":               `option baud="-1"`,
		"serial:/dev/a?idle=60":               `option idle="60": want a time from 5ms to 5s`,
		"serial:/dev/a?idle=4ms":              `option idle="4ms"`,
		"serial:/dev/a?idle=6s":               `option idle="6s"`,
		"serial:/dev/a?suffix=enter":          `option suffix="enter": serial: knows any, cr, lf, crlf, tab, none`,
		"hid:/dev/a?suffix=cr":                `option suffix="cr": hid: knows any, enter, tab, none`,
		"hid:/dev/a?baud=9600":                `option "baud": hid: knows idle, suffix`,
		"hid:" + strings.Repeat("a", maxLine): "longer than 4096 bytes",
	} {
		r, err := Open(line)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", line, err, want)
		}
		if r != nil {
			t.Errorf("%.40q: a reader beside an error", line)
		}
	}
}

func TestOptionsOfALine(t *testing.T) {
	for line, want := range map[string]struct {
		path string
		idle time.Duration
	}{
		"serial:/dev/ttyACM0":                                {"/dev/ttyACM0", defaultIdle},
		"serial:/dev/ttyS1?baud=9600&idle=100ms&suffix=crlf": {"/dev/ttyS1", 100 * time.Millisecond},
		"serial:/dev/serial/by-path/pci-0:1-port0?suffix=":   {"/dev/serial/by-path/pci-0:1-port0", defaultIdle},
		"hid:/dev/input/by-id/usb-X-event-kbd?suffix=enter":  {"/dev/input/by-id/usb-X-event-kbd", defaultIdle},
		"hid:/dev/input/event0?idle=5s":                      {"/dev/input/event0", 5 * time.Second},
	} {
		if runtime.GOOS != "linux" {
			t.Skip("modules are read on Linux only")
		}
		r, err := Open(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if r.path != want.path || r.idle != want.idle {
			t.Errorf("%s: %s with a pause of %v, want %+v", line, r.path, r.idle, want)
		}
		if err := r.Close(); err != nil || r.Alive() != (time.Time{}) {
			t.Errorf("%s: %v; alive %v before the first Next", line, err, r.Alive())
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("serial:/dev/ttyACM0?baud=115200&idle=60ms&suffix=any")
	f.Add("hid:/dev/input/event0?suffix=tab")
	f.Fuzz(func(t *testing.T, line string) {
		s, err := parse(line)
		if err != nil {
			return
		}
		if s.path == "" || strings.ContainsAny(s.path, "?\x00") || strings.Contains(s.scheme, ":") {
			t.Fatalf("%q: scheme %q path %q", line, s.scheme, s.path)
		}
		if d, err := s.idle(); err == nil && (d < shortestIdle || d > longestIdle) {
			t.Fatalf("%q: a pause of %v", line, d)
		}
		if e, err := s.suffix(serialSuffixes); err == nil && e.strict && e.ends == "" {
			t.Fatalf("%q: a text that never ends", line)
		}
	})
}

package sensors

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse"
)

func TestAMistakeInASourceSaysWhatToWrite(t *testing.T) {
	script := filepath.Join(t.TempDir(), "people.jsonl")
	if err := os.WriteFile(script, []byte("{\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	thermometer := func(s string) error { _, err := OpenThermometer(s); return err }
	barrier := func(s string) error { _, err := OpenBarrier(s); return err }
	lights := func(s string) error { _, err := OpenLights(s); return err }
	for _, c := range []struct {
		open   func(string) error
		source string
		want   string
	}{
		{thermometer, "", "write mlx90614:/dev/i2c-1, sim:FILE or none"},
		{thermometer, "mlx90640:/dev/i2c-1", "unknown kind"},
		{thermometer, "mlx90614:", "no bus"},
		{thermometer, "mlx90614:i2c-1", "write mlx90614:/dev/i2c-1"},
		{thermometer, "mlx90614:/dev/i2c-1?adress=0x5a", "option \"adress\": mlx90614: knows address"},
		{thermometer, "mlx90614:/dev/i2c-1?address=5a", "write address=0x5a"},
		{thermometer, "mlx90614:/dev/i2c-1?address=0x05", "none of 0x08 to 0x77"},
		{thermometer, "mlx90614:/dev/i2c-1?address=0x5a&address=0x5b", "given 2 times"},
		{thermometer, "mlx90614:/dev/i2c-1?address=%zz", "invalid URL escape"},
		{thermometer, "mlx90614:/dev/\xff", "not text"},
		{thermometer, "mlx90614:" + strings.Repeat("/", maxSource), "longer than"},
		{thermometer, "none:x", "takes no"},
		{thermometer, "none?x=1", "has no options"},
		{thermometer, "sim:" + script, "line 1"},
		{thermometer, "sim:" + script + "?start=soon", "start=soon is no whole number"},
		{thermometer, "sim:" + script + "?start=9223372036854775808", "is no whole number"},
		{thermometer, "sim:" + script + "?seed=-1", "seed=-1"},
		{thermometer, "sim:" + script + ".gone", "no such file"},
		{barrier, "relay:1", "write gpio:/dev/gpiochip0/17?active=low"},
		{barrier, "gpio:/dev/gpiochip0/17", "active= is missing"},
		{barrier, "gpio:/dev/gpiochip0/17?active=down", "neither low nor high"},
		{barrier, "gpio:/dev/gpiochip0/x?active=low", "as in /dev/gpiochip0/17"},
		{barrier, "gpio:/srv/gpiochip0/17?active=low", "as in /dev/gpiochip0/17"},
		{barrier, "gpio:/5?active=low", "as in /dev/gpiochip0/17"},
		{barrier, "gpio:?active=low", "no gpio line"},
		{barrier, "gpio:" + strings.Repeat("N", 32) + "?active=low", "longer than 31"},
		{barrier, "gpio:/dev/gpiochip0/17?active=low&pulse=800", "write it as 800ms"},
		{barrier, "gpio:/dev/gpiochip0/17?active=low&pulse=1h", "outside of 50ms to 30s"},
		{barrier, "note:?active=low", "knows pulse"},
		{barrier, "note:here", "takes no"},
		{lights, "neon:", "unknown kind"},
		{lights, "gpio:/dev/gpiochip0?green=5", "active= is missing"},
		{lights, "gpio:/dev/gpiochip0?active=high", "no lamp is named"},
		{lights, "gpio:/dev/gpiochip0?active=high&blue=5", "knows active, green"},
		{lights, "gpio:/dev/gpiochip0?active=high&green=5&sound=loud", "off, neutral, distinct"},
		{lights, "none?sound=off", "has no options"},
	} {
		err := c.open(c.source)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: got %v, want %q in it", c.source, err, c.want)
		}
	}
}

func TestMissingHardwareSaysWhatToLookAt(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	thermometer := func(s string) error {
		o, err := OpenThermometer(s)
		if err != nil {
			t.Fatalf("%s: a gate must start without its sensor: %v", s, err)
		}
		defer o.Close()
		m, err := o.Skin(t.Context())
		if m.Quality != gatehouse.Faulty {
			t.Errorf("%s: got %v, want a fault", s, m.Quality)
		}
		return err
	}
	barrier := func(s string) error { _, err := OpenBarrier(s); return err }
	lights := func(s string) error { _, err := OpenLights(s); return err }
	for _, c := range []struct {
		open   func(string) error
		source string
		want   string
	}{
		{thermometer, "mlx90614:/dev/i2c-4095", "dtparam=i2c_arm=on"},
		{thermometer, "mlx90614:" + plain, "no i2c bus of the kernel"},
		{barrier, "gpio:/dev/gpiochip4095/17?active=low", "gpiodetect"},
		{barrier, "gpio:/dev/null/17?active=low", "is no GPIO chip"},
		{barrier, "gpio:NO-SUCH-LINE?active=low", "gpioinfo"},
		{lights, "gpio:/dev/gpiochip4095?active=low&red=1", "red: gpio line 1 of /dev/gpiochip4095: no such chip"},
	} {
		err := c.open(c.source)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", c.source, err, c.want)
		}
	}
}

func TestSimulationShowsThePeopleOfItsScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := filepath.Join(t.TempDir(), "people.jsonl")
		people := `{"skin":36600,"ambient":24000,"show_ms":2500,"gap_ms":900}
{"skin":38900,"ambient":24000,"show_ms":2500,"gap_ms":900}
{"skin":36700,"ambient":24000,"show_ms":2500,"gap_ms":900,"fault":"nack"}
{"skin":36700,"ambient":24000,"show_ms":2500,"gap_ms":900}
`
		if err := os.WriteFile(script, []byte(people), 0o600); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		thermometer, err := OpenThermometer("sim:" + script + "?seed=18446744073709551615&start=" + strconv.FormatInt(start.UnixMilli(), 10))
		if err != nil {
			t.Fatal(err)
		}
		defer thermometer.Close()
		for i, want := range []struct {
			skin    gatehouse.Temperature
			quality gatehouse.Quality
		}{
			{36_600, gatehouse.Steady}, {38_900, gatehouse.Steady}, {0, gatehouse.Faulty}, {36_700, gatehouse.Steady},
			{36_600, gatehouse.Steady}, // and from the first again
		} {
			time.Sleep(time.Until(start.Add(time.Duration(i)*3400*time.Millisecond + 500*time.Millisecond)))
			m, err := thermometer.Skin(t.Context())
			off := m.Skin - want.skin
			if m.Quality != want.quality || off < -70 || off > 70 || (err != nil) != (want.quality == gatehouse.Faulty) {
				t.Errorf("person %d: got %+v %v, want %v %v", i, m, err, want.skin, want.quality)
			}
		}
		time.Sleep(time.Until(start.Add(5*3400*time.Millisecond - 700*time.Millisecond)))
		if m, err := thermometer.Skin(t.Context()); err != nil || m.Skin > 24_100 {
			t.Errorf("between two people: got %+v %v, want the ambient", m, err)
		}
	})
}

func TestOpenedByTheirNames(t *testing.T) {
	b, err := OpenBarrier("note:?pulse=50ms")
	if err != nil {
		t.Fatal(err)
	}
	if b.pulse != 50*time.Millisecond {
		t.Errorf("pulse: got %v", b.pulse)
	}
	l, err := OpenLights("note:")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []interface{ Close() error }{b, l} {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if l, err := OpenLights("none"); err != nil || len(l.lines()) != 0 {
		t.Errorf("none: got %v %v", l, err)
	}
	thermometer, err := OpenThermometer("none")
	if err != nil {
		t.Fatal(err)
	}
	if who, err := thermometer.Identify(t.Context()); err != nil || who != "no thermometer" {
		t.Errorf("none: got %q %v", who, err)
	}
	if err := thermometer.Close(); err != nil {
		t.Error(err)
	}
}

// The kernel's bus is wanted alone: periph's drivers for whole boards would poke around
// in /dev/mem and /sys before the first line of main.
func TestNoBoardDriverIsDraggedIn(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range strings.Fields(string(out)) {
		if strings.HasPrefix(path, "periph.io/x/host/v3") && path != "periph.io/x/host/v3/sysfs" && path != "periph.io/x/host/v3/fs" {
			t.Errorf("%s is linked in", path)
		}
	}
}

func FuzzSource(f *testing.F) {
	for _, s := range []string{
		"mlx90614:/dev/i2c-1?address=0x5a", "sim:people.jsonl?start=1700000000000&seed=2", "none",
		"gpio:/dev/gpiochip0/17?pulse=800ms&active=low", "gpio:GPIO17?active=high", "note:?pulse=1s",
		"gpio:/dev/gpiochip0?active=high&green=5&amber=6&red=13&buzzer=19", "?", ":", "a:?b", "a:b?c=%41&c=",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSource(text)
		if err != nil {
			return
		}
		if strings.ContainsAny(s.scheme, ":?") || strings.Contains(s.path, "?") {
			t.Fatalf("%q: scheme %q path %q", text, s.scheme, s.path)
		}
		if d, err := s.duration("pulse", time.Second, shortest, longest); err == nil && d != time.Second && (d < shortest || d > longest) {
			t.Fatalf("%q: pulse %v", text, d)
		}
		if n, err := s.number("start", 1, 1000); err == nil && n > 1000 {
			t.Fatalf("%q: start %d", text, n)
		}
		if a, err := parseLine(s.path); err == nil && a.name == "" && (a.chip == "" || a.offset < 0 || a.offset > maxOffset) {
			t.Fatalf("%q: line %+v", text, a)
		}
	})
}

package firmware

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tool gives the path of a program that a test needs. In CI its absence is a failure.
func tool(t *testing.T, name, where string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: %s", name, where)
	}
	t.Skipf("%s is not here, and was left out: %s", name, where)
	return ""
}

// standing writes a unit into a folder where the program that it starts exists, since
// systemd-analyze looks for it, and gives the unit's path.
func standing(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	unit := read(t, filepath.Join("systemd", name+".service"))
	program := filepath.Join(dir, name)
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	moved := strings.Replace(unit, "ExecStart=/usr/bin/"+name+" --config /etc/gatehouse/", "ExecStart="+program+" --config /etc/gatehouse/", 1)
	if moved == unit {
		t.Fatalf("%s does not start /usr/bin/%s --config /etc/gatehouse/...", name, name)
	}
	path := filepath.Join(dir, name+".service")
	if err := os.WriteFile(path, []byte(moved), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// settings gives every value of a key in a unit, in order.
func settings(unit, key string) []string {
	var values []string
	for line := range strings.Lines(unit) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), key+"="); ok {
			values = append(values, v)
		}
	}
	return values
}

func TestUnitsAreCorrect(t *testing.T) {
	analyze := tool(t, "systemd-analyze", "apt-get install systemd")
	for _, name := range []string{"gated", "regiond"} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command(analyze, "verify", "--man=no", "--recursive-errors=no", standing(t, name)).CombinedOutput()
			// A key that systemd does not know is a line of output only.
			if err != nil || len(out) > 0 {
				t.Errorf("got %v: %s", err, out)
			}
		})
	}
}

func TestUnitsExposeLittle(t *testing.T) {
	analyze := tool(t, "systemd-analyze", "apt-get install systemd")
	for name, threshold := range map[string]string{
		"gated":   "15", // tenths of systemd's ten; the hardware and the network are what remains
		"regiond": "12",
	} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command(analyze, "security", "--offline=true", "--no-pager", "--threshold="+threshold, standing(t, name)).CombinedOutput()
			if err != nil {
				t.Errorf("more than %s tenths: %v\n%s", threshold, err, out)
			}
		})
	}
}

func TestTheLaneReachesItsHardwareAndIsWatched(t *testing.T) {
	unit := read(t, "systemd/gated.service")
	for key, want := range map[string][]string{
		"Type":           {"notify"},
		"NotifyAccess":   {"main"},
		"WatchdogSec":    {"10"},
		"Restart":        {"always"},
		"PrivateDevices": {"no"},
		"DevicePolicy":   {"closed"},
		"DeviceAllow":    {"char-video4linux rw", "char-i2c rw", "char-gpiochip rw", "char-ttyACM rw", "char-ttyUSB rw", "char-input r"},
	} {
		if got := settings(unit, key); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", key, got, want)
		}
	}
}

// A program that breaks down is started again; only one whose settings are wrong is not.
func TestABreakdownIsNoMistakeInTheSettings(t *testing.T) {
	if os.Getenv("GATEHOUSE_TEST_BREAKDOWN") != "" {
		panic("a breakdown")
	}
	for _, name := range []string{"gated", "regiond"} {
		unit := read(t, filepath.Join("systemd", name+".service"))
		program := exec.Command(os.Args[0], "-test.run=^TestABreakdownIsNoMistakeInTheSettings$")
		program.Env = append(settings(unit, "Environment"), "GATEHOUSE_TEST_BREAKDOWN=1")
		program.Dir = t.TempDir() // where a core file may go
		err := program.Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatalf("%s: a panic ended with %v", name, err)
		}
		if final := settings(unit, "RestartPreventExitStatus"); slices.Contains(final, strconv.Itoa(exit.ExitCode())) {
			t.Errorf("%s: a panic ends with %v, and systemd starts nothing again after %v", name, exit, final)
		}
	}
}

func TestEveryGroupThatIsUsedIsMade(t *testing.T) {
	made := map[string]bool{}
	for line := range strings.Lines(read(t, "sysusers/gatehouse.conf")) {
		if f := strings.Fields(line); len(f) > 1 && (f[0] == "g" || f[0] == "u") {
			made[f[1]] = true
		}
	}
	var used []string
	for _, unit := range []string{"systemd/gated.service", "systemd/regiond.service"} {
		for _, key := range []string{"User", "Group", "SupplementaryGroups"} {
			used = append(used, strings.Fields(strings.Join(settings(read(t, unit), key), " "))...)
		}
	}
	given := 0
	for _, m := range regexp.MustCompile(`GROUP="([^"]*)"`).FindAllStringSubmatch(read(t, "udev/70-gatehouse.rules"), -1) {
		used = append(used, m[1])
		given++
	}
	if given != 3 {
		t.Errorf("udev gives %d kinds of hardware to a group, want 3", given)
	}
	for _, group := range used {
		if !made[group] {
			t.Errorf("nobody makes %q", group)
		}
	}
}

func TestUsersAreMade(t *testing.T) {
	sysusers := tool(t, "systemd-sysusers", "apt-get install systemd")
	config, err := filepath.Abs("sysusers/gatehouse.conf")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(sysusers, "--root="+root, config).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if passwd := read(t, filepath.Join(root, "etc/passwd")); !strings.Contains(passwd, ":/var/lib/gatehouse:/usr/sbin/nologin") {
		t.Errorf("got %q, want a user that cannot log in", passwd)
	}
}

// A rule is matches and assignments, parted by commas (udev(7)).
var rule = regexp.MustCompile(`^(ACTION|KERNELS?|SUBSYSTEMS?|ATTRS?\{[a-z_]+\}|ENV\{[A-Z0-9_]+\}|GROUP|MODE|SYMLINK|TAG)(==|!=|=|\+=|:=)"([^"]*)"$`)

func TestUdevRulesAreWellFormed(t *testing.T) {
	rules := read(t, "udev/70-gatehouse.rules")
	seen := 0
	for i, line := range strings.Split(rules, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		seen++
		matches := 0
		for _, part := range strings.Split(line, ", ") {
			m := rule.FindStringSubmatch(part)
			if m == nil {
				t.Errorf("line %d: %q is no match and no assignment", i+1, part)
				continue
			}
			assigned := m[1] == "GROUP" || m[1] == "MODE" || m[1] == "SYMLINK" || m[1] == "TAG" ||
				strings.HasPrefix(m[1], "ENV{") && m[2] == "=" // a property may be asked for or set
			if assigned == (m[2] == "==" || m[2] == "!=") {
				t.Errorf("line %d: %s with %s", i+1, m[1], m[2])
			}
			if !assigned {
				matches++
			}
		}
		if matches == 0 {
			t.Errorf("line %d is for every device of the system", i+1)
		}
	}
	if seen == 0 {
		t.Error("no rules")
	}
	// udevadm learnt to verify rules in systemd 254.
	udevadm, err := exec.LookPath("udevadm")
	if err != nil || exec.Command(udevadm, "verify", "--help").Run() != nil {
		return
	}
	if out, err := exec.Command(udevadm, "verify", "udev/70-gatehouse.rules").CombinedOutput(); err != nil {
		t.Errorf("udevadm: %v: %s", err, out)
	}
}

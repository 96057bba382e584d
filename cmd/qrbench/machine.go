package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// machine says what was measured, when and on what.
func machine(cores int) []string {
	lines := []string{
		fmt.Sprintf("gatehouse %s, %s, %s", version, time.Now().UTC().Format(time.DateOnly), runtime.Version()),
		fmt.Sprintf("%s, %d cores, %s/%s", processor(), cores, runtime.GOOS, runtime.GOARCH),
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		lines[1] += ", load " + strings.Fields(string(load) + " ?")[0]
	}
	return lines
}

// processor is its name, as the kernel knows it.
func processor() string {
	for _, path := range []string{"/proc/cpuinfo", "/sys/firmware/devicetree/base/model"} {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if path != "/proc/cpuinfo" {
			return strings.TrimRight(string(text), "\x00\n") // a board says what it is as a whole
		}
		for line := range strings.Lines(string(text)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return "unknown processor"
}

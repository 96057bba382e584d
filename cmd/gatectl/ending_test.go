package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCommandThatWaitsForInputEndsAtCtrlC runs the program: signals are a matter of processes.
func TestCommandThatWaitsForInputEndsAtCtrlC(t *testing.T) {
	pass := exec.CommandContext(t.Context(), filepath.Join(programs(t), "gatectl"), "pass")
	in, err := pass.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := pass.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := pass.Start(); err != nil {
		t.Fatal(err)
	}
	// An answer shows that it is past its beginning.
	if _, err := in.Write([]byte("no code\n")); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	if err := pass.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	// One that did not hear the signal ends here, with an exit code of its own.
	given := time.AfterFunc(patience, func() { in.Close() })
	defer given.Stop()
	if err := pass.Wait(); err == nil {
		t.Error("it ended as if nothing had been")
	}
	if state := pass.ProcessState.Sys().(syscall.WaitStatus); !state.Signaled() {
		t.Errorf("it went on reading, and ended with exit code %d", state.ExitStatus())
	}
}

// TestPINEndsWithItsLine leaves the input open behind the line, as a keyboard does.
func TestPINEndsWithItsLine(t *testing.T) {
	in, keyboard, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer keyboard.Close()
	if _, err := keyboard.WriteString("246813\n"); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	c := pinCommand()
	c.SetIn(in)
	c.SetOut(&out)
	c.SetArgs([]string{})
	if err := c.ExecuteContext(t.Context()); err != nil || !strings.HasPrefix(out.String(), `pin = "`) {
		t.Errorf("%q, %v", out.String(), err)
	}
}

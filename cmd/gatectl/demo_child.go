package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A child is a daemon that the demo started. Its log comes as JSON lines.
type child struct {
	name  string
	cmd   *exec.Cmd
	lines chan logLine
	ended chan error
}

// A logLine is one event of a daemon's log, with the fields that the demo reads.
type logLine struct {
	Msg     string `json:"msg"`
	Level   string `json:"level"`
	Err     string `json:"err"`
	Address string `json:"address"`
	Policy  string `json:"policy"`
	passageLine
}

// versions are those of what came into use, as far as the line tells.
func (l logLine) versions() string {
	if l.Policy != "" {
		return ": " + l.Policy
	}
	return ""
}

// patience is how long a daemon may take to come up or to go down on a busy machine.
const patience = 30 * time.Second

// start runs one of the house's programs, which stand beside this one.
func start(ctx context.Context, name string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	program := filepath.Join(filepath.Dir(self), name)
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("%w: `make` builds it beside gatectl", err)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	// A ctrl-C goes to every process of the terminal's group. The daemons are in one of
	// their own, or the region would be gone before the gate has handed over its book.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	out, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	c := &child{name: name, cmd: cmd, lines: make(chan logLine, 64), ended: make(chan error, 1)}
	go func() {
		c.read(out)
		c.ended <- cmd.Wait()
	}()
	return c, nil
}

func (c *child) read(out io.Reader) {
	defer close(c.lines)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var l logLine
		if json.Unmarshal(lines.Bytes(), &l) != nil {
			l = logLine{Msg: lines.Text(), Level: "ERROR"}
		}
		c.lines <- l
	}
}

// address waits for the line in which the daemon says where it listens.
func (c *child) address(ctx context.Context) (string, error) {
	limit := time.After(patience)
	last := ""
	for {
		select {
		case l, ok := <-c.lines:
			if !ok {
				return "", fmt.Errorf("%s ended before it listened: %s", c.name, last)
			}
			if l.Address != "" {
				return l.Address, nil
			}
			last = l.Msg + " " + l.Err
		case <-limit:
			return "", fmt.Errorf("%s did not say where it listens within %v", c.name, patience)
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// passOver reads what the daemon says and nobody asks for: a full pipe would hold it.
func (c *child) passOver() {
	for range c.lines {
		// Not even its last words.
	}
}

// peak is the most memory that the daemon had resident, in KiB, as Linux counts it
// (proc(5), VmHWM); 0 where that cannot be told.
func (c *child) peak() (kib int) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return 0
	}
	return kib
}

// stop asks the daemon to end and waits until it has.
func (c *child) stop() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && c.cmd.ProcessState == nil {
		return err
	}
	for range c.lines {
		// What it says on its way out is of no use to the demo's reader.
	}
	select {
	case err := <-c.ended:
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%s did not end within %v", c.name, patience)
	}
}

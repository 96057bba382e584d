package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"gatehouse/scanner/qr"
)

// A peer may think this long about a frame, then it is ended.
const patience = 60 * time.Second

// A peer is a reader in a process of its own.
type peer struct {
	name  string // as it calls itself
	clock clock
	cmd   *exec.Cmd
	stdin io.Closer
	in    *bufio.Writer
	out   *bufio.Reader
	says  *head // the beginning of its standard error
	ended bool
}

// startPeer starts the process in a folder and waits until it is ready. It ends with ctx or Close.
func startPeer(ctx context.Context, c clock, dir string, argv ...string) (*peer, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	p := &peer{clock: c, cmd: cmd, says: &head{}}
	cmd.Stderr = p.says
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.stdin, p.in, p.out = stdin, bufio.NewWriterSize(stdin, 1<<20), bufio.NewReader(stdout)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer p.guard().Stop()
	if p.name, err = readReady(p.out); err != nil {
		return nil, p.broken(err)
	}
	return p, nil
}

// guard ends a process that does not answer.
func (p *peer) guard() *time.Timer {
	return time.AfterFunc(patience, func() { p.cmd.Process.Kill() })
}

func (p *peer) read(frame qr.Luma) (reading, error) {
	defer p.guard().Stop()
	if err := writeFrame(p.in, frame); err != nil {
		return reading{}, p.broken(err)
	}
	a, err := readAnswer(p.out)
	if err != nil {
		return reading{}, p.broken(err)
	}
	r := reading{texts: a.texts, took: a.wall, allocs: noAllocs}
	if p.clock == cpu {
		r.took = a.cpu
	}
	return r, nil
}

// broken ends the process and adds what it said.
func (p *peer) broken(err error) error {
	p.cmd.Process.Kill()
	p.wait()
	if said := p.says.String(); said != "" {
		return fmt.Errorf("%s: %w; it says: %s", p.cmd.Path, err, said)
	}
	return fmt.Errorf("%s: %w", p.cmd.Path, err)
}

// wait returns when the process has ended and all that it said is there.
func (p *peer) wait() error {
	if p.ended {
		return nil
	}
	p.ended = true
	p.stdin.Close()
	return p.cmd.Wait()
}

// Close ends the process, which ends itself when nothing more comes.
func (p *peer) Close() error {
	defer p.guard().Stop()
	return p.wait()
}

// A head keeps the first of what is written to it, which names the cause.
type head struct {
	lock sync.Mutex
	text []byte
}

func (h *head) Write(p []byte) (int, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	const most = 400
	h.text = append(h.text, p[:min(len(p), most-len(h.text))]...)
	return len(p), nil
}

func (h *head) String() string {
	h.lock.Lock()
	defer h.lock.Unlock()
	return strings.Join(strings.Fields(string(h.text)), " ")
}

package main

import (
	"context"
	"io"
	"net"
	"sync"
)

// A link is the line between the demo's gate and its region, and can be cut. Both ends are
// on this machine's loopback.
type link struct {
	listener net.Listener
	to       string // where the region listens

	mu   sync.Mutex
	down bool
	open map[net.Conn]bool
	done sync.WaitGroup
}

// newLink listens on a free port of the loopback. Where it carries things is set before the
// first connection comes.
func newLink(ctx context.Context) (*link, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &link{listener: listener, open: map[net.Conn]bool{}}
	l.done.Go(l.accept)
	return l, nil
}

func (l *link) address() string { return l.listener.Addr().String() }

func (l *link) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		if !l.keep(near) {
			near.Close()
			continue
		}
		l.done.Go(func() { l.carry(near) })
	}
}

// carry copies both ways until either end, or the link, closes.
func (l *link) carry(near net.Conn) {
	defer l.drop(near)
	far, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	if !l.keep(far) {
		far.Close()
		return
	}
	defer l.drop(far)
	var back sync.WaitGroup
	back.Go(func() {
		io.Copy(near, far)
		near.Close()
	})
	io.Copy(far, near)
	far.Close()
	back.Wait()
}

// keep takes note of a connection, unless the link is cut.
func (l *link) keep(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return false
	}
	l.open[c] = true
	return true
}

func (l *link) drop(c net.Conn) {
	l.mu.Lock()
	delete(l.open, c)
	l.mu.Unlock()
	c.Close()
}

// cut breaks every connection in the middle of whatever it carries, and takes no new one
// until mend.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for c := range l.open {
		c.Close()
	}
}

func (l *link) isCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down
}

func (l *link) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

func (l *link) close() {
	l.listener.Close()
	l.cut()
	l.done.Wait()
}

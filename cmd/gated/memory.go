package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/sync/site"
)

// openMemory begins to remember which codes let somebody in: at this gate, and with a site's
// key at the other gates of its site too. What the book says of the last hours comes first,
// so that a restart makes no code new.
func (g *gated) openMemory(ctx context.Context) error {
	g.memory = &site.Site{Gate: g.conf.Name, Now: func() time.Time { at, _ := g.clock.Now(); return at }, Logger: g.logger}
	if g.conf.Site.Listen == "" {
		g.memory.Key = make([]byte, siteKey) // nobody hears it
	} else if err := g.joinSite(); err != nil {
		return err
	}
	return g.recall(ctx)
}

const siteKey = 32 // bytes

func (g *gated) joinSite() error {
	text, err := daemon.ReadFile(g.conf.Site.Key, 1<<10)
	if err != nil {
		return err
	}
	if g.memory.Key, err = hex.DecodeString(strings.TrimSpace(string(text))); err != nil || len(g.memory.Key) != siteKey {
		return fmt.Errorf("%s: want %d bytes as hex, the same at all gates of the site", g.conf.Site.Key, siteKey)
	}
	for _, peer := range g.conf.Site.Peers {
		at, err := netip.ParseAddrPort(peer)
		if err != nil {
			return fmt.Errorf("site.peers: %q is no address and port", peer)
		}
		g.memory.Peers = append(g.memory.Peers, at)
	}
	at, err := g.memory.Listen(g.conf.Site.Listen)
	if err != nil {
		return err
	}
	g.logger.Info("site", "address", at.String(), "peers", len(g.memory.Peers))
	return nil
}

// recallRows is how many of the newest rows are looked at: a busy gate's last hours.
const recallRows = 10_000

// recall takes from the book who was let in within the memory's window. A guard's word on a
// passage counts as the gate's own does.
func (g *gated) recall(ctx context.Context) error {
	rows, err := g.book.Tail(ctx, recallRows)
	if err != nil {
		return fmt.Errorf("recall: %w", err)
	}
	at, _ := g.clock.Now()
	for _, p := range rows {
		if p.Verdict.Call == gatehouse.Admit && p.Clock && at.Sub(p.At) <= site.Window {
			g.memory.Seen(p.Code, p.At, p.Gate)
		}
	}
	return nil
}

// hear listens to the other gates until ctx ends. A gate whose ear fails goes on alone.
func (g *gated) hear(ctx context.Context) {
	if g.conf.Site.Listen == "" {
		return
	}
	if err := g.memory.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		g.logger.Error("site", "err", err, "hint", "the gate goes on with what it sees itself")
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/gate"
	"gatehouse/gate/console"
)

// errNotOpen answers a guard whose lane has not begun to work.
var errNotOpen = errors.New("the lane is not open yet")

// serveConsole puts the screens up before anything that can fail for long, so that people
// can read why a gate is closed.
func (g *gated) serveConsole(ctx context.Context, work *sync.WaitGroup) error {
	g.console = &console.Server{Gate: g.conf.Name, Version: version, Sound: g.conf.Console.Sound, Token: g.conf.Console.Token,
		Decide: g.decide, Status: g.status, Preview: g.eye.Preview, Logger: g.logger}
	for _, guard := range g.conf.Guards {
		g.console.Guards = append(g.console.Guards, console.Guard{Name: guard.Name, PIN: guard.PIN})
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", g.conf.Console.Listen)
	if err != nil {
		return fmt.Errorf("console: %w", err)
	}
	server := &http.Server{Handler: g.console, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	server.RegisterOnShutdown(g.console.Close)
	work.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			g.logger.Error("console", "err", err)
		}
	})
	work.Go(func() {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
		defer cancel()
		if server.Shutdown(last) != nil {
			server.Close()
		}
	})
	g.logger.Info("console", "address", "http://"+listener.Addr().String())
	return nil
}

// decide hands a guard's word to the lane.
func (g *gated) decide(ctx context.Context, d gate.Decision) (gatehouse.Passage, error) {
	lane := g.open.Load()
	if lane == nil {
		return gatehouse.Passage{}, errNotOpen
	}
	return lane.Decide(ctx, d)
}

// status is what the screens and the operator read of this gate, from memory.
func (g *gated) status() console.Status {
	st := console.Status{Gate: g.conf.Name, Version: version, Conditions: g.health.conditions(), TrustAge: -1}
	at, trusted := g.clock.Now()
	st.Clock = trusted
	if g.open.Load() == nil {
		st.Closed = true
		return st
	}
	if list := g.signed.trust.Current(); list != nil {
		st.TrustAge, st.TrustVersion = list.Age(at), fmt.Sprintf("%s/%d", list.Region, list.Version)
	}
	if r := g.signed.policy(); r.Version > 0 {
		st.Policy = r.Name()
	}
	if g.uplink != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		s := g.uplink.State(ctx)
		st.Queue = int(s.Queue)
		st.Linked = s.Error == "" && !s.Success.IsZero()
	}
	return st
}

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
func (g *gated) serveConsole(ctx context.Context, work *sync.WaitGroup) {
	g.console = &console.Server{Gate: g.conf.Name, Version: version, Sound: g.conf.Console.Sound, Blue: g.conf.Console.Blue, Token: g.conf.Console.Token,
		Decide: g.decide, Enter: g.enter, Ways: g.ways, Status: g.status, Preview: g.eye.Preview, Logger: g.logger}
	for _, guard := range g.conf.Guards {
		g.console.Guards = append(g.console.Guards, console.Guard{Name: guard.Name, PIN: guard.PIN})
	}
	server := &http.Server{Handler: g.console, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	server.RegisterOnShutdown(g.console.Close)
	listener := g.listen(ctx)
	work.Go(func() {
		for listener == nil {
			select {
			case <-ctx.Done():
				return
			case <-time.After(lookEvery):
				listener = g.listen(ctx)
			}
		}
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
}

// listen takes the console's address; nil while it cannot be had. The network's address may
// come later than the gate, which needs no screen to work.
func (g *gated) listen(ctx context.Context) net.Listener {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", g.conf.Console.Listen)
	if err != nil {
		if ctx.Err() == nil {
			g.logger.Error("console", "err", err, "hint", "the lane works without its screens; the address is tried again")
		}
		return nil
	}
	g.logger.Info("console", "address", "http://"+listener.Addr().String())
	return listener
}

// decide hands a guard's word to the lane.
func (g *gated) decide(ctx context.Context, d gate.Decision) (gatehouse.Passage, error) {
	lane := g.open.Load()
	if lane == nil {
		return gatehouse.Passage{}, errNotOpen
	}
	return lane.Decide(ctx, d)
}

// ways are the causes that the policy in force lets count.
func (g *gated) ways() (ways []gatehouse.Without) {
	if g.open.Load() == nil {
		return nil
	}
	at, _ := g.clock.Now()
	for _, m := range g.signed.inForce(at).Manual(at) {
		ways = append(ways, m.Without)
	}
	return ways
}

// enter hands over a guard's word for somebody who has no code.
func (g *gated) enter(ctx context.Context, e gate.Entry) (gatehouse.Passage, error) {
	lane := g.open.Load()
	if lane == nil {
		return gatehouse.Passage{}, errNotOpen
	}
	return lane.Enter(ctx, e)
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
	if set := g.signed.cache.Current(); set != nil {
		st.TrustAge, st.TrustVersion = set.Age(at), fmt.Sprint(set.Versions()["timestamp"])
	}
	p := g.signed.inForce(at)
	st.Policy, st.Trust = p.Name(), p.State(g.signed.cache.Age(at))
	if g.uplink != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		s := g.uplink.State(ctx)
		st.Queue = int(s.Queue)
		st.Linked = s.Error == "" && !s.Success.IsZero()
	}
	return st
}

package main

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"gatehouse/cmd/daemon"
	"gatehouse/firmware"
	"gatehouse/store"
	"gatehouse/sync/region"
)

// lastWords is how long uploads that are under way may take to end.
const lastWords = 10 * time.Second

// longestRead is how long the ledger may take to say how many rows it has.
const longestRead = 5 * time.Second

// ledger is the store's ledger in the region's words.
type ledger struct{ *store.Ledger }

func (l ledger) Gates(ctx context.Context) ([]region.Standing, error) {
	books, err := l.Ledger.Gates(ctx)
	standings := make([]region.Standing, len(books))
	for i, b := range books {
		standings[i] = region.Standing(b)
	}
	return standings, err
}

// sick reads what every delivery needs: a ledger that hangs takes nothing.
func (l ledger) sick(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, longestRead)
	defer cancel()
	_, err := l.Count(ctx)
	return err
}

// run serves one region until ctx ends.
func run(ctx context.Context, conf config, logger *slog.Logger) error {
	keys := map[string]crypto.PublicKey{}
	for _, g := range conf.Gates {
		key, err := gateKey(g.Key)
		if err != nil {
			return fmt.Errorf("gate %s: %w", g.Name, err)
		}
		keys[g.Name] = key
	}
	certificate, err := tls.LoadX509KeyPair(conf.Certificate, conf.Key)
	if err != nil {
		return err
	}
	books, err := store.OpenLedger(ctx, conf.Ledger)
	if err != nil {
		return err
	}
	defer books.Close()

	handler := (&region.Server{Ledger: ledger{books}, Token: conf.Token, Logger: logger,
		Keys: func(gate string) (crypto.PublicKey, bool) { k, ok := keys[gate]; return k, ok }}).Handler()
	server := region.HTTP(conf.Listen, handler)
	server.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelDebug)
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13}

	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", conf.Listen)
	if err != nil {
		return err
	}
	logger.Info("region is open", "address", "https://"+listener.Addr().String(), "region", conf.Region, "gates", len(keys), "version", version)
	if err := firmware.Notify("READY=1"); err != nil {
		logger.Warn("systemd", "err", err)
	}

	ctx, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
		defer cancel()
		if server.Shutdown(last) != nil {
			server.Close()
		}
	})
	work.Go(func() { daemon.Watch(ctx, ledger{books}.sick, logger) })
	err = server.ServeTLS(listener, "", "")
	stop()
	work.Wait()
	if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
		return nil
	}
	return err
}

package main

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/firmware"
	"gatehouse/store"
	"gatehouse/sync/region"
)

// lastWords is how long uploads that are under way may take to end.
const lastWords = 10 * time.Second

// longestPing is how long the ledger's writer may be busy with other deliveries.
const longestPing = 5 * time.Second

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

// sick asks for what every delivery needs, the ledger's writer: one that hangs takes nothing.
func (l ledger) sick(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, longestPing)
	defer cancel()
	return l.Ping(ctx)
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

	signed, closeSigned, err := openRepository(conf.Repository)
	if err != nil {
		return err
	}
	defer closeSigned()

	handler := (&region.Server{Ledger: ledger{books}, Token: conf.Token, Logger: logger, Trust: signed,
		Keys: func(gate string) (crypto.PublicKey, bool) { k, ok := keys[gate]; return k, ok }}).Handler()
	var codes *issuingPart
	if conf.Issuing != nil {
		if codes, err = openIssuing(ctx, *conf.Issuing, gatehouse.Issuer(conf.Region), logger); err != nil {
			return err
		}
		defer codes.people.Close()
		handler = codes.beside(handler)
	}
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

	var work sync.WaitGroup
	watch, stop := context.WithCancel(ctx)
	work.Go(func() { daemon.Watch(watch, ledger{books}.sick, logger) })
	if codes != nil {
		work.Go(func() { codes.run(watch) })
	}
	err = serve(ctx, server, listener)
	stop()
	work.Wait()
	return err
}

// openRepository opens the folder of signed files that gates fetch; nil where there is none to
// serve. A link in it leads nowhere outside.
func openRepository(dir string) (fs.FS, func() error, error) {
	if dir == "" {
		return nil, func() error { return nil }, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("repository: %w", err)
	}
	return root.FS(), root.Close, nil
}

// serve answers until ctx ends and uploads that are under way have. An error is a listener
// that broke: the region must not look as if it had been told to stop.
func serve(ctx context.Context, server *http.Server, listener net.Listener) error {
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
	err := server.ServeTLS(listener, "", "")
	stop()
	work.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"syscall"
	"testing"
)

// A broken listener has nothing to accept.
type broken struct{ net.Listener }

func (broken) Accept() (net.Conn, error) { return nil, syscall.EINVAL }

func TestRegionThatCannotListenDoesNotEndInPeace(t *testing.T) {
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := serve(t.Context(), &http.Server{TLSConfig: anyone()}, broken{listener}); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("ended with %v, want %v", err, syscall.EINVAL)
	}
}

func TestRegionStopsAsTold(t *testing.T) {
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := serve(ctx, &http.Server{TLSConfig: anyone()}, listener); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// anyone is a server's TLS that no handshake gets to.
func anyone() *tls.Config {
	return &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("none") }}
}

package uplink

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gatehouse/sync/wire"
)

// A StatusError is an answer of the region that is neither yes nor "not these rows".
type StatusError struct {
	Code       int
	Text       string        // the beginning of what the region wrote
	RetryAfter time.Duration // what it asked for; 0 when it did not
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("the region answers %d %s", e.Code, http.StatusText(e.Code))
	if e.Text != "" {
		text += ": " + e.Text
	}
	return text
}

// put sends a sealed batch and reads the answer to it.
func (u *Uplink) put(ctx context.Context, b wire.Batch, sealed []byte) (wire.Ack, error) {
	ctx, cancel := context.WithTimeout(ctx, or(u.Patience, time.Minute))
	defer cancel()
	target := strings.TrimRight(u.URL, "/") + wire.Path(b)
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, target, bytes.NewReader(sealed))
	if err != nil {
		return wire.Ack{}, err
	}
	if err := sealedWay(r.URL); err != nil {
		return wire.Ack{}, err
	}
	r.Header.Set("Content-Type", wire.ContentType)
	client := u.Client
	if client == nil {
		client = &http.Client{CheckRedirect: stay}
	}
	answer, err := client.Do(r)
	if err != nil {
		return wire.Ack{}, err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK, http.StatusConflict:
	default:
		return wire.Ack{}, statusError(answer)
	}
	ack, err := wire.ReadAck(answer.Body)
	if err != nil {
		return wire.Ack{}, err
	}
	// 409 without a reason, or 200 with one, is nobody's word.
	no := answer.StatusCode == http.StatusConflict
	if no != (ack.Error == wire.Gap || ack.Error == wire.Fork) || !no && ack.Error != "" {
		return wire.Ack{}, fmt.Errorf("the region answers %d with %q", answer.StatusCode, ack.Error)
	}
	return ack, nil
}

// sealedWay refuses plain HTTP beyond this machine: an answer that anybody on the way can
// write would move the mark over rows that the region never saw.
func sealedWay(to *url.URL) error {
	if to.Scheme == "https" || to.Hostname() == "localhost" {
		return nil
	}
	if ip, err := netip.ParseAddr(to.Hostname()); err == nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("region %s://%s: want https", to.Scheme, to.Host)
}

func statusError(answer *http.Response) *StatusError {
	e := &StatusError{Code: answer.StatusCode}
	text, err := io.ReadAll(io.LimitReader(answer.Body, 200))
	if err == nil {
		e.Text = strings.TrimSpace(strings.ToValidUTF8(string(text), ""))
	}
	if s, err := strconv.ParseUint(answer.Header.Get("Retry-After"), 10, 31); err == nil {
		e.RetryAfter = time.Duration(s) * time.Second
	}
	return e
}

// NewClient gives a client that trusts the certificates in pem, a region's own or that of
// its authority, and no others. It follows no redirection: rows go where the gate was told.
//
// now is the time by which certificates are judged; nil is the system's. A board whose clock
// woke up in 1970 knows better than that clock.
func NewClient(pem []byte, now func() time.Time) (*http.Client, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("region's certificate: no certificate in PEM")
	}
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig:        &tls.Config{RootCAs: roots, Time: now, MinVersion: tls.VersionTLS13},
			TLSHandshakeTimeout:    20 * time.Second,
			ResponseHeaderTimeout:  time.Minute,
			IdleConnTimeout:        2 * time.Minute,
			MaxResponseHeaderBytes: 16 << 10,
			MaxIdleConns:           2,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: stay,
	}, nil
}

// stay follows no redirection: the answer of another place would move the mark.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

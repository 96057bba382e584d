package site

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// Listen binds the address at which the other gates reach this one, and from which it
// speaks. It is called once, before Run.
func (s *Site) Listen(address string) (netip.AddrPort, error) {
	at, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("site: %w", err)
	}
	conn, err := net.ListenUDP("udp", at)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("site: %w", err)
	}
	s.mu.Lock()
	s.conn = conn
	s.mu.Unlock()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort(), nil
}

// Run hears the other gates until ctx ends. A word that is not of this site, or from a gate
// whose clock is far from this one's, is counted and passed over.
func (s *Site) Run(ctx context.Context) error {
	s.mu.Lock()
	conn := s.conn
	s.mu.Unlock()
	if conn == nil {
		return errors.New("site: Run before Listen")
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	var b [maxWord + 1]byte
	for {
		n, _, err := conn.ReadFromUDPAddrPort(b[:])
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("site: %w", err)
		case err != nil:
			continue // a neighbour that is switched off answers with an error, and that is all right
		}
		s.hear(b[:n])
	}
}

func (s *Site) hear(b []byte) {
	w, err := open(s.Key, b)
	if age := s.Now().Sub(w.at); err == nil && age < skew && age > -skew {
		s.keep(w)
		return
	}
	s.mu.Lock()
	s.refused++
	first := s.refused == 1
	s.mu.Unlock()
	if first && s.Logger != nil {
		s.Logger.Warn("site", "err", errWord, "hint", "a gate with another site's key, or with a wrong clock; said once, counted from here on")
	}
}

// Refused counts the datagrams that were passed over.
func (s *Site) Refused() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// send tells every peer, and waits for none: a datagram that is lost costs that one code
// may be used again at one gate.
func (s *Site) send(w word) {
	s.mu.Lock()
	conn := s.conn
	s.mu.Unlock()
	if conn == nil {
		return
	}
	b := w.seal(s.Key)
	for _, peer := range s.Peers {
		if _, err := conn.WriteToUDPAddrPort(b, peer); err != nil && s.Logger != nil {
			s.Logger.Debug("site", "peer", peer, "err", err)
		}
	}
}

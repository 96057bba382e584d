package site

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Listen binds the address at which the other gates reach this one, and from which it
// speaks. It is called once, before Run. A key that is none and a peer that cannot be
// reached from that address are errors here, since later nobody would hear of them.
func (s *Site) Listen(address string) (netip.AddrPort, error) {
	words, err := sealer(s.Key)
	if err != nil {
		return netip.AddrPort{}, err
	}
	at, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("site: %w", err)
	}
	own := at.AddrPort().Addr().Unmap()
	for _, peer := range s.Peers {
		there := peer.Addr().Unmap()
		if !peer.IsValid() || peer.Port() == 0 || there.IsUnspecified() ||
			own.IsValid() && !own.IsUnspecified() && own.Is4() != there.Is4() {
			return netip.AddrPort{}, fmt.Errorf("site: no peer %s can be told from %s", peer, address)
		}
	}
	conn, err := net.ListenUDP("udp", at)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("site: %w", err)
	}
	s.mu.Lock()
	s.conn, s.words = conn, words
	s.mu.Unlock()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort(), nil
}

// Run hears the other gates until ctx ends. A word that is not of this site, or from a gate
// whose clock is far from this one's, is counted and passed over.
func (s *Site) Run(ctx context.Context) error {
	s.mu.Lock()
	conn, words := s.conn, s.words
	s.mu.Unlock()
	if conn == nil {
		return errors.New("site: Run before Listen")
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	var b [wordSize + 1]byte // one more, so that what is longer shows
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
		s.hear(words, b[:n])
	}
}

func (s *Site) hear(words cipher.AEAD, b []byte) {
	w, err := open(words, b)
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
	conn, words := s.conn, s.words
	s.mu.Unlock()
	if conn == nil || len(s.Peers) == 0 {
		return
	}
	b := w.seal(words)
	if err := conn.SetWriteDeadline(time.Now().Add(sendLimit)); err != nil {
		return // closed: the gate is being stopped
	}
	for _, peer := range s.Peers {
		// A socket of IPv4 takes no address that is IPv4 in IPv6's clothes.
		to := netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())
		if _, err := conn.WriteToUDPAddrPort(b, to); err != nil && s.Logger != nil {
			s.Logger.Debug("site", "peer", peer, "err", err)
		}
	}
}

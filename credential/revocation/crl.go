package revocation

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gatehouse/credential"
)

const (
	maxCRL = 4 << 20 // bytes
	maxRID = 24      // characters
)

// A CRL is the list of an issuer of SMART Health Cards for one of its keys: the cards that it
// took back, and for some of them until when (SMART Health Cards Framework 1.4, "Revocation").
type CRL struct {
	Key     []byte // the key's RFC 7638 thumbprint
	Counter uint64 // how often the list was published; the issuer's key names the newest
	until   map[string]int64
}

// always is until when a card counts as taken back that is listed without a time.
const always = int64(1<<63 - 1)

// ReadCRL reads the JSON form: kid, method "rid", ctr and rids.
func ReadCRL(b []byte) (*CRL, error) {
	var (
		crl         CRL
		key, method string
		rids        []string
	)
	err := readObject(b, maxCRL, map[string]any{"kid": &key, "method": &method, "ctr": &crl.Counter, "rids": &rids})
	if err != nil {
		return nil, fmt.Errorf("card revocation list: %w", err)
	}
	if crl.Key, err = base64.RawURLEncoding.Strict().DecodeString(key); err != nil || len(crl.Key) != 32 {
		return nil, errors.New("card revocation list: kid: 32 bytes in base64url are due")
	}
	if method != "rid" {
		return nil, errors.New("card revocation list: a method that is not rid")
	}
	if crl.Counter == 0 {
		return nil, errors.New("card revocation list: ctr 0, the first is 1")
	}
	if rids == nil {
		return nil, errors.New("card revocation list: rids: a list is due")
	}
	crl.until = make(map[string]int64, len(rids))
	for i, entry := range rids {
		rid, until, err := readRID(entry)
		if err != nil {
			return nil, fmt.Errorf("card revocation list: rid %d: %w", i, err)
		}
		if _, twice := crl.until[rid]; twice {
			return nil, fmt.Errorf("card revocation list: rid %d: is there twice", i)
		}
		crl.until[rid] = until
	}
	return &crl, nil
}

// readRID takes an entry apart: an id, and behind a dot until when its cards were taken back.
func readRID(entry string) (rid string, until int64, err error) {
	rid, seconds, timed := strings.Cut(entry, ".")
	if len(rid) == 0 || len(rid) > maxRID {
		return "", 0, fmt.Errorf("%d characters, 1 to %d are due", len(rid), maxRID)
	}
	for _, r := range rid {
		if !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			return "", 0, errors.New("a character that base64url does not have")
		}
	}
	if !timed {
		return rid, always, nil
	}
	at, err := strconv.ParseUint(seconds, 10, 40)
	if err != nil {
		return "", 0, errors.New("a time in seconds since 1970 is due behind the dot")
	}
	return rid, int64(at), nil
}

// Newest refuses a list that is not of the number that the issuer's key names in crlVersion.
func (l *CRL) Newest(version uint64) error {
	if l.Counter != version {
		return fmt.Errorf("card revocation list: number %d, the key names %d", l.Counter, version)
	}
	return nil
}

// Len is the number of ids listed.
func (l *CRL) Len() int { return len(l.until) }

// Revoked tells whether the card with an id, which counts from nbf, was taken back. A card
// that does not say since when it counts was.
func (l *CRL) Revoked(rid string, nbf time.Time) bool {
	until, listed := l.until[rid]
	return listed && (until == always || nbf.IsZero() || nbf.Before(time.Unix(until, 0)))
}

// Standing tells whether a card of the list's key was taken back. A card whose whole second is
// the very one of the list is maybe revoked: its time may have been rounded up on the way.
func (l *CRL) Standing(code credential.Revocable) credential.Standing {
	until, listed := l.until[string(code.ID)]
	switch {
	case !listed || !bytes.Equal(l.Key, code.Key):
		return credential.InForce
	case l.Revoked(string(code.ID), code.Issued):
		return credential.Revoked
	case code.Issued.Equal(time.Unix(until, 0)):
		return credential.MaybeRevoked
	}
	return credential.InForce
}

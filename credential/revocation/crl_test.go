package revocation

import (
	"strings"
	"testing"
	"time"

	"gatehouse/credential"
)

const goodCRL = `{"kid":"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA","method":"rid","ctr":7,"rids":["Always_-1","Once.1600000000"]}`

func TestCardIsRevokedUntilItsTime(t *testing.T) {
	l, err := ReadCRL([]byte(goodCRL))
	if err != nil {
		t.Fatal(err)
	}
	if l.Len() != 2 || l.Newest(7) != nil || l.Newest(8) == nil || l.Newest(6) == nil {
		t.Errorf("%d cards in number %d", l.Len(), l.Counter)
	}
	until := time.Unix(1_600_000_000, 0)
	if l.Revoked("Once", until) || !l.Revoked("Once", until.Add(-1)) {
		t.Error("the second itself is not before the second")
	}
	for _, c := range []struct {
		rid  string
		nbf  time.Time
		want credential.Standing
	}{
		{"Always_-1", until.AddDate(9, 0, 0), credential.Revoked},
		{"Once", until.Add(-time.Second), credential.Revoked},
		{"Once", until.Add(-time.Millisecond), credential.Revoked},
		{"Once", until, credential.MaybeRevoked}, // may have been rounded up
		{"Once", until.Add(time.Millisecond), credential.InForce},
		{"Once", until.Add(time.Second), credential.InForce},
		{"Once", time.Time{}, credential.Revoked},
		{"Once.1600000000", until, credential.InForce},
		{"once", until.Add(-time.Second), credential.InForce},
		{"", time.Time{}, credential.InForce},
	} {
		card := credential.Revocable{Key: l.Key, Issued: c.nbf, ID: []byte(c.rid)}
		if got := l.Standing(card); got != c.want {
			t.Errorf("%q from %s: %d, want %d", c.rid, c.nbf, got, c.want)
		}
		card.Key = []byte("another key")
		if got := l.Standing(card); got != credential.InForce {
			t.Errorf("%q under another key: %d, want %d", c.rid, got, credential.InForce)
		}
	}
}

func TestCRLRefuses(t *testing.T) {
	for what, change := range map[string][2]string{
		"another method":      {`"rid",`, `"legacy",`},
		"no number":           {`"ctr":7`, `"ctr":0`},
		"number as a text":    {`"ctr":7`, `"ctr":"7"`},
		"broken number":       {`"ctr":7`, `"ctr":7.5`},
		"kid of another size": {`HyA"`, `"`},
		"rids of no list":     {`["Always_-1","Once.1600000000"]`, `null`},
		"rid of no text":      {`"Always_-1"`, `1`},
		"empty rid":           {`Always_-1`, ``},
		"time alone":          {`Once.`, `.`},
		"long rid":            {`Always_-1`, `AlwaysAlwaysAlwaysAlways1`},
		"foreign character":   {`Always_-1`, `Always=1`},
		"time of no number":   {`1600000000`, `soon`},
		"negative time":       {`1600000000`, `-1`},
		"time past all":       {`1600000000`, `99999999999999999999`},
		"two times":           {`1600000000`, `1.2`},
		"twice":               {`Always_-1`, `Once`},
		"a second list":       {`}`, `,"rids":[]}`},
	} {
		b := strings.Replace(goodCRL, change[0], change[1], 1)
		if b == goodCRL {
			t.Fatalf("%s: nothing was changed", what)
		}
		if _, err := ReadCRL([]byte(b)); err == nil {
			t.Errorf("%s: read", what)
		}
	}
}

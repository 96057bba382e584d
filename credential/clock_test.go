package credential

import (
	"crypto"
	"testing"
	"time"

	"gatehouse"
)

// TestClockEdges holds every format to the second. Our own have a minute's grace at their
// beginning, since they are shown when they are made; nobody has any at the end.
func TestClockEdges(t *testing.T) {
	key := testKey(t, "clock")
	issue := func(format string) string {
		c := typical()
		if format == "TTC1" {
			c = travelled()
		}
		c.Format = format
		text, err := Issue(key, c)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	both := dccClaims(vaccinated())
	both[5] = noon.Unix() // counts later than it was issued
	issued := noon.AddDate(0, 0, -1)
	later := leastCWT()
	later[4], later[5] = noon.Unix()+3600, noon.Unix()+600
	native := func(cwt map[int64]any) string {
		return "RHC1:" + encodeBase45(signedMessage(t, key, headOf(t, key), nil, mustCBOR(t, cwt)))
	}
	for name, c := range map[string]struct {
		text   string
		begins time.Time
		slack  time.Duration
		ends   time.Time
	}{
		"RHC1":            {issue("RHC1"), noon, time.Minute, noon.AddDate(0, 0, 1)},
		"RHC1 with a nbf": {native(later), noon.Add(10 * time.Minute), time.Minute, noon.Add(time.Hour)},
		"RHC2":            {issue("RHC2"), noon, time.Minute, noon.AddDate(0, 0, 1)},
		"TTC1":            {issue("TTC1"), noon, time.Minute, noon.AddDate(0, 0, 1)},
		"DCC":             {dccText(t, key, dccClaims(vaccinated())), issued, 0, noon.Add(180 * 24 * time.Hour)},
		"DCC with a nbf":  {dccText(t, key, both), noon, 0, noon.Add(180 * 24 * time.Hour)},
		"NZCP":            {nzcpText(t, key, ringOf(t, "", key.Public())[0].ID, nzcpClaims()), issued, 0, noon.AddDate(0, 6, 0)},
	} {
		ring := ringOf(t, "", key.Public())
		ring[0].AnyIssuer = true
		for _, step := range []struct {
			at   time.Time
			want gatehouse.Reason
		}{
			{c.begins.Add(-c.slack - time.Second), gatehouse.ReasonNotYetValid},
			{c.begins.Add(-c.slack - 1), gatehouse.ReasonNotYetValid},
			{c.begins.Add(-c.slack), ""},
			{c.begins, ""},
			{c.begins.Add(time.Second), ""},
			{c.ends.Add(-time.Second), ""},
			{c.ends, ""},
			{c.ends.Add(1), gatehouse.ReasonExpired},
			{c.ends.Add(time.Second), gatehouse.ReasonExpired},
			{time.Unix(0, 0), gatehouse.ReasonNotYetValid},
			{time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC), gatehouse.ReasonExpired},
		} {
			_, err := Verifier{Keys: ring}.Verify(c.text, step.at)
			if step.want == "" {
				if err != nil {
					t.Errorf("%s at %s: %v", name, step.at, err)
				}
			} else if reasonOf(t, err) != step.want {
				t.Errorf("%s at %s: got %v, want %s", name, step.at, err, step.want)
			}
		}
	}
}

// TestKeyHasNoGrace: what a list says of a key's time holds to the second.
func TestKeyHasNoGrace(t *testing.T) {
	var key crypto.Signer = testKey(t, "clock")
	text, err := Issue(key, typical())
	if err != nil {
		t.Fatal(err)
	}
	ring := ringOf(t, "CN", key.Public())
	ring[0].NotBefore, ring[0].NotAfter = noon, noon.Add(time.Hour)
	for at, want := range map[time.Time]gatehouse.Reason{
		noon.Add(-1):            gatehouse.ReasonKeyWithdrawn,
		noon:                    "",
		noon.Add(time.Hour):     "",
		noon.Add(time.Hour + 1): gatehouse.ReasonKeyWithdrawn,
	} {
		_, err := Verifier{Keys: ring}.Verify(text, at)
		if want == "" {
			if err != nil {
				t.Errorf("at %s: %v", at, err)
			}
		} else if reasonOf(t, err) != want {
			t.Errorf("at %s: got %v, want %s", at, err, want)
		}
	}
}

package site

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	noon = time.Date(2020, 7, 10, 12, 0, 0, 0, time.UTC)
	key  = bytes.Repeat([]byte{7}, 32)
)

func alone() *Site { return &Site{Gate: "north", Key: key, Now: func() time.Time { return noon }} }

func pass(code, holder string, g gatehouse.Grade) gatehouse.Pass {
	return gatehouse.Pass{Code: code, Grade: g, Holder: gatehouse.Holder{Tag: holder}}
}

func TestCodeThatLetSomebodyInIsRemembered(t *testing.T) {
	for _, c := range []struct {
		name string
		call gatehouse.Call
		code string
		gap  time.Duration
		seen bool
	}{
		{"admitted", gatehouse.Admit, "c0de", time.Minute, true},
		{"referred: the same person tries again", gatehouse.Refer, "c0de", time.Minute, false},
		{"another code", gatehouse.Admit, "beef", time.Minute, false},
		{"yesterday evening", gatehouse.Admit, "c0de", 20 * time.Hour, true},
		{"the last instant", gatehouse.Admit, "c0de", Window, true},
		{"past its window", gatehouse.Admit, "c0de", Window + time.Millisecond, false},
		{"the clock was set back", gatehouse.Admit, "c0de", -time.Hour, false},
	} {
		s := alone()
		s.Remember(pass(c.code, "", gatehouse.Green), c.call, noon)
		h := s.Recall(pass("c0de", "", gatehouse.Green), noon.Add(c.gap))
		if got := !h.Seen.IsZero(); got != c.seen {
			t.Errorf("%s: seen %v, want %v", c.name, got, c.seen)
		}
		if c.seen && (!h.Seen.Equal(noon) || h.SeenAt != "north") {
			t.Errorf("%s: history %+v", c.name, h)
		}
	}
}

func TestColourOfTheSameHolderIsRemembered(t *testing.T) {
	s := alone()
	s.Remember(pass("1", "aa", gatehouse.Yellow), gatehouse.Refer, noon)
	s.Remember(pass("2", "aa", gatehouse.Green), gatehouse.Admit, noon.Add(time.Hour))
	s.Remember(pass("3", "", gatehouse.Red), gatehouse.Deny, noon.Add(time.Hour)) // a code without a holder is nobody's
	at := noon.Add(2 * time.Hour)
	if h := s.Recall(pass("4", "aa", gatehouse.Red), at); h.Grade != gatehouse.Green || !h.Graded.Equal(noon.Add(time.Hour)) {
		t.Errorf("history %+v, want green an hour ago", h)
	}
	for _, other := range []string{"", "bb"} {
		if h := s.Recall(pass("4", other, gatehouse.Red), at); h != (gatehouse.History{}) {
			t.Errorf("holder %q: %+v, want nothing", other, h)
		}
	}
}

func TestOneDaysTagsAreNothingOnAnother(t *testing.T) {
	s := alone()
	if s.tag(kindCode, "c0de", noon) == s.tag(kindCode, "c0de", noon.AddDate(0, 0, 1)) {
		t.Error("a code keeps its tag overnight")
	}
	if s.tag(kindCode, "c0de", noon) == s.tag(kindHolder, "c0de", noon) {
		t.Error("a holder can be taken for a code")
	}
	if b := (word{kind: kindCode, tag: s.tag(kindCode, "c0de", noon), visit: visit{at: noon, gate: "north"}}).seal(key); bytes.Contains(b, []byte("c0de")) {
		t.Error("the code's own tag travels")
	}
}

func TestFloodOfWordsTakesNoMemory(t *testing.T) {
	s := alone()
	for i := range most + most/4 {
		s.keep(word{kind: kindCode, tag: tag{byte(i), byte(i >> 8), byte(i >> 16)}, visit: visit{at: noon}})
	}
	if n := len(s.codes); n > most {
		t.Errorf("%d remembered, at most %d", n, most)
	}
}

func TestOlderWordNeverDisplacesANewerOne(t *testing.T) {
	s := alone()
	s.Seen("c0de", noon, "north")
	s.Seen("c0de", noon.Add(-time.Hour), "south")
	if h := s.Recall(pass("c0de", "", gatehouse.Green), noon); !h.Seen.Equal(noon) || h.SeenAt != "north" {
		t.Errorf("history %+v", h)
	}
}

func TestWordOfAStrangerIsPassedOver(t *testing.T) {
	good := word{kind: kindCode, tag: alone().tag(kindCode, "c0de", noon), visit: visit{at: noon, gate: "south"}}
	late := good
	late.at = noon.Add(-skew)
	early := good
	early.at = noon.Add(skew)
	strange := good
	strange.kind = 3
	flipped := good.seal(key)
	flipped[20] ^= 1
	for name, b := range map[string][]byte{
		"nothing":            {},
		"another site's key": good.seal(bytes.Repeat([]byte{8}, 32)),
		"one bit":            flipped,
		"cut off":            good.seal(key)[:40],
		"a replay of hours":  late.seal(key),
		"from the future":    early.seal(key),
		"a kind of tomorrow": strange.seal(key),
		"longer than a word": append(good.seal(key), make([]byte, 100)...),
	} {
		s := alone()
		s.hear(b)
		if h := s.Recall(pass("c0de", "", gatehouse.Green), noon); !h.Seen.IsZero() || s.Refused() != 1 {
			t.Errorf("%s: history %+v, %d refused", name, h, s.Refused())
		}
	}
	s := alone()
	s.hear(good.seal(key))
	if h := s.Recall(pass("c0de", "", gatehouse.Green), noon); h.SeenAt != "south" || s.Refused() != 0 {
		t.Errorf("a good word: %+v, %d refused", h, s.Refused())
	}
}

// TestGatesOfASiteTellEachOther has three gates on the loopback, one of them switched off.
func TestGatesOfASiteTellEachOther(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	gates := []*Site{{Gate: "north"}, {Gate: "south"}}
	off, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	peers := []netip.AddrPort{off.LocalAddr().(*net.UDPAddr).AddrPort()}
	off.Close()
	for _, g := range gates {
		g.Key, g.Now = key, func() time.Time { return noon }
		at, err := g.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		peers = append(peers, at)
	}
	for _, g := range gates {
		g.Peers = peers
		work.Go(func() {
			if err := g.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	// Datagrams may be lost, also on the loopback: the word is said until it was heard.
	for i := 0; gates[1].Recall(pass("c0de", "", gatehouse.Green), noon).SeenAt != "north"; i++ {
		if ctx.Err() != nil {
			t.Fatal("the test's time is up and nothing was heard")
		}
		gates[0].Remember(pass("c0de", fmt.Sprint(i), gatehouse.Green), gatehouse.Admit, noon)
		runtime.Gosched()
	}
	if n := gates[0].Refused() + gates[1].Refused(); n != 0 {
		t.Errorf("%d words refused", n)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add((word{kind: kindHolder, visit: visit{at: noon, gate: "south", grade: gatehouse.Red}}).seal(key))
	f.Add((word{kind: kindCode, visit: visit{at: noon}}).seal(key))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, body []byte) {
		// Also what is behind a good mac is a neighbour's, who may be broken.
		for _, b := range [][]byte{body, mac(key, body).Sum(bytes.Clone(body))} {
			w, err := open(key, b)
			if err == nil && !bytes.Equal(w.seal(key), b) {
				t.Errorf("%x opens as %+v, which is %x", b, w, w.seal(key))
			}
		}
	})
}

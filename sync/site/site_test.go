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
	s.Remember(pass("2", "aa", gatehouse.Green), gatehouse.Refer, noon.Add(time.Minute))
	if h := s.Recall(pass("2", "aa", gatehouse.Green), noon.Add(2*time.Minute)); h.Grade != gatehouse.Yellow {
		t.Errorf("a green code that let nobody in, shown once more: %+v, want yellow", h)
	}
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
}

func TestWhoListensWithoutTheKeyLearnsNothing(t *testing.T) {
	words, err := sealer(key)
	if err != nil {
		t.Fatal(err)
	}
	seen := word{at: noon, gate: "north"}
	let := word{at: noon, gate: "north-east-7", code: tag{1}, holder: tag{2}, grade: gatehouse.Red}
	first, again, other := let.seal(words), let.seal(words), seen.seal(words)
	if len(first) != wordSize || len(other) != wordSize {
		t.Errorf("words of %d and %d bytes, want %d: the length tells", len(first), len(other), wordSize)
	}
	if bytes.Equal(first, again) {
		t.Error("the same word twice is the same datagram: who comes back can be told")
	}
	for _, told := range [][]byte{let.body(), []byte("north"), let.code[:], let.holder[:]} {
		if bytes.Contains(first, told) {
			t.Errorf("%x travels in the clear", told)
		}
	}
}

func TestCodeShownAroundMidnightIsRemembered(t *testing.T) {
	midnight := time.Date(2020, 7, 11, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name     string
		let, now time.Duration // from midnight
	}{
		{"before and after", -time.Minute, time.Minute},
		{"at a gate whose clock is ahead, already tomorrow", time.Minute, -time.Minute},
		{"almost a day later", -time.Minute, Window - 2*time.Minute},
	} {
		s := alone()
		s.Seen("c0de", midnight.Add(c.let), "south")
		if h := s.Recall(pass("c0de", "", gatehouse.Green), midnight.Add(c.now)); h.Seen.IsZero() {
			t.Errorf("%s: not remembered", c.name)
		}
	}
}

func TestClockThatWasAheadLetsNobodyInTwice(t *testing.T) {
	now := noon.Add(6 * time.Hour)
	s := &Site{Gate: "north", Key: key, Now: func() time.Time { return now }}
	s.Remember(pass("c0de", "", gatehouse.Green), gatehouse.Admit, now)
	now = noon // set right
	s.Remember(pass("c0de", "", gatehouse.Green), gatehouse.Admit, now)
	if h := s.Recall(pass("c0de", "", gatehouse.Green), now.Add(time.Minute)); !h.Seen.Equal(noon) {
		t.Errorf("history %+v, want seen at %v", h, noon)
	}
}

func TestFloodOfWordsTakesNoMemory(t *testing.T) {
	s := alone()
	for i := range most + most/4 {
		t := tag{byte(i), byte(i >> 8), byte(i >> 16), 1}
		s.keep(word{code: t, holder: t, at: noon})
	}
	if n := max(len(s.codes), len(s.holders)); n > most {
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
	words, err := sealer(key)
	if err != nil {
		t.Fatal(err)
	}
	strangers, err := sealer(bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	good := word{code: alone().tag(kindCode, "c0de", noon), at: noon, gate: "south"}
	late := good
	late.at = noon.Add(-skew)
	early := good
	early.at = noon.Add(skew)
	strange := good
	strange.grade = gatehouse.Grey + 1
	lines := good
	lines.gate = "a\nb"
	flipped := good.seal(words)
	flipped[20] ^= 1
	for name, b := range map[string][]byte{
		"nothing":            {},
		"another site's key": good.seal(strangers),
		"one bit":            flipped,
		"cut off":            good.seal(words)[:40],
		"a replay of hours":  late.seal(words),
		"from the future":    early.seal(words),
		"a colour of none":   strange.seal(words),
		"a name of lines":    lines.seal(words),
		"longer than a word": append(good.seal(words), make([]byte, 100)...),
	} {
		s := alone()
		s.hear(words, b)
		if h := s.Recall(pass("c0de", "", gatehouse.Green), noon); !h.Seen.IsZero() || s.Refused() != 1 {
			t.Errorf("%s: history %+v, %d refused", name, h, s.Refused())
		}
	}
	s := alone()
	s.hear(words, good.seal(words))
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

func TestListenRefusesWhatNobodyWouldHearOf(t *testing.T) {
	for _, c := range []struct {
		name, own string
		key       []byte
		peer      string
		fails     bool
	}{
		{"no key", "127.0.0.1:0", nil, "127.0.0.1:9", true},
		{"a short key", "127.0.0.1:0", key[:16], "127.0.0.1:9", true},
		{"no port", "127.0.0.1:0", key, "127.0.0.1:0", true},
		{"anybody", "127.0.0.1:0", key, "0.0.0.0:9", true},
		{"IPv6 from IPv4", "127.0.0.1:0", key, "[::1]:9", true},
		{"IPv4 from IPv4", "127.0.0.1:0", key, "127.0.0.1:9", false},
		{"IPv4 in IPv6's clothes", "127.0.0.1:0", key, "[::ffff:127.0.0.1]:9", false},
		{"IPv4 from all", ":0", key, "127.0.0.1:9", false},
	} {
		s := alone()
		s.Key, s.Peers = c.key, []netip.AddrPort{netip.MustParseAddrPort(c.peer)}
		_, err := s.Listen(c.own)
		if (err != nil) != c.fails {
			t.Errorf("%s: %v, want an error: %v", c.name, err, c.fails)
		}
		if s.conn != nil {
			s.conn.Close()
		}
	}
}

// TestPeerIsToldAtAnyAddressOfIts has a peer that is written as IPv4 in IPv6's clothes, and
// the gate hear its own word, as one does that stands in its own list.
func TestPeerIsToldAtAnyAddressOfIts(t *testing.T) {
	ear, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer ear.Close()
	if err := ear.SetReadDeadline(time.Now().Add(time.Minute)); err != nil { // a word that never comes ends the test
		t.Fatal(err)
	}
	s := alone()
	port := ear.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	s.Peers = []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("::ffff:127.0.0.1"), port)}
	if _, err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer s.conn.Close()
	s.Remember(pass("c0de", "", gatehouse.Green), gatehouse.Admit, noon)
	b := make([]byte, 2*wordSize)
	n, err := ear.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	s.hear(s.words, b[:n])
	if h := s.Recall(pass("c0de", "", gatehouse.Green), noon); n != wordSize || s.Refused() != 0 || h.SeenAt != "north" {
		t.Errorf("%d bytes, %d refused, history %+v", n, s.Refused(), h)
	}
}

func FuzzRead(f *testing.F) {
	f.Add((word{holder: tag{1}, at: noon, gate: "south", grade: gatehouse.Red}).body())
	f.Add((word{at: noon}).body())
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := read(b)
		if err == nil && !bytes.Equal(w.body(), b) {
			t.Errorf("%x reads as %+v, which is %x", b, w, w.body())
		}
	})
}

func FuzzOpen(f *testing.F) {
	words, err := sealer(key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add((word{code: tag{1}, at: noon, gate: "south"}).seal(words))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if w, err := open(words, b); err == nil && len(b) != wordSize {
			t.Errorf("%x opens as %+v", b, w)
		}
	})
}

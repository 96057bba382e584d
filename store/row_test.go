package store

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"gatehouse"
)

// full is a passage that uses every field.
func full() gatehouse.Passage {
	return gatehouse.Passage{
		Seq: 7, Gate: "hall-east", At: time.Date(2026, 3, 14, 9, 26, 53, 589_000_000, time.UTC), Amends: 6,
		Verdict: gatehouse.Verdict{Call: gatehouse.Admit, Reason: gatehouse.ReasonGuard, Detail: "instead of refer T41", Policy: "CN-330100/7",
			Trust: gatehouse.TrustStale, Rule: "travel-14", Here: gatehouse.Yellow, Agreement: "four provinces, May 2020"},
		Format: "RHC1", Issuer: "CN-330100", KeyID: "0a1b2c3d4e5f6071", Code: "9f86d081884c7d65", Grade: gatehouse.Green,
		Class: gatehouse.Place | gatehouse.Health, Age: -90 * time.Second, Second: "TTC1", Without: gatehouse.OnPaper,
		Skin:  gatehouse.Measurement{Skin: 36_600, Ambient: -4_250, Quality: gatehouse.Unsteady, Readings: 5, Sensor: "mlx90614@5a"},
		Guard: "post 2", Note: "measured by hand, 36.4 °C", TrustAge: 26 * time.Hour, Clock: true, Took: 184_250 * time.Microsecond,
	}
}

func TestDecodeGivesBackWhatWasEncoded(t *testing.T) {
	early := gatehouse.Passage{Seq: 1, Gate: "g"} // a zero time is one too
	before1970 := gatehouse.Passage{Seq: math.MaxInt64, Gate: "a.b_c-1", At: time.Unix(-1, 0).UTC(), TrustAge: -time.Hour, Took: -time.Second}
	before1970.Skin.Skin = math.MinInt32
	for _, want := range []gatehouse.Passage{early, before1970, full()} {
		b, err := Encode(want)
		if err != nil {
			t.Fatalf("encode %+v: %v", want, err)
		}
		got, err := Decode(b)
		if err != nil {
			t.Fatalf("decode %x: %v", b, err)
		}
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestEncodeRefusesWhatNoBookHolds(t *testing.T) {
	for name, spoil := range map[string]func(*gatehouse.Passage){
		"no number":       func(p *gatehouse.Passage) { p.Seq, p.Amends = 0, 0 },
		"huge number":     func(p *gatehouse.Passage) { p.Seq = math.MaxInt64 + 1 },
		"no gate":         func(p *gatehouse.Passage) { p.Gate = "" },
		"gate is a path":  func(p *gatehouse.Passage) { p.Gate = "../g" },
		"amends itself":   func(p *gatehouse.Passage) { p.Amends = p.Seq },
		"year 10000":      func(p *gatehouse.Passage) { p.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"long detail":     func(p *gatehouse.Passage) { p.Verdict.Detail = strings.Repeat("x", 513) },
		"not UTF-8":       func(p *gatehouse.Passage) { p.Note = "\xff" },
		"no such call":    func(p *gatehouse.Passage) { p.Verdict.Call = 4 },
		"no such grade":   func(p *gatehouse.Passage) { p.Grade = 5 },
		"no such quality": func(p *gatehouse.Passage) { p.Skin.Quality = 4 },
		"no such trust":   func(p *gatehouse.Passage) { p.Verdict.Trust = 3 },
		"no such colour":  func(p *gatehouse.Passage) { p.Verdict.Here = 5 },
		"no such class":   func(p *gatehouse.Passage) { p.Class = 8 },
		"no such cause":   func(p *gatehouse.Passage) { p.Without = 4 },
		"long rule":       func(p *gatehouse.Passage) { p.Verdict.Rule = strings.Repeat("x", 65) },
	} {
		p := full()
		spoil(&p)
		if b, err := Encode(p); err == nil {
			t.Errorf("%s: encoded as %x", name, b)
		}
	}
}

func TestDecodeTakesOneEncodingOnly(t *testing.T) {
	good := "a301010261670300" // {1: 1, 2: "g", 3: 0}
	for name, row := range map[string]string{
		"nothing":           "",
		"an array":          "83010203",
		"trailing byte":     good + "00",
		"indefinite map":    "bf010102616703" + "00ff",
		"unknown key":       "a40101026167030018" + "2001",
		"text key":          "a40101026167030061" + "6101",
		"key twice":         "a401010101026167" + "0300",
		"keys out of order": "a30261670101" + "0300",
		"long number":       "a30118010261670300",
		"zero spelled out":  "a4010102616703000400",
		"float":             "a30101026167" + "03f90000",
		"tag":               "a30101026167" + "03c100",
		"call 9":            "a4010102616703000509",
		"seq above int64":   "a3011bffffffffffffffff0261670300",
		"negative seq":      "a301200261670300",
		"readings 65536":    "a401010261670300" + "111a00010000",
		"text not UTF-8":    "a401010261670300" + "0661ff",
		"deep":              "a401010261670300" + "18188181818181818100",
	} {
		b, err := hex.DecodeString(row)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if p, err := Decode(b); err == nil {
			t.Errorf("%s: decoded as %+v", name, p)
		}
	}
	b, _ := hex.DecodeString(good)
	if _, err := Decode(b); err != nil {
		t.Errorf("the good row: %v", err)
	}
	if _, err := Decode(make([]byte, MaxRow+1)); err == nil || !strings.Contains(err.Error(), "4097 bytes") {
		t.Errorf("a row beyond the limit: %v", err)
	}
}

// Whatever a stranger's code claims, the passage about it can be written down.
func TestFittedPassageCanAlwaysBeEncoded(t *testing.T) {
	p := full()
	for _, wild := range []string{strings.Repeat("长", 4000), strings.Repeat("\xe9\x95", 900), "\x00\xff\xfe" + strings.Repeat("a", 600)} {
		p.Verdict.Detail, p.Verdict.Policy, p.Format, p.Issuer = wild, wild, wild, gatehouse.Issuer(wild)
		p.KeyID, p.Code, p.Skin.Sensor, p.Guard, p.Note = wild, wild, wild, wild, wild
		p.Skin.Readings = -3
		got := fit(p)
		b, err := Encode(got)
		if err != nil {
			t.Fatalf("%.12q: %v", wild, err)
		}
		if len(b) > MaxRow {
			t.Errorf("%.12q: row of %d bytes", wild, len(b))
		}
	}
	if got, want := cut("ab长", 4), "ab"; got != want {
		t.Errorf("cut in a character: %q, want %q", got, want)
	}
	if got, want := cut("ab长", 5), "ab长"; got != want {
		t.Errorf("cut after a character: %q, want %q", got, want)
	}
}

// The golden file stands with the wire's tests; this checks the rows and the chain in it.
func TestGoldenRows(t *testing.T) {
	text, err := os.ReadFile("../sync/wire/testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Gate, Epoch, Genesis string
		Rows                 []struct{ Diagnostic, CBOR, Hash string }
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	passages := goldenPassages()
	if len(golden.Rows) != len(passages) {
		t.Fatalf("%d rows, want %d", len(golden.Rows), len(passages))
	}
	epoch, err := hex.DecodeString(golden.Epoch)
	if err != nil || len(epoch) != 16 {
		t.Fatalf("epoch %q: %v", golden.Epoch, err)
	}
	hash := Genesis(golden.Gate, Epoch(epoch))
	if got := hex.EncodeToString(hash[:]); got != golden.Genesis {
		t.Errorf("genesis %s, want %s", got, golden.Genesis)
	}
	for i, want := range golden.Rows {
		row, err := Encode(passages[i])
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(row); got != want.CBOR {
			t.Errorf("row %d is %s, want %s", i+1, got, want.CBOR)
		}
		if got, err := cbor.Diagnose(row); err != nil || got != want.Diagnostic {
			t.Errorf("row %d reads %s (%v), want %s", i+1, got, err, want.Diagnostic)
		}
		hash = Link(hash, row)
		if got := hex.EncodeToString(hash[:]); got != want.Hash {
			t.Errorf("hash %d is %s, want %s", i+1, got, want.Hash)
		}
	}
}

func goldenPassages() []gatehouse.Passage {
	at := time.Date(2026, 3, 14, 9, 26, 53, 589_000_000, time.UTC)
	admitted := gatehouse.Passage{
		Seq: 1, Gate: "hall-east", At: at, Clock: true, TrustAge: 26 * time.Hour, Took: 184_250 * time.Microsecond,
		Verdict: gatehouse.Verdict{Call: gatehouse.Admit, Policy: "CN-330100/7"},
		Format:  "RHC1", Issuer: "CN-330100", KeyID: "0a1b2c3d4e5f6071", Code: "9f86d081884c7d65", Grade: gatehouse.Green,
		Skin: gatehouse.Measurement{Skin: 36_600, Ambient: 21_300, Quality: gatehouse.Steady, Readings: 5, Sensor: "mlx90614@5a"},
	}
	denied := gatehouse.Passage{Seq: 2, Gate: "hall-east", At: at.Add(3 * time.Second), Clock: true, Format: "DCC",
		Verdict: gatehouse.Verdict{Call: gatehouse.Deny, Reason: gatehouse.ReasonBadSignature, Detail: "signature does not match"}}
	unset := gatehouse.Passage{Seq: 3, Gate: "hall-east", At: time.Unix(12, 0), // a clock that nobody has set
		Verdict: gatehouse.Verdict{Call: gatehouse.Refer, Reason: gatehouse.ReasonClock}}
	guard := full()
	guard.Seq, guard.Amends = 4, 3
	guard.Verdict = gatehouse.Verdict{Call: gatehouse.Admit, Reason: gatehouse.ReasonGuard, Detail: "instead of refer T41", Policy: "CN-330100/7"}
	guard.Class, guard.Age, guard.Second, guard.Without = 0, 0, "", 0
	return []gatehouse.Passage{admitted, denied, unset, guard}
}

func FuzzDecode(f *testing.F) {
	for _, p := range append(goldenPassages(), full()) {
		b, err := Encode(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Encode(p)
		if err != nil || string(again) != string(b) {
			t.Fatalf("%x decodes to %+v, which is %x (%v)", b, p, again, err)
		}
		if !utf8.ValidString(p.Verdict.Detail) || p.Seq == 0 || p.Verdict.Call > gatehouse.Hint {
			t.Fatalf("%x decodes to %+v", b, p)
		}
		if _, err := json.Marshal(p.At); err != nil {
			t.Fatalf("%x: %v", b, err)
		}
	})
}

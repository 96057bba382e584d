package credential

import (
	"bytes"
	"compress/flate"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// fullest is a code with many travels, which is where deflate helps.
func fullest() Claims {
	c := typical()
	c.Facts = append(repeat(c.Facts[0], 10), repeat(c.Facts[3], 14)...)
	return c
}

func TestShorterTextIsIssued(t *testing.T) {
	key := testKey(t, "hangzhou")
	for name, c := range map[string]struct {
		claims Claims
		want   string
	}{
		"little to pack": {Claims{Issuer: "CN-33", Issued: noon, Expires: noon.Add(time.Hour), ID: []byte("twelve bytes"), Grade: gatehouse.Green}, "RHC1:"},
		"much alike":     {fullest(), "RHC2:"},
	} {
		texts := map[string]string{}
		for _, format := range []string{"", "RHC1", "RHC2"} {
			c.claims.Format = format
			text, err := Issue(key, c.claims)
			if err != nil {
				t.Fatal(err)
			}
			if format != "" && !strings.HasPrefix(text, format+":") {
				t.Errorf("%s: told %s, got %.5s", name, format, text)
			}
			texts[format] = text
		}
		if !strings.HasPrefix(texts[""], c.want) || len(texts[""]) != min(len(texts["RHC1"]), len(texts["RHC2"])) {
			t.Errorf("%s: got %.5s of %d characters, want %s; RHC1 has %d, RHC2 %d", name, texts[""], len(texts[""]), c.want, len(texts["RHC1"]), len(texts["RHC2"]))
		}
	}
}

func TestPackedCodeSaysTheSame(t *testing.T) {
	for name, key := range nativeSigners(t) {
		ring := ringOf(t, "CN-330100", key.Public())
		var said []*told
		for _, format := range []string{"RHC1", "RHC2"} {
			c := typical()
			c.Format = format
			text, err := Issue(key, c)
			if err != nil {
				t.Fatal(err)
			}
			pass, err := Verifier{Keys: ring}.Verify(text, noon)
			if err != nil || pass.Format != format {
				t.Fatalf("%s: got %s, %v, want %s", name, pass.Format, err, format)
			}
			pass.Format = ""
			said = append(said, inWords(t, pass))
		}
		sameWords(t, name, said[0], said[1])
	}
}

// packed signs whatever payload as a RHC2.
func packed(t testing.TB, payload []byte) string {
	t.Helper()
	key := testKey(t, "hangzhou")
	return "RHC2:" + encodeBase45(signedMessage(t, key, headOf(t, key), nil, payload))
}

func rawDeflated(t testing.TB, b []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func leastCWT() map[int64]any {
	return map[int64]any{1: "CN-330100", 4: noon.Unix() + 60, 6: noon.Unix(), 7: []byte("twelve bytes"),
		-70001: map[int64]any{1: 1, 2: map[int64]any{}, 3: 0}}
}

func TestOnlyWhatIsDeflatedIsRHC2(t *testing.T) {
	plain := mustCBOR(t, leastCWT())
	good := rawDeflated(t, plain, flate.BestCompression)
	long := leastCWT()
	long[4] = noon.Unix() + 24*60*60 + 1
	ring := ringOf(t, "CN-330100", testKey(t, "hangzhou").Public())
	for name, c := range map[string]struct {
		payload []byte
		stage   string // empty: verifies
	}{
		"deflated":            {good, ""},
		"stored":              {rawDeflated(t, plain, flate.NoCompression), ""},
		"not deflated":        {plain, "inflate"},
		"with zlib's head":    {deflated(t, plain), "inflate"},
		"a byte behind":       {append(bytes.Clone(good), 0), "inflate"},
		"the same twice":      {append(bytes.Clone(good), good...), "inflate"},
		"cut off":             {good[:len(good)-1], "inflate"},
		"without a last part": {flushed(t, plain), "inflate"},
		"a bomb":              {rawDeflated(t, make([]byte, 4<<20), flate.BestCompression), "inflate"},
		"a byte too much":     {rawDeflated(t, make([]byte, maxUnpacked+1), flate.BestCompression), "inflate"},
		"as much as may be":   {rawDeflated(t, make([]byte, maxUnpacked), flate.BestCompression), "cwt"},
		"nothing":             {rawDeflated(t, nil, flate.BestCompression), "cwt"},
		"a byte inside":       {rawDeflated(t, append(bytes.Clone(plain), 0), flate.BestCompression), "cwt"},
		"24 hours and one s":  {rawDeflated(t, mustCBOR(t, long), flate.BestCompression), "cwt"},
	} {
		_, err := Verifier{Keys: ring}.Verify(packed(t, c.payload), noon)
		if c.stage == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if reasonOf(t, err) != gatehouse.ReasonMalformed || stageOf(err) != c.stage {
			t.Errorf("%s: got %v, want it of stage %s", name, err, c.stage)
		}
	}
}

// flushed is a stream that says all and never ends.
func flushed(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestPrefixIsNotExchanged: the signature does not cover the prefix, so that each must be
// told from the other by what is inside.
func TestPrefixIsNotExchanged(t *testing.T) {
	texts, ring := sample(t)
	for _, c := range [][2]string{{"RHC1", "RHC2"}, {"RHC2", "RHC1"}, {"RHC1", "TTC1"}, {"TTC1", "RHC1"}, {"TTC1", "RHC2"}, {"RHC2", "TTC1"}} {
		_, err := Verifier{Keys: ring}.Verify(c[1]+texts[c[0]][4:], noon)
		if r := refused(t, err, gatehouse.ReasonMalformed); r.Format != c[1] {
			t.Errorf("%s as %s: got format %s", c[0], c[1], r.Format)
		}
	}
}

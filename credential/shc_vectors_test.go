package credential

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// TestOwnVectorsFromAbroadHold reads the vectors that the project made of cards and seals, in
// the form of the others, and writes them again when it is asked to.
func TestOwnVectorsFromAbroadHold(t *testing.T) {
	folder := filepath.Join("testdata", "vectors", "abroad")
	if *update {
		writeAbroad(t, folder)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if got := answer(t, v); !reflect.DeepEqual(got, v.Expect) {
			t.Errorf("%s:\ngot  %+v %+v\nwant %+v %+v", file, got, got.Pass, v.Expect, v.Expect.Pass)
		}
	}
}

func writeAbroad(t *testing.T, folder string) {
	t.Helper()
	cards, seals := testKey(t, "cards"), testKey(t, "seals")
	state := newState(t, "UT", testKey(t, "csca"))
	years := func(k Key) TrustKey {
		k.NotBefore, k.NotAfter = noon.AddDate(-1, 0, 0), noon.AddDate(1, 0, 0)
		listed, err := k.Listed()
		if err != nil {
			t.Fatal(err)
		}
		return listed
	}
	issuer, authority := years(cardKey(t, cards, cardIssuer)), years(state.ring(t)[0])
	other := issuer
	other.Names = []string{"https://other.example"}
	der := state.signer(t, &seals.PublicKey, nil, "NV")
	card1 := cardText(t, cards, vaccinatedCard())
	lab := card("", cardHolder, fmt.Sprintf(cardLab, "final", "94500-6", "2020-07-09T10:00:00Z", "260415000"))
	ended := card(fmt.Sprintf(`"iss":%q,"nbf":%d.5,"exp":%d.5`, cardIssuer, noon.Unix()-60, noon.Unix()), cardHolder)
	const pass, none = "pass", ""
	for _, row := range []struct {
		name, about, text string
		key               TrustKey
		at                time.Time
		want              gatehouse.Reason
		stage             string
	}{
		{"shc", "two doses, listed in the wrong order", card1, issuer, noon, pass, none},
		{"shc-test", "a negative test", cardText(t, cards, lab), issuer, noon, pass, none},
		{"shc-last-second", "half a second before it ends", cardText(t, cards, ended), issuer, noon, pass, none},
		{"shc-expired", "half a second after it ended", cardText(t, cards, ended), issuer, noon.Add(time.Second), gatehouse.ReasonExpired, none},
		{"shc-not-yet", "before it begins", card1, issuer, noon.Add(-60 * time.Second), gatehouse.ReasonNotYetValid, none},
		{"shc-other-issuer", "its key is another issuer's", card1, other, noon, gatehouse.ReasonUnknownKey, none},
		{"shc-alg-none", "its header says none", digitsOf(t, compactJWS(t, cards, strings.Replace(cardHeader(t, cards), "ES256", "none", 1), deflatedRaw(t, vaccinatedCard()))), issuer, noon, gatehouse.ReasonBadSignature, none},
		{"shc-not-deflated", "its payload is not deflated", digitsOf(t, compactJWS(t, cards, cardHeader(t, cards), vaccinatedCard())), issuer, noon, gatehouse.ReasonMalformed, "inflate"},
		{"shc-part", "the second of three parts alone", "shc:/2/3/5676", issuer, noon, gatehouse.ReasonMalformed, "part 2 of 3"},
		{"vds-nc", "two doses, by a signer of the authority that is listed", sealText(t, seals, der, sealedDoses), authority, noon, pass, none},
		{"vds-nc-spaces", "the same, printed in other words", strings.ReplaceAll(sealText(t, seals, der, sealedDoses), `":{`, `" : { `), authority, noon, pass, none},
		{"vds-nc-test", "a test, by a signer of vaccinations", sealText(t, seals, der, sealedTest), authority, noon, gatehouse.ReasonKeyUsage, none},
		{"vds-nc-other-state", "its authority is not the one that is listed", sealText(t, seals, newState(t, "UT", seals).signer(t, &seals.PublicKey, nil, "NV"), sealedDoses), authority, noon, gatehouse.ReasonUnknownKey, none},
		{"vds-nc-expired", "its signer's certificate ended", sealText(t, seals, der, sealedDoses), authority, noon.AddDate(0, 2, 0), gatehouse.ReasonKeyWithdrawn, none},
		{"vds-nc-twice", "a member stands there twice", sealText(t, seals, der, strings.Replace(sealedDoses, `"v":1`, `"v":1,"v":1`, 1)), authority, noon, gatehouse.ReasonMalformed, "json"},
	} {
		out := vector{About: row.about, Text: row.text, Key: row.key, At: row.at, Expect: expect{Reason: row.want, Stage: row.stage}}
		if row.want == pass {
			if out.Expect = answer(t, out); out.Expect.Pass == nil {
				t.Errorf("%s: got %+v, want a pass", row.name, out.Expect)
			}
		}
		raw, err := json.MarshalIndent(out, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, row.name+".json"), append(raw, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

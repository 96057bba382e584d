package issuing

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// onDisk reads all that the file of people consists of.
func (w *world) onDisk() []byte {
	w.Helper()
	var all []byte
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(w.path + suffix)
		if err != nil && !os.IsNotExist(err) {
			w.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

func TestNoNumberAndNoNameIsKeptOrLogged(t *testing.T) {
	w := newWorld(t)
	id := somebody(1)
	if _, err := w.desk.DeclareHealth(t.Context(), app, "d", HealthDeclaration{Identity: id, Name: "司马相如"}); err != nil {
		t.Fatal(err)
	}
	w.enter(li, w.report(id, "case-1"))
	m, _ := w.make(id, "key-1")
	if _, err := w.desk.Look(t.Context(), viewer, Search{Identity: id, Purpose: "complaint", Note: "case 7"}); err != nil {
		t.Fatal(err)
	}
	for name, place := range map[string][]byte{"file": w.onDisk(), "log": w.logs.Bytes()} {
		for _, secret := range []string{id.Number, id.Number[:17], "司马", m.Text} {
			if bytes.Contains(place, []byte(secret)) {
				t.Errorf("%.20q stands in the %s", secret, name)
			}
		}
	}
}

func TestTagsEndWithTheirKeys(t *testing.T) {
	w := newWorld(t)
	id := w.declared(1)
	_, code := w.make(id, "")
	tag := w.tagOf(code)
	key, err := w.people.DayKey(t.Context(), "2026-05-11", make([]byte, 32))
	if err != nil || len(key) != 32 || !bytes.Contains(w.onDisk(), key) {
		t.Fatalf("key of %d bytes, %v", len(key), err)
	}
	w.later(24 * time.Hour)
	if _, next := w.make(id, ""); next.Pass.Holder.Tag == code.Pass.Holder.Tag {
		t.Error("the tag of the next day is the same")
	}
	w.later(3 * 24 * time.Hour)
	if _, err := w.desk.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, found, err := w.people.Tagged(t.Context(), tag); found || err != nil {
		t.Errorf("after the sweep the tag is found: %v, %v", found, err)
	}
	if bytes.Contains(w.onDisk(), key) {
		t.Error("the day's key still lies in the file")
	}
}

func TestSweepErasesWhatIsOverAndSaysSo(t *testing.T) {
	w := newWorld(t)
	id, other := w.declared(1), w.declared(2)
	w.enter(cdc, w.report(id, "case-1"))
	w.make(id, "")
	w.later(44 * 24 * time.Hour) // red for 14 days, kept for 30 more
	w.make(other, "")
	gone, err := w.desk.Sweep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if gone.Events != 0 || gone.Declarations != 2 || gone.Codes != 1 {
		t.Errorf("on day 44: %+v", gone)
	}
	w.want(id, gatehouse.Green)
	w.later(24 * time.Hour)
	if gone, err = w.desk.Sweep(t.Context()); err != nil || gone.Events != 1 {
		t.Errorf("on day 45: %+v, %v", gone, err)
	}
	w.want(id, gatehouse.Green) // no flip by forgetting
	w.later(61 * 24 * time.Hour)
	if gone, err = w.desk.Sweep(t.Context()); err != nil || gone.Persons != 2 || gone.Digest == [32]byte{} {
		t.Errorf("at the end: %+v, %v", gone, err)
	}
	if gone, err = w.desk.Sweep(t.Context()); err != nil || gone.Persons != 0 {
		t.Errorf("again: %+v, %v", gone, err)
	}
	w.wantTrail("erased by age", "erased by age", "erased by age")
}

func TestDormantRegionIssuesNothingAndForgets(t *testing.T) {
	w := newWorld(t)
	id := w.declared(1)
	w.enter(cdc, w.report(id, "case-1"))
	w.make(id, "")
	w.adopt(strings.NewReplacer("version = 1 ", "version = 2 ", "dormant = false", "dormant = true").Replace(string(Example)))
	_, err := w.desk.Make(t.Context(), app, "", id)
	wantNo(t, err, Closed)
	gone, err := w.desk.Sweep(t.Context())
	if err != nil || gone.Events != 1 || gone.Persons != 1 || gone.Tags != 1 {
		t.Errorf("%+v, %v", gone, err)
	}
	if _, found, err := w.people.Record(t.Context(), w.desk.personID(id)); found || err != nil {
		t.Errorf("somebody is still on record: %v, %v", found, err)
	}
	w.wantTrail("rules adopted", "rules adopted", "erased: dormant")
}

func TestCodeForTheSameKeyIsTheSame(t *testing.T) {
	w := newWorld(t)
	id := w.declared(1)
	first, code := w.make(id, "k")
	w.later(time.Minute)
	again, same := w.make(id, "k")
	if same.Pass.Code != code.Pass.Code || !again.Issued.Equal(first.Issued) || !again.Expires.Equal(first.Expires) {
		t.Errorf("%+v, then %+v", first, again)
	}
	if _, other := w.make(id, ""); other.Pass.Code == code.Pass.Code {
		t.Error("two codes have one id")
	}
	w.enter(cdc, w.report(id, "case-1"))
	_, err := w.desk.Make(t.Context(), app, "k", id)
	wantNo(t, err, Conflict)
}

func TestForeignCodeIsConvertedAsAgreed(t *testing.T) {
	w := newWorld(t)
	now := w.clock().UTC()
	pass := gatehouse.Pass{Format: "RHC1", Issuer: "CN-440100", Code: "00112233445566aa", Grade: gatehouse.Red, Class: gatehouse.Place,
		Holder: gatehouse.Holder{Name: "李*", Birth: "1980", Tag: "0102030405060708"}, Issued: now, Expires: now.Add(2 * time.Hour),
		Facts: []gatehouse.Fact{{Kind: gatehouse.Travel, At: now.AddDate(0, 0, -20), Until: now.AddDate(0, 0, -3), Division: "440100"},
			{Kind: gatehouse.Recovery, At: now}}}
	green, own, nobody, dcc := pass, pass, pass, pass
	green.Grade, green.Code = gatehouse.Green, "00112233445566bb"
	own.Issuer, nobody.Issuer, dcc.Grade = "CN-330100", "CN-510000", gatehouse.NoGrade
	w.desk.Verifier = plainVerifier{"red": pass, "green": green, "own": own, "nobody": nobody, "dcc": dcc}
	for text, want := range map[string]gatehouse.Grade{"red": gatehouse.Grey, "green": gatehouse.Green} {
		first, err := w.desk.Convert(t.Context(), app, text)
		if err != nil {
			t.Fatal(err)
		}
		if first.Colour != want || !first.Expires.Equal(now.Add(2*time.Hour)) {
			t.Errorf("%s: %+v, want %v for two hours", text, first, want)
		}
		if strings.Contains(first.Text, pass.Holder.Tag) {
			t.Errorf("%s: the foreign tag is in the local code", text)
		}
		w.later(time.Minute)
		if again, err := w.desk.Convert(t.Context(), app, text); err != nil || !again.Issued.Equal(first.Issued) {
			t.Errorf("%s again: %+v, %v", text, again, err)
		}
		w.set(now)
	}
	for _, text := range []string{"own", "nobody", "dcc", "forged"} {
		_, err := w.desk.Convert(t.Context(), app, text)
		wantNo(t, err, Unfit)
	}
	w.set(time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)) // the agreement has run out
	_, err := w.desk.Convert(t.Context(), app, "green")
	wantNo(t, err, Unfit)
}

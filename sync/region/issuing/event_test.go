package issuing

import (
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func TestDeclarationLeadsToAColour(t *testing.T) {
	w := newWorld(t)
	_, err := w.desk.Make(t.Context(), app, "", somebody(9))
	wantNo(t, err, Missing)
	for n, c := range []struct {
		q    HealthDeclaration
		want gatehouse.Grade
	}{
		{HealthDeclaration{}, gatehouse.Green},
		{HealthDeclaration{Symptoms: true}, gatehouse.Yellow},
		{HealthDeclaration{Contact: true}, gatehouse.Grey},
		{HealthDeclaration{Place: true}, gatehouse.Grey},
	} {
		c.q.Identity, c.q.Name = somebody(n), "欧阳娜"
		if _, err := w.desk.DeclareHealth(t.Context(), app, "d", c.q); err != nil {
			t.Fatal(err)
		}
		w.want(c.q.Identity, c.want)
		_, code := w.make(c.q.Identity, "")
		if p := code.Pass; p.Grade != c.want || p.Holder.Name != "欧*" || p.Holder.Birth != "1950" || len(p.Holder.Tag) != 16 {
			t.Errorf("declaration %d: the code says %v of %+v", n, p.Grade, p.Holder)
		}
	}
	// An officer looks into what the third said.
	id := w.desk.personID(somebody(2))
	r, _, err := w.people.Record(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	wantNo(t, w.desk.CheckDeclaration(t.Context(), viewer, id, r.Declarations[0].N, "no such case"), Forbidden)
	if err := w.desk.CheckDeclaration(t.Context(), li, id, r.Declarations[0].N, "no such case"); err != nil {
		t.Fatal(err)
	}
	w.want(somebody(2), gatehouse.Green)
}

func TestNamesThatNoScreenShowsAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"", "   ", "\u202e张三", "张\x00三", "\u2800\u2800", "\u3164", "\xff", strings.Repeat("张", 100), "张\u200d三"} {
		_, err := w.desk.DeclareHealth(t.Context(), app, "d", HealthDeclaration{Identity: somebody(1), Name: name})
		wantNo(t, err, Malformed)
	}
	for n, name := range []string{"张三", " 张三", "张\u3000三", "Øystein", "O'Neill"} {
		if _, err := w.desk.DeclareHealth(t.Context(), app, "d", HealthDeclaration{Identity: somebody(n), Name: name}); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestTripToARiskyPlaceIsAnEvent(t *testing.T) {
	w := newWorld(t)
	for n, c := range []struct {
		division string
		want     gatehouse.Grade
	}{{"110112", gatehouse.Red}, {"130102", gatehouse.Yellow}, {"110101", gatehouse.Green}} {
		id := w.declared(n)
		q := TripDeclaration{Identity: id, Division: c.division, In: w.clock().AddDate(0, 0, -3), Out: w.clock().AddDate(0, 0, -1)}
		if _, err := w.desk.DeclareTrip(t.Context(), app, "t", q); err != nil {
			t.Fatal(err)
		}
		a := w.want(id, c.want)
		if a.Event != nil && (a.Event.Day != 1 || a.Event.Indicator != "place") {
			t.Errorf("%s: %+v", c.division, a.Event)
		}
		_, code := w.make(id, "")
		if len(code.Pass.Facts) != 1 || code.Pass.Facts[0].Division != c.division {
			t.Errorf("the code tells of %+v", code.Pass.Facts)
		}
	}
}

func TestNobodyGetsAColourForBeingOnAList(t *testing.T) {
	w := newWorld(t)
	good := w.report(w.declared(1), "a")
	for name, spoil := range map[string]func(*Report){
		"no indicator":        func(q *Report) { q.Indicator = "" },
		"a made-up indicator": func(q *Report) { q.Indicator = "savings" },
		"no kind":             func(q *Report) { q.Kind = "" },
		"another's kind":      func(q *Report) { q.Kind = "stay" },
		"no case":             func(q *Report) { q.Case = "" },
		"no status":           func(q *Report) { q.Status = "" },
		"no time":             func(q *Report) { q.At = time.Time{} },
		"a time to come":      func(q *Report) { q.At = w.clock().Add(time.Hour) },
		"long ago":            func(q *Report) { q.At = w.clock().AddDate(-1, 0, 0) },
		"health, no finding":  func(q *Report) { q.Indicator, q.Kind, q.Case, q.Status = "health", "confirmed", "", "" },
		"place, no division":  func(q *Report) { q.Indicator, q.Kind, q.Case, q.Status, q.Risk = "place", "stay", "", "", "high" },
		"place, no risk":      func(q *Report) { q.Indicator, q.Kind, q.Case, q.Status, q.Division = "place", "stay", "", "", "110112" },
		"a temperature": func(q *Report) {
			q.Indicator, q.Kind, q.Case, q.Status, q.Finding = "health", "temperature", "", "", "hot"
		},
		"others' evidence": func(q *Report) { q.Finding = "tall" },
	} {
		q := good
		spoil(&q)
		var err = w.desk.Enter(t.Context(), cdc, q)
		if err == nil {
			t.Errorf("%s: taken", name)
			continue
		}
		wantNo(t, err, Unfit)
	}
	w.want(good.Identity, gatehouse.Green)
	wantNo(t, w.desk.Enter(t.Context(), viewer, good), Forbidden)
	w.enter(cdc, good)
	w.enter(cdc, good) // the answer was lost
	if r, _, err := w.people.Record(t.Context(), w.desk.personID(good.Identity)); err != nil || len(r.Events) != 1 {
		t.Errorf("%d events, %v", len(r.Events), err)
	}
	good.Case = "HZ-2026-0043"
	wantNo(t, w.desk.Enter(t.Context(), cdc, good), Conflict)
}

func TestNormalTemperatureTurnsAHighOneGreenAndNothingElse(t *testing.T) {
	w := newWorld(t)
	id := w.declared(1)
	_, code := w.make(id, "")
	tag := w.tagOf(code)
	at := func(minutes int) time.Time { return w.clock().Add(time.Duration(minutes) * time.Minute) }
	measure := func(minutes int, skin gatehouse.Temperature) {
		t.Helper()
		if known, err := w.desk.Measured(t.Context(), Reading{Gate: "hall-east", At: at(minutes), Skin: skin, Tag: tag}); err != nil || !known {
			t.Fatalf("known %v, %v", known, err)
		}
	}
	measure(-50, 37_299)
	w.want(id, gatehouse.Green)
	measure(-40, 37_300)
	if a := w.want(id, gatehouse.Yellow); a.Event.Rule != "fever" || a.Event.Source != "gate:hall-east" {
		t.Errorf("%+v", a.Event)
	}
	if _, c := w.make(id, ""); c.Pass.Class != gatehouse.Health || len(c.Pass.Facts) != 1 || c.Pass.Facts[0].Temperature != 37_300 || c.Detail != 42 {
		t.Errorf("the code says %+v", c)
	}
	measure(-45, 36_500) // older than the fever: it undoes nothing
	w.want(id, gatehouse.Yellow)
	measure(-30, 36_500)
	w.want(id, gatehouse.Green)
	measure(-35, 38_000) // a gate's book came late: older than the normal one
	w.want(id, gatehouse.Green)
	measure(-20, 38_000)
	w.want(id, gatehouse.Yellow)
	measure(-20, 38_000) // the same reading again
	measure(-10, 36_600)
	w.want(id, gatehouse.Green)

	// Another yellow stays, whatever is measured.
	q := w.report(id, "c")
	q.Kind = "secondary"
	w.enter(cdc, q)
	measure(-5, 38_000)
	measure(-1, 36_600)
	w.want(id, gatehouse.Yellow)

	if known, err := w.desk.Measured(t.Context(), Reading{Gate: "g", At: at(0), Skin: 38_000, Tag: [8]byte{1}}); known || err != nil {
		t.Errorf("a stranger's tag: known %v, %v", known, err)
	}
	_, err := w.desk.Measured(t.Context(), Reading{Gate: "g", At: at(0), Skin: 60_000, Tag: tag})
	wantNo(t, err, Unfit)
}

func TestCorrectionTakesTwoOfficers(t *testing.T) {
	w := newWorld(t)
	id := w.declared(1)
	_, before := w.make(id, "")
	w.enter(sun, w.report(id, "case-1"))
	red := w.want(id, gatehouse.Red)
	_, shown := w.make(id, "")
	person := w.person(id)
	n, err := w.desk.Correct(t.Context(), app, "k", CorrectionRequest{Identity: id, Event: red.Event.N, Reason: "I was at work that day"})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.desk.Correct(t.Context(), app, "k", CorrectionRequest{Identity: id, Event: red.Event.N, Reason: "I was at work that day"}); err != nil || again != n {
		t.Errorf("sent again: %d, %v", again, err)
	}
	_, err = w.desk.Correct(t.Context(), app, "k2", CorrectionRequest{Identity: id, Event: red.Event.N, Reason: "I was at work that day"})
	wantNo(t, err, Conflict)
	w.want(id, gatehouse.Red) // red stays until two have looked

	say := func(c Caller, word string) (string, error) {
		return w.desk.Decide(t.Context(), c, Decision{Person: person, N: n, Word: word, Note: "shift list seen"})
	}
	_, err = say(viewer, Approve)
	wantNo(t, err, Forbidden)
	_, err = say(sun, Approve) // entered the event
	wantNo(t, err, Forbidden)
	for range 2 { // the same officer twice is one
		if state, err := say(li, Approve); err != nil || state != Pending {
			t.Fatalf("%s, %v", state, err)
		}
	}
	_, err = say(li, Refuse)
	wantNo(t, err, Conflict)
	w.want(id, gatehouse.Red)
	if state, err := say(zhao, Approve); err != nil || state != Approved {
		t.Fatalf("%s, %v", state, err)
	}
	w.want(id, gatehouse.Green)
	_, err = say(Caller{"zhou", Officer}, Refuse)
	wantNo(t, err, Conflict)

	back, err := w.desk.TakenBack(t.Context(), builder, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range back {
		ids = append(ids, r.Code)
	}
	if got := strings.Join(ids, " "); got != before.Pass.Code+" "+shown.Pass.Code {
		t.Errorf("taken back: %s, want %s %s", got, before.Pass.Code, shown.Pass.Code)
	}
	if _, after := w.make(id, ""); after.Pass.Grade != gatehouse.Green {
		t.Error("the new code is not green")
	}
	w.wantTrail("event entered", "correction filed", "correction: approve", "correction: approve")
}

func TestFirstCorrectionOfAYellowIsGreyAndARefusedOneIsNot(t *testing.T) {
	w := newWorld(t)
	id := w.declared(1)
	q := w.report(id, "case-1")
	q.Kind = "secondary"
	w.enter(cdc, q)
	event := w.want(id, gatehouse.Yellow).Event.N
	person := w.person(id)
	for i, want := range []gatehouse.Grade{gatehouse.Grey, gatehouse.Yellow} {
		n, err := w.desk.Correct(t.Context(), viewer, string(rune('a'+i)), CorrectionRequest{Person: person, Event: event, Reason: "wrong person"})
		if err != nil {
			t.Fatal(err)
		}
		if a := w.want(id, want); a.Event == nil || a.Event.N != event {
			t.Errorf("while it is pending the event is %+v", a.Event)
		}
		for j, c := range []Caller{li, zhao} {
			if _, err := w.desk.Decide(t.Context(), c, Decision{Person: person, N: n, Word: Refuse, Note: "it was they"}); err != nil {
				t.Fatal(i, j, err)
			}
		}
		w.want(id, gatehouse.Yellow)
	}
}

func TestSpikeOfOneReasonRaisesAnAlarm(t *testing.T) {
	w := newWorld(t)
	// Two weeks of one contact in three hours.
	n := 0
	for range 14 * 8 {
		w.enter(cdc, w.report(somebody(n), "c"))
		n++
		w.later(3 * time.Hour)
	}
	if a := w.alarms(); len(a) != 0 {
		t.Fatalf("the usual rate raised %+v", a)
	}
	for range 19 {
		w.enter(li, w.report(somebody(n), "c"))
		n++
		w.later(time.Minute)
	}
	if a := w.alarms(); len(a) != 0 {
		t.Fatalf("19 raised %+v", a)
	}
	w.enter(li, w.report(somebody(n), "c"))
	w.enter(li, w.report(somebody(n+1), "c"))
	alarms := w.alarms()
	if len(alarms) != 3 {
		t.Fatalf("%+v, want one each of the rule, the source and the operator", alarms)
	}
	for _, a := range alarms {
		wantNo(t, w.desk.ClearAlarm(t.Context(), li, a.ID, "all in order"), Forbidden)
		wantNo(t, w.desk.ClearAlarm(t.Context(), viewer, a.ID, "all in order"), Forbidden)
		if err := w.desk.ClearAlarm(t.Context(), auditor, a.ID, "an outbreak in one school"); err != nil {
			t.Error(err)
		}
		wantNo(t, w.desk.ClearAlarm(t.Context(), auditor, a.ID, "an outbreak in one school"), Conflict)
	}
	if a := w.alarms(); len(a) != 0 {
		t.Errorf("open after clearing: %+v", a)
	}
	w.wantTrail("alarm raised", "alarm not cleared", "alarm cleared")
}

func TestReadingARecordNeedsAPurposeAndIsWrittenDown(t *testing.T) {
	w := newWorld(t)
	id := w.declared(1)
	_, err := w.desk.Look(t.Context(), viewer, Search{Identity: id, Note: "case 7"})
	wantNo(t, err, Malformed)
	_, err = w.desk.Look(t.Context(), viewer, Search{Identity: id, Purpose: "complaint"})
	wantNo(t, err, Malformed)
	for _, c := range []Caller{auditor, app, cdc, {}} {
		_, err = w.desk.Look(t.Context(), c, Search{Identity: id, Purpose: "complaint", Note: "case 7"})
		wantNo(t, err, Forbidden)
	}
	_, code := w.make(id, "")
	for _, s := range []Search{{Identity: id}, {Tag: code.Pass.Holder.Tag}, {Person: w.person(id)}} {
		s.Purpose, s.Note = "complaint", "case 7"
		sheet, err := w.desk.Look(t.Context(), viewer, s)
		if err != nil || sheet.Record.Person.Name != "张*" {
			t.Errorf("%+v: %+v, %v", s, sheet.Record.Person, err)
		}
	}
	_, err = w.desk.Look(t.Context(), viewer, Search{Identity: somebody(8), Purpose: "complaint", Note: "case 8"})
	wantNo(t, err, Missing)
	w.wantTrail("record read", "record read", "record read", "record read")
}

package console

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/gate"
)

const onPaper = `{"without":"paper","guard":"Li","pin":"2468"}`

func TestOnlyAGuardWithAPINLetsSomebodyBeJudgedWithoutACode(t *testing.T) {
	for _, tt := range []struct {
		name   string
		body   string
		err    error
		status int
		answer string
		asked  bool
	}{
		{"on paper", onPaper, nil, 200, "", true},
		{"wrong PIN", strings.Replace(onPaper, "2468", "2469", 1), nil, 403, "pin", false},
		{"a cause of one's own", strings.Replace(onPaper, "paper", "I know him", 1), nil, 400, "request", false},
		{"no cause", strings.Replace(onPaper, "paper", "", 1), nil, 400, "request", false},
		{"unknown field", strings.Replace(onPaper, "{", `{"call":"admit",`, 1), nil, 400, "request", false},
		{"not JSON", "without=paper", nil, 400, "request", false},
		{"no entry", onPaper, gate.ErrNoEntry, 400, "request", true},
		{"disk full", onPaper, errors.New("write down: disk full"), 500, "fault", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := false
			s := &Server{Status: well, Guards: []Guard{{Name: "Li", PIN: testPIN("2468")}},
				Enter: func(_ context.Context, e gate.Entry) (gatehouse.Passage, error) {
					asked = true
					if e.Without != gatehouse.OnPaper || e.Guard != "Li" || e.Note == "" || strings.Contains(e.Note, ".") {
						t.Errorf("the lane was told %+v", e)
					}
					return gatehouse.Passage{Seq: 8}, tt.err
				}}
			w := ask(s, "POST", "/enter", tt.body)
			var got answer
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if w.Code != tt.status || got.Error != tt.answer || asked != tt.asked {
				t.Errorf("status %d, error %q, lane asked %v; want %d, %q, %v", w.Code, got.Error, asked, tt.status, tt.answer, tt.asked)
			}
		})
	}
	if w := ask(&Server{Guards: []Guard{{Name: "Li", PIN: testPIN("2468")}}}, "POST", "/enter", onPaper); w.Code != 403 {
		t.Errorf("a console without a lane: %d, want 403", w.Code)
	}
}

func TestClosedLaneTakesNobodyWithoutACodeEither(t *testing.T) {
	s := &Server{Guards: []Guard{{Name: "Li", PIN: testPIN("2468")}}, Status: func() Status { return Status{Closed: true} },
		Enter: func(context.Context, gate.Entry) (gatehouse.Passage, error) {
			t.Error("the lane was asked")
			return gatehouse.Passage{}, nil
		}}
	w := ask(s, "POST", "/enter", onPaper)
	var got answer
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if w.Code != 409 || got.Error != "closed" {
		t.Errorf("status %d, error %q; want 409, closed", w.Code, got.Error)
	}
}

func TestGuardIsOfferedTheWaysThatThePolicyLetsCount(t *testing.T) {
	s := &Server{Guards: []Guard{{Name: "Li", PIN: testPIN("2468")}},
		Ways: func() []gatehouse.Without { return []gatehouse.Without{gatehouse.Companion} },
		Enter: func(context.Context, gate.Entry) (gatehouse.Passage, error) {
			t.Error("the lane was asked")
			return gatehouse.Passage{}, nil
		}}
	page := ask(s, "GET", "/", "").Body.String()
	if !strings.Contains(page, `data-note="companion"`) || strings.Contains(page, `data-call="enter" data-note="paper"`) {
		t.Error("the page offers other ways than the policy does")
	}
	if w := ask(s, "POST", "/enter", onPaper); w.Code != 400 {
		t.Errorf("a way that the policy does not know: %d, want 400", w.Code)
	}
}

func TestRulesOwnWordsAreHeardBeforeTheReasons(t *testing.T) {
	v := view(gatehouse.Refer, gatehouse.ReasonColour, 7)
	v.Passage.Verdict.Says = gatehouse.Words{Zh: "来自高风险地区"}
	if got := Describe(Chinese, v); got != "来自高风险地区" {
		t.Errorf("Chinese: %q", got)
	}
	if got := Describe(English, v); !strings.HasPrefix(got, "Colour is green") {
		t.Errorf("English, which the rule has no words in: %q", got)
	}
}

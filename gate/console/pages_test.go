package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse"
	"gatehouse/gate"
)

// testPIN is a hash of few rounds, so that tests are quick.
func testPIN(pin string) string { return hashPIN(pin, []byte("0123456789abcdef"), 10) }

// ask makes one request; headers come in pairs.
func ask(s *Server, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

const letPass = `{"amends":7,"call":"admit","note":"paper","guard":"Li","pin":"2468"}`

func TestOnlyAGuardWithAPINDecides(t *testing.T) {
	for _, tt := range []struct {
		name   string
		body   string
		err    error
		status int
		answer string
		asked  bool
	}{
		{"let pass", letPass, nil, 200, "", true},
		{"refuse", `{"amends":7,"call":"deny","note":"fever","guard":"Li","pin":"2468"}`, nil, 200, "", true},
		{"wrong PIN", strings.Replace(letPass, "2468", "2469", 1), nil, 403, "pin", false},
		{"no PIN", strings.Replace(letPass, "2468", "", 1), nil, 403, "pin", false},
		{"another's name", strings.Replace(letPass, "Li", "Wang", 1), nil, 403, "pin", false},
		{"guard without a hash", strings.Replace(letPass, "Li", "Zhou", 1), nil, 403, "pin", false},
		{"no call", strings.Replace(letPass, `"call":"admit",`, "", 1), nil, 400, "request", false},
		{"a call that only a gate has", strings.Replace(letPass, "admit", "refer", 1), nil, 400, "request", false},
		{"a reason of one's own", strings.Replace(letPass, "paper", "I know him, he is Zhang San", 1), nil, 400, "request", false},
		{"a reason of the other call", strings.Replace(letPass, "paper", "fever", 1), nil, 400, "request", false},
		{"no passage", strings.Replace(letPass, "7", "0", 1), nil, 400, "request", false},
		{"not JSON", "amends=7", nil, 400, "request", false},
		{"unknown field", strings.Replace(letPass, "{", `{"seq":9,`, 1), nil, 400, "request", false},
		{"two values", letPass + letPass, nil, 400, "request", false},
		{"too long", `{"note":"` + strings.Repeat("x", maxBody) + `"}`, nil, 400, "request", false},
		{"too late", letPass, gate.ErrTooLate, 409, "late", true},
		{"judged again since", letPass, fmt.Errorf("decide on passage 7: %w", gate.ErrAgain), 409, "again", true},
		{"twice", letPass, gate.ErrDecided, 409, "decided", true},
		{"disk full", letPass, errors.New("write down: disk full"), 500, "fault", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := false
			s := &Server{
				Guards: []Guard{{Name: "Li", PIN: testPIN("2468")}, {Name: "Zhou"}},
				Decide: func(_ context.Context, d gate.Decision) (gatehouse.Passage, error) {
					asked = true
					if d.Amends != 7 || d.Guard != "Li" || d.Note == "" || strings.Contains(d.Note, ".") {
						t.Errorf("the lane was told %+v", d)
					}
					return gatehouse.Passage{Seq: 8}, tt.err
				},
			}
			w := ask(s, "POST", "/decide", tt.body)
			var got answer
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if w.Code != tt.status || got.Error != tt.answer || asked != tt.asked {
				t.Errorf("status %d, error %q, lane asked %v; want %d, %q, %v", w.Code, got.Error, asked, tt.status, tt.answer, tt.asked)
			}
		})
	}
}

func TestWithoutGuardsNobodyDecides(t *testing.T) {
	decide := func(context.Context, gate.Decision) (gatehouse.Passage, error) {
		t.Error("the lane was asked")
		return gatehouse.Passage{}, nil
	}
	for name, s := range map[string]*Server{
		"no guards": {Decide: decide},
		"no lane":   {Guards: []Guard{{Name: "Li", PIN: testPIN("2468")}}},
	} {
		if w := ask(s, "POST", "/decide", letPass); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), `"off"`) {
			t.Errorf("%s: %d %s, want 403 and off", name, w.Code, w.Body)
		}
		page := ask(s, "GET", "/", "").Body.String()
		if !strings.Contains(page, `data-w="ui.nodecide"`) || strings.Contains(page, `id="decision"`) {
			t.Errorf("%s: the page does not say that decisions are off", name)
		}
	}
}

// TestADecisionOutlivesItsPage holds the row and the barrier together when the guard's
// browser goes away in between.
func TestADecisionOutlivesItsPage(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	s := &Server{Guards: []Guard{{Name: "Li", PIN: testPIN("2468")}},
		Decide: func(lane context.Context, _ gate.Decision) (gatehouse.Passage, error) {
			leave()
			return gatehouse.Passage{Seq: 8}, lane.Err()
		}}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "POST", "/decide", strings.NewReader(letPass)))
	if w.Code != http.StatusOK {
		t.Errorf("status %d, want 200: %s", w.Code, w.Body)
	}
}

func TestWrongPINsHaveToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{Guards: []Guard{{Name: "Li", PIN: testPIN("2468")}},
			Decide: func(context.Context, gate.Decision) (gatehouse.Passage, error) { return gatehouse.Passage{Seq: 8}, nil }}
		wrong := strings.Replace(letPass, "2468", "0000", 1)
		post := func(body string, want int) {
			t.Helper()
			if w := ask(s, "POST", "/decide", body); w.Code != want {
				t.Errorf("status %d, want %d: %s", w.Code, want, w.Body)
			}
		}
		for range freeAttempts {
			post(wrong, http.StatusForbidden)
		}
		post(letPass, http.StatusTooManyRequests) // the right one too
		time.Sleep(firstWait)
		post(wrong, http.StatusForbidden)
		time.Sleep(firstWait)
		post(letPass, http.StatusTooManyRequests) // the wait has doubled
		time.Sleep(firstWait)
		post(letPass, http.StatusOK)
		post(wrong, http.StatusForbidden) // the count began anew

		// Of two at the same time only one is tried: a thousand at once are not a
		// thousand free attempts.
		s.pin.Lock()
		post(letPass, http.StatusTooManyRequests)
		s.pin.Unlock()
	})
}

func TestAttemptsAreBounded(t *testing.T) {
	var a attempts
	now := time.Unix(0, 0)
	for i := range 2 * maxRemotes {
		now = now.Add(time.Second)
		a.note(string(rune(i)), false, now)
	}
	if len(a.by) != maxRemotes {
		t.Errorf("%d remotes kept, want %d", len(a.by), maxRemotes)
	}
	for range 100 {
		a.note("x", false, now)
	}
	if got := a.wait("x", now); got != longestWait {
		t.Errorf("after 100 wrong ones: wait %v, want %v", got, longestWait)
	}
}

func TestAnotherSiteCannotDecide(t *testing.T) {
	s := &Server{}
	for _, path := range []string{"/decide", "/acknowledge"} {
		if w := ask(s, "POST", path, "{}", "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "off") {
			t.Errorf("%s from another site: %d %s, want 403 before anything else", path, w.Code, w.Body)
		}
	}
}

func TestEveryAnswerKeepsToItself(t *testing.T) {
	s := &Server{Preview: func() ([]byte, bool) { return []byte("jpeg"), true }}
	for _, path := range []string{"/", "/public", "/static/console.js", "/static/console.css", "/static/icon.svg", "/words/en.json", "/words/zh-Hans.json", "/preview.jpg", "/healthz", "/nowhere"} {
		h := ask(s, "GET", path, "").Header()
		csp := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
	for _, path := range []string{"/", "/public", "/static/console.js", "/static/console.css", "/static/icon.svg", "/words/en.json", "/words/zh-Hans.json", "/preview.jpg"} {
		if w := ask(s, "GET", path, ""); w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("%s: status %d, %d bytes", path, w.Code, w.Body.Len())
		}
	}
}

func TestPagesRunNoInlineScript(t *testing.T) {
	s := &Server{Gate: `<script>alert(1)</script>`, Guards: []Guard{{Name: `"><script>`}}, Decide: func(context.Context, gate.Decision) (gatehouse.Passage, error) {
		return gatehouse.Passage{}, nil
	}}
	for _, path := range []string{"/", "/public"} {
		page := ask(s, "GET", path, "").Body.String()
		if n := strings.Count(page, "<script"); n != 1 {
			t.Errorf("%s: %d script elements, want the module alone", path, n)
		}
		for _, bad := range []string{" style=", " onclick=", " onload=", "javascript:"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: has %q, which the policy forbids", path, bad)
			}
		}
	}
}

func TestTheGuardsPageBeginsAsTheSettingsSay(t *testing.T) {
	for want, s := range map[string]*Server{
		`data-lang="zh-Hans" data-sound="neutral" data-blue=""`: {},
		`data-lang="en" data-sound="distinct" data-blue="yes"`:  {Lang: English, Sound: Distinct, Blue: true},
	} {
		if page := ask(s, "GET", "/", "").Body.String(); !strings.Contains(page, want) {
			t.Errorf("%s is not in\n%s", want, page)
		}
	}
}

func TestTheTokenGuardsAllButTheHoldersPage(t *testing.T) {
	s := &Server{Token: "open sesame", Status: well, Preview: func() ([]byte, bool) { return nil, false }}
	for path, want := range map[string]int{
		"/": 401, "/healthz": 401, "/preview.jpg": 401, "/events?screen=guard": 401, "/events": 401,
		"/public": 200, "/static/console.js": 200, "/words/en.json": 200,
		"/?token=wrong": 401, "/?token=": 401, "/?token=open+sesame": 303,
	} {
		if w := ask(s, "GET", path, ""); w.Code != want {
			t.Errorf("%s: status %d, want %d", path, w.Code, want)
		}
	}
	for _, path := range []string{"/decide", "/acknowledge"} {
		if w := ask(s, "POST", path, "{}"); w.Code != http.StatusUnauthorized {
			t.Errorf("%s: status %d, want 401", path, w.Code)
		}
	}
	w := ask(s, "GET", "/?token=open+sesame", "")
	cookie := w.Result().Cookies()[0]
	if w.Header().Get("Location") != "/" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || strings.Contains(cookie.Value, "sesame") {
		t.Errorf("redirect to %q with %v", w.Header().Get("Location"), cookie)
	}
	if w := ask(s, "GET", "/", "", "Cookie", cookie.Name+"="+cookie.Value); w.Code != http.StatusOK {
		t.Errorf("with the cookie: status %d, want 200", w.Code)
	}
	if w := ask(s, "GET", "/", "", "Cookie", cookie.Name+"=open sesame"); w.Code != http.StatusUnauthorized {
		t.Errorf("with the bare token as the cookie: status %d, want 401", w.Code)
	}
	if w := ask(s, "GET", "/healthz", "", "Authorization", "Bearer open sesame"); w.Code != http.StatusOK {
		t.Errorf("with the bearer: status %d, want 200", w.Code)
	}
}

func TestHealthSaysWhetherTheLaneTakesPeople(t *testing.T) {
	for _, tt := range []struct {
		name string
		s    *Server
		want int
	}{
		{"no lane", &Server{Gate: "G1"}, 503},
		{"well", &Server{Gate: "G1", Status: well}, 200},
		{"old keys", &Server{Gate: "G1", Status: func() Status {
			return Status{Conditions: []Condition{{Reason: gatehouse.ReasonTrustStale}}}
		}}, 200},
		{"no camera", &Server{Gate: "G1", Status: func() Status {
			return Status{Conditions: []Condition{{Reason: gatehouse.ReasonLog}, {Reason: gatehouse.ReasonCamera}}}
		}}, 503},
	} {
		w := ask(tt.s, "GET", "/healthz", "")
		var got Status
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if w.Code != tt.want || got.Gate != "G1" || got.Conditions == nil {
			t.Errorf("%s: %d %s, want %d", tt.name, w.Code, w.Body, tt.want)
		}
	}
}

func TestPreviewShowsTheNewestFrameOrNone(t *testing.T) {
	frame := []byte("\xff\xd8first")
	s := &Server{Preview: func() ([]byte, bool) { return frame, frame != nil }}
	for _, want := range []string{"\xff\xd8first", "\xff\xd8second"} {
		frame = []byte(want)
		if w := ask(s, "GET", "/preview.jpg", ""); w.Body.String() != want || w.Header().Get("Content-Type") != "image/jpeg" {
			t.Errorf("got %q as %s, want %q", w.Body, w.Header().Get("Content-Type"), want)
		}
	}
	frame = nil
	if w := ask(s, "GET", "/preview.jpg", ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("without a frame: status %d, want 503", w.Code)
	}
	if w := ask(&Server{}, "GET", "/preview.jpg", ""); w.Code != http.StatusNotFound {
		t.Errorf("without a preview: status %d, want 404", w.Code)
	}
}

package issuing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse"
)

// token is everybody's in these tests; the hash is a cheap one.
const token = "correct-horse-battery"

func operators() (all []Operator) {
	for _, c := range []Caller{app, cdc, viewer, li, zhao, sun, auditor, builder} {
		all = append(all, Operator{Name: c.Name, Role: c.Role, Hash: hashToken(token, []byte("saltsalt"), 8, 1)})
	}
	return all
}

func (w *world) serve() *httptest.Server {
	w.Helper()
	ts := httptest.NewServer((&Server{Desk: w.desk, Door: NewDoor(operators(), w.clock)}).Handler())
	w.Cleanup(ts.Close)
	return ts
}

// send makes one request as somebody and gives the status and the body.
func (w *world) send(ts *httptest.Server, c Caller, method, path, key, body string, more ...string) (int, string) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, ts.URL+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	if c.Name != "" {
		r.SetBasicAuth(c.Name, token)
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	for i := 0; i+1 < len(more); i += 2 {
		r.Header.Set(more[i], more[i+1])
	}
	client := &http.Client{Transport: ts.Client().Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func toJSON(t testing.TB, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTheWayOfACodeOverHTTP(t *testing.T) {
	w := newWorld(t)
	ts := w.serve()
	id := somebody(1)
	who := map[string]any{"identity": id}
	step := func(c Caller, path, key string, body any, want int, says string) string {
		t.Helper()
		status, answer := w.send(ts, c, "POST", path, key, toJSON(t, body))
		if status != want || !strings.Contains(answer, says) {
			t.Fatalf("%s: %d %s, want %d with %s", path, status, answer, want, says)
		}
		return answer
	}
	step(app, "/v1/codes/make", "", who, 404, "declare health first")
	step(app, "/v1/codes/declare/health", "d1", HealthDeclaration{Identity: id, Name: "张三"}, 200, `"colour":"green"`)
	step(app, "/v1/codes/declare/health", "d1", HealthDeclaration{Identity: id, Name: "张三"}, 200, `"colour":"green"`)
	step(app, "/v1/codes/declare/health", "d1", HealthDeclaration{Identity: id, Name: "李四"}, 409, "new key")
	step(app, "/v1/codes/declare/health", "", HealthDeclaration{Identity: id, Name: "张三"}, 400, "Idempotency-Key")
	step(app, "/v1/codes/declare/trip", "t1", TripDeclaration{Identity: id, Division: "130100", In: w.clock().AddDate(0, 0, -2), Out: w.clock().AddDate(0, 0, -1)}, 200, `"colour":"yellow"`)
	step(app, "/v1/codes/query", "", who, 200, `"day":1,"days":7,"rule":"medium-risk-place"`)
	var made Made
	text := step(app, "/v1/codes/make", "m1", who, 200, `"colour":"yellow"`)
	if err := json.Unmarshal([]byte(strings.Replace(text, `"colour":"yellow"`, `"colour":2`, 1)), &made); err != nil {
		t.Fatal(err)
	}
	w.desk.Verifier = plainVerifier{made.Text: {Issuer: "CN-330100", Grade: gatehouse.Yellow, Holder: gatehouse.Holder{Name: "张*"}}}
	step(app, "/v1/codes/verify", "", codeText{made.Text}, 200, `"valid":true`)
	step(app, "/v1/codes/verify", "", codeText{"RHC1:nonsense"}, 200, `"valid":false,"reason":"S20"`)
	step(app, "/v1/codes/verify", "", codeText{strings.Repeat("A", 5000)}, 400, "one QR code")
	step(cdc, "/v1/codes/events", "", w.report(id, "e1"), 200, "taken")
	answer := step(app, "/v1/codes/query", "", who, 200, `"rule":"close-contact"`)
	var a struct{ Event Cause }
	if err := json.Unmarshal([]byte(answer), &a); err != nil {
		t.Fatal(err)
	}
	step(app, "/v1/codes/correct", "c1", CorrectionRequest{Identity: id, Event: a.Event.N, Reason: "not me"}, 200, "correction")
	pending, err := w.desk.Waiting(t.Context(), li)
	if err != nil || len(pending) != 1 {
		t.Fatal(pending, err)
	}
	d := Decision{Person: w.person(id), N: pending[0].N, Word: Approve, Note: "seen the list"}
	step(li, "/v1/codes/decide", "", d, 200, Pending)
	step(zhao, "/v1/codes/decide", "", d, 200, Approved)
	step(app, "/v1/codes/query", "", who, 200, `"colour":"yellow"`) // the trip still counts
	if status, body := w.send(ts, builder, "GET", "/v1/codes/revocations?after=0", "", ""); status != 200 || strings.Count(body, `"cti"`) != 1 {
		t.Errorf("revocations: %d %s", status, body)
	}
	if status, body := w.send(ts, auditor, "GET", "/v1/codes/audit?after=0", "", ""); status != 200 || !strings.Contains(body, "correction: approve") {
		t.Errorf("audit: %d %s", status, body)
	}
}

func TestHostileRequestsGetAnAnswerAndNoColour(t *testing.T) {
	w := newWorld(t)
	ts := w.serve()
	id := w.declared(1)
	good := toJSON(t, w.report(id, "e"))
	nested := strings.Repeat("[", 10_000)
	for _, c := range []struct {
		name         string
		by           Caller
		method, path string
		body         string
		want         int
	}{
		{"nobody", Caller{}, "POST", "/v1/codes/events", good, 401},
		{"a stranger", Caller{"eve", Officer}, "POST", "/v1/codes/events", good, 401},
		{"another role", viewer, "POST", "/v1/codes/events", good, 403},
		{"no body", cdc, "POST", "/v1/codes/events", "", 400},
		{"no object", cdc, "POST", "/v1/codes/events", "[]", 400},
		{"deep", cdc, "POST", "/v1/codes/events", nested, 400},
		{"an unknown key", cdc, "POST", "/v1/codes/events", `{"colour":"red"}`, 400},
		{"two values", cdc, "POST", "/v1/codes/events", good + good, 400},
		{"too large", cdc, "POST", "/v1/codes/events", `{"ref":"` + strings.Repeat("a", maxRequest) + `"}`, 400},
		{"a time of another age", cdc, "POST", "/v1/codes/events", strings.Replace(good, `"at":"2026`, `"at":"9026`, 1), 422},
		{"a number that does not check", cdc, "POST", "/v1/codes/events", strings.Replace(good, id.Number, id.Number[:17]+"?", 1), 400},
		{"a wrong method", cdc, "GET", "/v1/codes/events", "", 405},
		{"a negative mark", builder, "GET", "/v1/codes/revocations?after=-1", "", 400},
		{"revocations for others", app, "GET", "/v1/codes/revocations", "", 403},
		{"the trail for officers", li, "GET", "/v1/codes/audit", "", 403},
		{"a record for auditors", auditor, "POST", "/people/record", "purpose=complaint&note=case", 403},
		{"a form too large", li, "POST", "/people/record", "note=" + strings.Repeat("a", maxRequest), 400},
		{"a form of no correction", li, "POST", "/people/decide", "correction=x", 400},
		{"a made-up person", li, "POST", "/people/decide", "correction=1&person=zz&word=approve&note=yes+so", 400},
		{"somebody who is not there", li, "POST", "/people/decide", "correction=1&person=00000000000000000000000000000000&word=approve&note=yes+so", 404},
	} {
		more := []string{}
		if strings.HasPrefix(c.path, "/people") {
			more = []string{"Content-Type", "application/x-www-form-urlencoded"}
		}
		status, body := w.send(ts, c.by, c.method, c.path, "k", c.body, more...)
		if status != c.want {
			t.Errorf("%s: %d %.200s, want %d", c.name, status, body, c.want)
		}
		if strings.Contains(body, id.Number) {
			t.Errorf("%s: the answer quotes a number", c.name)
		}
	}
	status, body := w.send(ts, li, "POST", "/people/decide", "", "correction=1", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site")
	if status != 403 {
		t.Errorf("from another site: %d %s", status, body)
	}
	w.want(id, gatehouse.Green)
	if strings.Contains(w.logs.String(), id.Number[:17]) {
		t.Error("the log quotes a number")
	}
}

func TestPagesCarryNoScriptAndNoText(t *testing.T) {
	w := newWorld(t)
	ts := w.serve()
	id := somebody(1)
	if _, err := w.desk.DeclareHealth(t.Context(), app, "d", HealthDeclaration{Identity: id, Name: "<script>alert(1)</script>"}); err != nil {
		t.Fatal(err)
	}
	q := w.report(id, "e")
	w.enter(cdc, q)
	r, _, err := w.people.Record(t.Context(), w.desk.personID(id))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.desk.Correct(t.Context(), app, "c", CorrectionRequest{Identity: id, Event: r.Events[0].N, Reason: "<img src=x onerror=alert(1)>"}); err != nil {
		t.Fatal(err)
	}
	form := url.Values{"kind": {id.Kind}, "number": {id.Number}, "purpose": {"complaint"}, "note": {"<b>case</b>"}}
	for _, c := range []struct {
		by           Caller
		method, path string
		body         string
		says         string
	}{
		{viewer, "GET", "/people", "", "By identity document"},
		{viewer, "POST", "/people/record", form.Encode(), "day 0 of 14"},
		{li, "GET", "/people/corrections", "", "&lt;img"},
		{li, "GET", "/people/alarms", "", "No alarm"},
		{auditor, "GET", "/people/audit", "", "&lt;b&gt;case"},
		{li, "GET", "/people/quarantine", "", "None"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, ts.URL+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(c.by.Name, token)
		resp, err := ts.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || !strings.Contains(string(body), c.says) {
			t.Errorf("%s: %d, %v\n%s", c.path, resp.StatusCode, err, body)
		}
		if bytes.Contains(body, []byte("<script")) || bytes.Contains(body, []byte("<img")) || bytes.Contains(body, []byte("style=")) || bytes.Contains(body, []byte(id.Number)) {
			t.Errorf("%s: what people wrote became markup, or a number stands in it", c.path)
		}
		h := resp.Header
		if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'; style-src 'self'") || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", c.path, h)
		}
	}
}

func TestDirectoryIsServedOnceAndThenKept(t *testing.T) {
	w := newWorld(t)
	ts := w.serve()
	get := func(tag string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "GET", ts.URL+"/v1/directory", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("If-None-Match", tag)
		resp, err := ts.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	first := get("")
	var e Directory
	if err := json.NewDecoder(first.Body).Decode(&e); err != nil {
		t.Fatal(err)
	}
	if e.Region != "CN-330100" || e.Policy != 1 || e.Issuers[0].Keys[0] != "0123456789abcdef" || len(e.Recognises) != 1 ||
		e.Complaint.Phone != "0571-12345" || len(e.Retired) != 1 {
		t.Errorf("%+v", e)
	}
	tag := first.Header.Get("ETag")
	if second := get(`"x", ` + tag); second.StatusCode != http.StatusNotModified {
		t.Errorf("again: %d", second.StatusCode)
	}
	w.adopt(strings.Replace(string(Example), "version = 1 ", "version = 2 ", 1))
	if third := get(tag); third.StatusCode != 200 || third.Header.Get("ETag") == tag {
		t.Errorf("after other rules: %d %s", third.StatusCode, third.Header.Get("ETag"))
	}
}

func TestDoorTiresOfWrongTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDoor(operators(), time.Now)
		for i := range freeTries {
			if _, wait, ok := d.Enter("li", fmt.Sprint("wrong-token-number-", i)); ok || wait != 0 {
				t.Fatalf("try %d: %v, %v", i, ok, wait)
			}
		}
		if _, wait, ok := d.Enter("li", token); ok || wait != tryWait {
			t.Errorf("after %d wrong ones: %v, %v; want to wait %v", freeTries, ok, wait, tryWait)
		}
		if c, _, ok := d.Enter("zhao", token); !ok || c.Role != Officer {
			t.Error("another name has to wait too")
		}
		time.Sleep(tryWait)
		if c, _, ok := d.Enter("li", token); !ok || c != li {
			t.Errorf("after waiting: %v, %v", c, ok)
		}
		for i := range 2 * freeTries {
			d.Enter("li", fmt.Sprint("wrong-token-number-", i))
		}
		if _, _, ok := d.Enter("li", token); !ok {
			t.Error("wrong tokens of others shut out who was let in before")
		}
	})
}

func TestHashOfATokenIsItsOwn(t *testing.T) {
	h := HashToken(token)
	if !SoundHash(h) || strings.Contains(h, token) {
		t.Fatalf("%q", h)
	}
	d := NewDoor([]Operator{{"li", Officer, h}, {"odd", Officer, "argon2id$8$1$c2FsdHNhbHQ$"}}, time.Now)
	if _, _, ok := d.Enter("li", token); !ok {
		t.Error("the right token is not let in")
	}
	for _, c := range [][2]string{{"li", token + "x"}, {"li", ""}, {"li", strings.Repeat("x", 200)}, {"odd", token}, {"", token}} {
		if _, _, ok := d.Enter(c[0], c[1]); ok {
			t.Errorf("%q came in", c)
		}
	}
	for _, bad := range []string{"", "argon2id", "argon2id$99999999$1$c2FsdHNhbHQ$" + strings.Repeat("A", 43), "argon2id$8$0$c2FsdHNhbHQ$" + strings.Repeat("A", 43),
		"argon2id$-8$1$c2FsdHNhbHQ$" + strings.Repeat("A", 43), "pbkdf2$8$1$c2FsdHNhbHQ$" + strings.Repeat("A", 43)} {
		if SoundHash(bad) {
			t.Errorf("%q is sound", bad)
		}
	}
}

func FuzzHash(f *testing.F) {
	f.Add("argon2id$8$1$c2FsdHNhbHQ$AAAA")
	f.Add("argon2id$19456$2$$")
	f.Fuzz(func(t *testing.T, line string) {
		if h, ok := readHash(line); ok && (h.memory > mostMemory || h.passes > mostPasses || len(h.key) != argonKey) {
			t.Errorf("%q: %+v", line, h)
		}
	})
}

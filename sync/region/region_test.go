package region_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse"
	"gatehouse/sync/region"
	"gatehouse/sync/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var gateKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{5}, ed25519.SeedSize))

func keys(gate string) (crypto.PublicKey, bool) { return gateKey.Public(), gate == "hall-east" }

// A saidAnswer is a ledger's word on rows.
type saidAnswer string

func (a saidAnswer) Error() string  { return "said: " + string(a) }
func (a saidAnswer) Answer() string { return string(a) }

// A fakeLedger takes whatever comes, or says what it was told to say.
type fakeLedger struct {
	err   error
	taken int
	rows  []gatehouse.Passage
	gates []region.Standing
}

func (f *fakeLedger) Take(_ context.Context, _ string, _ [16]byte, first gatehouse.Seq, _ [32]byte, rows [][]byte) (gatehouse.Seq, [32]byte, error) {
	if f.err != nil {
		return 7, [32]byte{7}, f.err
	}
	f.taken += len(rows)
	return first + gatehouse.Seq(len(rows)) - 1, [32]byte{1}, nil
}

func (f *fakeLedger) Head(context.Context, string, [16]byte) (gatehouse.Seq, [32]byte, error) {
	return 7, [32]byte{7}, f.err
}

func (f *fakeLedger) Gates(context.Context) ([]region.Standing, error) { return f.gates, f.err }

func (f *fakeLedger) Passages(_ context.Context, gate string, limit int) ([]gatehouse.Passage, error) {
	var found []gatehouse.Passage
	for _, p := range f.rows {
		if (gate == "" || p.Gate == gate) && len(found) < limit {
			found = append(found, p)
		}
	}
	return found, f.err
}

func sealed(t *testing.T, spoil func(*wire.Batch)) (path string, data []byte) {
	t.Helper()
	b := wire.Batch{Gate: "hall-east", Epoch: [16]byte{1}, First: 3, Rows: [][]byte{[]byte("a"), []byte("b")}}
	if spoil != nil {
		spoil(&b)
	}
	data, err := wire.Seal(b, gateKey)
	if err != nil {
		t.Fatal(err)
	}
	return wire.Path(b), data
}

func TestBatchIsAnsweredByWhatItIs(t *testing.T) {
	path, good := sealed(t, nil)
	_, foreign := sealed(t, func(b *wire.Batch) { b.Gate = "hall-west" })
	west, _ := sealed(t, func(b *wire.Batch) { b.Gate = "hall-west" })
	_, later := sealed(t, func(b *wire.Batch) { b.First = 4 })
	_, other := sealed(t, func(b *wire.Batch) { b.Epoch = [16]byte{2} })
	forged := bytes.Clone(good)
	forged[len(forged)-1] ^= 1
	hash := func(b byte) string { return fmt.Sprintf("%02x%s", b, strings.Repeat("00", 31)) }
	for _, test := range []struct {
		name, path string
		body       []byte
		err        error
		status     int
		want       string
	}{
		{"taken", path, good, nil, 200, `{"through":4,"hash":"` + hash(1) + `"}`},
		{"gap", path, good, saidAnswer("gap"), 409, `{"through":7,"hash":"` + hash(7) + `","error":"gap"}`},
		{"fork", path, good, saidAnswer("fork"), 409, `{"through":7,"hash":"` + hash(7) + `","error":"fork"}`},
		{"rows are none", path, good, saidAnswer("malformed"), 400, `{"error":"said: malformed"}`},
		{"ledger broken", path, good, errors.New("disk full"), 503, `{"error":"the ledger cannot write"}`},
		{"forged", path, forged, nil, 401, `{"error":"no known gate signed this batch"}`},
		{"unknown gate", west, foreign, nil, 401, `{"error":"no known gate signed this batch"}`},
		{"other rows than the path", path, later, nil, 400, "belongs to /v1/gates/hall-east/log/01"},
		{"other epoch than the path", path, other, nil, 400, "belongs to /v1/gates/hall-east/log/02"},
		{"other gate than the path", west, good, nil, 401, `{"error":"no known gate signed this batch"}`},
		{"other gate than the batch", path, foreign, nil, 401, `{"error":"no known gate signed this batch"}`},
		{"cut off", path, good[:40], nil, 400, `{"error":"batch: `},
		{"empty", path, nil, nil, 400, `{"error":"batch: `},
		{"1 MiB and a byte", path, make([]byte, wire.MaxBatch+1), nil, 413, "at most 1 MiB"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ledger := &fakeLedger{err: test.err}
			h := (&region.Server{Ledger: ledger, Keys: keys}).Handler()
			for _, sized := range []bool{true, false} {
				r := httptest.NewRequest(http.MethodPut, test.path, bytes.NewReader(test.body))
				if !sized {
					r.ContentLength = -1 // a client that does not say how much will come
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != test.status || !strings.Contains(w.Body.String(), test.want) {
					t.Errorf("%d %s, want %d with %s", w.Code, w.Body, test.status, test.want)
				}
				if (w.Code == http.StatusServiceUnavailable) != (w.Header().Get("Retry-After") != "") {
					t.Errorf("%d with Retry-After %q", w.Code, w.Header().Get("Retry-After"))
				}
			}
			if test.status != 200 && ledger.taken != 0 {
				t.Errorf("%d rows were taken", ledger.taken)
			}
		})
	}
}

func TestPageOfAnotherOriginCannotWrite(t *testing.T) {
	path, good := sealed(t, nil)
	ledger := &fakeLedger{}
	r := httptest.NewRequest(http.MethodPut, path, bytes.NewReader(good))
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	(&region.Server{Ledger: ledger, Keys: keys}).Handler().ServeHTTP(w, r)
	if w.Code != http.StatusForbidden || ledger.taken != 0 {
		t.Errorf("%d, %d rows taken", w.Code, ledger.taken)
	}
}

// A stranger who trickles must not take a place from a gate.
func TestUnknownGateIsSentAwayBeforeItsBodyIsRead(t *testing.T) {
	west, _ := sealed(t, func(b *wire.Batch) { b.Gate = "hall-west" })
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPut, west, unread{t})
	(&region.Server{Ledger: &fakeLedger{}, Keys: keys}).Handler().ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("%d, want 401", w.Code)
	}
}

// A form is read into memory and then to disk, whatever its size; nobody here needs one.
func TestReadersBodyIsNotRead(t *testing.T) {
	for _, path := range []string{"/", "/v1/passages?gate=hall-east"} {
		r := httptest.NewRequest(http.MethodGet, path, unread{t})
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		r.RemoteAddr, r.Host = "127.0.0.1:4000", "localhost"
		w := httptest.NewRecorder()
		(&region.Server{Ledger: filled(), Keys: keys}).Handler().ServeHTTP(w, r)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "hall-east") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// With every place taken a gate is sent away before it has sent its rows.
func TestTooManyGatesAtOnceAreSentAway(t *testing.T) {
	path, good := sealed(t, nil)
	h := (&region.Server{Ledger: &fakeLedger{}, Keys: keys}).Handler()
	put := func(body io.Reader) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPut, path, body))
		return w
	}
	var slow []*io.PipeWriter
	done := make(chan int)
	for range 32 {
		body, feed := io.Pipe()
		slow = append(slow, feed)
		go func() { done <- put(body).Code }()
		if _, err := feed.Write(good[:10]); err != nil { // returns when it has a place and reads
			t.Fatal(err)
		}
	}
	if w := put(unread{t}); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one too many: %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	for _, feed := range slow {
		if _, err := feed.Write(good[10:]); err != nil {
			t.Error(err)
		}
		feed.Close()
		if code := <-done; code != http.StatusOK {
			t.Errorf("a slow gate got %d", code)
		}
	}
	if w := put(bytes.NewReader(good)); w.Code != http.StatusOK {
		t.Errorf("with places again: %d", w.Code)
	}
}

type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("a body was read that nobody needs")
	return 0, io.EOF
}

func TestReadersShowTheTokenOrAreOnThisMachine(t *testing.T) {
	for _, test := range []struct {
		name, token, from, host, authorization string
		basic, header                          string
		want                                   int
	}{
		{name: "this machine", from: "127.0.0.1:4000", host: "127.0.0.1:8443", want: 200},
		{name: "this machine, IPv6", from: "[::1]:4000", host: "[::1]:8443", want: 200},
		{name: "this machine, IPv4 in IPv6", from: "[::ffff:127.0.0.1]:4000", host: "localhost", want: 200},
		{name: "this machine, led by a foreign page", from: "127.0.0.1:4000", host: "evil.example", want: 403},
		{name: "another machine", from: "192.0.2.7:4000", host: "region.example", want: 403},
		{name: "another machine, lying about the host", from: "192.0.2.7:4000", host: "localhost", want: 403},
		{name: "no address", from: "@", host: "localhost", want: 403},
		{name: "behind a proxy on this machine", from: "127.0.0.1:4000", host: "localhost", header: "X-Forwarded-For: 192.0.2.7", want: 403},
		{name: "behind a proxy that hides it", from: "127.0.0.1:4000", host: "localhost", header: "X-Real-IP:", want: 403},
		{name: "behind a standard proxy", from: "127.0.0.1:4000", host: "localhost", header: "Forwarded: for=192.0.2.7", want: 403},
		{name: "behind a proxy, with the token", token: "s3cret", from: "127.0.0.1:4000", header: "Via: 1.1 proxy", authorization: "Bearer s3cret", want: 200},
		{name: "token", token: "s3cret", from: "192.0.2.7:4000", authorization: "Bearer s3cret", want: 200},
		{name: "token as a password", token: "s3cret", from: "192.0.2.7:4000", basic: "s3cret", want: 200},
		{name: "wrong token", token: "s3cret", from: "192.0.2.7:4000", authorization: "Bearer s3cre", want: 401},
		{name: "wrong password", token: "s3cret", from: "192.0.2.7:4000", basic: "x", want: 401},
		{name: "no token", token: "s3cret", from: "192.0.2.7:4000", want: 401},
		{name: "no token on this machine", token: "s3cret", from: "127.0.0.1:4000", host: "localhost", want: 401},
		{name: "empty bearer without a token configured", from: "192.0.2.7:4000", authorization: "Bearer ", want: 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := (&region.Server{Ledger: &fakeLedger{}, Keys: keys, Token: test.token}).Handler()
			for _, path := range []string{"/", "/v1/gates", "/v1/passages", "/v1/gates/hall-east/log/01000000000000000000000000000000/head"} {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.RemoteAddr = test.from
				if test.host != "" {
					r.Host = test.host
				}
				if test.authorization != "" {
					r.Header.Set("Authorization", test.authorization)
				}
				if name, value, ok := strings.Cut(test.header, ":"); ok {
					r.Header.Set(name, strings.TrimSpace(value))
				}
				if test.basic != "" {
					r.SetBasicAuth("anybody", test.basic)
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != test.want {
					t.Errorf("%s: %d, want %d", path, w.Code, test.want)
				}
				if test.want != 200 && strings.Contains(w.Body.String(), "through") {
					t.Errorf("%s tells %s", path, w.Body)
				}
			}
		})
	}
}

func reading(t *testing.T, ledger region.Ledger, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:4000", "localhost:8443"
	w := httptest.NewRecorder()
	(&region.Server{Ledger: ledger, Keys: keys}).Handler().ServeHTTP(w, r)
	return w
}

func filled() *fakeLedger {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	return &fakeLedger{
		gates: []region.Standing{
			{Gate: "hall-east", Epoch: [16]byte{0xab}, Through: 42, Seen: at, Admit: 30, Refer: 7, Deny: 5},
			{Gate: "hall-west", Epoch: [16]byte{0xcd}, Through: 1, Seen: at, Deny: 1, Forks: 2},
		},
		rows: []gatehouse.Passage{
			{Seq: 42, Gate: "hall-east", At: at, Clock: true, Issuer: "CN-330100", Verdict: gatehouse.Verdict{Call: gatehouse.Admit},
				Skin: gatehouse.Measurement{Skin: 36_600, Quality: gatehouse.Steady, Readings: 5, Sensor: "mlx90614@5a"}},
			{Seq: 1, Gate: "hall-west", At: at, Verdict: gatehouse.Verdict{Call: gatehouse.Deny, Reason: gatehouse.ReasonUnknownKey,
				Detail: `<script>alert("issuer")</script>`}, Issuer: `"><img src=x>`, Guard: "post 2"},
		},
	}
}

func TestReadersGetJSON(t *testing.T) {
	var gates []map[string]any
	w := reading(t, filled(), "/v1/gates")
	if err := json.Unmarshal(w.Body.Bytes(), &gates); err != nil || len(gates) != 2 {
		t.Fatalf("%s: %v", w.Body, err)
	}
	if g := gates[0]; g["gate"] != "hall-east" || g["through"] != 42.0 || g["seen"] != "2026-05-01T12:00:00Z" || g["calls"].(map[string]any)["admit"] != 30.0 {
		t.Errorf("gate %v", g)
	}
	var passages []map[string]any
	w = reading(t, filled(), "/v1/passages?gate=hall-east&limit=5")
	if err := json.Unmarshal(w.Body.Bytes(), &passages); err != nil || len(passages) != 1 {
		t.Fatalf("%s: %v", w.Body, err)
	}
	if p := passages[0]; p["seq"] != 42.0 || p["call"] != "admit" || p["issuer"] != "CN-330100" || p["skin"].(map[string]any)["milli_celsius"] != 36600.0 {
		t.Errorf("passage %v", p)
	}
	if w := reading(t, &fakeLedger{}, "/v1/passages"); strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("of an empty ledger: %s", w.Body)
	}
	if w := reading(t, &fakeLedger{}, "/v1/gates/hall-east/log/01000000000000000000000000000000/head"); !strings.HasPrefix(w.Body.String(), `{"through":7,"hash":"07`) {
		t.Errorf("head: %s", w.Body)
	}
	for path, want := range map[string]int{
		"/v1/passages?limit=0": 400, "/v1/passages?limit=1001": 400, "/v1/passages?limit=many": 400,
		"/v1/gates/hall-east/log/xyz/head": 400, "/nothing": 404, "/page.css": 200,
	} {
		if w := reading(t, filled(), path); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	for _, path := range []string{"/", "/v1/gates", "/v1/passages"} {
		if w := reading(t, &fakeLedger{err: errors.New("disk I/O error at /var/lib")}, path); w.Code != 503 || strings.Contains(w.Body.String(), "/var") {
			t.Errorf("%s of a broken ledger: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestPageShowsGatesAndRunsNothing(t *testing.T) {
	w := reading(t, filled(), "/")
	page := w.Body.String()
	for _, want := range []string{"hall-east", ">42<", "2026-05-01 12:00:00", "admit", "S21", "CN-330100", "36.6 °C", "forked", "&lt;script&gt;", `http-equiv="refresh"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
	for _, never := range []string{"<script", "<img", "style=", "post 2"} {
		if strings.Contains(page, never) {
			t.Errorf("the page holds %s", never)
		}
	}
	if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'self'") {
		t.Errorf("policy %q", policy)
	}
	if page := reading(t, &fakeLedger{}, "/").Body.String(); !strings.Contains(page, "No gate has delivered") {
		t.Error("an empty region shows an empty page")
	}
}

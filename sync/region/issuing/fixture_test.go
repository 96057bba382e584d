package issuing

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse"
	"gatehouse/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// plainSigner writes the statement down as JSON: these laws are about what is said, not about
// how it is signed.
type plainSigner struct{}

type plainCode struct {
	Pass   gatehouse.Pass
	Detail int64
}

func (plainSigner) KeyID() string { return "0123456789abcdef" }

func (plainSigner) Sign(p gatehouse.Pass, detail int64) (string, error) {
	b, err := json.Marshal(struct {
		Pass   gatehouse.Pass
		Grade  gatehouse.Grade
		Detail int64
	}{p, p.Grade, detail})
	return string(b), err
}

// plainVerifier knows the passes that it was given.
type plainVerifier map[string]gatehouse.Pass

func (v plainVerifier) Verify(text string, at time.Time) (gatehouse.Pass, error) {
	if p, ok := v[text]; ok {
		return p, nil
	}
	return gatehouse.Pass{}, &gatehouse.Refusal{Reason: gatehouse.ReasonBadSignature, Detail: "not one of these"}
}

// A world is a desk on a real file, with a clock that the test sets.
type world struct {
	*testing.T
	desk   *Desk
	people *store.People
	path   string
	logs   *bytes.Buffer

	mu  sync.Mutex
	now time.Time
}

var (
	app     = Caller{"alipay", App}
	cdc     = Caller{"cdc", Source}
	viewer  = Caller{"wang", Viewer}
	li      = Caller{"li", Officer}
	zhao    = Caller{"zhao", Officer}
	sun     = Caller{"sun", Officer}
	auditor = Caller{"qian", Auditor}
	builder = Caller{"trust", Builder}
)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, path: filepath.Join(t.TempDir(), "people.db"), logs: &bytes.Buffer{}, now: time.Date(2026, 5, 11, 10, 0, 0, 0, shanghai(t))}
	w.open()
	w.adopt(string(Example))
	return w
}

func (w *world) open() {
	w.Helper()
	people, err := store.OpenPeople(w.Context(), w.path)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { people.Close() })
	w.people = people
	w.desk = &Desk{Store: people, Signer: plainSigner{}, Verifier: plainVerifier{}, Secret: []byte("0123456789abcdef0123456789abcdef"),
		Now: w.clock, Logger: slog.New(slog.NewTextHandler(w.logs, nil))}
}

func (w *world) adopt(text string) {
	w.Helper()
	if err := w.desk.Adopt(w.Context(), []byte(text)); err != nil {
		w.Fatal(err)
	}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) set(t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = t
}

func (w *world) later(d time.Duration) { w.set(w.clock().Add(d)) }

func shanghai(t testing.TB) *time.Location {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// somebody is the nth resident of a division that does not exist.
func somebody(n int) Identity {
	digits := fmt.Sprintf("1000001950%02d%02d%03d", n/1000/28%12+1, n/1000%28+1, n%1000)
	return Identity{Kind: "resident", Number: digits + string(checkSign(digits))}
}

// declared makes a healthy person and gives their identity.
func (w *world) declared(n int) Identity {
	w.Helper()
	id := somebody(n)
	if _, err := w.desk.DeclareHealth(w.Context(), app, "first", HealthDeclaration{Identity: id, Name: "张三"}); err != nil {
		w.Fatal(err)
	}
	return id
}

// report is a close contact's, whose days count from now.
func (w *world) report(id Identity, ref string) Report {
	return Report{Identity: id, Ref: ref, Indicator: "contact", Kind: "close", At: w.clock(), Case: "HZ-2026-0042", Status: "confirmed"}
}

func (w *world) enter(c Caller, q Report) {
	w.Helper()
	if err := w.desk.Enter(w.Context(), c, q); err != nil {
		w.Fatal(err)
	}
}

func (w *world) answer(id Identity) Answer {
	w.Helper()
	a, err := w.desk.Query(w.Context(), app, id)
	if err != nil {
		w.Fatal(err)
	}
	return a
}

func (w *world) want(id Identity, colour gatehouse.Grade) Answer {
	w.Helper()
	a := w.answer(id)
	if a.Colour != colour {
		w.Errorf("at %v the colour is %v, want %v", w.clock(), a.Colour, colour)
	}
	return a
}

func (w *world) make(id Identity, key string) (Made, plainCode) {
	w.Helper()
	m, err := w.desk.Make(w.Context(), app, key, id)
	if err != nil {
		w.Fatal(err)
	}
	// The grade goes into JSON as a word, and comes back beside it.
	var c plainCode
	text := m.Text
	for _, g := range []gatehouse.Grade{gatehouse.Green, gatehouse.Yellow, gatehouse.Red, gatehouse.Grey} {
		text = strings.ReplaceAll(text, `"Grade":"`+g.String()+`"`, fmt.Sprintf(`"Grade":%d`, g))
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		w.Fatal(err)
	}
	return m, c
}

// wantNo fails unless err is an answer of this kind.
func wantNo(t testing.TB, err error, kind Kind) {
	t.Helper()
	var n *No
	if !errors.As(err, &n) || n.Kind != kind {
		t.Errorf("answer %v, want a no of kind %d", err, kind)
	}
}

func (w *world) person(i Identity) string { return fmt.Sprintf("%x", w.desk.personID(i)) }

func (w *world) tagOf(c plainCode) [8]byte {
	w.Helper()
	b, err := hex.DecodeString(c.Pass.Holder.Tag)
	if err != nil || len(b) != 8 {
		w.Fatalf("tag %q", c.Pass.Holder.Tag)
	}
	return [8]byte(b)
}

// alarms lists the open ones.
func (w *world) alarms() (open []Alarm) {
	w.Helper()
	all, err := w.desk.Alarms(w.Context(), auditor)
	if err != nil {
		w.Fatal(err)
	}
	for _, a := range all {
		if a.Cleared.IsZero() {
			open = append(open, a)
		}
	}
	return open
}

// wantTrail fails unless the audit trail has these lines, in this order, others between.
func (w *world) wantTrail(what ...string) {
	w.Helper()
	trail, err := w.desk.Trail(w.Context(), auditor, 0)
	if err != nil {
		w.Fatal(err)
	}
	var all []string
	for _, e := range trail {
		all = append(all, e.What)
		if len(what) > 0 && e.What == what[0] {
			what = what[1:]
		}
	}
	if len(what) > 0 {
		w.Errorf("the trail %q misses %q", all, what)
	}
	if err := w.people.VerifyAudit(w.Context()); err != nil {
		w.Error(err)
	}
}

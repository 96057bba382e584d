package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse"
	"gatehouse/credential"
	"gatehouse/store"
	"gatehouse/sync/region/issuing"
)

// issuingLab writes what a region that issues needs into a folder.
func issuingLab(t testing.TB, operators ...operatorConfig) issuingConfig {
	t.Helper()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	conf := issuingConfig{People: filepath.Join(dir, "people.db"), Secret: filepath.Join(dir, "people.secret"),
		Rules: filepath.Join(dir, "rules.toml"), Signer: filepath.Join(dir, "signer.key"), Operators: operators}
	for path, b := range map[string][]byte{conf.Rules: issuing.Example,
		conf.Signer: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return conf
}

func openLab(t testing.TB, conf issuingConfig) *issuingPart {
	t.Helper()
	p, err := openIssuing(t.Context(), conf, "CN-330100", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.people.Close() })
	return p
}

var app = issuing.Caller{Name: "app", Role: issuing.App}

// resident is the nth of a division that does not exist.
func resident(n int) issuing.Identity {
	digits := fmt.Sprintf("100000%04d%02d%02d%03d", 1900+n/336000%100, n/28000%12+1, n/1000%28+1, n%1000)
	for _, sign := range "0123456789X" {
		if id := (issuing.Identity{Kind: "resident", Number: digits + string(sign)}); id.Check() == nil {
			return id
		}
	}
	panic("no check character fits " + digits)
}

func declare(t testing.TB, p *issuingPart, n int) issuing.Identity {
	t.Helper()
	id := resident(n)
	if _, err := p.desk.DeclareHealth(t.Context(), app, "d", issuing.HealthDeclaration{Identity: id, Name: "张三"}); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestEveryColourIsACodeThatAGateBelieves(t *testing.T) {
	p := openLab(t, issuingLab(t))
	officer := issuing.Caller{Name: "li", Role: issuing.Officer}
	for n, c := range []struct {
		report *issuing.Report
		claims bool
		want   gatehouse.Grade
		class  gatehouse.Class
	}{
		{nil, false, gatehouse.Green, 0},
		{nil, true, gatehouse.Grey, gatehouse.Contact},
		{&issuing.Report{Indicator: "contact", Kind: "secondary", Case: "HZ-0001", Status: "suspected"}, false, gatehouse.Yellow, gatehouse.Contact},
		{&issuing.Report{Indicator: "place", Kind: "stay", Division: "110112", Risk: "high"}, false, gatehouse.Red, gatehouse.Place},
		{&issuing.Report{Indicator: "health", Kind: "test-positive", Finding: "nucleic acid, laboratory 7"}, false, gatehouse.Red, gatehouse.Health},
	} {
		id := resident(n)
		if _, err := p.desk.DeclareHealth(t.Context(), app, "d", issuing.HealthDeclaration{Identity: id, Name: "张三", Contact: c.claims}); err != nil {
			t.Fatal(err)
		}
		if c.report != nil {
			c.report.Identity, c.report.Ref, c.report.At = id, "e", time.Now().Add(-time.Minute)
			if err := p.desk.Enter(t.Context(), officer, *c.report); err != nil {
				t.Fatal(err)
			}
		}
		trip := issuing.TripDeclaration{Identity: id, Division: "330200", In: time.Now().AddDate(0, 0, -20), Out: time.Now().Add(-time.Hour)}
		if _, err := p.desk.DeclareTrip(t.Context(), app, "t", trip); err != nil {
			t.Fatal(err)
		}
		made, err := p.desk.Make(t.Context(), app, "", id)
		if err != nil {
			t.Fatal(err)
		}
		pass, err := p.desk.Verifier.Verify(made.Text, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if pass.Grade != c.want || pass.Class != c.class || pass.Issuer != "CN-330100" || pass.Holder.Name != "张*" || len(pass.Holder.Tag) != 16 ||
			len(pass.Facts) != 1 || pass.Facts[0].Division != "330200" || pass.Since.IsZero() {
			t.Errorf("%d: the code says %+v", n, pass)
		}
	}
}

func TestCorrectedCodeIsRevokedAndAForeignOneConverted(t *testing.T) {
	conf := issuingLab(t)
	foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(foreign.Public())
	if err != nil {
		t.Fatal(err)
	}
	conf.Foreign = []foreignConfig{{Issuer: "CN-440000", Key: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))}}
	p := openLab(t, conf)
	id := declare(t, p, 1)
	made, err := p.desk.Make(t.Context(), app, "", id)
	if err != nil {
		t.Fatal(err)
	}
	report := issuing.Report{Identity: id, Ref: "e", Indicator: "contact", Kind: "close", Case: "HZ-0001", Status: "confirmed", At: time.Now().Add(-time.Second)}
	if err := p.desk.Enter(t.Context(), issuing.Caller{Name: "cdc", Role: issuing.Source}, report); err != nil {
		t.Fatal(err)
	}
	if c, err := p.desk.Check(t.Context(), made.Text); err != nil || c.Valid || c.Reason != gatehouse.ReasonRevoked {
		t.Errorf("the green code of somebody red: %+v, %v", c, err)
	}

	now := time.Now()
	text, err := credential.Issue(foreign, credential.Claims{Issuer: "CN-440100", Issued: now, Expires: now.Add(time.Hour), Grade: gatehouse.Red,
		Class: gatehouse.Place, Holder: gatehouse.Holder{Name: "李*", Birth: "1980", Tag: "0102030405060708"},
		Facts: []gatehouse.Fact{{Kind: gatehouse.Test, At: now.Add(-time.Hour), Method: "antigen", Result: gatehouse.Positive}}})
	if err != nil {
		t.Fatal(err)
	}
	local, err := p.desk.Convert(t.Context(), app, text)
	if err != nil {
		t.Fatal(err)
	}
	pass, err := p.desk.Verifier.Verify(local.Text, time.Now())
	if err != nil || pass.Grade != gatehouse.Grey || pass.Issuer != "CN-330100" || pass.Holder.Name != "李*" || len(pass.Facts) != 1 {
		t.Errorf("%+v, %v", pass, err)
	}
}

func TestSecretIsMadeOnceAndNeverBesideOldPeople(t *testing.T) {
	conf := issuingLab(t)
	openLab(t, conf).people.Close()
	first, err := os.ReadFile(conf.Secret)
	if err != nil {
		t.Fatal(err)
	}
	openLab(t, conf).people.Close()
	if again, err := os.ReadFile(conf.Secret); err != nil || !bytes.Equal(first, again) {
		t.Errorf("the secret changed: %v", err)
	}
	if err := os.Remove(conf.Secret); err != nil {
		t.Fatal(err)
	}
	if _, err := openIssuing(t.Context(), conf, "CN-330100", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "found again") {
		t.Errorf("opened with %v", err)
	}
}

func TestRulesOfAnotherRegionDoNotOpen(t *testing.T) {
	if _, err := openIssuing(t.Context(), issuingLab(t), "CN-440000", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "CN-330100") {
		t.Errorf("opened with %v", err)
	}
}

func TestIssuingSettingsWithFaultsNameThem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "region.toml")
	text := "region = \"CN-330100\"\n[issuing]\npeople = \"p\"\n[[issuing.operator]]\nname = \"li\"\nrole = \"king\"\ntoken = \"x\"\n[[issuing.operator]]\nname = \"zhao\"\nrole = \"officer\"\ntoken = \"secret\"\n[[issuing.source]]\nname = \"a\"\n[[issuing.foreign]]\nissuer = \"CN-440000\"\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, said := regiondSays(t, "--config", path)
	for _, want := range []string{"issuing.rules: is missing", "issuing.secret: is missing", "issuing.signer: is missing", `"king" is no role`,
		"zhao: the token is no hash", "line 12: issuing.source: ", "line 14: issuing.foreign: "} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in:\n%s", want, said)
		}
	}
}

func TestHashTokenTakesItFromTheInputAlone(t *testing.T) {
	c := command()
	var out bytes.Buffer
	c.SetArgs([]string{"hash-token"})
	c.SetIn(strings.NewReader("correct-horse-battery\n"))
	c.SetOut(&out)
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	hash := strings.TrimSpace(out.String())
	door := issuing.NewDoor([]issuing.Operator{{Name: "li", Role: issuing.Officer, Hash: hash}}, time.Now)
	if _, _, ok := door.Enter("li", "correct-horse-battery"); !ok {
		t.Errorf("%q lets nobody in", hash)
	}
}

func TestRegionKeepsItsOtherRoutes(t *testing.T) {
	p := openLab(t, issuingLab(t))
	rest := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for path, want := range map[string]int{"/": 418, "/v1/gates": 418, "/page.css": 418, "/v1/directory": 200, "/people": 401, "/people/people.css": 200,
		"/people/audit": 401, "/v1/codes/audit": 401, "/v1/codes/nothing": 404} {
		w := httptest.NewRecorder()
		p.beside(rest).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}

// benchPeople is how many persons the benchmarks ask for in turn.
const benchPeople = 2000

// BenchmarkMakeCode is the whole way of a code: the person's row, the facts, the signature,
// the issuer's own check of it, and the durable row before it is handed out. Codes that are
// asked for at once share a commit, as those of a city do.
func BenchmarkMakeCode(b *testing.B) {
	const token = "correct-horse-battery"
	p := openLab(b, issuingLab(b, operatorConfig{Name: app.Name, Role: string(app.Role), Token: issuing.HashToken(token)}))
	ids := make([]issuing.Identity, benchPeople)
	var work sync.WaitGroup
	for worker := range 8 {
		work.Go(func() {
			for n := worker; n < len(ids); n += 8 {
				ids[n] = resident(n)
				if _, err := p.desk.DeclareHealth(b.Context(), app, "d", issuing.HealthDeclaration{Identity: ids[n], Name: "张三"}); err != nil {
					b.Error(err)
				}
				trip := issuing.TripDeclaration{Identity: ids[n], Division: "330200", In: time.Now().AddDate(0, 0, -4), Out: time.Now().Add(-time.Hour)}
				if _, err := p.desk.DeclareTrip(b.Context(), app, "t", trip); err != nil {
					b.Error(err)
				}
			}
		})
	}
	work.Wait()
	var next atomic.Int64
	b.Run("desk", func(b *testing.B) {
		b.SetParallelism(32)
		defer perSecond(b)()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := p.desk.Make(b.Context(), app, "", ids[next.Add(1)%benchPeople]); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("https", func(b *testing.B) {
		server := httptest.NewTLSServer(p.handler)
		defer server.Close()
		client := server.Client()
		client.Transport.(*http.Transport).MaxIdleConnsPerHost = 64
		b.SetParallelism(32)
		defer perSecond(b)()
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				body, err := json.Marshal(map[string]any{"identity": ids[next.Add(1)%benchPeople]})
				if err != nil {
					b.Error(err)
				}
				r, err := http.NewRequestWithContext(b.Context(), "POST", server.URL+"/v1/codes/make", bytes.NewReader(body))
				if err != nil {
					b.Error(err)
				}
				r.SetBasicAuth(app.Name, token)
				resp, err := client.Do(r)
				if err != nil {
					b.Error(err)
					return
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 {
					b.Error(resp.StatusCode, err)
				}
				resp.Body.Close()
			}
		})
	})
}

// perSecond reports codes by the wall clock, and by the time that this program had a
// processor, which a busy machine does not change. The client is part of the program.
func perSecond(b *testing.B) (report func()) {
	before := processorTime(b)
	return func() {
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "codes/s")
		b.ReportMetric(float64(b.N)/(processorTime(b)-before).Seconds(), "codes/cpu-s")
	}
}

func processorTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// The store's rows are the desk's: this does not compile when they drift apart.
var _ issuing.Store = (*store.People)(nil)

func TestIssuingLooksAfterItsFoldersUntilItIsTold(t *testing.T) {
	conf := issuingLab(t)
	conf.Sources = []sourceConfig{{Name: "cdc", Folder: t.TempDir()}, {Name: "gone", Folder: filepath.Join(t.TempDir(), "none")}}
	p := openLab(t, conf)
	id := declare(t, p, 1)
	line, err := json.Marshal(issuing.Report{Identity: id, Ref: "e", Indicator: "contact", Kind: "close", Case: "HZ-0001", Status: "confirmed", At: time.Now().Add(-time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(conf.Sources[0].Folder, "a.jsonl"), append(line, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	p.poll(t.Context())
	if a, err := p.desk.Query(t.Context(), app, id); err != nil || a.Colour != gatehouse.Red {
		t.Errorf("after a look at the folder: %v, %v", a.Colour, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.run(ctx)
}

package console

import (
	"bytes"
	"context"
	"fmt"
	"image"
	_ "image/jpeg"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"gatehouse"
	"gatehouse/gate"
)

// TestInABrowser tries the pages where they live. One Chromium serves all laws, a tab each.
func TestInABrowser(t *testing.T) {
	ctx := browser(t)
	for _, law := range []struct {
		name string
		test func(*testing.T, context.Context)
	}{
		{"EveryVerdictFitsEveryScreen", everyVerdictFitsEveryScreen},
		{"TheGuardDecidesOnTheScreen", theGuardDecidesOnTheScreen},
		{"TheFirstPersonOfADayMayComeWithoutACode", theFirstPersonOfADayMayComeWithoutACode},
		{"ThePageGoesNeutralWithoutItsServer", thePageGoesNeutralWithoutItsServer},
		{"TheStyleSheetClearsWhatAStalledScriptCannot", theStyleSheetClearsWhatAStalledScriptCannot},
		{"ATabThatSleptShowsNoOldVerdict", aTabThatSleptShowsNoOldVerdict},
	} {
		t.Run(law.name, func(t *testing.T) {
			tab, cancel := chromedp.NewContext(ctx)
			defer cancel()
			law.test(t, tab)
		})
	}
}

// browser starts a Chromium and ends it with the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no chromium: the pages cannot be tried in a browser")
		}
		t.Skip("no chromium: the pages are not tried in a browser (apt-get install chromium)")
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.NoFirstRun,
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", false)}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(options...))
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("end the browser: %v", err)
		}
		cancel()
	})
	return ctx
}

// serve starts the server as a gate would, and ends its streams with the test.
func serve(t *testing.T, s *Server) *httptest.Server {
	t.Helper()
	ts := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		ts.Close()
	})
	return ts
}

func run(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// until waits, by the page's own frames, until a condition of the page holds.
func until(t *testing.T, ctx context.Context, condition string) {
	t.Helper()
	poll := chromedp.Poll[chromedp.Void](condition, chromedp.WithPollingTimeout(20*time.Second))
	err := chromedp.Do(ctx, poll)
	if err != nil && strings.Contains(err.Error(), "Cannot find context") {
		err = chromedp.Do(ctx, poll) // asked of the page that was there before
	}
	if err != nil {
		state, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.dataset.base + ': ' + document.querySelector('main').innerText`))
		t.Fatalf("the page never got to %s: %v; it shows %q", condition, err, state)
	}
}

func js(code string) chromedp.Action[chromedp.Void] { return chromedp.Evaluate[chromedp.Void](code) }

func theGuardDecidesOnTheScreen(t *testing.T, ctx context.Context) {
	decided := make(chan gate.Decision, 1)
	s := &Server{Gate: "G1", Sound: Off, Lang: English, Status: well, TTL: TTL{Deny: time.Hour},
		Guards: []Guard{{Name: "Li", PIN: testPIN("2468")}}}
	s.Decide = func(_ context.Context, d gate.Decision) (gatehouse.Passage, error) {
		decided <- d
		v := view(gatehouse.Admit, gatehouse.ReasonGuard, 8)
		v.Passage.Amends, v.Pass = 7, nil
		s.Show(v)
		return v.Passage, nil
	}
	entered := make(chan gate.Entry, 1)
	s.Enter = func(_ context.Context, e gate.Entry) (gatehouse.Passage, error) {
		entered <- e
		return gatehouse.Passage{Seq: 9}, nil
	}
	ts := serve(t, s)
	run(t, ctx, chromedp.EmulateViewport(800, 480), chromedp.Navigate(ts.URL))
	until(t, ctx, `document.body.dataset.base === 'idle'`)
	s.Show(view(gatehouse.Refer, gatehouse.ReasonFever, 7))
	until(t, ctx, `document.querySelector('.verdict .holder dd')?.textContent === '欧阳* · 1990'`)

	keys := func(all ...string) chromedp.Action[chromedp.Void] {
		return js(fmt.Sprintf(`%q.split(' ').forEach(k => document.querySelector('[data-key="' + k + '"]').click())`, strings.Join(all, " ")))
	}
	run(t, ctx, chromedp.Click(chromedp.ID("decide")), js(`document.querySelector('[data-note=measured]').click()`),
		keys("2", "4", "6", "9"), chromedp.Click(chromedp.ID("send")))
	until(t, ctx, `document.querySelector('#trouble').textContent === 'PIN does not match'`)
	run(t, ctx, keys("2", "4", "6", "9", "erase", "8"), js(`document.querySelector('#send').click()`))
	until(t, ctx, `!document.querySelector('#decision').open`)
	want := gate.Decision{Amends: 7, Call: gatehouse.Admit, Guard: "Li", Note: "Measured again"}
	if got := <-decided; got != want {
		t.Errorf("the lane was told %+v, want %+v", got, want)
	}
	until(t, ctx, `document.querySelector('#last li .seq')?.textContent === '#8'`)
	until(t, ctx, `!document.querySelector('#live .verdict')`)

	// Nobody can take a person without a code for one with: the dialog asks for the cause alone.
	s.mu.Lock()
	n := s.events
	s.mu.Unlock()
	s.acknowledge(n)
	run(t, ctx, js(`document.querySelector('#enter').click()`), js(`document.querySelector('[data-note="companion"][data-call=enter]').click()`),
		keys("2", "4", "6", "8"), js(`document.querySelector('#send').click()`))
	until(t, ctx, `!document.querySelector('#decision').open`)
	if got, want := <-entered, (gate.Entry{Without: gatehouse.Companion, Guard: "Li", Note: "Comes with who passed before"}); got != want {
		t.Errorf("the lane was told %+v, want %+v", got, want)
	}

	// A footswitch is a keyboard: Enter acknowledges, on every screen.
	s.Show(view(gatehouse.Deny, gatehouse.ReasonBadSignature, 9))
	until(t, ctx, `document.querySelector('.verdict')?.dataset.face === 'deny'`)
	run(t, ctx, chromedp.KeyEvent("\r"))
	until(t, ctx, `!document.querySelector('#live .verdict')`)
	until(t, ctx, `document.querySelector('#ack').hidden`)
}

func theFirstPersonOfADayMayComeWithoutACode(t *testing.T, ctx context.Context) {
	s := &Server{Gate: "G1", Sound: Off, Status: well, Guards: []Guard{{Name: "Li"}},
		Enter: func(context.Context, gate.Entry) (gatehouse.Passage, error) { return gatehouse.Passage{}, nil }}
	ts := serve(t, s)
	run(t, ctx, chromedp.Navigate(ts.URL))
	until(t, ctx, `document.body.dataset.base === 'idle'`)
	run(t, ctx, js(`document.querySelector('#enter').click()`))
	until(t, ctx, `document.querySelector('#decision').open`)
}

func thePageGoesNeutralWithoutItsServer(t *testing.T, ctx context.Context) {
	forever := TTL{Admit: time.Hour}
	for _, path := range []string{"/", "/public"} {
		// Killed: the connection breaks.
		s := &Server{Gate: "G1", Sound: Off, Status: well, TTL: forever}
		ts := httptest.NewServer(s)
		run(t, ctx, chromedp.Navigate(ts.URL+path))
		until(t, ctx, `document.body.dataset.base === 'idle'`)
		s.Show(view(gatehouse.Admit, gatehouse.ReasonNone, 7))
		until(t, ctx, `document.querySelector('.verdict')?.dataset.face === 'admit'`)
		s.Close()
		ts.CloseClientConnections()
		ts.Close()
		until(t, ctx, `document.body.dataset.base === 'lost' && !document.querySelector('.verdict')`)

		// Silent: the connection stands and nothing comes.
		silent := scripted(t, frame("verdict", guardEvent{Event: 1, Face: faceAdmit, TTL: 3_600_000, Seq: 7, Line: said{}, Keys: said{}}))
		run(t, ctx, chromedp.Navigate(silent.URL+path))
		until(t, ctx, `document.querySelector('.verdict')?.dataset.face === 'admit'`)
		until(t, ctx, `document.body.dataset.base === 'lost' && !document.querySelector('.verdict')`)
	}
}

// scripted serves the pages with a stream that says these events and then nothing, not even
// a heartbeat.
func scripted(t *testing.T, events ...[]byte) *httptest.Server {
	t.Helper()
	pages, over := &Server{Gate: "G1", Sound: Off}, make(chan struct{})
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/events" {
			pages.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, e := range append([][]byte{frame("hello", hello{})}, events...) {
			if _, err := w.Write(e); err != nil {
				return
			}
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() {
		close(over)
		ts.Close()
	})
	return ts
}

// addScript runs code in each new page before the page's own.
func addScript(code string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: code})
		return err
	})
}

// theStyleSheetClearsWhatAStalledScriptCannot watches the screen from outside while the
// page's only thread is busy: the verdict must go by the animation alone.
func theStyleSheetClearsWhatAStalledScriptCannot(t *testing.T, ctx context.Context) {
	s := &Server{Gate: "G1", Sound: Off, Status: well, TTL: TTL{Admit: time.Second}}
	ts := serve(t, s)
	run(t, ctx, chromedp.EmulateViewport(480, 480), chromedp.Navigate(ts.URL+"/public"))
	until(t, ctx, `document.body.dataset.base === 'idle'`)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	frames := chromedp.Events(ctx, page.ScreencastFrame)
	if _, err := chromedp.Call(ctx, page.StartScreencast, page.StartScreencastParams{Format: page.StartScreencastFormatJpeg}); err != nil {
		t.Fatal(err)
	}
	// The thread stalls as soon as the verdict has been drawn, for far longer than it lives.
	run(t, ctx, js(`new MutationObserver((_, o) => {
		o.disconnect()
		requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
			const stalled = Date.now()
			while (Date.now() - stalled < 4000);
			window.woke = Date.now()
		}, 300)))
	}).observe(document.querySelector('#live'), { childList: true })`))
	s.Show(view(gatehouse.Admit, gatehouse.ReasonNone, 7))

	type drawn struct {
		at    time.Time
		green bool
	}
	var last drawn
	wasGreen := false
	for f, err := range frames {
		if err != nil {
			t.Fatal(err)
		}
		picture, _, err := image.Decode(bytes.NewReader(f.Data))
		if err != nil {
			t.Fatal(err)
		}
		b := picture.Bounds()
		r, g, bl, _ := picture.At(b.Min.X+b.Dx()/20, b.Min.Y+b.Dy()/2).RGBA()
		last = drawn{time.UnixMilli(int64(1000 * f.Metadata.Timestamp)), g > 2*r && g > bl}
		if _, err := chromedp.Call(ctx, page.ScreencastFrameAck, page.ScreencastFrameAckParams{SessionID: f.SessionID}); err != nil {
			t.Fatal(err)
		}
		if wasGreen && !last.green {
			break
		}
		wasGreen = wasGreen || last.green
	}
	until(t, ctx, `window.woke > 0`)
	woke, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`window.woke`))
	if err != nil {
		t.Fatal(err)
	}
	if cleared := last.at; !cleared.Before(time.UnixMilli(woke)) {
		t.Errorf("the verdict went at %v, only after the script woke at %v", cleared, time.UnixMilli(woke))
	}
}

// aTabThatSleptShowsNoOldVerdict: what waited in the stream for longer than it lives is
// not news. The gate's count of milliseconds in each event tells.
func aTabThatSleptShowsNoOldVerdict(t *testing.T, ctx context.Context) {
	ts := scripted(t,
		frame("status", publicBeat{Mono: 10_000}),
		frame("verdict", publicEvent{Event: 1, Mono: 2_000, Face: faceAdmit, TTL: 1_500, Do: doGo}),
		frame("verdict", publicEvent{Event: 2, Mono: 10_000, Face: faceRefer, TTL: 3_600_000, Do: doWait}))
	run(t, ctx, addScript(`addEventListener('DOMContentLoaded', () => {
		window.seen = []
		new MutationObserver(m => m.forEach(r => r.addedNodes.forEach(n => window.seen.push(n.dataset.face)))).observe(document.querySelector('#live'), { childList: true })
	})`), chromedp.Navigate(ts.URL+"/public"))
	until(t, ctx, `window.seen?.includes('refer')`)
	seen, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`window.seen`))
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != 1 {
		t.Errorf("drawn: %v, want the newest alone", seen)
	}
}

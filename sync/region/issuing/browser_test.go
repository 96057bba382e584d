package issuing

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"gatehouse"
)

// TestInABrowser goes the way of a complaint where it is gone: an officer looks somebody up,
// reads why the code is red, files a correction; two others decide; the alarm stands on every
// page. All at 1024x768, without a script of the page's own.
func TestInABrowser(t *testing.T) {
	ctx := browser(t)
	w := newWorld(t)
	id := w.declared(0)
	// The first time that this source reports anybody, it reports twenty.
	for n := range 20 {
		w.enter(sun, w.report(somebody(n), "case-1"))
	}
	w.later(2 * 24 * time.Hour)
	ts := w.serve()
	at := func(c Caller, path string) chromedp.Action[chromedp.Void] {
		return chromedp.Navigate(strings.Replace(ts.URL, "://", "://"+c.Name+":"+token+"@", 1) + path)
	}
	tab := func() (context.Context, context.CancelFunc) { return chromedp.NewContext(ctx) }
	fits := func(ctx context.Context, page string) {
		t.Helper()
		wide, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
		if err != nil || wide > 0 {
			t.Errorf("%s is %d pixels wider than the screen, %v", page, wide, err)
		}
		if styled, err := chromedp.Run(ctx, chromedp.Evaluate[string](`getComputedStyle(document.querySelector('nav')).display`)); err != nil || styled != "flex" {
			t.Errorf("%s has no style: %q, %v", page, styled, err)
		}
	}

	officer, cancel := tab()
	defer cancel()
	do(t, officer, chromedp.EmulateViewport(1024, 768), at(viewer, "/people"))
	fits(officer, "the search")
	until(t, officer, `document.querySelector('#alarm').innerText.includes('20')`)
	do(t, officer, js(fmt.Sprintf(`const f = document.querySelector('#by-number'); f.number.value = %q; f.purpose.value = 'complaint'; f.note.value = 'case 7'; f.querySelector('button').click()`, id.Number)))
	until(t, officer, `document.querySelector('#colour')?.classList.contains('red')`)
	until(t, officer, `document.querySelector('#day').innerText.includes('day 2 of 14')`)
	until(t, officer, `document.querySelector('#why').innerText.includes('Close contact of a confirmed case') && document.querySelector('#why').innerText.includes('确诊病例的密切接触者')`)
	if address, err := chromedp.Run(officer, chromedp.Evaluate[string](`location.href`)); err != nil || strings.Contains(address, id.Number) {
		t.Errorf("the address is %s, %v", address, err)
	}
	fits(officer, "the record")
	do(t, officer, js(`const f = document.querySelector('#correct'); f.reason.value = 'was in another city'; f.querySelector('button').click()`))
	until(t, officer, `location.pathname === '/people/corrections' && document.querySelector('.correction')?.innerText.includes('was in another city')`)
	fits(officer, "the list of corrections")

	for i, c := range []Caller{sun, li, zhao} {
		ctx, cancel := tab()
		do(t, ctx, chromedp.EmulateViewport(1024, 768), at(c, "/people/corrections"))
		until(t, ctx, `!!document.querySelector('.correction form')`)
		do(t, ctx, js(`const f = document.querySelector('.correction form'); f.note.value = 'seen the ticket'; f.querySelector('button[value=approve]').click()`))
		switch i {
		case 0: // entered the event
			until(t, ctx, `document.querySelector('#sorry')?.innerText.includes('you entered this event')`)
		case 1:
			until(t, ctx, `document.querySelector('.correction')?.innerText.includes('li: 批准 approve')`)
		case 2:
			until(t, ctx, `!!document.querySelector('#none')`)
		}
		cancel()
	}
	w.want(id, gatehouse.Green)

	ctx2, cancel2 := tab()
	defer cancel2()
	do(t, ctx2, chromedp.EmulateViewport(1024, 768), at(auditor, "/people/alarms"))
	fits(ctx2, "the alarms")
	for range 3 { // the rule's, the source's, the operator's
		open, err := chromedp.Run(ctx2, chromedp.Evaluate[int](`document.querySelectorAll('form').length`))
		if err != nil {
			t.Fatal(err)
		}
		do(t, ctx2, js(`const f = document.querySelector('form'); f.note.value = 'a real outbreak'; f.querySelector('button').click()`))
		until(t, ctx2, fmt.Sprintf(`document.querySelectorAll('form').length === %d`, open-1))
	}
	until(t, ctx2, `!document.querySelector('#alarm')`)
	do(t, ctx2, at(auditor, "/people/audit"))
	until(t, ctx2, `['record read', 'correction filed', 'correction: approve', 'alarm cleared'].every(what => document.querySelector('table').innerText.includes(what))`)
	fits(ctx2, "the audit trail")
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

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// until waits, by the page's own frames, until a condition of the page holds. A form leads
// from one page to the next, and takes the wait along.
func until(t *testing.T, ctx context.Context, condition string) {
	t.Helper()
	var err error
	for range 5 {
		err = chromedp.Do(ctx, chromedp.Poll[chromedp.Void]("document.body && ("+condition+")", chromedp.WithPollingTimeout(20*time.Second)))
		if err == nil || !strings.Contains(err.Error(), "context") && !strings.Contains(err.Error(), "navigated") {
			break
		}
	}
	if err != nil {
		state, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`location.pathname + ': ' + document.body.innerText`))
		t.Fatalf("the page never got to %s: %v; it shows %q", condition, err, state)
	}
}

func js(code string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void]("{" + code + "}")
}

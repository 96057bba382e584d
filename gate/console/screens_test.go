package console

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"gatehouse"
	"gatehouse/gate"
)

// faults measures what is on the screen: each word in its place, nothing over an edge,
// nothing covered, every button large enough for a glove.
const faults = `(() => {
	const bad = [], vmin = Math.min(innerWidth, innerHeight) / 100
	const live = document.querySelector('#live .verdict')
	const face = live || document.querySelector('#base')
	const shown = e => e.checkVisibility()
	const inside = (e, name) => {
		const r = e.getBoundingClientRect()
		if (r.left < -0.5 || r.top < -0.5 || r.right > innerWidth + 0.5 || r.bottom > innerHeight + 0.5) bad.push(name + ' leaves the screen')
		return r
	}
	const words = [...face.querySelectorAll('.word')]
	for (const w of words) {
		const r = inside(w, w.textContent)
		if (!w.textContent) bad.push('a word is empty')
		if (live && parseFloat(getComputedStyle(w).fontSize) < 14 * vmin - 0.01) bad.push(w.textContent + ' is smaller than 14 vmin')
		const top = document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2)
		if (top !== w) bad.push(w.textContent + ' is covered by ' + (top && (top.className || top.tagName)))
	}
	const boxes = [...document.querySelectorAll('.say > *, .facts, .facts > *, .detail, header > *, footer > *, #counts, #last > li')]
		.filter(e => shown(e) && (face.contains(e) || !e.closest('.face')) && e.getBoundingClientRect().height > 0)
	for (const e of boxes) {
		inside(e, e.className || e.id || e.tagName)
		if (!e.matches('.detail') && e.scrollWidth > e.clientWidth + 1 && e.clientWidth) bad.push((e.id || e.className || e.tagName) + ' is wider than its place: ' + e.textContent)
	}
	for (const e of face.querySelectorAll('.facts dd')) {
		if (shown(e) && (e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)) bad.push('cut off: ' + e.textContent)
	}
	for (const e of face.querySelectorAll('.facts')) {
		const r = e.getBoundingClientRect(), all = face.getBoundingClientRect(), under = face.querySelector('.detail').getBoundingClientRect()
		if (shown(e) && (r.top < all.top - 0.5 || r.bottom > under.top + 0.5)) bad.push('the facts leave their place')
	}
	for (const li of document.querySelectorAll('#last > li')) {
		const [seq, at] = [...li.querySelectorAll('.seq, .at')].map(e => e.getBoundingClientRect())
		if (shown(li) && seq.right > at.left + 0.5) bad.push('a number runs into its time')
	}
	const flow = [...face.querySelectorAll('.glyph, .word, .say > .line, .detail')].filter(e => shown(e) && e.textContent !== '' || e.matches('.glyph'))
	const main = document.querySelector('main').getBoundingClientRect()
	for (const e of flow) {
		const r = e.getBoundingClientRect()
		if (r.top < main.top - 0.5 || r.bottom > main.bottom + 0.5) bad.push((e.textContent || 'glyph') + ' leaves the stage')
	}
	const say = face.querySelector('.say').lastElementChild.getBoundingClientRect()
	for (const e of face.querySelectorAll('.facts:not([hidden]), .detail, aside')) {
		const r = e.getBoundingClientRect()
		if (shown(e) && r.left < say.right - 0.5 && r.top < say.bottom - 0.5 && r.right > say.left && r.bottom > say.top) bad.push('the line runs into ' + (e.className || e.tagName))
	}
	for (const b of document.querySelectorAll('button, select')) {
		if (!shown(b)) continue
		const r = inside(b, 'button ' + b.textContent)
		if (r.width < 59.5 || r.height < 59.5) bad.push('button ' + (b.id || b.textContent) + ' is ' + r.width + 'x' + r.height)
	}
	if (document.scrollingElement.scrollWidth > innerWidth || document.scrollingElement.scrollHeight > innerHeight) bad.push('the page scrolls')
	return bad
})()`

func checkScreen(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	bad, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](faults))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, b := range bad {
		t.Errorf("%s: %s", name, b)
	}
}

func everyVerdictFitsEveryScreen(t *testing.T, ctx context.Context) {
	long := 10 * time.Minute
	var status atomic.Pointer[Status]
	fine := &Status{Linked: true, Queue: 1234, TrustAge: 30 * time.Hour, Clock: true, Policy: "CN-330100/17"}
	status.Store(fine)
	s := &Server{Gate: "hangzhou-east-7", Version: "1", Sound: Off, Status: func() Status { return *status.Load() },
		TTL:    TTL{Admit: long, Deny: long, Refer: long, NotOurs: long, Hint: long},
		Guards: []Guard{{Name: "Li"}, {Name: "Wang"}}, Preview: func() ([]byte, bool) { return nil, false },
		Decide: func(context.Context, gate.Decision) (gatehouse.Passage, error) { return gatehouse.Passage{}, nil },
		Enter:  func(context.Context, gate.Entry) (gatehouse.Passage, error) { return gatehouse.Passage{}, nil }}
	ts := serve(t, s)
	for i := range lastRows {
		v := view(gatehouse.Refer, gatehouse.ReasonFever, gatehouse.Seq(123440+i))
		v.Passage.Amends = gatehouse.Seq(123439 * (i % 2))
		s.Show(v)
	}
	all := reasons(t)
	// Motion is off so that what is measured stands still; the still page is tried by it too.
	still := chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}})
		return err
	})
	for _, size := range [][2]int64{{800, 480}, {1024, 600}, {480, 800}} {
		for _, at := range []struct{ path, lang string }{{"/", Chinese}, {"/", English}, {"/public", ""}} {
			run(t, ctx, chromedp.EmulateViewport(size[0], size[1]), still, chromedp.Navigate(ts.URL+"/public"),
				js(fmt.Sprintf("localStorage.setItem('lang', %q)", at.lang)), chromedp.Navigate(ts.URL+at.path))
			until(t, ctx, `document.body.dataset.base === 'idle'`)
			name := func(what string) string {
				return fmt.Sprintf("%s %s %dx%d %s", at.path, at.lang, size[0], size[1], what)
			}
			show := func(v gate.View, what string) {
				s.Show(v)
				s.mu.Lock()
				n := s.events
				s.mu.Unlock()
				until(t, ctx, fmt.Sprintf(`document.querySelector('#live .verdict')?.dataset.event === '%d'`, n))
				checkScreen(t, ctx, name(what))
			}
			show(view(gatehouse.Admit, gatehouse.ReasonNone, 1060), "admit")
			show(view(gatehouse.Refer, gatehouse.ReasonFever, 1061), "refer")
			for _, call := range []gatehouse.Call{gatehouse.Deny, gatehouse.Refer} {
				show(longest(call), "the longest "+call.String())
			}
			show(withoutCode(), "without a code")
			for _, r := range all {
				// Deny has the least room, inside its border; the longest lines are the guard's.
				if at.path == "/" && size[0] != 1024 || r == gatehouse.ReasonExpired {
					show(view(gatehouse.Deny, r, 1062), "deny "+string(r))
				}
			}
			s.mu.Lock()
			n := s.events
			s.mu.Unlock()
			s.acknowledge(n)
			for _, r := range []gatehouse.Reason{gatehouse.ReasonNotOurs, gatehouse.ReasonUnreadable, gatehouse.ReasonNotMeasured, gatehouse.ReasonCamera} {
				show(gate.View{Passage: gatehouse.Passage{Verdict: gatehouse.Verdict{Call: gatehouse.Hint, Reason: r}}}, "hint "+string(r))
			}
			s.mu.Lock()
			n = s.events
			s.mu.Unlock()
			s.acknowledge(n)
			until(t, ctx, `!document.querySelector('#live .verdict')`)
			checkScreen(t, ctx, name("idle"))
			if at.path == "/" {
				run(t, ctx, js(`document.querySelector('#decide').click()`))
				checkDialog(t, ctx, name("decision"))
				run(t, ctx, js(`document.querySelector('#cancel').click()`), js(`document.querySelector('#enter').click()`))
				checkDialog(t, ctx, name("no code"))
				run(t, ctx, js(`document.querySelector('#cancel').click()`))
			}
			status.Store(&Status{Conditions: []Condition{{Reason: gatehouse.ReasonCamera, Since: time.Now()}, {Reason: gatehouse.ReasonTrustStale}}})
			until(t, ctx, `document.body.dataset.base === 'closed'`)
			checkScreen(t, ctx, name("closed"))
			status.Store(fine)
		}
	}
}

// longest is a verdict with all that a guard may have to read of one person.
func longest(c gatehouse.Call) gate.View {
	v := view(c, gatehouse.ReasonFlipped, 123456)
	v.Pass.Holder.Name = "欧阳**"
	p := &v.Passage
	p.Amends, p.Grade, p.TrustAge, p.Skin.Quality = 123455, gatehouse.Yellow, 30*time.Hour, gatehouse.Unsteady
	p.Verdict.Policy, p.Verdict.Rule, p.Verdict.Here = "CN-330100/17", "flip-since-last-visit", gatehouse.Green
	p.Verdict.Agreement = "Guangdong-Guangxi-Hunan-Hubei, May 2020"
	p.Verdict.Detail = strings.Repeat("yellow there is green here; ", 10)
	p.Verdict.Says = gatehouse.Words{Zh: "7月9日14:20 在东站三号通道为黄码，请核对转码原因", En: "Was yellow at the east gate, 9 July 14:20. Ask why it is green"}
	return v
}

// withoutCode is somebody whom a guard let be judged without one.
func withoutCode() gate.View {
	v := view(gatehouse.Admit, gatehouse.ReasonNone, 123457)
	v.Pass = nil
	p := &v.Passage
	p.Format, p.Issuer, p.KeyID, p.Code, p.Grade, p.Second, p.Verdict.Agreement = "", "", "", "", gatehouse.NoGrade, "", ""
	p.Without, p.Guard = gatehouse.Companion, "Wang"
	return v
}

// checkDialog holds that nothing of the decision lies outside the screen or under another.
func checkDialog(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	bad, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll('#decision button, #decision select')].filter(b => b.checkVisibility()).filter(b => {
		const r = b.getBoundingClientRect()
		return r.width < 59.5 || r.height < 59.5 || r.left < 0 || r.top < 0 || r.right > innerWidth || r.bottom > innerHeight ||
			b.scrollWidth > b.clientWidth + 1 || document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2) !== b
	}).map(b => b.id || b.textContent)`))
	if err != nil {
		t.Fatal(err)
	}
	if len(bad) > 0 {
		t.Errorf("%s: too small, covered or off the screen: %s", name, strings.Join(bad, ", "))
	}
}

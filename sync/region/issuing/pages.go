package issuing

import (
	"bytes"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"gatehouse"
)

//go:embed page
var pageFiles embed.FS

// A view is what every page knows, and what its own page shows.
type view struct {
	Title  string // Chinese, then English
	Caller Caller
	Region gatehouse.Issuer
	Open   []Alarm // alarms that nobody has cleared
	Rules  *Rules
	Now    time.Time
	Page   any
}

// pages adds what people see: plain forms, no script.
func (s *Server) pages(mux *http.ServeMux) {
	t := template.Must(template.New("").Funcs(s.words()).ParseFS(pageFiles, "page/*.html"))
	mux.HandleFunc("GET /people", s.page(t, "search.html", "查询 · Look up", func(*http.Request, Caller) (any, error) { return nil, nil }))
	mux.HandleFunc("POST /people/record", s.page(t, "record.html", "个人记录 · Record", s.record))
	mux.HandleFunc("GET /people/corrections", s.page(t, "corrections.html", "待处理更正 · Corrections", s.corrections))
	mux.HandleFunc("GET /people/alarms", s.page(t, "alarms.html", "警报 · Alarms", func(r *http.Request, c Caller) (any, error) {
		return s.Desk.Alarms(r.Context(), c)
	}))
	mux.HandleFunc("GET /people/audit", s.page(t, "audit.html", "审计 · Audit trail", s.trail))
	mux.HandleFunc("GET /people/quarantine", s.page(t, "quarantine.html", "隔离行 · Quarantine", func(r *http.Request, c Caller) (any, error) {
		if c.Role != Officer && c.Role != Auditor {
			return nil, notYours(Officer, Auditor)
		}
		return s.Desk.Store.Quarantined(r.Context(), mostListed)
	}))
	mux.HandleFunc("POST /people/correct", s.form(t, "/people/corrections", func(r *http.Request, c Caller) error {
		n, err := strconv.ParseInt(r.PostForm.Get("event"), 10, 64)
		if err != nil {
			return no(Malformed, "take it from the record", "the event is none")
		}
		key := r.PostForm.Get("key")
		if !refName.MatchString(key) {
			return badKey()
		}
		_, err = s.Desk.Correct(r.Context(), c, key, CorrectionRequest{Person: r.PostForm.Get("person"), Event: n, Reason: r.PostForm.Get("reason")})
		return err
	}))
	mux.HandleFunc("POST /people/decide", s.form(t, "/people/corrections", func(r *http.Request, c Caller) error {
		n, err := strconv.ParseInt(r.PostForm.Get("correction"), 10, 64)
		if err != nil {
			return no(Malformed, "take it from the list", "the correction is none")
		}
		_, err = s.Desk.Decide(r.Context(), c, Decision{Person: r.PostForm.Get("person"), N: n, Word: r.PostForm.Get("word"), Note: r.PostForm.Get("note")})
		return err
	}))
	mux.HandleFunc("POST /people/check", s.form(t, "/people/corrections", func(r *http.Request, c Caller) error {
		id, err := ParsePerson(r.PostForm.Get("person"))
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(r.PostForm.Get("declaration"), 10, 64)
		if err != nil {
			return no(Malformed, "take it from the record", "the declaration is none")
		}
		return s.Desk.CheckDeclaration(r.Context(), c, id, n, r.PostForm.Get("note"))
	}))
	mux.HandleFunc("POST /people/alarms", s.form(t, "/people/alarms", func(r *http.Request, c Caller) error {
		id, err := strconv.ParseInt(r.PostForm.Get("alarm"), 10, 64)
		if err != nil {
			return no(Malformed, "take it from the list", "the alarm is none")
		}
		return s.Desk.ClearAlarm(r.Context(), c, id, r.PostForm.Get("note"))
	}))
	mux.HandleFunc("GET /people/people.css", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		http.ServeFileFS(w, r, pageFiles, "page/people.css")
	})
}

// words are what the templates say values with.
func (s *Server) words() template.FuncMap {
	in := func(t time.Time) time.Time {
		if r := s.Desk.Rules(); r != nil {
			return t.In(r.zone)
		}
		return t.UTC()
	}
	return template.FuncMap{
		"time": func(t time.Time) string {
			if t.IsZero() {
				return "–"
			}
			return in(t).Format("2006-01-02 15:04")
		},
		"iso":       func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"indicator": func(c gatehouse.Class) string { return bilingual(indicatorOf(c)) },
		"word":      bilingual,
		"colour":    func(g gatehouse.Grade) string { return bilingual(g.String()) },
		"risk":      func(n int64) string { return bilingual(riskWord(n)) },
		"hex":       func(id PersonID) string { return hex.EncodeToString(id[:]) },
		"short":     func(hash [32]byte) string { return hex.EncodeToString(hash[:8]) },
		"usual":     func(hundredths int64) string { return fmt.Sprintf("%.2f", float64(hundredths)/100) },
		"celsius":   func(t gatehouse.Temperature) string { return t.String() },
		"active":    func(e Event, now time.Time) bool { return active(e, now) },
		"day": func(e Event, now time.Time) int64 {
			if r := s.Desk.Rules(); r != nil {
				return min(max(dayOf(e.At, now, r.zone), 0), e.Days)
			}
			return 0
		},
		"zone": func() string {
			if r := s.Desk.Rules(); r != nil {
				return r.Zone
			}
			return "UTC"
		},
		// A form that is sent twice is one request.
		"key": func() string { return fmt.Sprintf("page-%d", time.Now().UnixNano()) },
	}
}

// page answers with one page, or with the one that says no.
func (s *Server) page(t *template.Template, name, title string, show func(*http.Request, Caller) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, ok := s.enter(w, r)
		if !ok {
			return
		}
		if err := parse(w, r); err != nil {
			s.sorry(w, r, t, c, err)
			return
		}
		body, err := show(r, c)
		if err != nil {
			s.sorry(w, r, t, c, err)
			return
		}
		s.draw(w, r, t, http.StatusOK, name, view{Title: title, Caller: c, Page: body})
	}
}

// form takes a form and leads to a page that shows what came of it: reloading asks nothing
// twice, and no person stands in an address.
func (s *Server) form(t *template.Template, to string, do func(*http.Request, Caller) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, ok := s.enter(w, r)
		if !ok {
			return
		}
		err := parse(w, r)
		if err == nil {
			err = do(r, c)
		}
		if err != nil {
			s.sorry(w, r, t, c, err)
			return
		}
		guarded(w)
		http.Redirect(w, r, to, http.StatusSeeOther)
	}
}

func parse(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	if err := r.ParseForm(); err != nil {
		return no(Malformed, "send the form of the page", "the form cannot be read")
	}
	return nil
}

func (s *Server) sorry(w http.ResponseWriter, r *http.Request, t *template.Template, c Caller, err error) {
	var n *No
	status := http.StatusServiceUnavailable
	if errors.As(err, &n) {
		status = statusOf(n)
	} else {
		if r.Context().Err() == nil {
			s.Desk.log(slog.LevelError, "page", "path", r.URL.Path, "err", err)
		}
		n = &No{What: "the region cannot answer now", Do: "try again in a few seconds"}
	}
	s.draw(w, r, t, status, "sorry.html", view{Title: "未完成 · Not done", Caller: c, Page: n})
}

func (s *Server) draw(w http.ResponseWriter, r *http.Request, t *template.Template, status int, name string, v view) {
	v.Now, v.Rules = s.Desk.Now(), s.Desk.Rules()
	if v.Rules != nil {
		v.Region = v.Rules.Region
	}
	if alarms, err := s.Desk.Alarms(r.Context(), v.Caller); err == nil {
		for _, a := range alarms {
			if a.Cleared.IsZero() {
				v.Open = append(v.Open, a)
			}
		}
	}
	var html bytes.Buffer
	if err := t.ExecuteTemplate(&html, name, v); err != nil {
		s.Desk.log(slog.LevelError, "page", "name", name, "err", err)
		http.Error(w, "the page cannot be written", http.StatusInternalServerError)
		return
	}
	guarded(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(html.Bytes()) // the reader has gone: there is nobody to tell
}

// guarded sets the headers that keep a page to itself, and off every disk.
func guarded(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

func (s *Server) record(r *http.Request, c Caller) (any, error) {
	f := r.PostForm
	return s.Desk.Look(r.Context(), c, Search{Identity: Identity{Kind: f.Get("kind"), Number: f.Get("number")},
		Tag: f.Get("tag"), Person: f.Get("person"), Purpose: f.Get("purpose"), Note: f.Get("note")})
}

// waiting is what an officer has to do.
type waiting struct {
	Corrections []Correction
	Unchecked   []string
}

func (s *Server) corrections(r *http.Request, c Caller) (any, error) {
	var v waiting
	var err error
	if v.Corrections, err = s.Desk.Waiting(r.Context(), c); err != nil {
		return nil, err
	}
	if c.Role == Officer {
		v.Unchecked, err = s.Desk.Unchecked(r.Context(), c)
	}
	return v, err
}

// trailPage is a piece of the audit trail; from its newest end when nothing else is asked.
type trailPage struct {
	Entries []Entry
	Next    int64
}

func (s *Server) trail(r *http.Request, c Caller) (any, error) {
	after := int64(-mostListed)
	if text := r.URL.Query().Get("after"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return nil, no(Malformed, "give the number of a line", "after is none")
		}
		after = n
	}
	entries, err := s.Desk.Trail(r.Context(), c, after)
	v := trailPage{Entries: entries}
	if len(entries) == mostListed {
		v.Next = entries[len(entries)-1].Seq
	}
	return v, err
}

// bilingual says a word of this package in Chinese and English. Any other stays as it is.
func bilingual(word string) string {
	switch word {
	case "":
		return "–"
	case "green":
		return "绿码 GREEN"
	case "yellow":
		return "黄码 YELLOW"
	case "red":
		return "红码 RED"
	case "grey":
		return "灰码(审核中) GREY, under review"
	case "place":
		return "地点 place"
	case "contact":
		return "接触 contact"
	case "health":
		return "健康 health"
	case "low":
		return "低风险 low"
	case "medium":
		return "中风险 medium"
	case "high":
		return "高风险 high"
	case WhyDeclared:
		return "已申报 declared"
	case WhyChecked:
		return "已核查 checked"
	case WhyBegan:
		return "新事件 event began"
	case WhyRanOut:
		return "期满 days ran out"
	case WhyMeasured:
		return "复测正常 measured normal"
	case WhyWithdrawn:
		return "已撤销 withdrawn"
	case WhyFiled:
		return "已提交更正 correction filed"
	case WhyRefused: // a correction and what it did share the word
		return "已驳回 refused"
	case Pending:
		return "待处理 pending"
	case Approved:
		return "已批准 approved"
	case Approve:
		return "批准 approve"
	case Refuse:
		return "驳回 refuse"
	case "rule":
		return "规则 rule"
	case "source":
		return "来源 source"
	case "operator":
		return "操作员 operator"
	}
	return word
}

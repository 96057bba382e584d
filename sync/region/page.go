package region

import (
	"bytes"
	_ "embed"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"gatehouse"
)

//go:embed page/page.html
var pageText string

//go:embed page/page.css
var pageStyle []byte

// pageLimit is how many passages the page shows.
const pageLimit = 50

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"utc": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
	"iso": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"celsius": func(m gatehouse.Measurement) string {
		if m.Quality != gatehouse.Steady {
			return m.Quality.String()
		}
		return m.Skin.String()
	},
}).Parse(pageText))

type pageView struct {
	Now      time.Time
	Gate     string // the only gate shown; empty for all
	Gates    []Standing
	Passages []gatehouse.Passage
}

// page shows how the gates stand, without a script: the browser asks again by itself.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	view := pageView{Now: time.Now(), Gate: r.URL.Query().Get("gate")}
	var err error
	if view.Gates, err = s.Ledger.Gates(r.Context()); err == nil {
		view.Passages, err = s.Ledger.Passages(r.Context(), view.Gate, pageLimit)
	}
	if err != nil {
		s.unreadable(w, err)
		return
	}
	var html bytes.Buffer
	if err := pageTemplate.Execute(&html, view); err != nil {
		s.log(slog.LevelError, "page", "err", err)
		http.Error(w, "the page cannot be written", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(html.Bytes()) // the reader has gone: there is nobody to tell
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=3600")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(pageStyle) // the reader has gone: there is nobody to tell
}

package console

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"strings"

	"gatehouse"
)

//go:embed page
var pageFiles embed.FS

// tokenCookie keeps the token between requests, out of addresses and logs.
const tokenCookie = "gatehouse"

// ServeHTTP serves both pages and what they need.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.once.Do(func() { s.handler = s.routes() })
	s.handler.ServeHTTP(w, r)
}

func (s *Server) routes() http.Handler {
	pages := template.Must(template.ParseFS(pageFiles, "page/*.html"))

	mux := http.NewServeMux()
	mux.Handle("GET /{$}", s.keyed(s.page(pages, "guard.html")))
	mux.Handle("GET /public", s.page(pages, "public.html"))
	for _, name := range []string{"console.css", "console.js", "icon.svg"} {
		mux.HandleFunc("GET /static/"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, pageFiles, "page/"+name)
		})
	}
	for _, lang := range Languages() {
		mux.HandleFunc("GET /words/"+lang+".json", func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, wordFiles, "words/"+lang+".json")
		})
	}
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("screen") == string(publicScreen) {
			s.serveEvents(w, r)
			return
		}
		s.keyed(http.HandlerFunc(s.serveEvents)).ServeHTTP(w, r)
	})
	mux.Handle("GET /healthz", s.keyed(http.HandlerFunc(s.serveHealth)))
	mux.Handle("POST /decide", s.keyed(http.HandlerFunc(s.serveDecide)))
	mux.Handle("POST /enter", s.keyed(http.HandlerFunc(s.serveEnter)))
	mux.Handle("POST /acknowledge", s.keyed(http.HandlerFunc(s.serveAcknowledge)))
	if s.Preview != nil {
		mux.Handle("GET /preview.jpg", s.keyed(http.HandlerFunc(s.servePreview)))
	}
	return secured(http.NewCrossOriginProtection().Handler(mux))
}

// secured sets the headers that keep a page to itself: no script, style or picture from
// anywhere else, none inline, in no frame, and nothing kept on a disk.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
			"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// keyed lets those through who know the token: by its cookie, as a bearer, or once as
// ?token=, which becomes the cookie and leaves the address.
func (s *Server) keyed(next http.Handler) http.Handler {
	if s.Token == "" {
		return next
	}
	// The cookie holds a digest: a token may have bytes that a cookie may not.
	digest := sha256.Sum256([]byte("gatehouse console\x00" + s.Token))
	cookie := hex.EncodeToString(digest[:])
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		var kept string
		if c, err := r.Cookie(tokenCookie); err == nil {
			kept = c.Value
		}
		asked := r.URL.Query().Get("token")
		switch {
		case same(bearer, s.Token), same(kept, cookie) && asked == "":
			next.ServeHTTP(w, r)
		case same(asked, s.Token) && r.Method == http.MethodGet:
			http.SetCookie(w, &http.Cookie{Name: tokenCookie, Value: cookie, Path: "/",
				HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode})
			http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
		default:
			http.Error(w, "this page needs the gate's token", http.StatusUnauthorized)
		}
	})
}

// same compares in constant time, lengths included.
func same(got, want string) bool {
	g, w := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(g[:], w[:]) == 1
}

func (s *Server) page(pages *template.Template, name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lang := s.Lang
		if lang != English {
			lang = Chinese
		}
		sound := s.Sound
		if sound != Off && sound != Distinct {
			sound = Neutral
		}
		guards := make([]string, 0, len(s.Guards))
		if s.Decide != nil || s.Enter != nil {
			for _, g := range s.Guards {
				guards = append(guards, g.Name)
			}
		}
		var b bytes.Buffer
		err := pages.ExecuteTemplate(&b, name, map[string]any{
			"Gate": s.Gate, "Version": s.Version, "Lang": lang, "Sound": sound, "Blue": s.Blue, "Guards": guards,
			"Preview": s.Preview != nil, "Admit": notes(gatehouse.Admit), "Deny": notes(gatehouse.Deny),
			"Enter": s.Enter != nil && len(s.Guards) > 0, "Without": s.withouts(),
		})
		if err != nil {
			s.logger().Error("page", "name", name, "err", err)
			http.Error(w, "the page could not be made", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(b.Bytes()) // a browser that left
	})
}

// serveHealth answers machines: 200 when the lane can take people, 503 when it cannot.
func (s *Server) serveHealth(w http.ResponseWriter, _ *http.Request) {
	st := s.status()
	if st.Conditions == nil {
		st.Conditions = []Condition{}
	}
	code := http.StatusOK
	if st.closed() {
		code = http.StatusServiceUnavailable
	}
	reply(w, code, st)
}

func (s *Server) servePreview(w http.ResponseWriter, _ *http.Request) {
	jpeg, ok := s.Preview()
	if !ok {
		http.Error(w, "no frame", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(jpeg) // a browser that left
}

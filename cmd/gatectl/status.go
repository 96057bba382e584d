package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential/trust"
	"gatehouse/gate/console"
)

// statusLine is what `gatectl status --json` says: a contract, see docs/gatectl.md.
type statusLine struct {
	Gate       string           `json:"gate"`
	From       string           `json:"from"` // "gate": it answered; "files": what it left on its disk
	Version    string           `json:"version,omitempty"`
	Closed     bool             `json:"closed"`
	Conditions []conditionLine  `json:"conditions"`
	Linked     bool             `json:"linked"`
	Queue      int              `json:"queue"`
	Clock      bool             `json:"clock_trusted"`
	Policy     string           `json:"policy"`
	Mode       string           `json:"mode,omitempty"`
	Site       gatehouse.Issuer `json:"site,omitempty"`

	Trust        string     `json:"trust"` // "fresh", "stale", "too old"
	TrustVersion string     `json:"trust_version"`
	TrustAge     int64      `json:"trust_age_s"` // -1 without any
	TrustIssued  *time.Time `json:"trust_issued,omitempty"`
	StaleAt      *time.Time `json:"stale_at,omitempty"`
	TooOldAt     *time.Time `json:"too_old_at,omitempty"`
	Ends         []ending   `json:"ends,omitempty"`

	WhatIf *whatIf `json:"what_if,omitempty"`
}

type conditionLine struct {
	Reason gatehouse.Reason `json:"reason"`
	Since  *time.Time       `json:"since,omitempty"`
	Detail string           `json:"detail"`
}

// gateSettings is what is read here of a gate's settings file; gated itself reads all of it.
type gateSettings struct {
	Name  string `toml:"name"`
	Book  string `toml:"book"`
	Trust struct {
		Folder string           `toml:"folder"`
		Root   string           `toml:"root"`
		Site   gatehouse.Issuer `toml:"site"`
	} `toml:"trust"`
	Console struct {
		Listen string `toml:"listen"`
		Token  string `toml:"token"`
	} `toml:"console"`
}

// usualSettings is where a gate has its settings when nobody says otherwise.
const usualSettings = "/etc/gatehouse/gate.toml"

func statusCommand() *cobra.Command {
	var config, url, token, what string
	var asJSON bool
	c := &cobra.Command{
		Use:   "status [--config gate.toml | --url URL]",
		Short: "How a gate is, and what it will say when nothing new reaches it",
		Long: `status asks the running gate; where it does not answer it reads the gate's files: settings, book
and signed trust. Nothing is changed, and the gate may run.

--what-if offline=9d tells what becomes of the gate when nothing new reaches it for so long: when
its trust turns stale and too old by the policy's own lines, which policies and signatures end
before, and how many of those it admitted in the last 24 hours it would have asked instead. It
needs the files.`,
		Example: `  gatectl status --config /etc/gatehouse/gate.toml
  gatectl status --url http://127.0.0.1:8440 --json
  gatectl status --config lab/gate/gate.toml --what-if offline=9d`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			offline, err := offlineFor(what)
			if err != nil {
				return err
			}
			if config == "" && url == "" {
				config = usualSettings
			}
			if config == "" && what != "" {
				return daemon.UsageError{Err: errors.New("--what-if needs --config: the lines and the book are in the gate's files")}
			}
			s := &status{now: time.Now()}
			if err := s.settle(config, url, token); err != nil {
				return err
			}
			line, err := s.line(c.Context(), c.ErrOrStderr())
			if err != nil {
				return err
			}
			if what != "" {
				if line.WhatIf, err = s.whatIf(c.Context(), offline); err != nil {
					return err
				}
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(line)
			}
			return line.print(c.OutOrStdout(), s.url)
		},
	}
	c.Flags().StringVar(&config, "config", "", "the gate's settings (default: "+usualSettings+", unless --url is given)")
	c.Flags().StringVar(&url, "url", "", "address of the gate's screens (default: as its settings say)")
	c.Flags().StringVar(&token, "token", "", "the screens' token (default: as its settings say)")
	c.Flags().StringVar(&what, "what-if", "", "offline=DURATION: as offline=9d or offline=36h")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return c
}

// offlineFor reads "offline=9d".
func offlineFor(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	length, ok := strings.CutPrefix(text, "offline=")
	d, err := lengthOf(length)
	if !ok || err != nil || d == 0 || d > 10*366*trust.Day {
		return 0, daemon.UsageError{Err: fmt.Errorf("--what-if %q: want offline= and a length of time, as offline=9d or offline=36h", text)}
	}
	return d, nil
}

// A status is one look at a gate.
type status struct {
	now      time.Time
	settings gateSettings
	files    bool // the settings are there, and so the gate's files
	url      string
	token    string
	live     *console.Status // nil: the gate did not answer
	rules    regional
	set      *trust.Set // nil: none
}

func (s *status) settle(config, url, token string) error {
	if config != "" {
		text, err := daemon.ReadFile(config, maxSmall)
		if err == nil {
			err = toml.Unmarshal(text, &s.settings)
		}
		if err != nil {
			return daemon.UsageError{Err: fmt.Errorf("--config: %w: name the gate's settings, or its address with --url", err)}
		}
		s.files = true
	}
	s.url, s.token = url, token
	if s.url == "" {
		listen := s.settings.Console.Listen
		if listen == "" {
			listen = "127.0.0.1:8440"
		}
		s.url = "http://" + listen
	}
	if s.token == "" {
		s.token = s.settings.Console.Token
	}
	return nil
}

// maxHealth is more than a gate has to say of itself.
const maxHealth = 1 << 20

// ask reads /healthz of the running gate.
func (s *status) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(s.url, "/")+"/healthz", nil)
	if err != nil {
		return daemon.UsageError{Err: fmt.Errorf("--url: %w", err)}
	}
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	// A gate in trouble answers 503 with what its trouble is.
	if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusServiceUnavailable {
		return fmt.Errorf("%s answers %s", s.url, answer.Status)
	}
	var live console.Status
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxHealth)).Decode(&live); err != nil {
		return fmt.Errorf("%s is no gate: %w", s.url, err)
	}
	s.live = &live
	return nil
}

// line is what is known of the gate: by its own word, or by its files.
func (s *status) line(ctx context.Context, warn io.Writer) (statusLine, error) {
	silent := s.ask(ctx)
	if silent != nil && !s.files {
		return statusLine{}, fmt.Errorf("status: %w", silent)
	}
	line := statusLine{Gate: s.settings.Name, From: "files", Conditions: []conditionLine{}, TrustAge: -1, Trust: gatehouse.TrustTooOld.String()}
	if s.files {
		if err := s.readFiles(ctx, &line, warn); err != nil {
			return line, err
		}
	}
	if live := s.live; live != nil {
		line.Gate, line.From, line.Version, line.Closed, line.Linked, line.Queue = live.Gate, "gate", live.Version, live.Closed, live.Linked, live.Queue
		line.Clock, line.Policy, line.Trust, line.TrustVersion = live.Clock, live.Policy, live.Trust.String(), live.TrustVersion
		line.TrustAge = -1
		if live.TrustAge >= 0 {
			line.TrustAge = int64(live.TrustAge / time.Second)
		}
		line.Conditions = line.Conditions[:0]
		for _, c := range live.Conditions {
			line.Conditions = append(line.Conditions, conditionLine{c.Reason, optional(c.Since), c.Detail})
		}
	}
	return line, nil
}

func (l statusLine) print(w io.Writer, url string) error {
	from := "by its files; it does not answer at " + url
	if l.From == "gate" {
		from = "by its own word, " + url
	}
	fmt.Fprintf(w, "%s: %s\n", l.Gate, from)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-9s %s\n", name, fmt.Sprintf(format, args...))
	}
	switch {
	case l.From == "gate" && l.Closed:
		row("lane", "closed")
	case l.From == "gate":
		row("lane", "open, gated %s", l.Version)
	}
	if l.TrustAge < 0 {
		row("trust", "none: everybody is referred")
	} else {
		row("trust", "%s, %s old, version %s", l.Trust, spelled(time.Duration(l.TrustAge)*time.Second), orDash(l.TrustVersion))
	}
	if l.StaleAt != nil {
		row("", "stale from %s, too old from %s", stamp(*l.StaleAt), stamp(*l.TooOldAt))
	}
	if l.Policy == "" {
		row("policy", "none: everybody is referred")
	} else {
		row("policy", "%s %s", l.Policy, l.Mode)
	}
	for _, e := range l.Ends {
		row("ends", "%s: %s", stamp(e.At), e.What)
	}
	row("clock", "%s", map[bool]string{true: "trusted", false: "not trusted: everybody is referred"}[l.Clock])
	link := ""
	if l.From == "gate" {
		link = map[bool]string{true: "; the region answers", false: "; no link to the region"}[l.Linked]
	}
	row("queue", "%d passages wait for the region%s", l.Queue, link)
	for _, c := range l.Conditions {
		since := ""
		if c.Since != nil {
			since = " since " + stamp(*c.Since)
		}
		row(string(c.Reason), "%s%s", c.Detail, since)
	}
	if l.WhatIf != nil {
		return l.WhatIf.print(w)
	}
	return nil
}

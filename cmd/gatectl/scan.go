package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/gate"
	"gatehouse/gate/console"
	"gatehouse/scanner/qr"
)

// scanLine is what `gatectl scan` says of one image: a contract, see docs/gatectl.md. The
// verdict is that on the first text that is a health code, or else on the first text.
type scanLine struct {
	File    string           `json:"file"`
	Texts   []string         `json:"texts"`
	Verdict string           `json:"verdict"` // "admit", "refer", "deny", "hint"
	Reason  gatehouse.Reason `json:"reason"`
	Words   string           `json:"words"`
	Detail  string           `json:"detail"`
	Issuer  gatehouse.Issuer `json:"issuer"`
	Policy  string           `json:"policy"`
	Signed  bool             `json:"signed"` // whether the policy is; a gate takes no other
	MS      float64          `json:"ms"`     // from pixels in memory to the verdict

	Rule      string      `json:"rule,omitempty"`  // of the policy, that decided
	Trust     string      `json:"trust,omitempty"` // "fresh", "stale", "too old"
	Here      string      `json:"here,omitempty"`  // the colour as judged here
	Agreement string      `json:"agreement,omitempty"`
	Says      string      `json:"says,omitempty"` // the rule's own words
	Steps     []string    `json:"steps,omitempty"`
	Rules     []triedRule `json:"rules,omitempty"`
	Decided   string      `json:"decided,omitempty"` // the rule, or the reason where no rule did
	Error     string      `json:"error,omitempty"`
}

// A scan is the lane's whole work on images, with a book in memory and no barrier.
type scan struct {
	belief  *belief
	rules   regional
	at      time.Time
	skin    gatehouse.Measurement
	explain bool
	reader  qr.Reader

	evidence gatehouse.Evidence // on which the judge was asked last
}

func scanCommand() *cobra.Command {
	var trust trustFlags
	var policyFile string
	var temperature, ambient float64
	var asJSON bool
	s := &scan{}
	c := &cobra.Command{
		Use:   "scan IMAGE...",
		Short: "Judge the codes of images as a gate would",
		Long: `scan does the lane's whole work on an image: it reads the texts, verifies the code with the
keys of the signed trust, and judges it by the policy in force and the temperature given.
Nothing is written down and nothing opens. --explain shows each step and each rule that was
tried, with no personal detail.

Exit code 1 when an image could not be read; a refused code is a result like any other.`,
		Example: `  gatectl scan --trust lab/trust --temp 36.6 photo.jpg
  gatectl scan --trust lab/trust --policy next.toml --explain photo.jpg`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) (err error) {
			if s.at, err = trust.time(); err != nil {
				return err
			}
			if s.belief, err = trust.believe(c.ErrOrStderr()); err != nil {
				return err
			}
			if s.rules, err = trust.rules(s.belief, policyFile); err != nil {
				return err
			}
			endAtOnce(c, files) // its copy of the trust is gone, and a large image looks at no context
			if c.Flags().Changed("temp") {
				for flag, value := range map[string]float64{"temp": temperature, "ambient": ambient} {
					if !(value > -50 && value < 150) {
						return daemon.UsageError{Err: fmt.Errorf("--%s %v is no temperature in degrees Celsius", flag, value)}
					}
				}
				s.skin = gatehouse.Measurement{Skin: gatehouse.Temperature(math.Round(temperature * 1000)),
					Ambient: gatehouse.Temperature(math.Round(ambient * 1000)), Quality: gatehouse.Steady, Readings: 1, Sensor: "given by hand"}
			}
			out := c.OutOrStdout()
			asJSON = asJSON || !terminal(out) && !s.explain
			unread := false
			for _, file := range files {
				line := s.judge(c.Context(), file)
				unread = unread || line.Error != ""
				if err := line.print(out, asJSON); err != nil {
					return err
				}
			}
			if unread {
				return daemon.ExitError{Code: daemon.Fault}
			}
			return nil
		},
	}
	trust.add(c)
	c.Flags().StringArrayVar(&trust.signers, "signer", nil, "one more key to believe (repeatable)")
	c.Flags().StringVar(&policyFile, "policy", "", "policy to judge by, signed by nobody yet (default: the one in force of the signed trust)")
	c.Flags().Float64Var(&temperature, "temp", 0, "skin temperature in degrees Celsius (default: nobody was measured)")
	c.Flags().Float64Var(&ambient, "ambient", 22, "temperature around the sensor, with --temp")
	c.Flags().BoolVar(&s.explain, "explain", false, "show each step")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line even on a terminal")
	return c
}

// judge is one image's way through the lane.
func (s *scan) judge(ctx context.Context, file string) scanLine {
	codes := readCodes(&s.reader, file)
	rules := s.rules.inForce(s.at)
	line := scanLine{File: file, Texts: codes.Texts, Error: codes.Error, Policy: rules.Name(), Signed: s.rules.signed}
	switch {
	case codes.Error != "":
		return line
	case len(codes.Texts) == 0:
		line.Verdict, line.Reason = gatehouse.Hint.String(), gatehouse.ReasonUnreadable
		line.Detail, line.MS = "no code was read", codes.MS
		if hint := s.reader.Hint().String(); hint != "" {
			line.Detail += ": " + hint
		}
		line.Words = console.Words(console.English, line.Reason)
		return line
	}
	began := time.Now()
	texts := joined(codes.Texts, s.at)
	p := s.verdict(ctx, texts)
	line.MS = codes.MS + float64(time.Since(began).Microseconds())/1000
	v := p.Verdict
	line.Verdict, line.Reason, line.Detail, line.Issuer = v.Call.String(), v.Reason, v.Detail, p.Issuer
	line.Words = console.Words(console.English, line.Reason)
	line.Rule, line.Agreement, line.Here, line.Says = v.Rule, v.Agreement, v.Here.String(), v.Says.En
	if rules != nil {
		line.Trust = v.Trust.String()
	}
	if s.explain {
		s.explained(&line, codes, texts, p)
	}
	return line
}

// joined puts the parts of a card that was spread over several codes together.
func joined(texts []string, at time.Time) (all []string) {
	var parts credential.Assembler
	for _, text := range texts {
		if whole, missing := parts.Add(text, at); missing == 0 {
			all = append(all, whole)
		}
	}
	if len(all) == 0 {
		return texts // parts alone: each is refused as what it is
	}
	return all
}

// verdict admits the texts one after the other, as a lane would two codes on one screen. It
// gives the passage of the first that is a health code, with the second code where the policy
// asks for one and it is there.
func (s *scan) verdict(ctx context.Context, texts []string) (best gatehouse.Passage) {
	lane := &gate.Lane{Name: "gatectl", Verifier: s, Judge: s, Log: s,
		Barrier: s, Screen: s, Clock: s, Trust: s.belief, Tries: func() int { return 1 }, Logger: slog.New(slog.DiscardHandler)}
	if _, measures := s.rules.inForce(s.at).Measures(); measures || s.rules.everyday == nil {
		lane.Thermometer = s
	}
	for i, text := range texts {
		// Log and barrier are in memory: there is no breakdown to tell of.
		p, _ := lane.Admit(ctx, gatehouse.Sighting{Text: text, At: s.at})
		switch {
		case p.Seq == 0:
			continue // beside a code that was judged, and none of ours
		case p.Verdict.Reason != gatehouse.ReasonNotOurs && p.Verdict.Reason != gatehouse.ReasonSecondCode:
			return p
		case i == 0 || best.Verdict.Reason == gatehouse.ReasonNotOurs:
			best = p
		}
	}
	return best
}

// What the lane needs beside keys and rules, for a person who is an image.

// Verify leaves of a pass what the policy's purpose lock does.
func (s *scan) Verify(text string, at time.Time) (gatehouse.Pass, error) {
	pass, err := s.belief.verifier().Verify(text, at)
	if err != nil {
		return pass, err
	}
	return s.rules.inForce(at).Narrow(pass), nil
}

func (s *scan) Judge(e gatehouse.Evidence) gatehouse.Verdict {
	s.evidence = e
	return s.rules.inForce(e.At).Judge(e)
}

func (s *scan) Skin(context.Context) (gatehouse.Measurement, error) { return s.skin, nil }
func (s *scan) Record(_ context.Context, p gatehouse.Passage) (gatehouse.Passage, error) {
	p.Seq = 1
	return p, nil
}
func (s *scan) Passage(context.Context, gatehouse.Seq) (gatehouse.Passage, error) {
	return gatehouse.Passage{}, fmt.Errorf("an image has no book")
}
func (s *scan) Open(context.Context) error { return nil }
func (s *scan) Show(gate.View)             {}
func (s *scan) Now() (time.Time, bool)     { return s.at, true }

func (l scanLine) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(l)
	}
	if l.Error != "" {
		_, err := fmt.Fprintf(w, "%s  cannot be read: %s\n", l.File, l.Error)
		return err
	}
	why := strings.TrimSpace(string(l.Reason) + " " + l.Words)
	if l.Detail != "" {
		why += " (" + l.Detail + ")"
	}
	_, err := fmt.Fprintf(w, "%s %s  %s  %s  %.0f ms\n", callMark(w, l.Verdict), l.File, orDash(string(l.Issuer)), why, l.MS)
	if lines := l.explanation(); err == nil && len(lines) > 0 {
		_, err = fmt.Fprintf(w, "  %s\n", strings.Join(lines, "\n  "))
	}
	return err
}

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
	"gatehouse/policy"
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
	Steps   []string         `json:"steps,omitempty"`
	Error   string           `json:"error,omitempty"`
}

// A scan is the lane's whole work on images, with a book in memory and no barrier.
type scan struct {
	keys    credential.Keyring
	list    *credential.Trust
	rules   policy.Rules
	signed  bool
	at      time.Time
	skin    gatehouse.Measurement
	explain bool
	reader  qr.Reader
}

func scanCommand() *cobra.Command {
	var trust trustFlags
	var policyFile string
	var temperature float64
	var asJSON bool
	s := &scan{}
	c := &cobra.Command{
		Use:   "scan IMAGE...",
		Short: "Judge the codes of images as a gate would",
		Long: `scan does the lane's whole work on an image: it reads the texts, verifies the code with the
keys of the trust folder, and judges it by the policy and the temperature given. Nothing is
written down and nothing opens. --explain shows each step, with no personal detail.

Exit code 1 when an image could not be read; a refused code is a result like any other.`,
		Example: `  gatectl scan --trust lab/trust --temp 36.6 photo.jpg
  gatectl scan --trust lab/trust --policy next.json --explain photo.jpg`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) (err error) {
			if s.at, err = trust.time(); err != nil {
				return err
			}
			if s.keys, s.list, err = trust.keys(); err != nil {
				return err
			}
			if s.rules, s.signed, err = trust.rules(policyFile); err != nil {
				return err
			}
			if c.Flags().Changed("temp") {
				if !(temperature > -50 && temperature < 150) {
					return daemon.UsageError{Err: fmt.Errorf("--temp %v is no temperature in degrees Celsius", temperature)}
				}
				s.skin = gatehouse.Measurement{Skin: gatehouse.Temperature(math.Round(temperature * 1000)),
					Quality: gatehouse.Steady, Readings: 1, Sensor: "given by hand"}
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
	c.Flags().StringVar(&policyFile, "policy", "", "policy to judge by, signed or not (default: policy.note of the trust folder)")
	c.Flags().Float64Var(&temperature, "temp", 0, "skin temperature in degrees Celsius (default: nobody was measured)")
	c.Flags().BoolVar(&s.explain, "explain", false, "show each step")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line even on a terminal")
	return c
}

// judge is one image's way through the lane.
func (s *scan) judge(ctx context.Context, file string) scanLine {
	codes := readCodes(&s.reader, file)
	line := scanLine{File: file, Texts: codes.Texts, Error: codes.Error, Policy: s.rules.Name(), Signed: s.signed}
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
	p, text := s.verdict(ctx, codes.Texts)
	line.MS = codes.MS + float64(time.Since(began).Microseconds())/1000
	line.Verdict, line.Reason, line.Detail, line.Issuer = p.Verdict.Call.String(), p.Verdict.Reason, p.Verdict.Detail, p.Issuer
	line.Words = console.Words(console.English, line.Reason)
	if s.explain {
		line.Steps = s.steps(codes, text, p)
	}
	return line
}

// verdict admits the texts one after the other, as a lane would two codes on one screen,
// and gives the first that is a health code.
func (s *scan) verdict(ctx context.Context, texts []string) (gatehouse.Passage, string) {
	lane := &gate.Lane{Name: "gatectl", Verifier: credential.Verifier{Keys: s.keys}, Thermometer: s, Judge: s.rules, Log: s,
		Barrier: s, Screen: s, Clock: s, Trust: s, Tries: 1, Logger: slog.New(slog.DiscardHandler)}
	var first gatehouse.Passage
	for i, text := range texts {
		// Log and barrier are in memory: there is no breakdown to tell of.
		p, _ := lane.Admit(ctx, gatehouse.Sighting{Text: text, At: s.at})
		if p.Verdict.Reason != gatehouse.ReasonNotOurs {
			return p, text
		}
		if i == 0 {
			first = p
		}
	}
	return first, texts[0]
}

// What the lane needs beside keys and rules, for a person who is an image.

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

// Age is that of the trust list; keys given by hand are as old as the moment.
func (s *scan) Age(at time.Time) time.Duration {
	if s.list == nil {
		return 0
	}
	return s.list.Age(at)
}

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
	if err == nil && len(l.Steps) > 0 {
		_, err = fmt.Fprintf(w, "  %s\n", strings.Join(l.Steps, "\n  "))
	}
	return err
}

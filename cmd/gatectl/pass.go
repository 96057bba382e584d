package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/gate/console"
)

// passLine is what `gatectl pass` says of one code: a contract, see docs/gatectl.md.
type passLine struct {
	Format  string           `json:"format"`
	OK      bool             `json:"ok"`
	Reason  gatehouse.Reason `json:"reason"`
	Detail  string           `json:"detail"`
	Issuer  gatehouse.Issuer `json:"issuer"`
	KID     string           `json:"kid"`
	Issued  *time.Time       `json:"issued"`
	Expires *time.Time       `json:"expires"`
	Facts   []gatehouse.Fact `json:"facts"`

	Grade     string     `json:"grade,omitempty"`
	Class     []string   `json:"class,omitempty"` // why the colour is not green
	Since     *time.Time `json:"since,omitempty"` // of the colour
	NotBefore *time.Time `json:"not_before,omitempty"`
	Maybe     bool       `json:"maybe,omitempty"` // only a filter says that it was revoked
	Warnings  []string   `json:"warnings,omitempty"`
}

func passCommand() *cobra.Command {
	var trust trustFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "pass [FILE|-]",
		Short: "Verify code texts, one a line",
		Long: `pass reads one code text a line and says of each whether its signature, its times and its
structure hold, as one JSON object a line (on a terminal: one readable line, unless --json).
It judges by no policy: a valid certificate of a positive test is ok here.

Every format is read: RHC1, RHC2, TTC1, EU DCC, SMART Health Cards, NZ COVID Pass, VDS-NC and
DIVOC. The parts of a card that was spread over several codes stand on lines that follow each
other, in any order. A .smart-health-card file is read as it is.

A signer is a file or the text itself: certificates or public keys in PEM (those of states'
authorities too), a JWK or a set of them, a DID document, or a certificate in DER as base64.
--trust is a trust repository or a gate's trust folder; neither is changed. Exit code 0
when every code is ok, 1 otherwise.`,
		Example: `  gatectl pass --signer issuer.pem codes.txt
  gatectl pass --signer jwks.json card.smart-health-card
  gatectl issue --key lab/issuer-CN-330100.key | gatectl pass --trust lab/trust`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			at, err := trust.time()
			if err != nil {
				return err
			}
			believed, err := trust.believe(c.ErrOrStderr())
			if err != nil {
				return err
			}
			endAtOnce(c, args) // its copy of the trust is gone; from here on it may wait for its input
			in, name := c.InOrStdin(), ""
			if len(args) == 1 && args[0] != "-" {
				name = args[0]
				f, err := os.Open(name)
				if err != nil {
					return daemon.UsageError{Err: err}
				}
				defer f.Close()
				in = f
			}
			out := c.OutOrStdout()
			check := verifying{verifier: believed.verifier(), at: at, out: out, asJSON: asJSON || !terminal(out)}
			return check.all(in, name)
		},
	}
	trust.add(c)
	c.Flags().StringArrayVar(&trust.signers, "signer", nil, "a key to believe: a file in PEM, JWK, JWKS or DID document, or the text itself (repeatable)")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line even on a terminal")
	return c
}

// verifying takes texts one after the other and says what came of each.
type verifying struct {
	verifier credential.Verifier
	at       time.Time
	out      io.Writer
	asJSON   bool

	parts  credential.Assembler
	shown  []string // parts of a card that is not whole yet
	left   int      // how many it still lacks
	failed bool     // one code at least is not ok
}

// all reads an input of any kind.
func (v *verifying) all(in io.Reader, name string) error {
	lines := bufio.NewReaderSize(in, maxLine)
	var err error
	if wholeFile(name, lines) {
		err = v.file(lines, name)
	} else {
		err = v.lines(lines)
	}
	if err == nil && v.failed {
		return daemon.ExitError{Code: daemon.Fault}
	}
	return err
}

// wholeFile tells a file that holds cards, or is a code itself, from one of lines. It waits
// for no more than the first byte of what comes line by line.
func wholeFile(name string, in *bufio.Reader) bool {
	if strings.HasSuffix(name, cardsFile) {
		return true
	}
	head, _ := in.Peek(1)
	switch string(head) {
	case "{":
		// One VDS-NC may be printed over several lines; several stand on a line each.
		head, _ = in.Peek(maxLine)
		return bytes.Contains(head, []byte(cardsMember)) || json.Valid(head)
	case zipMagic[:1]:
		head, _ = in.Peek(len(zipMagic))
		return string(head) == zipMagic
	}
	return false
}

const (
	zipMagic    = "PK\x03\x04" // what the bytes of a DIVOC certificate begin with
	cardsFile   = ".smart-health-card"
	cardsMember = `"verifiableCredential"` // what a file of SMART Health Cards has
)

func (v *verifying) file(in io.Reader, name string) error {
	file, err := io.ReadAll(io.LimitReader(in, maxSmall))
	if err != nil {
		return err
	}
	if !strings.HasSuffix(name, cardsFile) && !bytes.Contains(file, []byte(cardsMember)) {
		return v.one(strings.TrimRight(string(file), "\r\n"))
	}
	cards, err := credential.ReadHealthCards(file)
	if err != nil {
		return v.say(passLine{Reason: gatehouse.ReasonMalformed, Detail: err.Error(), Facts: []gatehouse.Fact{}})
	}
	for _, card := range cards {
		if err := v.one(card); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifying) lines(lines *bufio.Reader) error {
	for {
		text, readErr := readLine(lines)
		if readErr != nil && !errors.Is(readErr, io.EOF) {
			return readErr
		}
		if text != "" {
			if err := v.part(text); err != nil {
				return err
			}
		}
		if readErr != nil {
			return v.abandon()
		}
	}
}

// part takes a text that may be a part of a card. Parts belong together when nothing stands
// between them; what lacks its others is refused as what it is.
func (v *verifying) part(text string) error {
	if slices.Contains(v.shown, text) {
		return nil // the same part again
	}
	whole, missing := v.parts.Add(text, v.at)
	switch {
	case missing > 0 && len(v.shown) > 0 && missing != v.left-1: // of another card
		if err := v.drop(); err != nil {
			return err
		}
		fallthrough
	case missing > 0:
		v.shown, v.left = append(v.shown, text), missing
		return nil
	case whole == text:
		if err := v.abandon(); err != nil {
			return err
		}
		return v.one(text)
	}
	v.shown = nil
	return v.one(whole)
}

// abandon gives up a card that is not whole.
func (v *verifying) abandon() error {
	v.parts.Forget()
	return v.drop()
}

func (v *verifying) drop() error {
	shown := v.shown
	v.shown = nil
	for _, text := range shown {
		if err := v.one(text); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifying) one(text string) error { return v.say(verifyOne(text, v.verifier, v.at)) }

func (v *verifying) say(l passLine) error {
	v.failed = v.failed || !l.OK
	return l.print(v.out, v.asJSON)
}

func verifyOne(text string, v credential.Verifier, at time.Time) passLine {
	pass, err := v.Verify(text, at)
	var refusal *gatehouse.Refusal
	switch {
	case errors.As(err, &refusal):
		return passLine{Format: refusal.Format, Reason: refusal.Reason, Detail: refusal.Detail, Issuer: refusal.Issuer,
			KID: refusal.KeyID, Maybe: refusal.Maybe, Facts: []gatehouse.Fact{}}
	case err != nil:
		return passLine{Detail: err.Error(), Facts: []gatehouse.Fact{}}
	}
	line := passLine{Format: pass.Format, OK: true, Issuer: pass.Issuer, KID: pass.KeyID,
		Issued: optional(pass.Issued), Expires: optional(pass.Expires), NotBefore: optional(pass.NotBefore),
		Facts: pass.Facts, Grade: pass.Grade.String(), Class: pass.Class.Words(), Since: optional(pass.Since), Warnings: pass.Warnings}
	if line.Facts == nil {
		line.Facts = []gatehouse.Fact{}
	}
	return line
}

func (l passLine) print(out io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(l)
	}
	if !l.OK {
		_, err := fmt.Fprintf(out, "refused  %-6s %-10s %s %s (%s)\n", l.Format, l.Issuer, l.Reason,
			console.Words(console.English, l.Reason), l.Detail)
		return err
	}
	_, err := fmt.Fprintf(out, "ok       %-6s %-10s key %s, issued %s, expires %s, %d facts %s\n", l.Format, l.Issuer, l.KID,
		moment(l.Issued), moment(l.Expires), len(l.Facts), l.Grade)
	return err
}

func moment(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Format(time.RFC3339)
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// maxLine is longer than any QR code's text; what is longer still is read over and refused.
const maxLine = 16 << 10

// readLine gives the next line without its end, cut at maxLine.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	text := string(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.ReadSlice('\n')
	}
	for len(text) > 0 && (text[len(text)-1] == '\n' || text[len(text)-1] == '\r') {
		text = text[:len(text)-1]
	}
	return text, err
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

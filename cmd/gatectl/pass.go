package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
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

	Grade    string   `json:"grade,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
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

A signer is a file or the text itself: a certificate or public key in PEM, a JWK, or a
certificate in DER as base64. Exit code 0 when every code is ok, 1 otherwise.`,
		Example: `  gatectl pass --signer issuer.pem codes.txt
  gatectl issue --key lab/issuer-CN-330100.key | gatectl pass --trust lab/trust`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			at, err := trust.time()
			if err != nil {
				return err
			}
			keys, _, err := trust.keys()
			if err != nil {
				return err
			}
			in := c.InOrStdin()
			if len(args) == 1 && args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return daemon.UsageError{Err: err}
				}
				defer f.Close()
				in = f
			}
			out := c.OutOrStdout()
			return verifyLines(in, out, credential.Verifier{Keys: keys}, at, asJSON || !terminal(out))
		},
	}
	trust.add(c)
	c.Flags().StringArrayVar(&trust.signers, "signer", nil, "a key to believe: CERT.pem, JWK or DER as base64 (repeatable)")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line even on a terminal")
	return c
}

func verifyLines(in io.Reader, out io.Writer, v credential.Verifier, at time.Time, asJSON bool) error {
	lines, all := bufio.NewReaderSize(in, maxLine), true
	for {
		text, err := readLine(lines)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if text != "" {
			line := verifyOne(text, v, at)
			all = all && line.OK
			if err := line.print(out, asJSON); err != nil {
				return err
			}
		}
		if err != nil {
			break
		}
	}
	if !all {
		return daemon.ExitError{Code: daemon.Fault}
	}
	return nil
}

func verifyOne(text string, v credential.Verifier, at time.Time) passLine {
	pass, err := v.Verify(text, at)
	var refusal *gatehouse.Refusal
	switch {
	case errors.As(err, &refusal):
		return passLine{Format: refusal.Format, Reason: refusal.Reason, Detail: refusal.Detail, Issuer: refusal.Issuer,
			KID: refusal.KeyID, Facts: []gatehouse.Fact{}}
	case err != nil:
		return passLine{Detail: err.Error(), Facts: []gatehouse.Fact{}}
	}
	line := passLine{Format: pass.Format, OK: true, Issuer: pass.Issuer, KID: pass.KeyID,
		Issued: optional(pass.Issued), Expires: optional(pass.Expires),
		Facts: pass.Facts, Grade: pass.Grade.String(), Warnings: pass.Warnings}
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
		l.Issued.Format(time.RFC3339), l.Expires.Format(time.RFC3339), len(l.Facts), l.Grade)
	return err
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

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/gate/console"
	"gatehouse/scanner/qr"
)

func issueCommand() *cobra.Command {
	var keyFile, issuer, colour, holder, at, picture string
	var life time.Duration
	c := &cobra.Command{
		Use:   "issue --key ISSUER.key",
		Short: "Sign a health code (RHC1) and print its text",
		Example: `  gatectl issue --key lab/issuer-CN-330100.key --issuer CN-330100 --colour yellow --png yellow.png
  gatectl issue --key lab/issuer-CN-330100.key | gatectl pass --trust lab/trust`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if keyFile == "" {
				return daemon.UsageError{Err: errors.New("--key is missing: the issuer's private key")}
			}
			key, err := daemon.ReadKey(keyFile)
			if err != nil {
				return daemon.UsageError{Err: err}
			}
			grade, err := gradeOf(colour)
			if err != nil {
				return err
			}
			issued := time.Now()
			if at != "" {
				if issued, err = time.Parse(time.RFC3339, at); err != nil {
					return daemon.UsageError{Err: fmt.Errorf("--at %q is no RFC 3339 time", at)}
				}
			}
			text, err := credential.Issue(key, credential.Claims{Issuer: gatehouse.Issuer(issuer), Grade: grade,
				Issued: issued, Expires: issued.Add(life), Holder: gatehouse.Holder{Name: holder}})
			if err != nil {
				return daemon.UsageError{Err: err} // what no gate would take was asked for
			}
			if picture != "" {
				if err := draw(picture, text); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), text)
			return err
		},
	}
	c.Flags().StringVar(&picture, "png", "", "draw its QR code into this new file, too")
	c.Flags().StringVar(&keyFile, "key", "", "the issuer's private key, PKCS #8 in PEM")
	c.Flags().StringVar(&issuer, "issuer", "CN-330100", "the region in whose name it is issued")
	c.Flags().StringVar(&colour, "colour", "green", "green, yellow, red or grey (under review)")
	c.Flags().StringVar(&holder, "holder", "", "the holder's name, masked, as 张*")
	c.Flags().StringVar(&at, "at", "", "time of issue, RFC 3339 (default: now)")
	c.Flags().DurationVar(&life, "for", 12*time.Hour, "how long it is valid, at most 24h")
	return c
}

// draw makes a picture of a code, six pixels a module: good for a screen and for paper.
func draw(path, text string) error {
	m, err := qr.Encode(text, qr.M)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m.Image(6)); err != nil {
		return err
	}
	return writeNew(path, b.Bytes())
}

func gradeOf(word string) (gatehouse.Grade, error) {
	for _, g := range []gatehouse.Grade{gatehouse.Green, gatehouse.Yellow, gatehouse.Red, gatehouse.Grey} {
		if g.String() == word {
			return g, nil
		}
	}
	return gatehouse.NoGrade, daemon.UsageError{Err: fmt.Errorf("--colour %q is none of green, yellow, red, grey", word)}
}

func signCommand() *cobra.Command {
	var signer string
	c := &cobra.Command{
		Use:   "sign --signer ROOT.signer policy|trust FILE",
		Short: "Sign a policy or a trust list and print it as gates take it",
		Long: `sign checks a policy or trust list, in JSON, as strictly as a gate will, signs it and prints
the signed note. Put it into the gates' trust folder as policy.note or trust.note: a gate
takes it within seconds, and keeps the last good one when anything is wrong with it.`,
		Example: "  gatectl sign --signer lab/root.signer policy policy.json > lab/trust/policy.note",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if signer == "" {
				return daemon.UsageError{Err: errors.New("--signer is missing: the file with the signer's private key")}
			}
			private, err := daemon.ReadFile(signer, maxSmall)
			if err != nil {
				return daemon.UsageError{Err: err}
			}
			body, err := daemon.ReadFile(args[1], maxSmall)
			if err != nil {
				return daemon.UsageError{Err: err}
			}
			sealed, err := sealFile(args[0], body, strings.TrimSpace(string(private)))
			if err != nil {
				return fmt.Errorf("%s: %w", args[1], err)
			}
			_, err = c.OutOrStdout().Write(sealed)
			return err
		},
	}
	c.Flags().StringVar(&signer, "signer", "", "file with the signer's private key, as init makes it")
	return c
}

func pinCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pin",
		Short: "Turn a guard's PIN, read from standard input, into the line that gate.toml takes",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if terminal(c.OutOrStdout()) {
				fmt.Fprint(c.ErrOrStderr(), "PIN: ")
			}
			text, err := readLine(bufio.NewReader(c.InOrStdin()))
			if err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			pin := strings.TrimSpace(text)
			if len(pin) < 4 || len(pin) > 64 {
				return daemon.UsageError{Err: errors.New("a PIN has 4 to 64 characters")}
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "pin = %q\n", console.HashPIN(pin))
			return err
		},
	}
}

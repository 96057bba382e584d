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

	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/gate/console"
	"gatehouse/scanner/qr"
)

func issueCommand() *cobra.Command {
	var w wish
	var keyFile, picture string
	c := &cobra.Command{
		Use:   "issue --key ISSUER.key",
		Short: "Sign a health code or a travel code and print its text",
		Long: `issue signs a code as a region's server would, in RHC1, RHC2 or TTC1 (docs/formats.md). The key
decides on the algorithm: ES256, EdDSA or SM2. Times of facts are as long before the issue
as they say: 90m, 36h, 5d.`,
		Example: `  gatectl issue --key lab/issuer-CN-330100.key --issuer CN-330100 --colour yellow --class place --png yellow.png
  gatectl issue --key lab/issuer-CN-330100.key --travel 220284:5d:3d --test nucleic-acid:negative:36h
  gatectl issue --key lab/travel-CN-330100.key --format TTC1 --holder '138****1234' --travel 330100:3d:0d
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
			claims, err := w.claims(time.Now())
			if err != nil {
				return daemon.UsageError{Err: err}
			}
			text, err := credential.Issue(key, claims)
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
	w.add(c)
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

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/cmd/daemon"
	"gatehouse/scanner/camera"
	"gatehouse/scanner/qr"
)

// qrLine is what `gatectl qr` says of one image: a contract, see docs/gatectl.md.
type qrLine struct {
	File  string   `json:"file"`
	Texts []string `json:"texts"`
	MS    float64  `json:"ms"` // decoding alone, the pixels already in memory
	Error string   `json:"error,omitempty"`
}

func qrCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "qr IMAGE...",
		Short: "Read the QR codes of images",
		Long: `qr decodes and does nothing else: one JSON object a line for each image, with the texts
from left to right and the milliseconds that decoding took with the pixels in memory (on a
terminal: readable lines, unless --json). Formats: png, jpeg, gif, webp, pgm; at most 50
megapixels. Exit code 1 when an image could not be read; an image without a code is none.`,
		Example: "  gatectl qr photo.jpg\n  gatectl qr --json frames/*.png",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error {
			out := c.OutOrStdout()
			asJSON = asJSON || !terminal(out)
			reader := &qr.Reader{}
			unread := false
			for _, file := range files {
				line := readCodes(reader, file)
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
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line even on a terminal")
	return c
}

func readCodes(reader *qr.Reader, file string) qrLine {
	line := qrLine{File: file, Texts: []string{}}
	luma, err := camera.ReadFile(file)
	if err != nil {
		line.Error = err.Error()
		return line
	}
	reader.Forget() // the image before was of something else
	began := time.Now()
	codes := reader.Read(luma)
	line.MS = float64(time.Since(began).Microseconds()) / 1000
	for _, c := range codes {
		line.Texts = append(line.Texts, c.Value)
	}
	return line
}

func (l qrLine) print(w io.Writer, asJSON bool) error {
	switch {
	case asJSON:
		return json.NewEncoder(w).Encode(l)
	case l.Error != "":
		_, err := fmt.Fprintf(w, "%s  cannot be read: %s\n", l.File, l.Error)
		return err
	case len(l.Texts) == 0:
		_, err := fmt.Fprintf(w, "%s  no code (%.1f ms)\n", l.File, l.MS)
		return err
	}
	for _, text := range l.Texts {
		if _, err := fmt.Fprintf(w, "%s  %q (%.1f ms)\n", l.File, text, l.MS); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"gatehouse/scanner/qr"
)

// A peer is a process. It says "ready NAME" and a line's end when it can begin. Then frames
// go to its standard input:
//
//	WIDTH HEIGHT\n
//	WIDTH*HEIGHT bytes of luma, row by row
//
// and for each an answer comes from its standard output, with both times of decoding in
// nanoseconds, the number of texts, and each text after its length in bytes:
//
//	WALL CPU COUNT\n
//	LENGTH\n
//	LENGTH bytes\n
//
// It ends when its input does.

// Bounds of what a peer may say. The longest text is of 7089 digits, or 1817 kanji of three
// bytes each (ISO/IEC 18004, table 7).
const (
	maxLine  = 128
	maxTexts = 255
	maxText  = 16 << 10
)

// An answer is what a peer made of one frame.
type answer struct {
	wall, cpu time.Duration
	texts     []string
}

// writeFrame sends a frame.
func writeFrame(w *bufio.Writer, frame qr.Luma) error {
	fmt.Fprintf(w, "%d %d\n", frame.Width, frame.Height)
	for y := range frame.Height {
		w.Write(frame.Pix[y*frame.Stride:][:frame.Width]) // the first error stays in w
	}
	return w.Flush()
}

// readReady gives the name and version that a peer begins with.
func readReady(r *bufio.Reader) (string, error) {
	line, err := readLine(r)
	if err != nil {
		return "", err
	}
	name, ok := strings.CutPrefix(line, "ready ")
	if !ok || name == "" {
		return "", fmt.Errorf("it began with %.40q, want ready and a name", line)
	}
	return name, nil
}

// readAnswer reads one answer.
func readAnswer(r *bufio.Reader) (a answer, err error) {
	line, err := readLine(r)
	if err != nil {
		return answer{}, err
	}
	parts := strings.Split(line, " ")
	if len(parts) != 3 {
		return answer{}, fmt.Errorf("answer %.40q: want two times and a count", line)
	}
	var numbers [3]int64
	for i, limit := range [3]int64{int64(time.Hour), int64(time.Hour), maxTexts} {
		if numbers[i], err = readNumber(parts[i], limit); err != nil {
			return answer{}, fmt.Errorf("answer %.40q: %w", line, err)
		}
	}
	a.wall, a.cpu = time.Duration(numbers[0]), time.Duration(numbers[1])
	for range numbers[2] {
		text, err := readText(r)
		if err != nil {
			return answer{}, err
		}
		a.texts = append(a.texts, text)
	}
	return a, nil
}

func readText(r *bufio.Reader) (string, error) {
	line, err := readLine(r)
	if err != nil {
		return "", err
	}
	length, err := readNumber(line, maxText)
	if err != nil {
		return "", fmt.Errorf("length of a text: %w", err)
	}
	text := make([]byte, length+1)
	if _, err := io.ReadFull(r, text); err != nil {
		return "", fmt.Errorf("text of %d bytes: %w", length, err)
	}
	if text[length] != '\n' {
		return "", fmt.Errorf("text of %d bytes: no line's end after it", length)
	}
	return string(text[:length]), nil
}

func readNumber(s string, limit int64) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > limit {
		return 0, fmt.Errorf("number %.20q: want 0 to %d", s, limit)
	}
	return n, nil
}

// readLine reads up to a line's end and leaves it away.
func readLine(r *bufio.Reader) (string, error) {
	var line []byte
	for len(line) <= maxLine {
		c, err := r.ReadByte()
		if errors.Is(err, io.EOF) {
			return "", io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", err
		}
		if c == '\n' {
			return string(line), nil
		}
		line = append(line, c)
	}
	return "", fmt.Errorf("a line is longer than %d bytes", maxLine)
}

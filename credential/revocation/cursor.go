package revocation

import (
	"bufio"
	"fmt"
	"io"
)

// readAhead is how much of a file is in memory at once while it is read, in bytes.
const readAhead = 64 << 10

// A cursor reads a file from its beginning and knows where it is.
type cursor struct {
	from *bufio.Reader
	at   int64 // of the next byte
	size int64
}

func newCursor(r io.ReaderAt, size int64) *cursor {
	return &cursor{from: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), readAhead), size: size}
}

// next gives the next n bytes, at most readAhead. They are good until the next call.
func (c *cursor) next(n int) ([]byte, error) {
	if err := c.holds("file", int64(n)); err != nil {
		return nil, err
	}
	b, err := c.from.Peek(n)
	if err != nil {
		return nil, fmt.Errorf("read byte %d: %w", c.at, err)
	}
	if _, err := c.from.Discard(n); err != nil {
		return nil, fmt.Errorf("read byte %d: %w", c.at, err)
	}
	c.at += int64(n)
	return b, nil
}

// holds refuses what promises more bytes than the file has left, before room is made for it.
func (c *cursor) holds(what string, n int64) error {
	if left := c.size - c.at; n > left {
		return c.flaw("%s: %d bytes are due and %d are left", what, n, left)
	}
	return nil
}

// flaw says what is wrong with the file, and where.
func (c *cursor) flaw(format string, a ...any) error {
	return fmt.Errorf("byte %d: %s", c.at, fmt.Sprintf(format, a...))
}

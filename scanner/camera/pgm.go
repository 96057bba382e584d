package camera

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
)

// A pgmHead is the head of a portable graymap: "P5" or "P2", width, height and the value
// that is white (netpbm, pgm(5)).
type pgmHead struct {
	plain         bool // numbers as text
	width, height int
	white         int // 1 to 65535
}

func pgmConfig(r io.Reader) (image.Config, error) {
	h, err := readPGMHead(bufio.NewReader(r))
	return image.Config{ColorModel: color.GrayModel, Width: h.width, Height: h.height}, err
}

// decodePGM reads the picture; ReadImage has looked at its size before.
func decodePGM(r io.Reader) (image.Image, error) {
	in := bufio.NewReader(r)
	h, err := readPGMHead(in)
	if err != nil {
		return nil, err
	}
	img := image.NewGray(image.Rect(0, 0, h.width, h.height))
	for i := range img.Pix {
		v, err := h.sample(in)
		if err != nil {
			return nil, fmt.Errorf("row %d of %d: %w", i/h.width, h.height, err)
		}
		if v > h.white {
			return nil, fmt.Errorf("row %d: value %d is above white, %d", i/h.width, v, h.white)
		}
		img.Pix[i] = byte((v*255 + h.white/2) / h.white)
	}
	return img, nil
}

func (h pgmHead) sample(in *bufio.Reader) (int, error) {
	if h.plain {
		return readNumber(in)
	}
	v, err := in.ReadByte()
	if err != nil {
		return 0, io.ErrUnexpectedEOF
	}
	if h.white < 256 {
		return int(v), nil
	}
	low, err := in.ReadByte()
	if err != nil {
		return 0, io.ErrUnexpectedEOF
	}
	return int(v)<<8 | int(low), nil
}

func readPGMHead(in *bufio.Reader) (h pgmHead, err error) {
	var magic [2]byte
	if _, err := io.ReadFull(in, magic[:]); err != nil {
		return h, err
	}
	h.plain = magic[1] == '2'
	for _, field := range []*int{&h.width, &h.height, &h.white} {
		if *field, err = readNumber(in); err != nil {
			return h, err
		}
	}
	if h.white < 1 || h.white > 65535 {
		return h, fmt.Errorf("white is %d, want 1 to 65535", h.white)
	}
	return h, nil
}

// readNumber reads a number of at most six digits and the one byte after it. Space and
// comments before it are skipped.
func readNumber(in *bufio.Reader) (n int, err error) {
	for digits := 0; ; {
		b, err := in.ReadByte()
		switch {
		case err == io.EOF && digits > 0:
			return n, nil
		case err != nil:
			return 0, io.ErrUnexpectedEOF
		case b >= '0' && b <= '9':
			if digits++; digits > 6 {
				return 0, errors.New("a number of more than six digits")
			}
			n = 10*n + int(b-'0')
		case digits > 0:
			return n, nil
		case b == '#':
			if _, err := in.ReadBytes('\n'); err != nil {
				return 0, io.ErrUnexpectedEOF
			}
		case b != ' ' && b != '\t' && b != '\r' && b != '\n':
			return 0, fmt.Errorf("byte 0x%02x where a number is due", b)
		}
	}
}

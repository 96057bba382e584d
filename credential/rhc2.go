package credential

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
)

// rhc2 is RHC1 with the claims raw-deflated (RFC 1951) inside the message, where that is
// shorter. The signature is over what is sent, so that nothing need be packed again to check
// it.
var rhc2 = format{
	name:   "RHC2",
	begins: rhc2CWT.begins,
	parse:  rhc2CWT.parse,
	algs:   rhc1.algs,
	native: true,
}

var rhc2CWT = cwt{prefix: "RHC2:", spelling: "base45", decode: decodeBase45, unpack: unpackRHC2, shape: rhc1Shape, open: openRHC1}

// maxUnpacked is more than the claims of the fullest RHC1 take, 1,500 bytes.
const maxUnpacked = 8 << 10

// unpackRHC2 undoes raw deflate, and stops at what no health code needs.
func unpackRHC2(packed []byte) ([]byte, error) {
	in := bytes.NewReader(packed)
	b, err := bounded(flate.NewReader(in), maxUnpacked)
	switch {
	case err != nil:
		return nil, err
	case in.Len() > 0:
		return nil, fmt.Errorf("%d bytes follow the end", in.Len())
	}
	return b, nil
}

// bounded reads to the end of what a decompressor gives, or to max bytes of it. Of what it
// reads, the standard library's errors hold a position at most.
func bounded(r io.Reader, max int64) ([]byte, error) {
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(r, max+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("cut off")
	case err != nil:
		return nil, err
	case n > max:
		return nil, fmt.Errorf("more than %d bytes come out", max)
	}
	return out.Bytes(), nil
}

// packRHC2 is the way back, for issuing.
func packRHC2(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

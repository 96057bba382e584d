package credential

import (
	"encoding/base32"
	"errors"
)

// decodeBase32 takes text back to bytes, strictly: capital letters and 2 to 7, no padding
// (RFC 4648, sections 3.2 and 6). The standard library passes over line breaks and bits that
// are left over; written again, such a text is another one.
func decodeBase32(text string) ([]byte, error) {
	alphabet := base32.StdEncoding.WithPadding(base32.NoPadding)
	b, err := alphabet.DecodeString(text)
	if err != nil {
		return nil, err // names a position, never the character
	}
	if alphabet.EncodeToString(b) != text {
		return nil, errors.New("not as an encoder writes it")
	}
	return b, nil
}

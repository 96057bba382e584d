package credential

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// decoding bounds every CBOR item that comes from a code. A travel certificate nests seven
// deep; nothing that we read has more than 32 elements in a list.
var decoding = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		MaxNestedLevels:   16,
		MaxArrayElements:  256,
		MaxMapPairs:       256,
	}.DecMode()
	if err != nil {
		panic(err) // the options above are constants
	}
	return mode
}()

// encoding writes what RFC 8949 section 4.2.1 calls core deterministic: one value, one text.
var encoding = func() cbor.EncMode {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err) // the options above are constants
	}
	return mode
}()

// bytesOf is a CBOR byte string and nothing else: the decoder would also take a list of
// small numbers for a []byte.
type bytesOf []byte

func (b *bytesOf) UnmarshalCBOR(item []byte) error {
	if len(item) == 0 || item[0]>>5 != 2 {
		return errors.New("not a byte string")
	}
	return decoding.Unmarshal(item, (*[]byte)(b))
}

// An instant is a NumericDate of RFC 8392 in whole seconds; zero is absent. Issuers write
// it as an integer; some wrote a float or a tagged time, and are taken at their word.
type instant int64

const lastInstant = 253402300799 // 9999-12-31T23:59:59Z

func (t *instant) UnmarshalCBOR(item []byte) error {
	var value any
	if err := decoding.Unmarshal(item, &value); err != nil {
		return err
	}
	var seconds float64
	switch v := value.(type) {
	case nil:
		return nil
	case uint64:
		seconds = float64(v)
	case float64:
		seconds = math.Floor(v)
	case time.Time:
		seconds = float64(v.Unix())
	default:
		return fmt.Errorf("a time is written as %T", value)
	}
	if !(seconds >= 1 && seconds <= lastInstant) { // NaN fails here too
		return errors.New("a time is out of range")
	}
	*t = instant(seconds)
	return nil
}

func (t instant) time() time.Time { return time.Unix(int64(t), 0).UTC() }

// A count is a small whole number; some issuers write it as a float.
type count int

func (c *count) UnmarshalCBOR(item []byte) error {
	var value any
	if err := decoding.Unmarshal(item, &value); err != nil {
		return err
	}
	var n float64
	switch v := value.(type) {
	case nil:
		return nil
	case uint64:
		n = float64(v)
	case float64:
		n = v
	default:
		return fmt.Errorf("a count is written as %T", value)
	}
	if !(n >= 0 && n <= 1000) || n != math.Trunc(n) {
		return errors.New("a count is out of range")
	}
	*c = count(n)
	return nil
}

package credential

import (
	"errors"
	"io"
	"math"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// maxDepth is how deep lists, maps and tags may stand in each other.
const maxDepth = 16

// decoding bounds every CBOR item that comes from a code. A travel certificate nests seven
// deep; nothing that we read has more than 32 elements in a list.
var decoding = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		MaxNestedLevels:   maxDepth,
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

// A flaw is what is wrong with an item, in words of our own.
type flaw string

func (f flaw) Error() string { return string(f) }

// decode reads one item. Its error is a flaw and holds nothing of what was decoded: it goes
// to the screen, the log and the book, and a library may quote what it could not read.
func decode(item []byte, value any) error {
	if err := decoding.Unmarshal(item, value); err != nil {
		return flawOf(err)
	}
	return nil
}

func flawOf(err error) flaw {
	var (
		ours    flaw
		twice   *cbor.DupMapKeyError
		follows *cbor.ExtraneousDataError
		deep    *cbor.MaxNestedLevelError
		many    *cbor.MaxArrayElementsError
		pairs   *cbor.MaxMapPairsError
		other   *cbor.UnmarshalTypeError
		text    *cbor.SemanticError
	)
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &twice):
		return "a key stands there twice"
	case errors.As(err, &follows):
		return "bytes follow the end"
	case errors.As(err, &deep):
		return "nested too deep"
	case errors.As(err, &many), errors.As(err, &pairs):
		return "a list is too long"
	case errors.As(err, &other):
		return "a value is of another type than it should be"
	case errors.As(err, &text):
		return "a text is not UTF-8"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "cut off"
	}
	return "not CBOR that can be read"
}

// bytesOf is a CBOR byte string and nothing else: the decoder would also take a list of
// small numbers for a []byte.
type bytesOf []byte

func (b *bytesOf) UnmarshalCBOR(item []byte) error {
	if len(item) == 0 || item[0]>>5 != 2 {
		return flaw("not a byte string")
	}
	return decode(item, (*[]byte)(b))
}

// maxNumber is more bytes than any number or tagged time takes. What is longer is not built
// up first, only to see that it is none: a list of lists would grow a hundredfold.
const maxNumber = 64

// An instant is a NumericDate of RFC 8392 in whole seconds; zero is absent. Issuers write
// it as an integer; some wrote a float or a tagged time, and are taken at their word.
type instant int64

const lastInstant = 253402300799 // 9999-12-31T23:59:59Z

func (t *instant) UnmarshalCBOR(item []byte) error {
	if len(item) > maxNumber {
		return flaw("a time is no number")
	}
	var value any
	if err := decode(item, &value); err != nil {
		return err
	}
	var seconds float64
	switch v := value.(type) {
	case nil:
		return nil
	case uint64:
		seconds = float64(v)
	case int64:
		seconds = float64(v)
	case float64:
		seconds = math.Floor(v)
	case time.Time:
		seconds = float64(v.Unix())
	default:
		return flaw("a time is no number")
	}
	if !(seconds >= 1 && seconds <= lastInstant) { // NaN fails here too
		return flaw("a time is out of range")
	}
	*t = instant(seconds)
	return nil
}

// time gives the zero time for a time that was not said.
func (t instant) time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.Unix(int64(t), 0).UTC()
}

// A count is a small whole number; some issuers write it as a float.
type count int

func (c *count) UnmarshalCBOR(item []byte) error {
	if len(item) > maxNumber {
		return flaw("a count is no number")
	}
	var value any
	if err := decode(item, &value); err != nil {
		return err
	}
	var n float64
	switch v := value.(type) {
	case nil:
		return nil
	case uint64:
		n = float64(v)
	case int64:
		n = float64(v)
	case float64:
		n = v
	default:
		return flaw("a count is no number")
	}
	if !(n >= 0 && n <= 1000) || n != math.Trunc(n) {
		return flaw("a count is out of range")
	}
	*c = count(n)
	return nil
}

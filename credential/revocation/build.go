package revocation

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"gatehouse"
)

// A Base is a whole list as a region begins a file with it.
type Base struct {
	Issuer   gatehouse.Issuer
	Version  uint64   // the first is 1
	Prefixes []uint64 // of the codes taken back, in any order; see Prefix
	Exact    bool     // hand the prefixes out beside the filter
}

// Build writes a file with a base and no deltas. It is the region's work: for ten million
// codes it takes some 470 MB of memory, which is why no gate does it.
func Build(base Base) ([]byte, error) {
	switch {
	case len(base.Issuer) > maxIssuer || !plain(string(base.Issuer)):
		return nil, fmt.Errorf("build revocations: %q cannot be written as an issuer", base.Issuer)
	case base.Version == 0:
		return nil, errors.New("build revocations: version 0, the first is 1")
	case len(base.Prefixes) > MaxEntries:
		return nil, fmt.Errorf("build revocations: %d codes, %d are allowed", len(base.Prefixes), MaxEntries)
	}
	prefixes := sorted(slices.Clone(base.Prefixes))
	filter, err := buildFilter(prefixes)
	if err != nil {
		return nil, fmt.Errorf("build revocations: %w", err)
	}
	file := make([]byte, 0, 64+2*len(filter.Fingerprints))
	file = append(file, magic...)
	file = append(file, byte(len(base.Issuer)))
	file = append(file, base.Issuer...)
	file = binary.BigEndian.AppendUint64(file, base.Version)
	file = binary.BigEndian.AppendUint32(file, uint32(len(prefixes)))
	form := byte(formFilter)
	if base.Exact {
		form = formExact
	}
	file = append(file, form)
	if len(prefixes) > 0 {
		file = appendFilter(file, filter)
	}
	if base.Exact {
		file = appendShelf(slices.Grow(file, 4<<16+8*len(prefixes)), prefixes)
	}
	return file, nil
}

// Append writes a delta behind a file: what was there stays byte for byte, so that a gate
// which has it need only fetch the rest. The result is opened once, as a gate will: what a
// gate would refuse, for one that there are too many changes, is refused here.
func Append(file []byte, d Delta) ([]byte, error) {
	d.Adds, d.Removes = sorted(slices.Clone(d.Adds)), sorted(slices.Clone(d.Removes))
	longer := d.append(slices.Clip(file))
	if _, err := Open(bytes.NewReader(longer), int64(len(longer))); err != nil {
		return nil, fmt.Errorf("append delta: %w", err)
	}
	return longer, nil
}

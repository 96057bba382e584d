package revocation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// readObject reads one JSON object of at most so many bytes into the fields that are asked
// for, all of which are due. encoding/json by itself would take a name in other letters for
// the same field and let the last of two win, so that a reader could be shown another list
// than the one that was looked at.
func readObject(b []byte, most int, fields map[string]any) error {
	if len(b) > most {
		return fmt.Errorf("%d bytes, %d are allowed", len(b), most)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("a JSON object is due")
	}
	seen := make(map[string]bool)
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return fmt.Errorf("byte %d: a name is due", d.InputOffset())
		}
		if seen[name] {
			return fmt.Errorf("byte %d: a field is there twice", d.InputOffset())
		}
		seen[name] = true
		into := fields[name]
		if into == nil {
			into = new(json.RawMessage)
		}
		if err := d.Decode(into); err != nil {
			// The library's error may quote the file.
			return fmt.Errorf("byte %d: the value of a field is of another kind, or broken", d.InputOffset())
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("byte %d: the object does not end", d.InputOffset())
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("byte %d: more behind the object", d.InputOffset())
	}
	for name := range fields {
		if !seen[name] {
			return fmt.Errorf("%s is missing", name)
		}
	}
	return nil
}

package trust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxDepth = 12 // metadata nests seven deep

// strict takes metadata as JSON that reads one way only, before anything reads it: no name
// twice in an object (in capitals or not: the decoder takes both), no null where an object is
// expected and no number that is not whole. The TUF library decodes before it checks a
// signature, and follows a null into a fault.
func strict(text []byte) error {
	if !utf8.Valid(text) {
		return errors.New("not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := strictValue(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the end")
	}
	return nil
}

func strictValue(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return fmt.Errorf("no JSON: %w", err)
	}
	switch t := t.(type) {
	case nil:
		return errors.New("a null stands in it")
	case json.Number:
		if _, err := t.Int64(); err != nil {
			return errors.New("a number is not whole")
		}
	case json.Delim:
		if depth == maxDepth {
			return errors.New("nested too deep")
		}
		if t == '{' {
			return strictObject(d, depth)
		}
		for d.More() {
			if err := strictValue(d, depth+1); err != nil {
				return err
			}
		}
		_, err = d.Token()
	}
	return err
}

func strictObject(d *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return fmt.Errorf("no JSON: %w", err)
		}
		name, _ := t.(string)
		// Beyond ASCII, letters fold in ways of their own.
		if strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) {
			return fmt.Errorf("the name %.20q is not ASCII", name)
		}
		folded := strings.ToLower(name)
		if seen[folded] {
			return fmt.Errorf("the name %.20q stands there twice", name)
		}
		seen[folded] = true
		if err := strictValue(d, depth+1); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

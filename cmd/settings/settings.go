// Package settings reads a daemon's TOML file and names everything that is wrong with it
// in one run, each fault with its line.
package settings

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// maxFile bounds a settings file; a real one has two kilobytes.
const maxFile = 256 << 10

// A Fault is one thing wrong with a file, where it is and how to mend it.
type Fault struct {
	Line int    // 0 when the fault has no line: something is missing
	Key  string // "region.url"
	What string
	Hint string
}

func (f Fault) String() string {
	var b strings.Builder
	if f.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", f.Line)
	}
	if f.Key != "" {
		fmt.Fprintf(&b, "%s: ", f.Key)
	}
	b.WriteString(f.What)
	if f.Hint != "" {
		fmt.Fprintf(&b, " (%s)", f.Hint)
	}
	return b.String()
}

// Faults are all that is wrong with one file.
type Faults struct {
	File string
	List []Fault
}

func (f *Faults) Error() string {
	lines := make([]string, len(f.List))
	for i, fault := range f.List {
		lines[i] = f.File + ": " + fault.String()
	}
	return strings.Join(lines, "\n")
}

// A Checker says what is wrong with values that the file's grammar allows. Keys are as the
// file spells them, "region.url".
type Checker interface {
	Check(fault func(key, what, hint string))
}

// Read fills into, a pointer to a struct with toml tags, from the file. Its error is a
// *Faults, or says why the file could not be read at all.
func Read(path string, into Checker) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return err
	}
	if len(text) > maxFile {
		return fmt.Errorf("%s: more than %d bytes is no settings file", path, maxFile)
	}
	faults := parse(string(text), into)
	lines := keyLines(string(text))
	// A value that could not be read looks missing to the check; people should read of it
	// once.
	unread := faults
	into.Check(func(key, what, hint string) {
		f := Fault{Line: lines[key], Key: key, What: what, Hint: hint}
		if !slices.ContainsFunc(unread, f.about) {
			faults = append(faults, f)
		}
	})
	if len(faults) > 0 {
		return &Faults{File: path, List: faults}
	}
	return nil
}

// about reports whether two faults are about one line or one key.
func (f Fault) about(other Fault) bool {
	return f.Line > 0 && f.Line == other.Line || f.Key != "" && f.Key == other.Key
}

// parse decodes the text and collects faults. The decoder stops at the first value of a
// wrong type; such a line is taken out and the rest is read again, so that the next fault
// is found in the same run.
func parse(text string, into any) (faults []Fault) {
	known := keys(reflect.TypeOf(into).Elem(), "")
	lines := strings.Split(text, "\n")
	for range lines {
		d := toml.NewDecoder(strings.NewReader(strings.Join(lines, "\n")))
		d.DisallowUnknownFields()
		err := d.Decode(into)
		var unknown *toml.StrictMissingError
		var wrong *toml.DecodeError
		switch {
		case err == nil:
			return faults
		case errors.As(err, &unknown):
			for _, e := range unknown.Errors {
				row, _ := e.Position()
				key := strings.Join(e.Key(), ".")
				faults = append(faults, Fault{Line: row, Key: key, What: "unknown key", Hint: meant(key, known)})
			}
			return faults
		case errors.As(err, &wrong):
			row, _ := wrong.Position()
			key := strings.Join(wrong.Key(), ".")
			faults = append(faults, Fault{Line: row, Key: key, What: strings.TrimPrefix(wrong.Error(), "toml: ")})
			if row < 1 || row > len(lines) || lines[row-1] == "" {
				return faults
			}
			lines[row-1] = ""
		default:
			return append(faults, Fault{What: err.Error()})
		}
	}
	return faults
}

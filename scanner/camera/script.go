package camera

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Bounds of a simulator's script.
const (
	maxScript  = 1 << 20 // bytes
	maxPersons = 1000
	maxText    = 1500 // bytes of one code
	maxPhase   = 10 * time.Minute
)

// An effect is what is wrong with how somebody shows a code. People come with it wrong and
// put it right: each effect is worst at the beginning and leaves a code that can be read.
type effect string

const (
	plain effect = "none"
	glare effect = "glare" // a lamp's reflection wanders off the screen
	blur  effect = "blur"  // the camera finds its focus
	dark  effect = "dark"  // too little light, more noise
	tilt  effect = "tilt"  // the phone is turned to the camera
	far   effect = "far"   // the phone comes nearer
	two   effect = "two"   // two codes at once
)

// A person is one line of a script:
//
//	{"texts":["HC1:..."],"show_ms":2500,"gap_ms":900,"effect":"glare"}
//
// Somebody shows a phone with each of the texts, at most two, for show_ms milliseconds (1
// to 600,000); then nobody is there for gap_ms (0 to 600,000). No texts is a phone without
// a code. The effect is none when it is not given.
type person struct {
	Texts  []string `json:"texts"`
	Show   int64    `json:"show_ms"`
	Gap    int64    `json:"gap_ms"`
	Effect effect   `json:"effect"`
}

func (p person) show() time.Duration { return time.Duration(p.Show) * time.Millisecond }
func (p person) gap() time.Duration  { return time.Duration(p.Gap) * time.Millisecond }

// A script is the people who come to the gate one after the other, over and over.
type script []person

// at tells who stands there at a time since the start, and for how long already. Nobody
// (ok is false) is there before the start, between two people, and in an empty script.
func (s script) at(t time.Duration) (who int, since time.Duration, ok bool) {
	var round time.Duration
	for _, p := range s {
		round += p.show() + p.gap()
	}
	if round == 0 || t < 0 {
		return 0, 0, false
	}
	t %= round
	for i, p := range s {
		if t < p.show() {
			return i, t, true
		}
		if t -= p.show() + p.gap(); t < 0 {
			break
		}
	}
	return 0, 0, false
}

func readScriptFile(path string) (script, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readScript(f)
}

// readScript reads a person a line. Empty lines are skipped.
func readScript(r io.Reader) (script, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxScript+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxScript {
		return nil, fmt.Errorf("the script is larger than %d bytes", maxScript)
	}
	var s script
	n := 0
	for line := range bytes.Lines(text) {
		n++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		p, err := readPerson(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if s = append(s, p); len(s) > maxPersons {
			return nil, fmt.Errorf("line %d: more than %d people", n, maxPersons)
		}
	}
	return s, nil
}

func readPerson(line []byte) (person, error) {
	p := person{Effect: plain}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, err
	}
	if _, err := d.Token(); err != io.EOF {
		return p, errors.New("more than one person on the line")
	}
	longest := maxPhase.Milliseconds()
	switch {
	case p.Show < 1 || p.Show > longest:
		return p, fmt.Errorf("show_ms is %d, want 1 to %d", p.Show, longest)
	case p.Gap < 0 || p.Gap > longest:
		return p, fmt.Errorf("gap_ms is %d, want 0 to %d", p.Gap, longest)
	case len(p.Texts) > 2:
		return p, fmt.Errorf("%d texts: a person has two hands", len(p.Texts))
	case p.Effect == two && len(p.Texts) != 2:
		return p, fmt.Errorf("effect two with %d texts", len(p.Texts))
	}
	for _, text := range p.Texts {
		if text == "" || len(text) > maxText {
			return p, fmt.Errorf("a text of %d bytes, want 1 to %d", len(text), maxText)
		}
	}
	switch p.Effect {
	case plain, glare, blur, dark, tilt, far, two:
		return p, nil
	}
	return p, fmt.Errorf("no effect %.20q: none, glare, blur, dark, tilt, far, two", p.Effect)
}

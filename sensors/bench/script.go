package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"gatehouse"
)

// Limits of a script.
const (
	maxScript = 1 << 20 // bytes
	maxPeople = 10_000
	maxStay   = time.Hour // of one person, and of one gap
)

// Defaults and noise of what the simulated sensor sees.
const (
	roomAmbient gatehouse.Temperature = 24_000 // when a line does not say
	jitter                            = 60     // thousandths of a degree either way
	refresh                           = 40 * time.Millisecond
)

// A Script tells who stands before a simulated sensor, as a pure function of time: a loop
// of people from Start on. Before Start nobody is there.
type Script struct {
	Start time.Time
	Seed  uint64 // of the noise; the same seed, the same readings

	people []person
	loop   time.Duration
}

type person struct {
	from, show, until time.Duration // within the loop; until includes the gap
	scene             Scene
}

// line is one person of a script as it is written down. The timing fields are those of
// the simulated camera's script, so that both show the same person at the same time.
type line struct {
	Skin    *gatehouse.Temperature `json:"skin"`    // thousandths of a degree; absent: too far off to be seen
	Ambient *gatehouse.Temperature `json:"ambient"` // absent: 24 degrees
	ShowMS  int64                  `json:"show_ms"` // how long the person stays
	GapMS   int64                  `json:"gap_ms"`  // then nobody for so long
	Fault   Fault                  `json:"fault"`
}

// ParseScript reads one person a line, as JSON; empty lines and lines that begin with #
// are left out. Every error names its line.
func ParseScript(r io.Reader) (Script, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxScript+1))
	if err != nil {
		return Script{}, fmt.Errorf("script: %w", err)
	}
	if len(text) > maxScript {
		return Script{}, fmt.Errorf("script: longer than %d bytes", maxScript)
	}
	var s Script
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxScript+1)
	for n := 1; lines.Scan(); n++ {
		b := bytes.TrimSpace(lines.Bytes())
		if len(b) == 0 || b[0] == '#' {
			continue
		}
		p, err := parsePerson(b)
		if err != nil {
			return Script{}, fmt.Errorf("script: line %d: %w", n, err)
		}
		if len(s.people) == maxPeople {
			return Script{}, fmt.Errorf("script: line %d: more than %d people", n, maxPeople)
		}
		p.from = s.loop
		p.until += s.loop
		s.loop = p.until
		s.people = append(s.people, p)
	}
	if err := lines.Err(); err != nil {
		return Script{}, fmt.Errorf("script: %w", err)
	}
	if len(s.people) == 0 {
		return Script{}, fmt.Errorf("script: nobody in it; a person is a line such as %s",
			`{"skin":36600,"ambient":24000,"show_ms":2500,"gap_ms":900}`)
	}
	return s, nil
}

func parsePerson(b []byte) (person, error) {
	var l line
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return person{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return person{}, fmt.Errorf("more than one value")
	}
	switch l.Fault {
	case NoFault, NoAck, BadPEC, ErrorFlag, Slow:
	default:
		return person{}, fmt.Errorf("fault %q is none of nack, pec, flag, slow", l.Fault)
	}
	show, gap := time.Duration(l.ShowMS)*time.Millisecond, time.Duration(l.GapMS)*time.Millisecond
	if l.ShowMS < 1 || l.ShowMS > maxStay.Milliseconds() {
		return person{}, fmt.Errorf("show_ms %d is outside 1 to %d", l.ShowMS, maxStay.Milliseconds())
	}
	if l.GapMS < 0 || l.GapMS > maxStay.Milliseconds() {
		return person{}, fmt.Errorf("gap_ms %d is outside 0 to %d", l.GapMS, maxStay.Milliseconds())
	}
	p := person{show: show, until: show + gap, scene: Scene{Ambient: roomAmbient, Fault: l.Fault}}
	if l.Ambient != nil {
		p.scene.Ambient = *l.Ambient
	}
	p.scene.Object = p.scene.Ambient
	if l.Skin != nil {
		p.scene.Object = *l.Skin
	}
	for _, t := range []gatehouse.Temperature{p.scene.Object, p.scene.Ambient} {
		if t < -40_000 || t > 85_000 {
			return person{}, fmt.Errorf("temperature %d is outside -40000 to 85000, in thousandths of a degree", t)
		}
	}
	return p, nil
}

// Who tells who stands there at a time: the person's place in the script, from 0, and
// whether anybody does. In a gap it is the person who has just left.
func (s Script) Who(at time.Time) (int, bool) {
	since := at.Sub(s.Start)
	if since < 0 || s.loop == 0 {
		return 0, false
	}
	since %= s.loop
	// People are in order of time; halve until the one remains whose span holds since.
	low, high := 0, len(s.people)
	for low < high-1 {
		middle := (low + high) / 2
		if s.people[middle].from <= since {
			low = middle
		} else {
			high = middle
		}
	}
	p := s.people[low]
	return low, since < p.from+p.show
}

// At gives what the sensor sees at a time. Nobody is a reading of the ambient.
func (s Script) At(at time.Time) Scene {
	if s.loop == 0 {
		return Scene{Object: roomAmbient, Ambient: roomAmbient}
	}
	i, there := s.Who(at)
	scene := s.people[i].scene
	if !there {
		scene = Scene{Object: scene.Ambient, Ambient: scene.Ambient}
	}
	// The chip writes a new value into RAM only so often; until then it reads the same.
	scene.Object += noise(s.Seed, at.UnixNano()/int64(refresh))
	return scene
}

// noise is a number from -60 to 60 that depends on its arguments alone: the finalizer of
// SplitMix64 (Steele, Lea, Flood 2014) over the seed and the count.
func noise(seed uint64, count int64) gatehouse.Temperature {
	z := seed + uint64(count)*0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	z ^= z >> 31
	return gatehouse.Temperature(z%(2*jitter+1)) - jitter
}

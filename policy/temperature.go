package policy

import (
	"fmt"
	"math"

	"gatehouse"
)

// thermometry is what a policy says of temperatures. Lines are in thousandths of a degree.
type thermometry struct {
	off              bool
	fever, low, high gatehouse.Temperature
	k                int64                    // thousandths
	ambient          [2]gatehouse.Temperature // where the sensor is believed; equal for anywhere
	tries            int
	skipFault        bool
}

// skinState is what a measurement comes to under a policy.
type skinState uint8

const (
	skinOff skinState = iota
	skinOK
	skinFever
	skinNone
	skinFault
)

// A reading is a measurement as the policy's lines see it.
type reading struct {
	state    skinState
	estimate gatehouse.Temperature
	why      string // for the states that are not ok
}

// read judges a measurement. A forehead is cooler than the body, the more so the colder the
// place: the estimate is T + k (T - ambient), with the region's k. A low reading is a cold
// forehead or a person too far away, never a healthy one, so the low line is drawn at
// what the sensor read, and the estimate cannot lift anybody over it.
func (t *thermometry) read(m gatehouse.Measurement) reading {
	r := reading{estimate: t.estimate(m)}
	set := func(s skinState, format string, args ...any) reading {
		r.state, r.why = s, fmt.Sprintf(format, args...)
		return r
	}
	switch {
	case t.off:
		return reading{}
	case m.Quality == gatehouse.Faulty:
		return set(skinFault, "the thermometer does not answer")
	case m.Quality == gatehouse.NotMeasured:
		return set(skinNone, "nobody was measured")
	case m.Quality != gatehouse.Steady:
		return set(skinNone, "the readings do not agree")
	case t.ambient[0] != t.ambient[1] && (m.Ambient < t.ambient[0] || m.Ambient > t.ambient[1]):
		return set(skinNone, "%s around the sensor, it measures rightly from %s to %s", m.Ambient, t.ambient[0], t.ambient[1])
	case m.Skin < t.low:
		return set(skinNone, "%s is too low to be a forehead", m.Skin)
	case m.Skin > t.high || r.estimate > t.high:
		return set(skinNone, "%s is too high to be a forehead", max(m.Skin, r.estimate))
	case r.estimate >= t.fever && r.estimate != m.Skin:
		return set(skinFever, "%s (read %s at %s around), fever from %s", r.estimate, m.Skin, m.Ambient, t.fever)
	case r.estimate >= t.fever:
		return set(skinFever, "%s, fever from %s", r.estimate, t.fever)
	}
	r.state = skinOK
	return r
}

func (t *thermometry) estimate(m gatehouse.Measurement) gatehouse.Temperature {
	if t.k == 0 || m.Quality != gatehouse.Steady {
		return m.Skin
	}
	skin, ambient := int64(m.Skin), int64(m.Ambient)
	e := skin + (t.k*(skin-ambient)+500)/1000
	return gatehouse.Temperature(max(math.MinInt32, min(math.MaxInt32, e)))
}

// thermometry checks the table of temperatures. A slip in it must not open a gate that was
// meant to be shut: Fahrenheit, a fever line below a healthy forehead's.
func (doc *document) thermometry(f *faults) (t thermometry) {
	m := doc.Measure
	if !f.has("temperature") {
		f.at("temperature", "missing: the lines of temperature, or off = true")
		return thermometry{off: true}
	}
	if m.Off {
		for _, name := range []string{"fever", "low", "high", "k", "ambient", "tries", "fault"} {
			if f.has("temperature." + name) {
				f.at("temperature."+name, "nobody is measured: off = true")
			}
		}
		return thermometry{off: true}
	}
	line := func(name string, v, low, high float64) gatehouse.Temperature {
		if math.IsNaN(v) || v < low || v > high {
			f.at("temperature."+name, "%v degrees Celsius, want %v to %v", v, low, high)
			return 0
		}
		return gatehouse.Temperature(math.Round(v * 1000))
	}
	t.fever = line("fever", m.Fever, 36, 40)
	t.low = line("low", m.Low, 28, 38)
	t.high = line("high", m.High, 40, 45)
	if t.fever != 0 && t.low >= t.fever {
		f.at("temperature.low", "it is not below the fever line")
	}
	if math.IsNaN(m.K) || m.K < 0 || m.K > 0.3 {
		f.at("temperature.k", "%v, want 0 to 0.3", m.K)
	} else {
		t.k = int64(math.Round(m.K * 1000))
	}
	switch {
	case f.has("temperature.ambient"):
		t.ambient = [2]gatehouse.Temperature{line("ambient.from", m.Ambient.From, -20, 50), line("ambient.to", m.Ambient.To, -20, 50)}
		if t.ambient[0] >= t.ambient[1] {
			f.at("temperature.ambient", "from is not below to")
		}
	case t.k > 0:
		f.at("temperature.ambient", "missing: k rests on the ambient temperature, so say from where to where it is believed")
	}
	if t.tries = m.Tries; m.Tries < 1 || m.Tries > 5 {
		f.at("temperature.tries", "%d, want 1 to 5", m.Tries)
	}
	switch m.Fault {
	case "refer":
	case "skip":
		t.skipFault = true
	default:
		f.at("temperature.fault", "%.20q, want refer or skip: what becomes of people while the thermometer is broken", m.Fault)
	}
	return t
}

// Package gatehouse holds the words that the whole checkpoint speaks: what was seen,
// what a code says, what a gate decided and what it wrote down.
//
// Everything above this package imports it; it imports the standard library only.
package gatehouse

import (
	"fmt"
	"strings"
	"time"
)

// A Sighting is one text that a camera's eye read: the same code held still is one
// sighting, however many frames show it.
type Sighting struct {
	Text string
	At   time.Time     // when the frame was taken
	Took time.Duration // from the frame in memory to the text
	Aim  Aim           // why a code in view could not be read (Text is empty then); NoAim with a text
}

// Seq numbers the passages of one gate's book: 1, 2, 3 and no gaps. Zero is no row.
type Seq uint64

// A Passage is one line of a gate's book: who was judged how, without saying who.
// It carries no name, no text of a code and no identity number; what it keeps of the
// code is its issuer and a tag of its random id.
type Passage struct {
	Seq    Seq       // given by the book
	Gate   string    // name of the gate
	At     time.Time // by the gate's trusted clock
	Amends Seq       // the passage that a guard's decision corrects; 0 for none

	Verdict Verdict
	Format  string // of the code: "RHC1", "DCC"; empty when it was not one of ours
	Issuer  Issuer
	KeyID   string        // lower-case hex
	Code    string        // tag of the code's random id, lower-case hex; empty when there is none
	Grade   Grade         // the colour as issued
	Class   Class         // why the issuer gave that colour
	Age     time.Duration // of the code when it was shown
	Second  string        // format of the second code that was judged with it; empty for none
	Skin    Measurement

	Without  Without       // why there was no code, when a guard said so
	Guard    string        // who decided, when a guard did
	Note     string        // the guard's reason, one short line
	TrustAge time.Duration // age of the trust list that was in use
	Clock    bool          // whether the clock was trusted
	Took     time.Duration // from the frame to the verdict
}

// An Issuer is a region that issues codes: a country and, within China, a GB/T 2260
// division code of six digits. "CN-330100" is Hangzhou, "DE" is Germany.
type Issuer string

// Country gives the part before the hyphen.
func (i Issuer) Country() string {
	c, _, _ := strings.Cut(string(i), "-")
	return c
}

// Within reports whether i is region or a part of it. "CN-33" and "CN-330000" both hold
// CN-330100, since trailing pairs of zeros in a division code mean "all of it".
func (i Issuer) Within(region Issuer) bool {
	if i == region || i.Country() == string(region) {
		return region != ""
	}
	country, division, ok := strings.Cut(string(region), "-")
	if !ok || division == "" || country != i.Country() {
		return false
	}
	for len(division) > 2 && strings.HasSuffix(division, "00") {
		division = division[:len(division)-2]
	}
	return strings.HasPrefix(string(i), country+"-"+division)
}

// Temperature is in thousandths of a degree Celsius.
type Temperature int32

// String gives one decimal, as a thermometer's display does: "36.6 °C".
func (t Temperature) String() string { return fmt.Sprintf("%.1f °C", float64(t)/1000) }

// Quality says how far a measurement can be relied on.
type Quality uint8

// The zero value is no measurement at all.
const (
	NotMeasured Quality = iota // nobody was measured
	Unsteady                   // readings, but they do not agree: the person moved
	Steady                     // enough readings within the thermometer's spread
	Faulty                     // the sensor is gone, warming up or lies about its checksum
)

func (q Quality) String() string {
	switch q {
	case Unsteady:
		return "unsteady"
	case Steady:
		return "steady"
	case Faulty:
		return "fault"
	}
	return "not measured"
}

// A Measurement is what the thermometer can say of one forehead.
type Measurement struct {
	Skin     Temperature // median of the readings
	Ambient  Temperature // of the sensor's own housing
	Quality  Quality
	Readings int    // how many good readings it rests on
	Sensor   string // chip and address: "mlx90614@5a"
}

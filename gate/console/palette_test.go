package console

import (
	"math"
	"regexp"
	"strconv"
	"testing"
)

// Colour-vision deficiencies at full severity: Machado, Oliveira and Fernandes, "A
// Physiologically-based Model for Simulation of Color Vision Deficiency", 2009, table 1.
// They apply to linear RGB.
var deficiencies = map[string][9]float64{
	"protanopia":   {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998},
	"deuteranopia": {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881},
	"tritanopia":   {1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900},
}

type rgb [3]float64 // linear

// parseColour takes "#rrggbb" (sRGB, IEC 61966-2-1).
func parseColour(t *testing.T, hex string) rgb {
	t.Helper()
	var c rgb
	for i := range c {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		v := float64(n) / 255
		if v <= 0.04045 {
			c[i] = v / 12.92
		} else {
			c[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return c
}

func (c rgb) seenWith(m [9]float64) (out rgb) {
	for i := range out {
		out[i] = min(max(m[3*i]*c[0]+m[3*i+1]*c[1]+m[3*i+2]*c[2], 0), 1)
	}
	return out
}

func (c rgb) luminance() float64 { return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] }

// contrast is WCAG 2.2's.
func contrast(a, b rgb) float64 {
	x, y := a.luminance()+0.05, b.luminance()+0.05
	return max(x, y) / min(x, y)
}

// lab is CIE 1976 L*a*b* under D65.
func (c rgb) lab() [3]float64 {
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	x := f((0.4124*c[0] + 0.3576*c[1] + 0.1805*c[2]) / 0.9505)
	y := f(c.luminance())
	z := f((0.0193*c[0] + 0.1192*c[1] + 0.9505*c[2]) / 1.089)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// difference is CIE76: the distance in L*a*b*.
func difference(a, b rgb) float64 {
	p, q := a.lab(), b.lab()
	return math.Hypot(math.Hypot(p[0]-q[0], p[1]-q[1]), p[2]-q[2])
}

// palette reads the colours from the style sheet that the pages get.
func palette(t *testing.T) map[string]rgb {
	t.Helper()
	css, err := pageFiles.ReadFile("page/console.css")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]rgb{}
	for _, m := range regexp.MustCompile(`--(\w+): (#[0-9a-f]{6});`).FindAllStringSubmatch(string(css), -1) {
		name := m[1]
		if _, twice := all[name]; twice {
			name = "blue" // the second --admit
		}
		if _, twice := all[name]; !twice {
			all[name] = parseColour(t, m[2])
		}
	}
	for _, name := range []string{"admit", "blue", "deny", "refer", "notours", "idle", "shut", "ink", "dark"} {
		if _, ok := all[name]; !ok {
			t.Fatalf("the style sheet has no colour %s; it has %v", name, all)
		}
	}
	return all
}

func TestColoursDifferForEveryEye(t *testing.T) {
	c := palette(t)
	eyes := map[string][9]float64{"every colour": {1, 0, 0, 0, 1, 0, 0, 0, 1}}
	for name, m := range deficiencies {
		eyes[name] = m
	}
	// The three calls differ from each other, whichever Admit is chosen; and nothing that
	// is not an Admit looks like one.
	pairs := [][2]string{{"admit", "deny"}, {"admit", "refer"}, {"deny", "refer"}, {"blue", "deny"}, {"blue", "refer"}}
	for _, other := range []string{"notours", "idle", "shut"} {
		pairs = append(pairs, [2]string{"admit", other}, [2]string{"blue", other})
	}
	for _, p := range pairs {
		a, b := c[p[0]], c[p[1]]
		if got := contrast(a, b); got < 1.9 {
			t.Errorf("%s, %s: lightness contrast %.2f, want 1.9", p[0], p[1], got)
		}
		for eye, m := range eyes {
			if got := difference(a.seenWith(m), b.seenWith(m)); got < 30 {
				t.Errorf("%s, %s with %s: dE %.1f, want 30", p[0], p[1], eye, got)
			}
		}
	}
}

func TestTextStandsOutFromItsGround(t *testing.T) {
	c := palette(t)
	for ground, ink := range map[string]string{"admit": "ink", "blue": "ink", "deny": "ink", "idle": "ink", "shut": "ink", "refer": "dark", "notours": "dark"} {
		if got := contrast(c[ground], c[ink]); got < 4.5 {
			t.Errorf("text on %s: contrast %.2f, want 4.5", ground, got)
		}
	}
}

// TestThePaletteTestCanFail tries the pair that the usual checker passed and a red-blind
// guard could not tell apart: a dark green and a dark red of one lightness.
func TestThePaletteTestCanFail(t *testing.T) {
	green, red := parseColour(t, "#1b5e20"), parseColour(t, "#8e1b1b")
	if got := contrast(green, red); got >= 1.9 {
		t.Errorf("lightness contrast %.2f of a pair of one lightness", got)
	}
	m := deficiencies["deuteranopia"]
	if got := difference(green.seenWith(m), red.seenWith(m)); got >= 30 {
		t.Errorf("dE %.1f of a pair that a red-blind guard cannot tell apart", got)
	}
}

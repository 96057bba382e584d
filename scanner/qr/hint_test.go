package qr

import (
	"math/rand/v2"
	"testing"
)

func TestAHintSaysWhyACodeWasNotRead(t *testing.T) {
	rnd := rand.New(rand.NewPCG(10, 10))
	s := encode(t, randomText(rnd, 300), levelL, 0)
	glare := func(img Luma) {
		for y := range img.Height {
			for x := range img.Width {
				if dx, dy := x-320, y-250; dx*dx+dy*dy < 60*60 {
					img.Pix[y*img.Stride+x] = 255
				}
			}
		}
	}
	dim := func(img Luma) {
		glare(img)
		for i, v := range img.Pix {
			img.Pix[i] = v / 6
		}
	}
	for _, c := range []struct {
		name  string
		pose  pose
		spoil func(Luma)
		want  Hint
	}{
		{"read", pose{x: 320, y: 240, module: 5}, func(Luma) {}, HintNone},
		{"cut off on the right", pose{x: 560, y: 240, module: 5}, func(Luma) {}, HintCutOff},
		{"glare", pose{x: 320, y: 240, module: 5}, glare, HintGlare},
		{"dark", pose{x: 320, y: 240, module: 5}, dim, HintTooDark},
	} {
		img := blank(640, 480, 128)
		draw(img, s, c.pose)
		c.spoil(img)
		var r Reader
		texts := r.Read(img)
		if got := r.Hint(); got != c.want || (len(texts) > 0) != (c.want == HintNone) {
			t.Errorf("%s: got hint %q with %d texts, want %q", c.name, got, len(texts), c.want)
		}
	}
	var r Reader
	r.Read(blank(640, 480, 200))
	if got := r.Hint(); got != HintNone {
		t.Errorf("empty frame: got hint %q", got)
	}
}

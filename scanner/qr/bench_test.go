package qr

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// BenchmarkRead is one frame of a gate's camera: with a health code of the usual size in
// it, and with nothing but noise.
func BenchmarkRead(b *testing.B) {
	m, err := Encode("HC1:"+strings.Repeat("6BFOXN%TS3DH0YOJ", 34), M)
	if err != nil {
		b.Fatal(err)
	}
	img := m.Image(5)
	random := rand.New(rand.NewPCG(1, 2))
	empty := Luma{Pix: make([]byte, 1280*720), Width: 1280, Height: 720, Stride: 1280}
	for i := range empty.Pix {
		empty.Pix[i] = byte(90 + random.IntN(40))
	}
	code := empty
	code.Pix = append([]byte(nil), empty.Pix...)
	for y := range img.Rect.Dy() {
		copy(code.Pix[(y+100)*1280+300:], img.Pix[y*img.Stride:][:img.Rect.Dx()])
	}
	for _, c := range []struct {
		name  string
		frame Luma
		want  int
	}{{"code", code, 1}, {"empty", empty, 0}} {
		b.Run(c.name, func(b *testing.B) {
			var r Reader
			b.ReportAllocs()
			for b.Loop() {
				r.Forget()
				if got := len(r.Read(c.frame)); got != c.want {
					b.Fatalf("read %d codes, want %d", got, c.want)
				}
			}
		})
	}
}

package qr

import (
	"strings"
	"testing"
)

func TestTextComesBackAtEveryLevel(t *testing.T) {
	for _, level := range []Level{L, M, Q, H} {
		for _, text := range []string{"1", "A", "01234567890123456789", "HC1:NCFOXN%TSMAHN-H", "健康码 RHC1", "a\nb\x00c", strings.Repeat("0123456789ABCDEF", 60)} {
			m, err := Encode(text, level)
			if err != nil {
				t.Fatal(err)
			}
			img := m.Image(3)
			frame := Luma{Pix: img.Pix, Width: img.Rect.Dx(), Height: img.Rect.Dy(), Stride: img.Stride}
			var r Reader
			if got := r.Read(frame); len(got) != 1 || got[0].Value != text {
				t.Errorf("level %d: read %+v, want %q", level, got, text)
			}
		}
	}
}

func TestCodeThatCannotBeIsNotEncoded(t *testing.T) {
	for _, c := range []struct {
		text  string
		level Level
	}{{"", M}, {"A", H + 1}, {strings.Repeat("x", 3000), L}, {strings.Repeat("x", 1300), H}} {
		if m, err := Encode(c.text, c.level); err == nil {
			t.Errorf("%d bytes at level %d became a code of %d modules", len(c.text), c.level, m.Size())
		}
	}
}

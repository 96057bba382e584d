package camera

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"unsafe"
)

func TestCameraThatIsNotThereSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "video0")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		for path, want := range map[string]string{
			filepath.Join(dir, "gone"): "open: no such file or directory: is the camera plugged in? Names that last: ls /dev/v4l/by-id",
			plain:                      "open: inappropriate ioctl for device",
		} {
			src := open(t, "v4l2:"+path)
			for range 2 { // it is looked for again
				if _, err := src.Next(t.Context()); err == nil || err.Error() != "camera "+path+": "+want {
					t.Errorf("%v, want %s", err, want)
				}
			}
		}
	})
}

func TestFormatIsAsLargeAsTheKernels(t *testing.T) {
	// videodev2.h, struct v4l2_format: 208 bytes where pointers have 8, 204 where they have 4.
	if got, want := unsafe.Sizeof(v4l2Format{}), 200+unsafe.Sizeof(uintptr(0)); got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
	if code := fourCC("MJPG"); code != 0x47504A4D {
		t.Errorf("MJPG is %#x", code)
	}
}

func TestOptionsOfALiveCamera(t *testing.T) {
	s, err := parse("v4l2:/dev/video0?size=640x480&fps=15&format=yuyv")
	if err != nil {
		t.Fatal(err)
	}
	got, err := wantedMode(s)
	if want := (wanted{640, 480, 15, yuyv}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if s, err = parse("v4l2:/dev/video0"); err != nil || !strings.HasSuffix(s.path, "video0") {
		t.Fatalf("%+v, %v", s, err)
	}
	if got, err := wantedMode(s); err != nil || got != (wanted{1280, 720, 30, ""}) {
		t.Errorf("without options: %+v, %v", got, err)
	}
}

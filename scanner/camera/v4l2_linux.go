package camera

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"unsafe"

	"github.com/blackjack/webcam"
	"github.com/blackjack/webcam/ioctl"
	"golang.org/x/sys/unix"
)

// buffers is how many frames the driver may fill ahead.
const buffers = 4

// openV4L2 gives a camera of the kernel's Video4Linux.
//
//	v4l2:/dev/v4l/by-id/usb-...-video-index0?size=1280x720&fps=30&format=mjpeg
//
// Size and rate are wishes, the camera gives what it has nearest. Without a format it is
// GREY, which costs nothing to unpack, or YUYV up to 640x480, or MJPEG: more than that
// does not go over USB 2 uncompressed at a useful rate.
func openV4L2(s spec) (Source, error) {
	w, err := wantedMode(s)
	if err != nil {
		return nil, err
	}
	open := func() (device, mode, error) {
		cam, m, err := stream(s.path, w)
		if err != nil {
			return nil, mode{}, withHint(err)
		}
		return cam, m, nil
	}
	return &video{path: s.path, open: open, seed: maphash.MakeSeed()}, nil
}

// A webcamera is the library's camera, where a time-out and an empty queue are no errors.
type webcamera struct{ *webcam.Webcam }

func (c webcamera) wait() (bool, error) {
	err := c.WaitForFrame(1)
	var late *webcam.Timeout
	if errors.As(err, &late) {
		return false, nil
	}
	return err == nil, withHint(err)
}

func (c webcamera) take() ([]byte, uint32, bool, error) {
	frame, index, err := c.GetFrame()
	if errors.Is(err, unix.EAGAIN) {
		return nil, 0, false, nil
	}
	return frame, index, err == nil, withHint(err)
}

func (c webcamera) giveBack(index uint32) error { return withHint(c.ReleaseFrame(index)) }

// stream opens a camera and lets it run.
func stream(path string, w wanted) (device, mode, error) {
	cam, err := webcam.Open(path)
	if err != nil {
		return nil, mode{}, fmt.Errorf("open: %w", err)
	}
	m, err := start(cam, path, w)
	if err != nil {
		return nil, mode{}, errors.Join(err, cam.Close())
	}
	return webcamera{cam}, m, nil
}

func start(cam *webcam.Webcam, path string, w wanted) (mode, error) {
	codes := map[pixels]webcam.PixelFormat{mjpeg: fourCC("MJPG"), yuyv: fourCC("YUYV"), grey: fourCC("GREY")}
	offered := cam.GetSupportedFormats()
	format := w.format
	if format == "" {
		order := []pixels{grey, mjpeg, yuyv}
		if w.width*w.height <= 640*480 {
			order = []pixels{grey, yuyv, mjpeg}
		}
		for _, f := range order {
			if _, ok := offered[codes[f]]; ok {
				format = f
				break
			}
		}
	}
	if _, ok := offered[codes[format]]; !ok {
		return mode{}, errors.New("gives neither MJPEG, YUYV nor GREY as asked: a USB camera has two nodes, and this may be the one for metadata")
	}
	got, _, _, err := cam.SetImageFormat(codes[format], uint32(w.width), uint32(w.height))
	if err != nil {
		return mode{}, fmt.Errorf("set %dx%d %s: %w", w.width, w.height, format, err)
	}
	if got != codes[format] {
		return mode{}, fmt.Errorf("set %s: the camera takes another format", format)
	}
	m, err := currentMode(path, format)
	if err != nil {
		return mode{}, fmt.Errorf("ask for the format: %w", err)
	}
	if err := cam.SetBufferCount(buffers); err != nil {
		return mode{}, err
	}
	// Many cameras have one rate only and refuse to be asked.
	_ = cam.SetFramerate(float32(w.fps))
	return m, cam.StartStreaming()
}

// fourCC is a four-character code, v4l2_fourcc of videodev2.h.
func fourCC(name string) webcam.PixelFormat {
	return webcam.PixelFormat(binary.LittleEndian.Uint32([]byte(name)))
}

// v4l2Format is struct v4l2_format of videodev2.h for a single plane: the union behind the
// type is 200 bytes, aligned as a pointer.
type v4l2Format struct {
	kind uint32
	pix  [200 / unsafe.Sizeof(uintptr(0))]uintptr
}

// currentMode asks what the driver made of a wish. The library gives the wished size back,
// whatever the driver took, and not the padding of rows; a second descriptor can ask.
func currentMode(path string, format pixels) (mode, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return mode{}, err
	}
	defer unix.Close(fd)
	f := v4l2Format{kind: webcam.V4L2_BUF_TYPE_VIDEO_CAPTURE}
	const getFormat = 4 // VIDIOC_G_FMT
	request := ioctl.IoRW('V', getFormat, unsafe.Sizeof(f))
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(&f))); errno != 0 {
		return mode{}, errno
	}
	// struct v4l2_pix_format: width, height, pixelformat, field, bytesperline, ...
	pix := (*[5]uint32)(unsafe.Pointer(&f.pix))
	m := mode{format: format, width: int(pix[0]), height: int(pix[1]), stride: int(pix[4])}
	if m.width < 1 || m.height < 1 || m.width > maxSide || m.height > maxSide || m.stride < 0 || m.stride > 8*maxSide {
		return mode{}, fmt.Errorf("%dx%d pixels with %d bytes a row", m.width, m.height, m.stride)
	}
	return m, nil
}

// withHint says what to do about an errno.
func withHint(err error) error {
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return fmt.Errorf("%w: is the camera plugged in? Names that last: ls /dev/v4l/by-id", err)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: cameras belong to the group video", err)
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("%w: another program has the camera", err)
	}
	return err
}

//go:build opencv

package camera

import (
	"context"
	"errors"
	"fmt"
	"image"
	"strconv"
	"time"

	"gocv.io/x/gocv"

	"gatehouse/scanner/qr"
)

// A capture is what OpenCV's VideoCapture reads: a camera by its number, a video file, a
// network stream, a sequence of images.
//
//	opencv:0?size=1280x720
//	opencv:/path/video.avi
//	opencv:/path/%03d.png
//
// With a size each frame is scaled to it. A file is played as fast as it is asked for, and
// ends with ErrEnd.
type capture struct {
	name   string
	live   bool
	vc     *gocv.VideoCapture
	frame  gocv.Mat
	grey   gocv.Mat
	scaled gocv.Mat
	size   image.Point // zero: as it comes
	pix    []byte
	seq    uint64
}

func openOpenCV(s spec) (Source, error) {
	if err := s.only("size"); err != nil {
		return nil, err
	}
	w, h, err := s.size(0, 0)
	if err != nil {
		return nil, err
	}
	c := &capture{name: s.path, size: image.Pt(w, h)}
	if number, err := strconv.Atoi(s.path); err == nil {
		c.live = true
		c.vc, err = gocv.VideoCaptureDevice(number)
		if err != nil {
			return nil, err
		}
		c.vc.Set(gocv.VideoCaptureBufferSize, 1) // the newest frame, not the oldest
		if w > 0 {
			c.vc.Set(gocv.VideoCaptureFrameWidth, float64(w))
			c.vc.Set(gocv.VideoCaptureFrameHeight, float64(h))
		}
	} else if c.vc, err = gocv.VideoCaptureFile(s.path); err != nil {
		return nil, err
	}
	c.frame, c.grey, c.scaled = gocv.NewMat(), gocv.NewMat(), gocv.NewMat()
	return c, nil
}

func (c *capture) Next(ctx context.Context) (Frame, error) {
	if err := ctx.Err(); err != nil {
		return Frame{}, err
	}
	if c.vc == nil {
		return Frame{}, fmt.Errorf("camera opencv:%s: it is closed", c.name)
	}
	if !c.vc.Read(&c.frame) || c.frame.Empty() {
		if c.live {
			return Frame{}, fmt.Errorf("camera opencv:%s: no frame: is the camera plugged in?", c.name)
		}
		return Frame{}, ErrEnd
	}
	now := time.Now()
	l, err := c.luma()
	if err != nil {
		return Frame{}, fmt.Errorf("camera opencv:%s: %w", c.name, err)
	}
	c.seq++
	return Frame{Luma: l, At: now, Seq: c.seq}, nil
}

// luma converts and scales the frame, and takes it out of OpenCV's memory.
func (c *capture) luma() (qr.Luma, error) {
	plane := c.frame
	switch c.frame.Channels() {
	case 1:
	case 3:
		gocv.CvtColor(c.frame, &c.grey, gocv.ColorBGRToGray)
		plane = c.grey
	case 4:
		gocv.CvtColor(c.frame, &c.grey, gocv.ColorBGRAToGray)
		plane = c.grey
	default:
		return qr.Luma{}, fmt.Errorf("frame of %d channels", c.frame.Channels())
	}
	if c.size != (image.Point{}) && (plane.Cols() != c.size.X || plane.Rows() != c.size.Y) {
		gocv.Resize(plane, &c.scaled, c.size, 0, 0, gocv.InterpolationArea)
		plane = c.scaled
	}
	pixels, err := plane.DataPtrUint8()
	if err != nil {
		return qr.Luma{}, err
	}
	c.pix = append(c.pix[:0], pixels...)
	l := qr.Luma{Pix: c.pix, Width: plane.Cols(), Height: plane.Rows(), Stride: plane.Cols()}
	if !l.Valid() {
		return qr.Luma{}, fmt.Errorf("frame of %dx%d with %d bytes", l.Width, l.Height, len(l.Pix))
	}
	return l, nil
}

func (c *capture) Close() error {
	if c.vc == nil {
		return nil
	}
	err := errors.Join(c.frame.Close(), c.grey.Close(), c.scaled.Close(), c.vc.Close())
	c.vc = nil
	return err
}

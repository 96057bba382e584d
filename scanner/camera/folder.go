package camera

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A folder plays the images of a folder, or one image, in the order of their names.
//
//	file:DIR?loop=1&fps=10
//
// Every image is given once, fps a second at most (0 to 240, default 10; 0 is as fast as
// they are asked for); with loop=1 the folder is read again after its last image. An image
// that cannot be read is an error of its own, and the next call goes on with the next one.
type folder struct {
	path  string
	loop  bool
	every time.Duration // from one frame to the next
	names []string      // still to come
	due   time.Time     // of the next frame
	seq   uint64
}

func openFolder(s spec) (*folder, error) {
	if err := s.only("loop", "fps"); err != nil {
		return nil, err
	}
	loop, err := s.number("loop", 0, 0, 1)
	if err != nil {
		return nil, err
	}
	fps, err := s.number("fps", 10, 0, 240)
	if err != nil {
		return nil, err
	}
	f := &folder{path: s.path, loop: loop == 1}
	if fps > 0 {
		f.every = time.Second / time.Duration(fps)
	}
	if f.names, err = images(f.path); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *folder) Next(ctx context.Context) (Frame, error) {
	if len(f.names) == 0 {
		if !f.loop {
			return Frame{}, ErrEnd
		}
		var err error
		if f.names, err = images(f.path); err != nil {
			return Frame{}, err
		}
	}
	if err := waitUntil(ctx, f.due); err != nil {
		return Frame{}, err
	}
	now := time.Now()
	f.due = now.Add(f.every)
	name := f.names[0]
	f.names = f.names[1:]
	l, err := ReadFile(name)
	if err != nil {
		return Frame{}, err
	}
	f.seq++
	return Frame{Luma: l, At: now, Seq: f.seq}, nil
}

func (f *folder) Close() error { return nil }

// images lists the image files of a folder by name, or the one file that path is.
func images(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return nil, err
	}
	kinds := []string{".png", ".jpg", ".jpeg", ".gif", ".webp", ".pgm"}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && slices.Contains(kinds, strings.ToLower(filepath.Ext(e.Name()))) {
			names = append(names, filepath.Join(path, e.Name()))
		}
	}
	if len(names) == 0 {
		return nil, errors.New("the folder has no images: png, jpg, gif, webp, pgm")
	}
	return names, nil
}

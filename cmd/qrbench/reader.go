package main

import (
	"runtime"
	"slices"
	"strings"
	"time"

	"gatehouse/scanner/qr"
)

// A reading is what a reader made of one frame.
type reading struct {
	texts  []string
	took   time.Duration
	allocs uint64 // allocations; noAllocs when the reader cannot say
}

const noAllocs = ^uint64(0)

// An eye reads frames one after the other; it may remember those before. Its error is a
// reader that is gone, not a frame without a text.
type eye interface {
	read(frame qr.Luma) (reading, error)
}

// A contestant makes eyes. Each set and each sequence begins with a new one.
type contestant struct {
	name   string
	newEye func() eye
}

// ownReaders are those that run in this process.
func ownReaders(c clock) []contestant {
	local := func(newRead func() func(qr.Luma) []string) func() eye {
		return func() eye { return &inProcess{clock: c, call: newRead()} }
	}
	return []contestant{
		{"gatehouse", local(ours)},
		{"gozxing", local(func() func(qr.Luma) []string { return gozxingOnce })},
		{"gozxing all tries", local(func() func(qr.Luma) []string { return gozxingAll })},
	}
}

// ours makes a reader of the lane, which keeps what it learned from frame to frame. Nothing
// is allocated for a frame without a code.
func ours() func(qr.Luma) []string {
	r, texts := new(qr.Reader), []string(nil)
	return func(frame qr.Luma) []string {
		texts = texts[:0]
		for _, code := range r.Read(frame) {
			texts = append(texts, code.Value)
		}
		return texts
	}
}

// chosen reports whether a name holds one of some parts; no parts are all names.
func chosen(name string, parts []string) bool {
	return len(parts) == 0 || slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(name, part) })
}

// inProcess measures a reader that is a function.
type inProcess struct {
	clock         clock
	call          func(qr.Luma) []string
	before, after runtime.MemStats // kept here so that the measurement itself allocates nothing
}

func (p *inProcess) read(frame qr.Luma) (r reading, err error) {
	runtime.ReadMemStats(&p.before)
	r.took = p.clock.measure(func() { r.texts = p.call(frame) })
	runtime.ReadMemStats(&p.after)
	r.allocs = p.after.Mallocs - p.before.Mallocs
	return r, nil
}

// warm gives a reader an even frame a few times: what it does once (buffers, a compiler
// that works while the code runs) is not the cost of a frame.
func warm(e eye, width, height int) error {
	even := make([]byte, width*height)
	for i := range even {
		even[i] = 128
	}
	for range 3 {
		if _, err := e.read(qr.Luma{Pix: even, Width: width, Height: height, Stride: width}); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"gatehouse/scanner/qr"
)

// The peers' own programs are small; what they stand on comes from Debian and npm.
//
//go:embed peers/zxing-cpp/main.cpp peers/zbar/main.c peers/zxing-wasm/reader.mjs
//go:embed peers/zxing-wasm/package.json peers/zxing-wasm/package-lock.json
var sources embed.FS

// A recipe makes a peer's program and gives the ways to run it.
type recipe struct {
	name  string   // of its folder in sources
	make  []string // a command, run in that folder
	needs string   // what to install for it
	ways  []way
}

// A way is a row of the table: the peer with certain options.
type way struct {
	name string
	argv []string // run in the peer's folder
}

func recipes() []recipe {
	return []recipe{
		{
			name: "zxing-cpp", needs: "libzxing-dev g++",
			make: []string{"g++", "-O2", "-std=c++17", "-o", "reader", "main.cpp", "-lZXing"},
			ways: []way{{"zxing-cpp 1.4", []string{"./reader"}}},
		},
		{
			name: "zxing-wasm", needs: "nodejs npm",
			make: []string{"npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"},
			ways: []way{
				{"zxing-cpp 3 wasm fast", []string{"node", "reader.mjs", "fast"}},
				{"zxing-cpp 3 wasm all tries", []string{"node", "reader.mjs", "all"}},
			},
		},
		{
			name: "zbar", needs: "libzbar-dev g++",
			make: []string{"gcc", "-O2", "-o", "reader", "main.c", "-lzbar"},
			ways: []way{{"zbar", []string{"./reader"}}},
		},
	}
}

// build lays the sources into a folder below dir and makes the program there, unless they
// lie there already, made.
func (r recipe) build(ctx context.Context, dir string) (string, error) {
	dir, err := filepath.Abs(filepath.Join(dir, r.name))
	if err != nil {
		return "", err
	}
	files, err := sources.ReadDir("peers/" + r.name)
	if err != nil {
		return "", err
	}
	const made = "made" // is written last
	_, err = os.Stat(filepath.Join(dir, made))
	fresh := err == nil
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, f := range files {
		text, err := sources.ReadFile("peers/" + r.name + "/" + f.Name())
		if err != nil {
			return "", err
		}
		path := filepath.Join(dir, f.Name())
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
			continue
		}
		fresh = false
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return "", err
		}
	}
	if fresh {
		return dir, nil
	}
	cmd := exec.CommandContext(ctx, r.make[0], r.make[1:]...)
	cmd.Dir = dir
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w: %.400s", r.make[0], err, strings.Join(strings.Fields(string(said)), " "))
	}
	return dir, os.WriteFile(filepath.Join(dir, made), nil, 0o644)
}

// startPeers starts the peers whose names hold one of only. What is missing stands in
// missing, with what to do.
func startPeers(ctx context.Context, c clock, dir string, only []string) (ready []contestant, missing []string, stop func()) {
	var started []*peer
	stop = func() {
		for _, p := range started {
			p.Close()
		}
	}
	for _, r := range recipes() {
		r.ways = slices.DeleteFunc(r.ways, func(w way) bool { return !chosen(w.name, only) })
		if len(r.ways) == 0 {
			continue
		}
		folder, err := r.build(ctx, dir)
		if err != nil {
			missing = append(missing, fmt.Sprintf("%s: %v (apt-get install %s)", r.name, err, r.needs))
			continue
		}
		for _, w := range r.ways {
			p, err := startPeer(ctx, c, folder, w.argv...)
			if err != nil {
				missing = append(missing, fmt.Sprintf("%s: %v", w.name, err))
				continue
			}
			started = append(started, p)
			if err := rehearse(p); err != nil {
				missing = append(missing, fmt.Sprintf("%s: %v", w.name, err))
				continue
			}
			ready = append(ready, contestant{w.name, func() eye { return p }})
		}
	}
	return ready, missing, stop
}

// rehearse gives a peer a code to read until what it does only at first is done: a compiler
// that works while the code runs needs some seconds.
func rehearse(p *peer) error {
	m, err := qr.Encode(strings.Repeat("REHEARSAL ", 20), qr.M)
	if err != nil {
		return err
	}
	img := m.Image(5)
	frame := qr.Luma{Pix: img.Pix, Width: img.Rect.Dx(), Height: img.Rect.Dy(), Stride: img.Stride}
	for range 100 {
		if _, err := p.read(frame); err != nil {
			return err
		}
	}
	return nil
}

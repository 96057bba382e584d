package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"gatehouse/scanner/camera"
	"gatehouse/scanner/qr"
)

// A still is one frame and what is known of it.
type still struct {
	name  string
	luma  qr.Luma
	known bool   // whether anybody said what it shows
	text  string // empty when it shows no code
	bytes bool   // text is in an encoding that nobody wrote down: it cannot be compared
}

// A set is a number of stills. They are loaded when it is their turn, since all sets at
// once would not fit into a board's memory.
type set struct {
	name  string
	alone bool // each frame shows one code at most: any other text is false
	load  func() ([]still, error)
}

// framesFolder is where the photographs lie: $GATEHOUSE_FRAMES, or shared/frames beside
// the repository.
func framesFolder() string {
	if dir := os.Getenv("GATEHOUSE_FRAMES"); dir != "" {
		return dir
	}
	return filepath.Join("..", "shared", "frames")
}

// photographs are the sets of the folder, those that are there.
func photographs(dir string) (sets []set, missing []string) {
	for _, s := range []struct {
		name string
		load func(dir string) ([]still, error)
	}{
		{"zxing", loadFolder}, {"zxing-cpp", loadFolder}, {"jsqr", loadFolder},
		{"negatives", loadNegatives}, {"eu-dcc-qa", loadCertificates},
	} {
		path := filepath.Join(dir, s.name)
		if _, err := os.Stat(path); err != nil {
			missing = append(missing, fmt.Sprintf("photographs %s: %v", s.name, err))
			continue
		}
		sets = append(sets, set{name: s.name, load: func() ([]still, error) { return s.load(path) }})
	}
	return sets, missing
}

// drawn finds the sets in a folder of frames, or of folders of frames.
func drawn(dir string) (sets []set, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.IsDir() {
			path := filepath.Join(dir, e.Name())
			sets = append(sets, set{name: e.Name(), alone: true, load: func() ([]still, error) { return loadFolder(path) }})
		}
	}
	if len(sets) == 0 {
		sets = []set{{name: filepath.Base(dir), alone: true, load: func() ([]still, error) { return loadFolder(dir) }}}
	}
	return sets, nil
}

// loadFolder reads every image below a folder. NAME.txt beside it is its text; an empty one
// says that there is no code, none says nothing. One that is not UTF-8 says only that there
// is a code.
func loadFolder(dir string) ([]still, error) {
	return loadTree(dir, func(path string, s *still) error {
		text, err := os.ReadFile(strings.TrimSuffix(path, filepath.Ext(path)) + ".txt")
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		s.known, s.text, s.bytes = true, string(text), !utf8.Valid(text)
		return err
	})
}

func loadNegatives(dir string) ([]still, error) {
	return loadTree(dir, func(_ string, s *still) error { s.known = true; return nil })
}

// loadCertificates takes the texts from decoded.tsv: a path, a tab, a text.
func loadCertificates(dir string) ([]still, error) {
	list, err := os.ReadFile(filepath.Join(dir, "decoded.tsv"))
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for line := range strings.Lines(string(list)) {
		path, text, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "\t")
		if !ok || text == "" {
			return nil, fmt.Errorf("decoded.tsv: no text after %.60q", path)
		}
		texts[path] = text
	}
	return loadTree(dir, func(_ string, s *still) error {
		s.text, s.known = texts[s.name]
		return nil
	})
}

func loadTree(dir string, label func(path string, s *still) error) (all []still, err error) {
	kinds := []string{".png", ".jpg", ".jpeg", ".gif", ".webp", ".pgm"}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains(kinds, strings.ToLower(filepath.Ext(path))) {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		s := still{name: filepath.ToSlash(name)}
		if s.luma, err = camera.ReadFile(path); err != nil {
			return err
		}
		if err := label(path, &s); err != nil {
			return err
		}
		all = append(all, s)
		return nil
	})
	return all, err
}

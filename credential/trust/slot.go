package trust

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// A slot is one adopted repository in one file: a zip archive, not compressed, that holds the
// tree as it was adopted and the record. One file needs one sync, where thousands would take
// an SD card half a minute; and a set that is in use reads from the file that it opened, even
// when its name has passed to another.

const (
	recordName = "record.json" // cannot be a path of the repository: it has no version
	maxRecord  = 4 << 20
	maxSlot    = maxTotal + 64<<20
	maxEntries = maxRegions*12 + maxRoots + 16
)

// A record is what was decided while adopting and cannot be seen from the tree: which regions
// are not in it as the snapshot names them.
type record struct {
	Regions map[string]exception `json:"regions,omitempty"`
}

// An exception is a role of which an older version serves, or none where Version is 0.
type exception struct {
	Version int64  `json:"version,omitempty"`
	Length  int64  `json:"length,omitempty"`
	SHA256  string `json:"sha256,omitempty"`
	Fault   string `json:"fault"`
}

func (r *record) note(role string, e exception) {
	if r.Regions == nil {
		r.Regions = map[string]exception{}
	}
	r.Regions[role] = e
}

// writeSlot writes all that the loader read, and the files that its set names. They come from
// the set in use where it has them, and from the source where it has not.
func writeSlot(w io.Writer, l *loader) error {
	buffered := bufio.NewWriterSize(w, 256<<10)
	z := zip.NewWriter(buffered)
	written := map[string]bool{}
	put := func(path string, fill func(io.Writer) error) error {
		if written[path] {
			return nil
		}
		written[path] = true
		f, err := z.CreateHeader(&zip.FileHeader{Name: path, Method: zip.Store})
		if err != nil {
			return err
		}
		return fill(f)
	}
	text := func(b []byte) func(io.Writer) error {
		return func(w io.Writer) error { _, err := w.Write(b); return err }
	}
	first := l.set.root.Signed.Version - int64(len(l.set.roots)) + 1
	for i, root := range l.set.roots {
		if err := put(metadataPath(metadata.ROOT, first+int64(i)), text(root)); err != nil {
			return err
		}
	}
	for _, e := range l.meta {
		if err := put(e.path, text(e.text)); err != nil {
			return err
		}
	}
	var files []File
	if l.set.firmwareRole.Length > 0 {
		files = append(files, l.set.firmwareRole)
	}
	for _, id := range slices.Sorted(maps.Keys(l.set.regions)) {
		r := l.set.regions[id]
		if r.Version > 0 {
			files = append(files, r.role)
		}
		for _, name := range r.Files {
			files = append(files, r.files[name])
		}
	}
	for _, f := range files {
		if err := put(f.Path, func(w io.Writer) error { return l.copy(w, f) }); err != nil {
			return err
		}
	}
	kept, err := json.MarshalIndent(l.record, "", "\t")
	if err != nil {
		return err
	}
	if err := put(recordName, text(kept)); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return buffered.Flush()
}

// copy writes a file that the set names. A large one is read twice from the set in use, so that
// damage there is found before anything of it is written.
func (l *loader) copy(w io.Writer, f File) error {
	if f.Length <= maxWhole {
		text, err := l.fetch(f)
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	}
	if l.old != nil && copyFile(io.Discard, l.old.files, f) == nil {
		return copyFile(w, l.old.files, f)
	}
	return missing(copyFile(w, l.src, f))
}

// archive is a slot as a Source.
type archive struct {
	file    slotFile // open as long as a set reads from it
	entries map[string]*zip.File
}

func (a archive) Open(path string, limit int64) (io.ReadCloser, error) {
	f, ok := a.entries[path]
	if !ok {
		return nil, fmt.Errorf("slot: %s: %w", path, fs.ErrNotExist)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	return bounded{io.LimitReader(r, limit+1), r, limit}, nil
}

// section is an entry as it lies in the slot, which holds them uncompressed; nil when it is
// not that.
func (a archive) section(path string, length int64) *io.SectionReader {
	f, ok := a.entries[path]
	if !ok || f.Method != zip.Store || f.UncompressedSize64 != uint64(length) || f.CompressedSize64 != uint64(length) {
		return nil
	}
	at, err := f.DataOffset()
	if err != nil {
		return nil
	}
	return io.NewSectionReader(a.file, at, length)
}

// openSlot opens a slot without believing anything in it yet.
func openSlot(d disk, name string) (archive, record, error) {
	file, err := d.open(name)
	if err != nil {
		return archive{}, record{}, err
	}
	a, kept, err := readSlot(file)
	if err != nil {
		file.Close()
	}
	return a, kept, err
}

func readSlot(file slotFile) (archive, record, error) {
	info, err := file.Stat()
	if err != nil {
		return archive{}, record{}, err
	}
	if info.Size() > maxSlot {
		return archive{}, record{}, fmt.Errorf("%d bytes, at most %d", info.Size(), int64(maxSlot))
	}
	z, err := zip.NewReader(file, info.Size())
	if err != nil {
		return archive{}, record{}, err
	}
	if len(z.File) > maxEntries {
		return archive{}, record{}, fmt.Errorf("%d entries, at most %d", len(z.File), maxEntries)
	}
	a := archive{file, make(map[string]*zip.File, len(z.File))}
	for _, f := range z.File {
		a.entries[f.Name] = f
	}
	text, err := readAll(a, recordName, maxRecord)
	if err != nil {
		return archive{}, record{}, err
	}
	var kept record
	err = json.Unmarshal(text, &kept)
	return a, kept, err
}

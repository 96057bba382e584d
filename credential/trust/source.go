package trust

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// A Source brings the files of a repository. Open gives the file at a path such as
// "timestamp.json" or "targets/region/DE/<sha256>.keys"; the reader ends with an error, and
// not with half a file, beyond limit bytes. An error that is fs.ErrNotExist says that there
// is no such file; any other, that it cannot be told. No word of a source is believed.
type Source interface {
	Open(path string, limit int64) (io.ReadCloser, error)
}

// ErrTooLong is the error of a file that does not end where it should.
var ErrTooLong = errors.New("longer than it may be")

// A Folder is a source on a file system: a stick, or a folder beside the gate. It opens
// regular files only: neither a link nor a pipe has any business there.
type Folder struct{ FS fs.FS }

// Open opens one regular file.
func (f Folder) Open(path string, limit int64) (io.ReadCloser, error) {
	// Lstat first: opening a pipe would wait for its other end. A file that changes in between
	// is caught by its hash.
	info, err := fs.Lstat(f.FS, path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s: %d bytes: %w", path, info.Size(), ErrTooLong)
	}
	file, err := f.FS.Open(path)
	if err != nil {
		return nil, err
	}
	return bounded{io.LimitReader(file, limit+1), file, limit}, nil
}

// OpenFolder is a folder of this machine as a source. A link below it leads nowhere outside.
// Close it when it has been read.
func OpenFolder(dir string) (Folder, io.Closer, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Folder{}, nil, err
	}
	return Folder{root.FS()}, root, nil
}

// bounded ends in an error where a file goes on beyond its limit.
type bounded struct {
	io.Reader
	io.Closer
	limit int64
}

func (b bounded) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if r, ok := b.Reader.(*io.LimitedReader); ok && r.N <= 0 && n > 0 {
		return 0, ErrTooLong
	}
	return n, err
}

// readAll reads a whole file into memory. It holds any source to the limit, also one that
// does not.
func readAll(src Source, path string, limit int64) ([]byte, error) {
	r, err := src.Open(path, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s: %w", path, ErrTooLong)
	}
	return b, nil
}

// readFile reads a file whose length and hash are known.
func readFile(src Source, f File) ([]byte, error) {
	if f.Length > maxWhole {
		b, err := readAll(src, f.Path, f.Length)
		if err == nil && (int64(len(b)) != f.Length || sha256.Sum256(b) != f.SHA256) {
			err = fmt.Errorf("%s: %w", f.Path, ErrMismatch)
		}
		return b, err
	}
	r, err := src.Open(f.Path, f.Length)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	defer r.Close()
	b := make([]byte, f.Length+1) // one more, to see the end
	n, err := io.ReadFull(r, b)
	if err == nil {
		return nil, fmt.Errorf("%s: %w", f.Path, ErrTooLong)
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	if b = b[:n]; int64(n) != f.Length || sha256.Sum256(b) != f.SHA256 {
		return nil, fmt.Errorf("%s: %w", f.Path, ErrMismatch)
	}
	return b, nil
}

// maxWhole is up to where a file is cheaper to hold than to stream.
const maxWhole = 256 << 10

// copyFile copies such a file without holding more than a little of it in memory. What was written is worth
// nothing when it returns an error.
func copyFile(w io.Writer, src Source, f File) error {
	if f.Length <= maxWhole {
		b, err := readFile(src, f)
		if err == nil {
			_, err = w.Write(b)
		}
		return err
	}
	r, err := src.Open(f.Path, f.Length)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	defer r.Close()
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, hash), io.LimitReader(r, f.Length+1))
	if err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	if n != f.Length || !bytes.Equal(hash.Sum(nil), f.SHA256[:]) {
		return fmt.Errorf("%s: %w", f.Path, ErrMismatch)
	}
	return nil
}

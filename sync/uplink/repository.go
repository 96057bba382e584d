package uplink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A Repository fetches the signed files of the regions from the regional server, one at a
// time. It believes nothing of what it brings: who opens the files checks them.
type Repository struct {
	URL      string // of the region: "https://region.example:8443"
	Client   *http.Client
	Patience time.Duration   // for one file; 0 means 5 min
	Told     func(time.Time) // hears the server's time in each answer; nil: nobody does
	Context  context.Context // ends what is under way with the program; nil never does

	mu   sync.Mutex
	tags map[string]tagged // small files that the region has not changed
}

// A tagged file is one that need not travel again while its tag is the region's.
type tagged struct {
	tag  string
	body []byte
}

// keepTagged bounds what is kept to compare: the timestamp, which is asked for on every beat.
const keepTagged = 16 << 10

// Open gives a file of the repository. A region that has none answers with fs.ErrNotExist;
// beyond limit bytes the reader ends in an error.
func (r *Repository) Open(path string, limit int64) (io.ReadCloser, error) {
	parent := r.Context
	if parent == nil {
		parent = context.Background()
	}
	patience := r.Patience
	if patience == 0 {
		patience = 5 * time.Minute
	}
	ctx, cancel := context.WithTimeout(parent, patience)
	body, err := r.get(ctx, path, limit)
	if err != nil {
		cancel()
		return nil, err
	}
	return &fetched{body, cancel, limit}, nil
}

func (r *Repository) get(ctx context.Context, path string, limit int64) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(r.URL, "/")+"/v1/trust/"+path, nil)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	known := r.tags[path]
	r.mu.Unlock()
	if known.tag != "" {
		request.Header.Set("If-None-Match", known.tag)
	}
	answer, err := r.Client.Do(request)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil && r.Told != nil {
		r.Told(date)
	}
	switch {
	case answer.StatusCode == http.StatusNotModified && known.tag != "":
		answer.Body.Close()
		return io.NopCloser(bytes.NewReader(known.body)), nil
	case answer.StatusCode == http.StatusNotFound:
		answer.Body.Close()
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	case answer.StatusCode != http.StatusOK:
		answer.Body.Close()
		return nil, fmt.Errorf("%s: the region answers %s", path, answer.Status)
	case answer.ContentLength > limit:
		answer.Body.Close()
		return nil, fmt.Errorf("%s: %d bytes, at most %d", path, answer.ContentLength, limit)
	case answer.ContentLength < 0 || answer.ContentLength > keepTagged || answer.Header.Get("ETag") == "":
		return answer.Body, nil
	}
	defer answer.Body.Close()
	small := make([]byte, answer.ContentLength)
	if _, err := io.ReadFull(answer.Body, small); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// Only what keeps its name while it changes is asked for twice: names with a version or a
	// hash are not worth the memory.
	if path == "timestamp.json" {
		r.mu.Lock()
		r.tags = map[string]tagged{path: {answer.Header.Get("ETag"), small}}
		r.mu.Unlock()
	}
	return io.NopCloser(bytes.NewReader(small)), nil
}

// fetched ends a file at its limit, and its exchange with it.
type fetched struct {
	io.ReadCloser
	cancel context.CancelFunc
	left   int64
}

var errTooLong = errors.New("longer than it may be")

func (f *fetched) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	if f.left -= int64(n); f.left < 0 {
		return 0, errTooLong
	}
	return n, err
}

func (f *fetched) Close() error {
	defer f.cancel()
	return f.ReadCloser.Close()
}

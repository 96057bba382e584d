package region

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// tagWhole is up to where a file is read to tell whether it changed; longer ones have their
// hash in their name, and never change under it.
const tagWhole = 64 << 10

// trust serves the signed files of the regions as they lie in their folder. They are public,
// and whoever fetches them checks them: nobody is asked who he is.
func (s *Server) trust(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("path")
	if s.Trust == nil || !fs.ValidPath(name) || strings.Contains(name, "\\") || path.Base(name)[0] == '.' {
		fail(w, http.StatusNotFound, "no such file")
		return
	}
	info, err := fs.Lstat(s.Trust, name)
	if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(name, "drafts/") {
		fail(w, http.StatusNotFound, "no such file")
		return
	}
	f, err := s.Trust.Open(name)
	if err != nil {
		fail(w, http.StatusNotFound, "no such file")
		return
	}
	defer f.Close()
	content, ok := f.(io.ReadSeeker)
	if !ok {
		fail(w, http.StatusInternalServerError, "the file cannot be served")
		return
	}
	tag := `"` + path.Base(name) + `"`
	if info.Size() <= tagWhole {
		hash := sha256.New()
		if _, err := io.Copy(hash, content); err != nil {
			fail(w, http.StatusServiceUnavailable, "the file cannot be read")
			return
		}
		if _, err := content.Seek(0, io.SeekStart); err != nil {
			fail(w, http.StatusServiceUnavailable, "the file cannot be read")
			return
		}
		tag = `"` + hex.EncodeToString(hash.Sum(nil)) + `"`
	}
	w.Header().Set("ETag", tag)
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", info.ModTime(), content)
}

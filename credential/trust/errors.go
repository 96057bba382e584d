package trust

import "errors"

// Why a repository is refused. Each error of Adopt that is an answer about the repository, and
// not a breakdown of disk or source, is one of these or says on its own what is wrong.
var (
	ErrUnsigned = errors.New("not signed by enough of the keys that count")
	ErrExpired  = errors.New("expired: whoever brings it holds something newer back, or nobody signed anew")
	ErrOlder    = errors.New("older than what was in use here")
	ErrFuture   = errors.New("issued in the future: set the clock, or ask who signed it")
	ErrMismatch = errors.New("not the file that was signed")
	ErrMissing  = errors.New("a part of it is missing")
)

package uplink

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

func (u *Uplink) beat() time.Duration    { return or(u.Beat, 30*time.Second) }
func (u *Uplink) minWait() time.Duration { return or(u.MinWait, time.Second) }
func (u *Uplink) maxWait() time.Duration { return max(or(u.MaxWait, 10*time.Minute), u.minWait()) }

func or(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// backOff is how long to wait after so many failures in a row. The upper end of it doubles
// each time and the wait is anywhere below (full jitter), so that gates that lost their
// region together do not come back together. What the region asked for comes on top; a
// fork is not mended by trying again soon.
func (u *Uplink) backOff(failures int, err error) time.Duration {
	least, most := u.minWait(), u.maxWait()
	end := least
	for range failures {
		if end = min(2*end, most); end == most {
			break
		}
	}
	if errors.Is(err, ErrFork) {
		least, end = most/2, most
	}
	random := u.Rand
	if random == nil {
		random = rand.Float64
	}
	wait := least + time.Duration(random()*float64(end-least))
	var status *StatusError
	if errors.As(err, &status) {
		wait += min(status.RetryAfter, most)
	}
	return wait
}

func (u *Uplink) most() int {
	if u.Rows > 0 {
		return u.Rows
	}
	return 500
}

// rows is the size of the next batch.
func (u *Uplink) rows() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.size == 0 {
		u.size = u.most()
	}
	return u.size
}

// shrink halves the next batch after one that was too slow for the link or too large for
// the region: a smaller one may get through.
func (u *Uplink) shrink(sent int, err error) {
	var slow interface{ Timeout() bool }
	var status *StatusError
	switch {
	case errors.As(err, &slow) && slow.Timeout():
	case errors.As(err, &status) && status.Code == http.StatusRequestEntityTooLarge:
	default:
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.size = max(sent/2, 1)
}

package main

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/gate/console"
)

// health is the list of what is wrong with this gate now. Each organ notes its own trouble
// and its end; screen, log and watchdog read the same list.
type health struct {
	mu   sync.Mutex
	list map[gatehouse.Reason]console.Condition
}

// note sets a trouble by its error, or ends it. It tells whether that is news.
func (h *health) note(r gatehouse.Reason, err error, now time.Time) (changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old, had := h.list[r]
	if err == nil {
		delete(h.list, r)
		return had
	}
	if h.list == nil {
		h.list = map[gatehouse.Reason]console.Condition{}
	}
	since := now
	if had {
		since = old.Since
	}
	h.list[r] = console.Condition{Reason: r, Since: since, Detail: err.Error()}
	return !had
}

// conditions lists what is wrong, gravest first: what closes the lane, then by code.
func (h *health) conditions() []console.Condition {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]console.Condition, 0, len(h.list))
	for _, c := range h.list {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b console.Condition) int {
		return cmp.Or(cmp.Compare(gravity(a.Reason), gravity(b.Reason)), cmp.Compare(a.Reason, b.Reason))
	})
	return all
}

func gravity(r gatehouse.Reason) int {
	switch r {
	case gatehouse.ReasonCamera:
		return 0
	case gatehouse.ReasonLog, gatehouse.ReasonNoRule:
		return 1
	case gatehouse.ReasonBarrier:
		return 2
	}
	return 3
}

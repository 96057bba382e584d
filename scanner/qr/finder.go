package qr

import (
	"math"
	"slices"
)

// Finder patterns: clusters that hold up when looked at closely (ring.go), each
// pattern once, the best of them for the triples.

const rays = 16 // in a half turn, both ways each

// A finder is a finder pattern in the full frame.
type finder struct {
	centre point
	module float64       // mean over all directions, pixels
	half   [rays]float64 // half the width of seven modules in the direction of each ray
	light  bool
	scale  float64 // of the level where it was found
	score  float64
	used   bool // belongs to a symbol that was read
}

// width is the pattern's width, seven modules, along the direction d.
func (f *finder) width(d point) float64 {
	a := math.Atan2(d.y, d.x) / math.Pi * rays
	if a < 0 {
		a += rays
	}
	i := int(a)
	t := a - float64(i)
	return 2 * (f.half[i%rays]*(1-t) + f.half[(i+1)%rays]*t)
}

// axes is the finder's module along the two directions.
func (f *finder) axes(along, down point) (e1, e2 point) {
	return along.times(f.width(along) / 7 / along.length()), down.times(f.width(down) / 7 / down.length())
}

// area is proportional to the area of the pattern in view.
func (f *finder) area() float64 {
	sum := 0.0
	for _, h := range f.half {
		sum += h * h
	}
	return sum
}

// maxFinders bounds what the triples are made from; the best scores stay.
const maxFinders = 48

// findFinders appends the finders among the level's clusters, those already
// known excepted, as far as the budget goes: clusters of three rows and more
// before those of two.
func findFinders(l *level, clusters []cluster, step int, work *budget, out []finder) []finder {
	for pass := range 2 {
		for i := range clusters {
			if c := &clusters[i]; (c.rows > 2) == (pass == 0) && c.tall(step) && work.spend(crossCost) {
				out = addFinder(l, c, work, out)
			}
		}
	}
	return out
}

// tall reports whether enough rows show the pattern: seven modules wide, three
// of them are cut by rows that show the ratio, fewer when it is slanted. A
// single row is noise.
func (c *cluster) tall(step int) bool {
	return c.rows > 1 && float32(c.rows*int32(step))*14 >= c.size
}

func addFinder(l *level, c *cluster, work *budget, out []finder) []finder {
	f, ok := crossCheck(l, c, work)
	if !ok {
		return out
	}
	f.scale = l.scale
	f.centre = f.centre.times(l.scale)
	f.module *= l.scale
	for k := range f.half {
		f.half[k] *= l.scale
	}
	if !known(out, &f) {
		out = append(out, f)
	}
	return out
}

// known reports whether the list has the same pattern and keeps the better one:
// the one from the larger picture, unless a module spans four pixels in the
// smaller one, where noise is less.
func known(list []finder, f *finder) bool {
	for i := range list {
		g := &list[i]
		d := g.centre.sub(f.centre)
		if g.light == f.light && d.dot(d) < 4*g.module*g.module {
			if f.scale < g.scale && g.module < 4*g.scale || f.score > g.score && f.scale >= g.scale {
				*g = *f
			}
			return true
		}
	}
	return false
}

// keepBest sorts by score and drops the tail.
func keepBest(list []finder) []finder {
	slices.SortFunc(list, func(a, b finder) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	return list[:min(len(list), maxFinders)]
}

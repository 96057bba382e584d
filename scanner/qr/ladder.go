package qr

// The ladder: what is tried on three finders, the cheapest first, each rung
// only where the one below came close.

// A stage is how far the reading of a symbol came.
type stage int

const (
	stageNone    stage = iota // no finders
	stageFinder               // finders, but no three that belong together
	stageTiming               // a symbol's shape
	stageFormat               // sampled; format or version information unreadable
	stageCorrect              // more wrong codewords than can be corrected
	stageRead
)

// leastRefined is the timing score from which a symbol is surely one, so that
// bending the grid is worth its cost.
const leastRefined = 0.5

// equalizerRounds is how often the filter learns from its own outcome.
const equalizerRounds = 3

// climb reads the symbol that a triple stands for.
func (r *Reader) climb(t *triple, levels int) stage {
	w := r.viewFor(t, levels)
	if !r.work.spend(placeCost) {
		return stageFinder
	}
	if s := place(w, t, &r.place); s < stageTiming {
		return s
	}
	if r.place.timing > leastRefined {
		r.seen = true
	}
	modules := r.place.dim * r.place.dim
	if !r.work.spend(alignCost(r.place.dim) + 2*modules) {
		return stageTiming
	}
	findAlignments(w, &r.place)
	r.grid.sample(w, &r.place)
	r.grid.judge()
	s := r.decode()
	if s != stageRead && r.place.timing > leastRefined && r.work.spend(20*modules) {
		r.grid.refine(w, &r.place)
		r.grid.judge()
		s = r.decode()
		l := r.decoder.layout((r.place.dim - 17) / 4)
		for i := 0; i < equalizerRounds && s != stageRead && r.work.spend(8*modules); i++ {
			r.grid.equalize(l)
			s = r.decode()
		}
		if s != stageRead && !r.fused {
			r.fused = true
			r.weigh(t)
			s = r.fuse()
		}
	}
	return s
}

// viewFor is the smallest level at which the triple's modules span four
// pixels, or the frame.
func (r *Reader) viewFor(t *triple, levels int) view {
	m := min(t.a.module, t.b.module, t.c.module)
	i := 0
	for i+1 < levels && m >= 4*r.levels[i+1].scale {
		i++
	}
	return view{&r.levels[i]}
}

// decode reads the grid and accepts what it says.
func (r *Reader) decode() stage {
	p, s := r.decoder.decode(&r.grid)
	if s == stageRead {
		r.accept(p)
	}
	return s
}

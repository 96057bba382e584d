package qr

// A budget bounds the work on one frame, counted in samples rather than in
// time, so that the same frame always has the same answer. Posters full of
// squares, chessboards and attacks meet it; ordinary frames do not.
type budget int

// A sample takes some 5 to 10 ns on a desktop core of 2020.
const (
	searchBudget budget = 150_000   // looking for finders, a frame
	readBudget   budget = 1_500_000 // reading what they make, a frame
)

const (
	crossCost   = 60  // a cluster followed down its column and probed
	measureCost = 300 // a finder's rays
)

// spend takes n from the budget, or says that it is used up.
func (b *budget) spend(n int) bool {
	if int(*b) < n {
		return false
	}
	*b -= budget(n)
	return true
}

const placeCost = 1200 // the timing lines of some dimensions and the finders' sides

// alignCost is the searches for the alignment patterns.
func alignCost(dim int) int {
	n := dim/28 + 1
	return 5000 + 2000*n*n
}

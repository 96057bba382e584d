package policy

// Version counts a region's policies, and its emergency policies by themselves; 0 for none.
func (p *Policy) Version() uint64 {
	if p == nil {
		return 0
	}
	return p.version
}

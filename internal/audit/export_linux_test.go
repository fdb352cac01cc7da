package audit

// CanCage tells whether control groups may be made here.
func CanCage() bool {
	c := newCage(cageName("probe"))
	if c == nil {
		return false
	}
	c.remove()
	return true
}

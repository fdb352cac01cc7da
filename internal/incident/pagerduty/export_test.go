package pagerduty

// Ring tells Run to look for what is due.
func (a *API) Ring() { a.ring() }

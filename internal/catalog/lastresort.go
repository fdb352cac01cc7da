package catalog

// WithoutPolicy names the people to page for an incident that no escalation policy answers for: the last resort or, where none
// is named, the only person who can be reached at all. Nobody, if there are several: which of them is not for daytwo to guess.
func (c *Catalog) WithoutPolicy() []string {
	if len(c.LastResort) > 0 {
		return c.LastResort
	}
	var reachable []string
	for _, p := range c.People {
		if p.Reachable() {
			reachable = append(reachable, p.Name)
		}
	}
	if len(reachable) == 1 {
		return reachable
	}
	return nil
}

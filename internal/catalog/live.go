package catalog

import "sync/atomic"

// Live holds the catalog in force. A reload replaces it at once and whole; whoever holds the previous one keeps a consistent view.
// The zero value holds an empty catalog.
type Live struct{ current atomic.Pointer[Catalog] }

// NewLive starts with c.
func NewLive(c *Catalog) *Live {
	l := new(Live)
	l.Replace(c)
	return l
}

// Current is never nil.
func (l *Live) Current() *Catalog {
	if c := l.current.Load(); c != nil {
		return c
	}
	return new(Catalog)
}

// Replace puts c in force.
func (l *Live) Replace(c *Catalog) { l.current.Store(c) }

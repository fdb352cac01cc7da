package timeline

import "sync"

// recentSize is how many entries are kept in memory for followers that keep up.
const recentSize = 1024

// recent is the newest stretch of the ledger in memory, without gaps, and the
// bell that tells followers about more. A follower that fell out of the stretch
// reads the store, so memory is bounded and nothing is lost.
type recent struct {
	mu      sync.Mutex
	entries []Entry // ascending, contiguous; the last is head unless empty
	head    int64
	changed chan struct{} // closed and replaced at every change of head
}

func newRecent(head int64) *recent {
	return &recent{head: head, changed: make(chan struct{})}
}

// publish adds a committed entry. After a commit that was durable but reported
// as failed there is a gap: it starts a new stretch.
func (r *recent) publish(e Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Seq <= r.head {
		return
	}
	if e.Seq != r.head+1 {
		r.entries = nil
	}
	if len(r.entries) >= 2*recentSize {
		r.entries = append([]Entry(nil), r.entries[len(r.entries)-recentSize:]...)
	}
	r.entries = append(r.entries, e)
	r.ring(e.Seq)
}

// observe notes a head found in the store that nobody published.
func (r *recent) observe(head int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if head > r.head {
		r.entries = nil
		r.ring(head)
	}
}

func (r *recent) ring(head int64) {
	r.head = head
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *recent) headSeq() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.head
}

// since returns what follows after. With complete false there is more than the
// memory holds and the store has to be read. changed is closed by the next
// change after this answer.
func (r *recent) since(after int64) (entries []Entry, complete bool, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if after >= r.head {
		return nil, true, r.changed
	}
	missing := int(r.head - after)
	if missing > len(r.entries) {
		return nil, false, r.changed
	}
	// The slice is only appended to or replaced, so readers may share it.
	return r.entries[len(r.entries)-missing : len(r.entries) : len(r.entries)], true, r.changed
}

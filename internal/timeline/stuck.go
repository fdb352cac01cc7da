package timeline

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Stuck is a consumer that fails again and again at one entry while all later
// ones wait.
type Stuck struct {
	Consumer string
	Since    time.Time
	Err      error // the latest
}

// failing remembers which consumers fail at the moment. The zero value is ready.
type failing struct {
	mu    sync.Mutex
	since map[string]Stuck
}

func (f *failing) began(consumer string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.since == nil {
		f.since = map[string]Stuck{}
	}
	s, ok := f.since[consumer]
	if !ok {
		s = Stuck{Consumer: consumer, Since: time.Now()}
	}
	s.Err = err
	f.since[consumer] = s
}

func (f *failing) ended(consumer string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.since, consumer)
}

// Stuck lists the consumers that have failed for longer than patience, by name:
// what they are to do does not happen, and somebody has to look.
func (t *Timeline) Stuck(patience time.Duration) []Stuck {
	t.failing.mu.Lock()
	defer t.failing.mu.Unlock()
	var list []Stuck
	for _, s := range t.failing.since {
		if time.Since(s.Since) > patience {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b Stuck) int { return cmp.Compare(a.Consumer, b.Consumer) })
	return list
}

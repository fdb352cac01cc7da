package auth

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// throttle slows down guessing. An attempt counts as failed from its start, so
// that many at once gain nothing, and is forgotten when it succeeds. What it
// knows is lost with a restart, which gives a guesser a handful of attempts.
type throttle struct {
	mu    sync.Mutex
	marks map[string]mark
}

type mark struct {
	failures int
	last     time.Time
}

const (
	maxMarks  = 10_000
	forgotten = time.Hour // of quiet, after which failures do not count
)

// limit says how many failures are free, and the longest wait after them.
type limit struct {
	free    int
	longest time.Duration
}

var (
	narrow = limit{5, 15 * time.Minute} // one name from one network
	wide   = limit{20, time.Minute}     // any name from one network, which many may share
)

func newThrottle() *throttle { return &throttle{marks: map[string]mark{}} }

// wait is how long after the last failure the next attempt may come: nothing at
// first, then a second, doubling.
func (l limit) wait(failures int) time.Duration {
	if failures < l.free {
		return 0
	}
	if shift := failures - l.free; shift < 20 {
		return min(time.Second<<shift, l.longest)
	}
	return l.longest
}

// Throttled is why an attempt was not even looked at.
type Throttled struct{ Wait time.Duration }

func (t *Throttled) Error() string { return fmt.Sprintf("wait %s", t.Wait) }

// RetryAfter is for the header of that name.
func (t *Throttled) RetryAfter() time.Duration { return t.Wait }

// attempt counts an attempt against the key and the wider keys, or refuses it.
func (t *throttle) attempt(now time.Time, key string, wider ...string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	wait := t.left(now, key, narrow)
	for _, k := range wider {
		wait = max(wait, t.left(now, k, wide))
	}
	if wait > 0 {
		wait = max(wait.Round(time.Second), time.Second)
		return problem.New(problem.Exhausted, "too many failed attempts to sign in: %w", &Throttled{wait}).
			WithMend("try again in %s, or ask an admin for a one-time link", wait)
	}
	for _, k := range append([]string{key}, wider...) {
		m := t.marks[k]
		if now.Sub(m.last) >= forgotten {
			m.failures = 0
		}
		t.marks[k] = mark{m.failures + 1, now}
	}
	t.sweep(now)
	return nil
}

func (t *throttle) left(now time.Time, key string, l limit) time.Duration {
	m := t.marks[key]
	if since := now.Sub(m.last); since < forgotten {
		return l.wait(m.failures) - since
	}
	return 0
}

// succeeded forgets the failures of the key, and takes this attempt back from
// the wider ones.
func (t *throttle) succeeded(key string, wider ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.marks, key)
	for _, k := range wider {
		if m, ok := t.marks[k]; ok {
			m.failures = max(0, m.failures-1)
			t.marks[k] = m
		}
	}
}

// sweep bounds the memory: first what no longer counts goes, then anything.
func (t *throttle) sweep(now time.Time) {
	if len(t.marks) <= maxMarks {
		return
	}
	for k, m := range t.marks {
		if now.Sub(m.last) >= forgotten {
			delete(t.marks, k)
		}
	}
	for k := range t.marks {
		if len(t.marks) <= maxMarks/2 {
			return
		}
		delete(t.marks, k)
	}
}

// network is what an attacker can hardly change: the IPv4 address, or the /64
// of an IPv6 one.
func network(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return addr
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	p, _ := ip.Prefix(64) // 64 fits every IPv6 address
	return p.String()
}

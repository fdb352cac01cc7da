package stability

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"
)

// Backends spreads calls over a set of equal backends and ejects outliers:
// one that fails several times in a row, or much more than the others, gets
// no calls for a while, longer each time. Never more than a share of them is
// ejected: when all fail, the fault is elsewhere. (The rules are those of
// Envoy's outlier detection.)
//
// Of two chosen at random the one with less on its way gets the call,
// weighted by the load it announced (see [Announce]).
//
// In a [Transport] the request goes to the backend that was chosen; put it
// inside a [Retry], and each attempt goes to another. Elsewhere the call finds
// it with [BackendOf].
//
// Counts: calls, failures, ejected, rejected (there is none).
// Levels: backends, out (ejected now).
type Backends struct {
	reporter
	name   string
	config backendsConfig

	mu     sync.Mutex
	all    []*backend
	judged time.Duration // when they were last compared
	counts struct{ calls, failures, ejected, rejected uint64 }
}

type backend struct {
	url      *url.URL
	inFlight int
	load     float64
	row      int // failures in a row
	ok, bad  float64
	until    time.Duration // ejected until
	times    int           // how often it was ejected, less one for each calm comparison
}

type backendsConfig struct {
	row       int
	every     time.Duration
	base      time.Duration
	longest   time.Duration
	mostOut   float64
	deviation float64
	isFailure func(error) bool
}

// BackendsOption changes a default of [NewBackends].
type BackendsOption func(*backendsConfig)

// EjectAfter is how many failures in a row eject a backend. Default 5.
func EjectAfter(failures int) BackendsOption {
	return func(c *backendsConfig) { c.row = max(1, failures) }
}

// EjectFor is how long the first ejection lasts, and the longest one. Default
// 30 s and 5 min.
func EjectFor(first, longest time.Duration) BackendsOption {
	return func(c *backendsConfig) { c.base, c.longest = first, longest }
}

// EjectAtMost is the share of backends that may be ejected at once; one may
// always be, if there are two. Default 0.5.
func EjectAtMost(share float64) BackendsOption {
	return func(c *backendsConfig) { c.mostOut = share }
}

// CompareEvery is how often success rates are compared: of at least three
// backends with 20 calls each, those 1.9 standard deviations below the mean
// are ejected. Default 10 s.
func CompareEvery(d time.Duration) BackendsOption { return func(c *backendsConfig) { c.every = d } }

// NewBackends makes a set of backends from their base URLs.
func NewBackends(name string, urls []string, opts ...BackendsOption) (*Backends, error) {
	b := &Backends{name: name, config: backendsConfig{
		row: 5, every: 10 * time.Second, base: 30 * time.Second, longest: 5 * time.Minute, mostOut: 0.5, deviation: 1.9,
		isFailure: func(error) bool { return true },
	}}
	for _, o := range opts {
		o(&b.config)
	}
	return b, b.Set(urls)
}

// Configure changes options of a living set; those not named stay.
func (b *Backends) Configure(opts ...BackendsOption) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range opts {
		o(&b.config)
	}
}

// Set replaces the set. Backends that stay keep what is known of them.
func (b *Backends) Set(urls []string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := map[string]*backend{}
	for _, x := range b.all {
		known[x.url.String()] = x
	}
	all := make([]*backend, 0, len(urls))
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Scheme == "" || u.Host == "" {
			return fmt.Errorf("backend %q is no absolute URL", text)
		}
		x := known[u.String()]
		if x == nil {
			x = &backend{url: u}
		}
		all = append(all, x)
	}
	b.all = all
	return nil
}

type backendKey struct{}

// BackendOf is the base URL of the backend chosen for the call of ctx, or nil.
func BackendOf(ctx context.Context) *url.URL {
	if x, ok := ctx.Value(backendKey{}).(*backend); ok {
		return x.url
	}
	return nil
}

// Do makes the call with a backend in its context.
func (b *Backends) Do(ctx context.Context, call func(context.Context) error) error {
	return b.around(ctx, next{call: call})
}

func (b *Backends) around(ctx context.Context, n next) (err error) {
	x := b.pick()
	if x == nil {
		err := &RejectedError{Policy: "backends", Name: b.name, Reason: ErrNoBackend}
		b.report(Event{Policy: "backends", Name: b.name, Decision: "rejected", Err: err})
		return err
	}
	err = errPanicked
	defer func() {
		load := -1.0
		if e, ok := n.target.(*exchange); ok && e.resp != nil {
			if told, ok := AnnouncedLoad(e.resp.Header); ok {
				load = told
			}
		}
		if e := b.settle(x, load, err, callerGaveUp(ctx, err)); e.Decision != "" {
			b.report(e)
		}
	}()
	err = n.do(context.WithValue(ctx, backendKey{}, x))
	return err
}

// pick chooses the better of two.
func (b *Backends) pick() *backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := now()
	b.compare(t)
	var in []*backend
	for _, x := range b.all {
		if t >= x.until {
			in = append(in, x)
		}
	}
	if len(in) == 0 {
		in = b.all // somebody must try
	}
	if len(in) == 0 {
		b.counts.rejected++
		return nil
	}
	x := in[rand.IntN(len(in))]
	if y := in[rand.IntN(len(in))]; y.cost() < x.cost() {
		x = y
	}
	x.inFlight++
	b.counts.calls++
	return x
}

func (x *backend) cost() float64 { return float64(x.inFlight+1) * (0.1 + x.load) }

func (b *Backends) settle(x *backend, load float64, err error, gaveUp bool) Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	x.inFlight--
	if load >= 0 {
		x.load += (load - x.load) / 4
	}
	switch {
	case gaveUp:
	case err == nil || !b.config.isFailure(err):
		x.row = 0
		x.ok++
	default:
		b.counts.failures++
		x.row++
		x.bad++
		if x.row >= b.config.row {
			return b.eject(x, now(), fmt.Sprintf("%s failed %d times in a row", x.url.Host, x.row))
		}
	}
	return Event{}
}

// eject takes a backend out, if enough others stay. Called with mu held.
func (b *Backends) eject(x *backend, t time.Duration, why string) Event {
	out := 0
	for _, y := range b.all {
		if t < y.until {
			out++
		}
	}
	most := max(1, int(b.config.mostOut*float64(len(b.all))))
	if t < x.until || out >= most || len(b.all) < 2 {
		return Event{}
	}
	x.times++
	x.until = t + min(b.config.longest, b.config.base*time.Duration(x.times))
	x.row = 0
	b.counts.ejected++
	return Event{Policy: "backends", Name: b.name, Decision: "ejected", Reason: why}
}

// compare ejects those that fail much more than the others. Called with mu
// held.
func (b *Backends) compare(t time.Duration) {
	if t-b.judged < b.config.every {
		return
	}
	b.judged = t
	var rates []float64
	var of []*backend
	for _, x := range b.all {
		if n := x.ok + x.bad; n >= 20 {
			rates = append(rates, x.ok/n)
			of = append(of, x)
		}
		if t >= x.until && x.times > 0 {
			x.times--
		}
		x.ok, x.bad = 0, 0
	}
	if len(rates) < 3 {
		return
	}
	mean, variance := 0.0, 0.0
	for _, r := range rates {
		mean += r / float64(len(rates))
	}
	for _, r := range rates {
		variance += (r - mean) * (r - mean) / float64(len(rates))
	}
	for i, r := range rates {
		if r < mean-b.config.deviation*math.Sqrt(variance) {
			e := b.eject(of[i], t, fmt.Sprintf("%s succeeds in %.0f %% of calls, the others in %.0f %%", of[i].url.Host, 100*r, 100*mean))
			if e.Decision != "" {
				go b.report(e)
			}
		}
	}
}

// Snapshot tells the counts so far.
func (b *Backends) Snapshot() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := 0
	for _, x := range b.all {
		if now() < x.until {
			out++
		}
	}
	c := b.counts
	return Snapshot{Policy: "backends", Name: b.name, Counts: map[string]uint64{
		"calls": c.calls, "failures": c.failures, "ejected": c.ejected, "rejected": c.rejected,
	}, Levels: map[string]float64{"backends": float64(len(b.all)), "out": float64(out)}}
}

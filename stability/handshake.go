package stability

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// loadHeader carries a server's load in the text form of the Open Request
// Cost Aggregation that Envoy and gRPC read, for example
// "TEXT application_utilization=0.8".
const loadHeader = "Endpoint-Load-Metrics"

// Announce is the server's half of a handshake: every answer of next tells
// how much load there is (0 is idle, 1 is full), and requests are refused
// while ready tells an error. Either may be nil.
func Announce(next http.Handler, ready func() error, load func() float64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if load != nil {
			w.Header().Set(loadHeader, "TEXT application_utilization="+strconv.FormatFloat(load(), 'g', 3, 64))
		}
		if ready != nil {
			if err := ready(); err != nil {
				w.Header().Set("Retry-After", "1")
				http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// AnnouncedLoad reads the load of a server from its answer, as its
// application, CPU or memory utilization, whichever comes first of these.
func AnnouncedLoad(h http.Header) (load float64, ok bool) {
	text, ok := strings.CutPrefix(h.Get(loadHeader), "TEXT ")
	if !ok {
		return 0, false
	}
	told := map[string]float64{}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if v, err := strconv.ParseFloat(value, 64); err == nil && v >= 0 && !math.IsInf(v, 0) {
			told[name] = v
		}
	}
	for _, name := range []string{"application_utilization", "cpu_utilization", "cpu", "mem_utilization", "mem"} {
		if v, ok := told[name]; ok {
			return v, true
		}
	}
	return 0, false
}

// Handshake is the client's half: it remembers what a server said of its load
// and of being ready, and refuses calls that the server would have to refuse,
// the sheddable first (as [Shed] does). What was said counts for a second, so
// that a call a second finds out whether it still holds.
//
// In a [Transport] it learns from the answers by itself; elsewhere tell it
// with [Handshake.Told].
//
// Counts: calls, rejected.
// Levels: load.
type Handshake struct {
	reporter
	name   string
	shed   *Shed
	load   atomic.Uint64 // bits of a float64
	until  atomic.Int64  // when what was said no longer counts
	away   atomic.Int64  // when the server wants to be asked again
	counts stripes
}

const handshakeHolds = time.Second

// NewHandshake makes the client's half of a handshake with one server.
func NewHandshake(name string) *Handshake {
	h := &Handshake{name: name, counts: newStripes()}
	h.shed = NewShed(name, h.Load)
	return h
}

// Load is what the server said of its load, 0 if that is too long ago.
func (h *Handshake) Load() float64 {
	if int64(now()) >= h.until.Load() {
		return 0
	}
	return math.Float64frombits(h.load.Load())
}

// Told is what a server said of its load, and for how long it wants not to be
// asked.
func (h *Handshake) Told(load float64, away time.Duration) {
	t := now()
	h.load.Store(math.Float64bits(load))
	h.until.Store(int64(t + handshakeHolds))
	h.away.Store(int64(t + min(away, 10*handshakeHolds)))
}

// Do makes the call unless the server said that it is not the time.
func (h *Handshake) Do(ctx context.Context, call func(context.Context) error) error {
	return h.around(ctx, next{call: call})
}

func (h *Handshake) around(ctx context.Context, n next) error {
	reason := error(nil)
	wait := time.Duration(h.away.Load()) - now()
	switch {
	case wait > 0:
		reason = ErrNotReady
	case h.shed.refuses(PriorityOf(ctx), h.Load()):
		reason, wait = ErrShed, handshakeHolds
	}
	if reason != nil {
		h.counts.add(1)
		err := &RejectedError{Policy: "handshake", Name: h.name, Reason: reason, RetryAfter: wait}
		h.report(Event{Policy: "handshake", Name: h.name, Decision: "rejected", Err: err})
		return err
	}
	h.counts.add(0)
	err := n.do(ctx)
	if x, ok := n.target.(*exchange); ok && x.resp != nil {
		var away time.Duration
		if status := (*StatusError)(nil); errors.As(err, &status) && status.Code == http.StatusServiceUnavailable {
			away = status.RetryAfter
		}
		if load, ok := AnnouncedLoad(x.resp.Header); ok || away > 0 {
			h.Told(load, away)
		}
	}
	return err
}

// Snapshot tells the counts so far and the load.
func (h *Handshake) Snapshot() Snapshot {
	return Snapshot{Policy: "handshake", Name: h.name, Counts: map[string]uint64{
		"calls": h.counts.sum(0), "rejected": h.counts.sum(1),
	}, Levels: map[string]float64{"load": h.Load()}}
}

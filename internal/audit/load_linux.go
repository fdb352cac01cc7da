package audit

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"syscall"
	"time"
)

// loadWorkers ask one after the other, each on a connection of its own.
const loadWorkers = 8

// load is a steady load of which every request is known: when it was sent and
// how it ended.
type load struct {
	url      string
	good     func(code int) bool
	mu       sync.Mutex
	stopped  bool
	served   int
	flying   map[int]time.Time // requests begun: when they were wholly written, or zero
	last     int
	awaited  map[int]bool // those on their way when it was stopped
	lost     int
	first    string // how the first loss ended
	finished sync.WaitGroup
}

// begin starts the load.
func begin(ctx context.Context, port int, path string, good func(int) bool, limit time.Duration) *load {
	l := &load{url: address(port) + path, good: good, flying: map[int]time.Time{}}
	for range loadWorkers {
		l.finished.Go(func() {
			transport := &http.Transport{MaxIdleConnsPerHost: 1}
			defer transport.CloseIdleConnections()
			for {
				id, ok := l.next()
				if !ok || ctx.Err() != nil {
					return
				}
				l.done(id, l.ask(ctx, transport, id, limit))
			}
		})
	}
	return l
}

func (l *load) next() (int, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return 0, false
	}
	l.last++
	l.flying[l.last] = time.Time{}
	return l.last, true
}

func (l *load) ask(ctx context.Context, transport *http.Transport, id int, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(i httptrace.WroteRequestInfo) {
		if i.Err == nil {
			l.mu.Lock()
			l.flying[id] = time.Now()
			l.mu.Unlock()
		}
	}})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url, nil)
	if err != nil {
		return err
	}
	req.Body = io.NopCloser(strings.NewReader("")) // keeps the transport from trying again by itself, which would hide a loss
	res, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if !l.good(res.StatusCode) {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	return nil
}

func (l *load) done(id int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.flying, id)
	if !l.stopped {
		l.served++
		return
	}
	if l.awaited[id] && err != nil {
		l.lost++
		if l.first == "" {
			l.first = printable(err.Error())
		}
	}
}

// halt begins no more requests and calls then while it knows which are on
// their way.
func (l *load) halt(then func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	l.awaited = map[int]bool{}
	for id, written := range l.flying {
		if !written.IsZero() {
			l.awaited[id] = true
		}
	}
	then()
}

// onTheirWay counts the requests written and not answered, and those of them that
// have just begun: the program has read them, and is far from done if it takes long.
func (l *load) onTheirWay() (all, young int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, written := range l.flying {
		if written.IsZero() {
			continue
		}
		all++
		if age := time.Since(written); age > 5*time.Millisecond && age < 50*time.Millisecond {
			young++
		}
	}
	return all, young
}

// busy waits for a moment when much would be lost: half of the workers wait for an
// answer, and have only begun to, if there is such a moment.
func (l *load) busy() {
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		all, young := l.onTheirWay()
		spent := time.Since(began)
		if young >= loadWorkers/2 || spent > 2*time.Second && all >= loadWorkers/2 || spent > 4*time.Second {
			return
		}
	}
}

// drain sends SIGTERM to a process under load.
func (p *process) drain(ctx context.Context, port int, code int) Drain {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	grace := p.box.config.Grace
	good := func(got int) bool { return got < 500 || got == code }
	l := begin(ctx, port, p.box.config.Request, good, grace+10*time.Second)
	warm := time.NewTimer(time.Second)
	defer warm.Stop()
	select {
	case <-warm.C:
	case <-p.done:
		cancel()
		l.finished.Wait()
		return Drain{Reason: "it ended under load: " + p.output.lastLine()}
	}
	l.busy()
	var began time.Time
	l.halt(func() {
		began = time.Now()
		_ = syscall.Kill(p.pid, syscall.SIGTERM) // it runs, or ended this moment
	})
	d := Drain{Tested: true, Served: l.served, InFlight: len(l.awaited)}
	d.Ended = p.wait(ctx, grace)
	d.Exit = time.Since(began)
	if !d.Ended {
		p.finish()
	}
	d.Status, d.Signaled = p.status, p.signaled && d.Ended
	l.finished.Wait() // a dead program's connections end
	d.Lost, d.Error = l.lost, l.first
	return d
}

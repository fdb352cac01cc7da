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
	flying   map[int]bool // requests begun; true once wholly written
	last     int
	awaited  map[int]bool // those on their way when it was stopped
	lost     int
	first    string // how the first loss ended
	finished sync.WaitGroup
}

// begin starts the load.
func begin(ctx context.Context, port int, path string, good func(int) bool, limit time.Duration) *load {
	l := &load{url: address(port) + path, good: good, flying: map[int]bool{}}
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
	l.flying[l.last] = false
	return l.last, true
}

func (l *load) ask(ctx context.Context, transport *http.Transport, id int, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(i httptrace.WroteRequestInfo) {
		if i.Err == nil {
			l.mu.Lock()
			l.flying[id] = true
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
		if written {
			l.awaited[id] = true
		}
	}
	then()
}

func (l *load) onTheirWay() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, written := range l.flying {
		if written {
			n++
		}
	}
	return n
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
	for until := time.Now().Add(2 * time.Second); l.onTheirWay() < loadWorkers/2 && time.Now().Before(until); {
		time.Sleep(time.Millisecond)
	}
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

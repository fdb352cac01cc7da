package orchestrate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"
)

const (
	settleTime   = time.Second            // a process without a port is ready once it has run this long
	eagerPeriod  = 100 * time.Millisecond // between probes of a starting process …
	eagerLasting = 15 * time.Second       // … for this long; then as the manifest says
)

// defaultProbe is for manifests without one.
var defaultProbe = Probe{Period: 10 * time.Second, Timeout: time.Second, SuccessThreshold: 1, FailureThreshold: 3}

// prober asks processes whether they are ready. Redirects count as ready, as
// in Kubernetes, and are not followed.
type prober struct{ client *http.Client }

func newProber() *prober {
	return &prober{&http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, Proxy: nil},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// ask returns nothing, or why the process is not ready.
func (p *prober) ask(ctx context.Context, m *Manifest, port int, started time.Time) (fault string) {
	address := net.JoinHostPort(loopback, strconv.Itoa(port))
	switch {
	case m.Probe != nil:
		return p.get(ctx, "http://"+address+m.Probe.Path, m.Probe.Timeout)
	case m.Listens:
		ctx, cancel := context.WithTimeout(ctx, defaultProbe.Timeout)
		defer cancel()
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return noAnswer(err, port)
		}
		conn.Close()
	case time.Since(started) < settleTime:
		return "it has just started"
	}
	return ""
}

func (p *prober) get(ctx context.Context, url string, timeout time.Duration) string {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err.Error()
	}
	req.Header.Set("User-Agent", "daytwo-probe")
	resp, err := p.client.Do(req)
	if err != nil {
		port, _ := strconv.Atoi(req.URL.Port())
		return noAnswer(err, port)
	}
	resp.Body.Close()
	if resp.StatusCode >= 400 {
		return fmt.Sprintf("%s answers %d", req.URL.Path, resp.StatusCode)
	}
	return ""
}

func noAnswer(err error, port int) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("it does not listen on port %d", port)
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("it does not answer in time on port %d", port)
	}
	return fmt.Sprintf("no answer on port %d: %v", port, err)
}

// watch probes until ctx ends and tells each change.
func (p *prober) watch(ctx context.Context, m *Manifest, port int, started time.Time, tell func(ready bool, fault string)) {
	probe := defaultProbe
	if m.Probe != nil {
		probe = *m.Probe
	}
	timer := time.NewTimer(max(probe.InitialDelay, time.Millisecond))
	defer timer.Stop()
	ready, good, bad := false, 0, 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		fault := p.ask(ctx, m, port, started)
		if ctx.Err() != nil {
			return
		}
		if fault == "" {
			good, bad = good+1, 0
			ready = ready || good >= probe.SuccessThreshold
		} else {
			good, bad = 0, bad+1
			ready = ready && bad < probe.FailureThreshold
		}
		tell(ready, fault)
		if !ready && time.Since(started) < eagerLasting {
			timer.Reset(min(eagerPeriod, probe.Period))
		} else {
			timer.Reset(probe.Period)
		}
	}
}

package logs_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/logs"
)

// Who cannot be asked to wait is never made to: what is over the bound is counted, what was taken is kept.
func TestOffersAreBounded(t *testing.T) {
	const bound, over = 20_000, 7
	r := newRig(t)
	line := logs.Line("checkout", "shop-1", "stdout", "hello", time.Now())
	for range bound + over { // nobody takes any yet
		r.Offer(line)
	}
	r.refused(t, `daytwo_logs_refused_total{door="workload",reason="queue full"} 7`)
	stop, ended := r.run(t)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := r.kept.count(); n != bound {
		t.Errorf("%d lines were kept, want %d", n, bound)
	}
}

// Run ends after the requests that were under way: what they use is still there.
func TestRunWaitsForRequests(t *testing.T) {
	r := newRig(t, func(c *logs.Config) { c.Listeners.Elasticsearch = "127.0.0.1:0" })
	r.kept.hold, r.kept.held = make(chan struct{}), make(chan struct{}, 1)
	stop, ended := r.run(t)
	address := <-r.found
	answered := make(chan int, 1)
	go func() {
		res, err := http.Post("http://"+address+"/logs/_doc", "application/json", strings.NewReader(`{"message":"hello"}`))
		if err != nil {
			answered <- 0
			return
		}
		res.Body.Close()
		answered <- res.StatusCode
	}()
	<-r.kept.held
	stop()
	select {
	case err := <-ended:
		t.Fatalf("Run ended before the request: %v", err)
	case <-time.After(300 * time.Millisecond): // long after its listener is closed
	}
	close(r.kept.hold)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if status := <-answered; status != http.StatusCreated {
		t.Errorf("the request was answered %d", status)
	}
	http.DefaultClient.CloseIdleConnections()
}

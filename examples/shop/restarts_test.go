package shop_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// balancer sends requests to the replicas that say they are ready, asking them
// every few milliseconds, as the one in front of a real service does. It never
// sends a request twice.
type balancer struct {
	mu       sync.Mutex
	replicas map[string]*httputil.ReverseProxy // by URL
	ready    map[string]bool
	lost     atomic.Int64
}

func (b *balancer) add(t *testing.T, address string) {
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(u)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 16}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, err error) {
		b.lost.Add(1)
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replicas[address] = proxy
}

// watch asks who is ready until ctx ends.
func (b *balancer) watch(ctx context.Context) {
	for ctx.Err() == nil {
		b.mu.Lock()
		var all []string
		for address := range b.replicas {
			all = append(all, address)
		}
		b.mu.Unlock()
		for _, address := range all {
			ok := false
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, address+"/readyz", nil)
			if resp, err := client.Do(req); err == nil {
				resp.Body.Close()
				ok = resp.StatusCode == http.StatusOK
			}
			b.mu.Lock()
			b.ready[address] = ok
			b.mu.Unlock()
		}
		time.Sleep(10 * time.Millisecond) // between looks at real processes
	}
}

func (b *balancer) isReady(address string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ready[address]
}

func (b *balancer) remove(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.replicas[address]; p != nil {
		p.Transport.(*http.Transport).CloseIdleConnections()
	}
	delete(b.replicas, address)
	delete(b.ready, address)
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	var to *httputil.ReverseProxy
	for address, ok := range b.ready {
		if ok {
			to = b.replicas[address]
		}
	}
	b.mu.Unlock()
	if to == nil {
		b.lost.Add(1)
		http.Error(w, "nobody is ready", http.StatusServiceUnavailable)
		return
	}
	to.ServeHTTP(w, r)
}

// TestRestartsLoseNoRequest replaces payments again and again under traffic, a
// new process before the old one, and counts every request that is not
// answered as it should be. SHOP_RESTARTS says how often; four times by default.
func TestRestartsLoseNoRequest(t *testing.T) {
	restarts := 4
	if n, err := strconv.Atoi(os.Getenv("SHOP_RESTARTS")); err == nil {
		restarts = n
	}
	env := []string{"DATA_DIR=" + t.TempDir(), "DRAIN_DELAY=2s"}
	b := &balancer{replicas: map[string]*httputil.ReverseProxy{}, ready: map[string]bool{}}
	ctx, stop := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { b.watch(ctx) })
	defer watching.Wait()
	defer stop()
	front := httptest.NewServer(b)
	defer front.Close()
	until := func(address string, want bool) {
		for deadline := time.Now().Add(time.Minute); b.isReady(address) != want; time.Sleep(5 * time.Millisecond) { // polls real processes
			if time.Now().After(deadline) {
				t.Fatalf("%s: ready is not %v", address, want)
			}
		}
	}

	current := start(t, "payments", env...)
	b.add(t, current.url)
	until(current.url, true)

	var answered, wrong atomic.Int64
	var customers sync.WaitGroup
	done := make(chan struct{})
	for c := range 4 {
		customers.Go(func() {
			tr := &http.Transport{}
			defer tr.CloseIdleConnections()
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				body := fmt.Sprintf(`{"order":"o-%d-%d","customer":"c","amount":100}`, c, n)
				req, _ := http.NewRequest(http.MethodPost, front.URL+"/charges", bytes.NewReader([]byte(body))) //nolint:noctx // ends with the server
				resp, err := tr.RoundTrip(req)
				if err != nil {
					wrong.Add(1)
					t.Error(err)
					return
				}
				text, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(text, []byte(`"status":`)) {
					wrong.Add(1)
					t.Errorf("%d %s %v", resp.StatusCode, text, err)
				}
				answered.Add(1)
			}
		})
	}
	for range restarts {
		next := start(t, "payments", env...)
		b.add(t, next.url)
		until(next.url, true)
		for before := answered.Load(); answered.Load() < before+20 && !t.Failed(); {
			time.Sleep(time.Millisecond) // both are at work
		}
		current.stop(t) // fails if it does not end well
		b.remove(current.url)
		current = next
		if t.Failed() {
			break
		}
	}
	close(done)
	customers.Wait()
	if b.lost.Load() > 0 || wrong.Load() > 0 {
		t.Errorf("%d requests lost", b.lost.Load()+wrong.Load())
	}
	t.Logf("%d restarts, %d requests answered, none lost", restarts, answered.Load())
	current.stop(t)
}

package stability

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// failing answers with the given codes in turn, the last one for ever, and
// its body is the request's.
func failing(t *testing.T, codes ...int) (url string, calls *atomic.Int32) {
	t.Helper()
	calls = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(calls.Add(1))
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(codes[min(n, len(codes))-1])
		fmt.Fprintf(w, "%d:%s", n, body)
	}))
	t.Cleanup(s.Close)
	return s.URL, calls
}

func quickRetry() *Retry { return NewRetry("x", Attempts(3), Backoff(1, 1)) }

func send(t *testing.T, rt http.RoundTripper, method, url, body string, header ...string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func TestTransportRetriesWhatIsSafe(t *testing.T) {
	for _, c := range []struct {
		name, method string
		header       []string
		codes        []int
		code         int
		body         string
	}{
		{"mended", "PUT", nil, []int{503, 200}, 200, "2:hi"},
		{"last word is an answer", "GET", nil, []int{500}, 500, "3:hi"},
		{"post is not replayed", "POST", nil, []int{500, 200}, 500, "1:hi"},
		{"post with key is", "POST", []string{"Idempotency-Key", "k"}, []int{500, 200}, 200, "2:hi"},
		{"client error is an answer", "GET", nil, []int{404}, 404, "1:hi"},
		{"not implemented is an answer", "GET", nil, []int{501}, 501, "1:hi"},
		{"too many requests is retried", "GET", nil, []int{429, 200}, 200, "2:hi"},
	} {
		url, _ := failing(t, c.codes...)
		code, body, err := send(t, Transport(nil, quickRetry()), c.method, url, "hi", c.header...)
		if err != nil || code != c.code || body != c.body {
			t.Errorf("%s: got %d %q %v", c.name, code, body, err)
		}
	}
}

func TestTransportRetriesPostWhenNothingWasSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	l.Close()
	r := quickRetry()
	_, _, err = send(t, Transport(nil, r), "POST", url, "hi")
	if err == nil || errors.As(err, new(*permanentError)) || r.Snapshot().Counts["retry"] != 2 {
		t.Fatalf("err %v, counts %v", err, r.Snapshot().Counts)
	}
}

func TestTransportBreakerCountsStatus(t *testing.T) {
	url, calls := failing(t, 500)
	rt := Transport(nil, NewBreaker("x", TripAt(0.5, 2), OpenFor(time.Hour)))
	for range 2 {
		if code, _, err := send(t, rt, "POST", url, ""); code != 500 || err != nil {
			t.Fatal(code, err)
		}
	}
	if _, _, err := send(t, rt, "POST", url, ""); !errors.Is(err, ErrOpen) || calls.Load() != 2 {
		t.Fatalf("err %v after %d calls", err, calls.Load())
	}
}

func TestTransportHoldsUntilBodyIsRead(t *testing.T) {
	url, _ := failing(t, 200)
	b := NewBulkhead("x", 1)
	rt := Transport(nil, b, NewTimeout("x", time.Minute))
	req, _ := http.NewRequestWithContext(t.Context(), "GET", url, http.NoBody)
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if b.InFlight() != 1 {
		t.Fatal("the place was freed before the body was read")
	}
	if body, err := io.ReadAll(resp.Body); string(body) != "1:" || err != nil {
		t.Fatalf("body %q, %v: the deadline must not end with RoundTrip", body, err)
	}
	resp.Body.Close()
	if b.InFlight() != 0 {
		t.Fatal("the place was not freed")
	}
}

func TestTransportTimeout(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer s.Close()
	defer close(release)
	breaker := NewBreaker("x", TripAt(0.1, 1))
	_, _, err := send(t, Transport(nil, breaker, NewTimeout("x", 10*time.Millisecond)), "GET", s.URL, "")
	if !errors.Is(err, ErrTimeout) || breaker.State() != Open {
		t.Fatalf("err %v, breaker %v", err, breaker.State())
	}
}

// A request that timed out may have been done: it is sent again only if that is safe.
func TestTransportSendsWhatTimedOutAgainIfSafe(t *testing.T) {
	for _, x := range []struct {
		method string
		header []string
		sent   int
	}{
		{"POST", nil, 1},
		{"POST", []string{"Idempotency-Key", "k"}, 3},
		{"PUT", nil, 3},
	} {
		sent := 0
		hangs := roundTrip(func(r *http.Request) (*http.Response, error) {
			sent++
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		rt := Transport(hangs, quickRetry(), NewBreaker("x"), NewTimeout("x", time.Millisecond))
		_, _, err := send(t, rt, x.method, "http://x", "hi", x.header...)
		if _, bare := err.(*TimeoutError); !bare || sent != x.sent {
			t.Errorf("%s %v: sent %d times, want %d; %v", x.method, x.header, sent, x.sent, err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

package service

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func FuzzTraceparent(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Add("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more")
	f.Add("00-00000000000000000000000000000000-00f067aa0ba902b7-01")
	f.Add("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := parseTraceparent(text)
		if !ok {
			return
		}
		again, ok := parseTraceparent(s.traceparent())
		if !ok || again != s {
			t.Errorf("%q became %q", text, s.traceparent())
		}
	})
}

func TestTraceparentIsTakenOver(t *testing.T) {
	for text, want := range map[string]bool{
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":      true,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x":    false,
		"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what": true,
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01":      false,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01":      false,
		"": false,
	} {
		if _, ok := parseTraceparent(text); ok != want {
			t.Errorf("%q: %v", text, ok)
		}
	}
}

// TestSpansAreSent has a service answer a traced request by calling another,
// and looks at what a receiver of OTLP/HTTP gets.
func TestSpansAreSent(t *testing.T) {
	got := make(chan string, 1)
	var seen string
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/traces" || r.Header.Get("Api-Key") != "k" {
			seen = r.Header.Get("Traceparent")
			return
		}
		body, _ := io.ReadAll(r.Body)
		got <- string(body)
	}))
	defer receiver.Close()
	s := newService("front", settings{OTLPEndpoint: receiver.URL, OTLPHeaders: "api-key=k", SampleRatio: 1, MaxBody: 1 << 20}, slog.New(slog.DiscardHandler))
	client := s.Client()
	s.HandleFunc("GET /hello", func(w http.ResponseWriter, r *http.Request) {
		req, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, receiver.URL+"/other", nil)
		resp, err := client.Do(req)
		if err != nil {
			t.Error(err)
			return
		}
		resp.Body.Close()
	})
	req := httptest.NewRequest(http.MethodGet, "/hello", nil)
	req.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	s.serveRoute(httptest.NewRecorder(), req)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the end: what is queued goes out
	if err := s.sender.run(ctx); err != nil {
		t.Fatal(err)
	}
	var body string
	select {
	case body = <-got:
	case <-time.After(time.Minute):
		t.Fatal("nothing was sent")
	}
	s.transport.CloseIdleConnections()
	if !json.Valid([]byte(body)) || !strings.HasPrefix(seen, "00-4bf92f3577b34da6a3ce929d0e0e4736-") {
		t.Fatal(seen, body)
	}
	for _, want := range []string{`"name":"GET /hello"`, `"parentSpanId":"00f067aa0ba902b7"`, `"kind":3`, `"service.name"`, `"intValue":"200"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing in %s", want, body)
		}
	}
}

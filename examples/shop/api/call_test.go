package api_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/daytwo-dev/daytwo/examples/shop/api"
	"github.com/daytwo-dev/daytwo/service"
)

// TestCallWaitsForARestart: a peer that hangs up, as one does that stops, and is
// back at the seventh try, has failed nobody.
func TestCallWaitsForARestart(t *testing.T) {
	const refusals = 6
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tries := 0
	peer := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_ = json.NewEncoder(w).Encode(string(body) + " " + r.Header.Get("Idempotency-Key"))
	})}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for ; tries < refusals; tries++ {
			if conn, err := l.Accept(); err == nil {
				conn.Close()
			}
		}
		_ = peer.Serve(l)
	}()
	var answer string
	p := service.Process{Stdout: io.Discard, Lookup: func(name string) (string, bool) { return "0", name == "PORT" }}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	err = service.Run(ctx, p, "caller", func(ctx context.Context, s *service.Service, _ struct{}) (err error) {
		answer, err = api.Call[string](ctx, api.NewPeer(s, "peer", "http://"+l.Addr().String()), http.MethodPost, "/orders", 7, "k")
		stop()
		return err
	})
	peer.Close()
	<-served
	if err != nil || answer != "7 k" || tries != refusals {
		t.Errorf("%q after %d refusals: %v", answer, tries, err)
	}
}

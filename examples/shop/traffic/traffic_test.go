package traffic_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/daytwo-dev/daytwo/examples/shop/api"
	"github.com/daytwo-dev/daytwo/examples/shop/traffic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestMix: the customers whom checkout v2 fails must be enough to burn an error
// budget, and few enough to look like a real regression.
func TestMix(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	tr := traffic.New(traffic.Config{StorefrontURL: s.URL, Rate: 1000, Seed: 7})
	done := make(chan error, 1)
	go func() { done <- tr.Run(ctx) }()
	var cohort, reached, all int // of requests to checkout: buying, and looking at orders
	for deadline := time.Now().Add(time.Minute); reached < 600 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		cohort, reached, all = 0, 0, 0
		for _, r := range tr.Results() {
			if r.Failed+r.Refused > 0 {
				t.Fatalf("%+v", r)
			}
			all += r.OK
			if r.Action != "checkout" && r.Action != "orders" {
				continue
			}
			reached += r.OK
			if r.Action == "checkout" && r.Plan == api.Enterprise && r.Region == api.EUWest {
				cohort += r.OK
			}
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if share := 100 * cohort / reached; share < 8 || share > 18 {
		t.Errorf("%d of %d requests to checkout (%d %%) are of the cohort", cohort, reached, share)
	}
	if share := 100 * reached / all; share < 10 || share > 30 {
		t.Errorf("%d of %d requests reach checkout", reached, all)
	}
}

func TestShopThatDoesNotAnswer(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	tr := traffic.New(traffic.Config{StorefrontURL: s.URL, Rate: 500})
	done := make(chan error, 1)
	go func() { done <- tr.Run(ctx) }()
	for deadline := time.Now().Add(time.Minute); len(tr.Results()) == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if r := tr.Results(); len(r) == 0 || r[0].Failed == 0 || r[0].OK > 0 {
		t.Errorf("%+v", r)
	}
}

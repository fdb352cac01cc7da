package demo

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/examples/shop/traffic"
)

// rate is how many requests a second the shop's customers make.
const rate = 25

// traffic sends customers to the storefront as soon as it is up, and until ctx
// ends.
func (d *demo) traffic(ctx context.Context) error {
	url, err := d.storefront(ctx)
	if err != nil {
		return err
	}
	d.shop.Store(&url)
	return traffic.Run(ctx, traffic.Config{StorefrontURL: url, Rate: rate, Logger: d.log.With("part", "traffic")})
}

// storefront waits for the storefront and returns its URL.
func (d *demo) storefront(ctx context.Context) (string, error) {
	for {
		var w workload
		err := d.api.call(ctx, http.MethodGet, "/api/workloads/storefront", nil, &w)
		if err == nil && w.Ready && w.Address != "" {
			return "http://" + strings.TrimPrefix(w.Address, "http://"), nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}

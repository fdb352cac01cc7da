package stability_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/daytwo-dev/daytwo/stability"
)

func ExampleTransport() {
	client := &http.Client{Transport: stability.Transport(nil,
		stability.NewRetry("payments", stability.Attempts(3)),
		stability.NewBreaker("payments"),
		stability.NewBulkhead("payments", 50),
		stability.NewTimeout("payments", 2*time.Second),
	)}
	_ = client
}

func ExampleBreaker_Do() {
	b := stability.NewBreaker("payments", stability.TripAt(0.5, 2))
	for range 3 {
		err := b.Do(context.Background(), func(context.Context) error { return errors.New("no answer") })
		fmt.Println(err)
	}
	// Output:
	// no answer
	// no answer
	// breaker "payments": circuit open
}

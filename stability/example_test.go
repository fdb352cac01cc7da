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

func ExampleCompose() {
	payments := stability.Compose(
		stability.NewRetry("payments", stability.Attempts(3), stability.Backoff(time.Millisecond, time.Millisecond)),
		stability.NewBreaker("payments"),
		stability.NewBulkhead("payments", 50, stability.MaxWait(100*time.Millisecond)),
	)
	attempts := 0
	receipt, err := stability.Call(context.Background(), payments, func(context.Context) (string, error) {
		if attempts++; attempts < 3 {
			return "", errors.New("no answer")
		}
		return "paid", nil
	})
	fmt.Println(receipt, err, "at attempt", attempts)
	// Output: paid <nil> at attempt 3
}

func ExampleCallOr() {
	b := stability.NewBreaker("prices")
	b.Trip("maintenance")
	price, err := stability.CallOr(context.Background(), b,
		func(context.Context) (int, error) { return 42, nil },
		func(_ context.Context, err error) (int, error) { return 41, nil }) // yesterday's
	fmt.Println(price, err)
	// Output: 41 <nil>
}

func ExampleBreaker_Watch() {
	b := stability.NewBreaker("payments", stability.TripAt(0.5, 2))
	b.Watch(func(e stability.Event) { fmt.Printf("%s %v → %v: %s\n", e.Name, e.From, e.To, e.Reason) })
	for range 2 {
		_ = b.Do(context.Background(), func(context.Context) error { return errors.New("no answer") })
	}
	// Output: payments closed → open: 2 of 2 calls failed
}

func ExampleHandler() {
	limit := stability.NewAdaptive("api")
	api := stability.Handler(http.NotFoundHandler(), limit)
	server := stability.Announce(api, nil, limit.Load) // tells callers how much it has to do
	_ = server
}

func ExampleBoard() {
	board := stability.NewBoard(stability.Compose(stability.NewRetry("payments"), stability.NewBreaker("payments")))
	http.Handle("/metrics", board)
	http.Handle("/hystrix.stream", board.HystrixStream())
	fmt.Println(board.Snapshots()[0].Policy, board.Snapshots()[0].State)
	// Output: breaker closed
}

package stabilitygrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/daytwo-dev/daytwo/stability"
	"github.com/daytwo-dev/daytwo/stability/stabilitygrpc"
)

// health is a server whose answers the test makes.
type health struct {
	grpc_health_v1.UnimplementedHealthServer
	check func(ctx context.Context) error
	watch func(grpc_health_v1.Health_WatchServer) error
}

func (h *health) Check(ctx context.Context, _ *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, h.check(ctx)
}

func (h *health) Watch(_ *grpc_health_v1.HealthCheckRequest, s grpc_health_v1.Health_WatchServer) error {
	return h.watch(s)
}

// between is a client of a server, both with interceptors, connected to each other.
func between(t *testing.T, h *health, server []grpc.ServerOption, client ...grpc.DialOption) grpc_health_v1.HealthClient {
	t.Helper()
	l := bufconn.Listen(1 << 16)
	s := grpc.NewServer(server...)
	grpc_health_v1.RegisterHealthServer(s, h)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	conn, err := grpc.NewClient("passthrough:///test", append(client, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		s.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	conn.Connect()
	for state := conn.GetState(); state != connectivity.Ready; state = conn.GetState() {
		conn.WaitForStateChange(t.Context(), state)
	}
	return grpc_health_v1.NewHealthClient(conn)
}

func unary(repeatable func(string) bool, policies ...stability.Policy) grpc.DialOption {
	return grpc.WithChainUnaryInterceptor(stabilitygrpc.UnaryClient(repeatable, policies...))
}

func all(string) bool { return true }

// untilEnd is a call that takes for ever.
func untilEnd(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

// policy is one that the test makes.
type policy func(ctx context.Context, call func(context.Context) error) error

func (p policy) Do(ctx context.Context, call func(context.Context) error) error { return p(ctx, call) }

// Which codes count, which are tried again, and that the caller gets the status.
func TestCodes(t *testing.T) {
	for _, x := range []struct {
		code               codes.Code
		failures, attempts uint64 // of a breaker inside a retry of two
		repeatableAttempts uint64
	}{
		{codes.OK, 0, 1, 1},
		{codes.NotFound, 0, 1, 1},
		{codes.InvalidArgument, 0, 1, 1},
		{codes.Unimplemented, 0, 1, 1},
		{codes.Aborted, 0, 1, 1},
		{codes.Unavailable, 1, 1, 2},
		{codes.ResourceExhausted, 1, 1, 2},
		{codes.Internal, 1, 1, 2},
		{codes.Unknown, 1, 1, 2},
		{codes.DeadlineExceeded, 1, 1, 2},
	} {
		for _, repeatable := range []func(string) bool{nil, all} {
			n := uint64(0)
			h := &health{check: func(context.Context) error { n++; return status.Error(x.code, "so it is") }}
			breaker := stability.NewBreaker("x")
			c := between(t, h, nil, unary(repeatable, stability.NewRetry("x", stability.Attempts(2), stability.Backoff(1, 1)), breaker))
			reply, err := c.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
			if status.Code(err) != x.code || err != nil && status.Convert(err).Message() != "so it is" || err == nil && reply.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
				t.Errorf("%v: %v, %v", x.code, reply, err)
			}
			attempts, failures := x.attempts, x.failures
			if repeatable != nil {
				attempts = x.repeatableAttempts
				if failures > 0 {
					failures = attempts
				}
			}
			if got := breaker.Snapshot().Counts["failure"]; n != attempts || got != failures {
				t.Errorf("%v: %d attempts, want %d; %d failures, want %d", x.code, n, attempts, got, failures)
			}
		}
	}
}

// What policies refuse are statuses, at the client and at the server, with the
// time to come back; a client heeds the server's.
func TestRefusals(t *testing.T) {
	open := stability.NewBreaker("x")
	open.Trip("for the test")
	c := between(t, &health{}, nil, unary(nil, open))
	_, err := c.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if status.Code(err) != codes.Unavailable || !errors.Is(err, stability.ErrOpen) {
		t.Error(err)
	}

	c = between(t, &health{check: untilEnd}, nil, unary(nil, stability.NewTimeout("x", time.Millisecond)))
	_, err = c.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if status.Code(err) != codes.DeadlineExceeded || !errors.Is(err, stability.ErrTimeout) {
		t.Error(err)
	}
}

// What a server refused it did not do: it is made again, whatever it is, after as
// long as the server asks for.
func TestRefusedCallsAreMadeAgain(t *testing.T) {
	for _, reason := range []error{stability.ErrRate, stability.ErrFull} {
		for _, after := range []time.Duration{0, 20 * time.Millisecond} {
			asked, done := 0, 0
			refusesFirst := policy(func(ctx context.Context, call func(context.Context) error) error {
				if asked++; asked == 1 {
					return &stability.RejectedError{Policy: "x", Name: "x", Reason: reason, RetryAfter: after}
				}
				return call(ctx)
			})
			h := &health{check: func(context.Context) error { done++; return nil }}
			c := between(t, h, []grpc.ServerOption{grpc.ChainUnaryInterceptor(stabilitygrpc.UnaryServer(refusesFirst))},
				unary(nil, stability.NewRetry("x", stability.Attempts(2), stability.Backoff(1, time.Second))))
			begin := time.Now()
			_, err := c.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
			if took := time.Since(begin); err != nil || asked != 2 || done != 1 || took < after {
				t.Errorf("%v, %v: %v; asked %d times, done %d times, after %v", reason, after, err, asked, done, took)
			}
		}
	}
}

// A call that timed out may have been done: it is made again only if that is safe,
// and never by the server.
func TestTimedOutCalls(t *testing.T) {
	for _, x := range []struct {
		repeatable func(string) bool
		again      uint64
	}{{nil, 0}, {all, 1}} {
		retry := stability.NewRetry("x", stability.Attempts(2), stability.Backoff(1, 1))
		c := between(t, &health{check: untilEnd}, nil, unary(x.repeatable, retry, stability.NewTimeout("x", time.Millisecond)))
		_, err := c.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
		if n := retry.Snapshot().Counts["retry"]; n != x.again || status.Code(err) != codes.DeadlineExceeded || !errors.Is(err, stability.ErrTimeout) {
			t.Errorf("repeatable %t: made %d times again; %v", x.repeatable != nil, n, err)
		}
	}

	var n atomic.Int32
	h := &health{check: func(ctx context.Context) error { n.Add(1); return untilEnd(ctx) }}
	c := between(t, h, []grpc.ServerOption{grpc.ChainUnaryInterceptor(stabilitygrpc.UnaryServer(
		stability.NewRetry("x", stability.Backoff(1, 1)), stability.NewTimeout("x", time.Millisecond)))})
	if _, err := c.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{}); status.Code(err) != codes.DeadlineExceeded || n.Load() != 1 {
		t.Errorf("handled %d times: %v", n.Load(), err)
	}
}

func TestPriorityTravels(t *testing.T) {
	var seen stability.Priority
	h := &health{check: func(ctx context.Context) error { seen = stability.PriorityOf(ctx); return nil }}
	c := between(t, h, []grpc.ServerOption{grpc.ChainUnaryInterceptor(stabilitygrpc.UnaryServer())}, unary(nil))
	for _, p := range []stability.Priority{stability.Sheddable, stability.Normal, stability.Critical} {
		if _, err := c.Check(stability.WithPriority(t.Context(), p), &grpc_health_v1.HealthCheckRequest{}); err != nil || seen != p {
			t.Errorf("%v arrived as %v: %v", p, seen, err)
		}
	}
}

// A hedge makes repeatable calls twice, each with an answer and a header of its
// own, and others once.
func TestHedge(t *testing.T) {
	var n atomic.Int32
	h := &health{check: func(ctx context.Context) error {
		if n.Add(1) == 1 {
			<-ctx.Done()
			return ctx.Err()
		}
		return grpc.SetHeader(ctx, metadata.Pairs("attempt", fmt.Sprint(n.Load())))
	}}
	hedge := stability.NewHedge("x", stability.AfterAtLeast(time.Millisecond))
	var header metadata.MD
	reply, err := between(t, h, nil, unary(all, hedge)).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{}, grpc.Header(&header))
	if err != nil || reply.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING || fmt.Sprint(header.Get("attempt")) != "[2]" {
		t.Error(reply, err, header)
	}
	h = &health{check: func(context.Context) error { return nil }}
	_, err = between(t, h, nil, unary(nil, hedge)).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if calls := hedge.Snapshot().Counts["calls"]; err != nil || calls != 1 {
		t.Errorf("%v; %d calls hedged", err, calls)
	}
}

// Policies go around a stream from its opening to its end.
func TestStreams(t *testing.T) {
	ends := make(chan error)
	h := &health{watch: func(s grpc_health_v1.Health_WatchServer) error {
		if err := s.Send(&grpc_health_v1.HealthCheckResponse{}); err != nil {
			return err
		}
		select {
		case err := <-ends:
			return err
		case <-s.Context().Done():
			return s.Context().Err()
		}
	}}
	places, breaker, serverPlaces := stability.NewBulkhead("x", 1), stability.NewBreaker("x"), stability.NewBulkhead("server", 10)
	c := between(t, h, []grpc.ServerOption{grpc.ChainStreamInterceptor(stabilitygrpc.StreamServer(serverPlaces))},
		grpc.WithChainStreamInterceptor(stabilitygrpc.StreamClient(breaker, places)))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	open := func() grpc_health_v1.Health_WatchClient {
		s, err := c.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Recv(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	if _, err := c.Watch(ctx, &grpc_health_v1.HealthCheckRequest{}); status.Code(err) != codes.Unavailable || !errors.Is(err, stability.ErrFull) {
		t.Errorf("the place is not held: %v", err)
	}
	ends <- nil
	if _, err := s.Recv(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	await(t, "the place is free", func() bool { return places.InFlight() == 0 && serverPlaces.InFlight() == 0 })
	failures := breaker.Snapshot().Counts["failure"] // the one that found no place

	s = open()
	ends <- status.Error(codes.Internal, "broken")
	if _, err := s.Recv(); status.Code(err) != codes.Internal {
		t.Error(err)
	}
	await(t, "the breaker counts it", func() bool { return breaker.Snapshot().Counts["failure"] == failures+1 })

	open()
	cancel() // a caller that leaves without reading the end
	await(t, "the caller's leave is no verdict", func() bool {
		return places.InFlight() == 0 && serverPlaces.InFlight() == 0 && breaker.Snapshot().Counts["ignored"] == 1
	})
}

// A timeout's deadline holds as long as the stream does.
func TestStreamTimeout(t *testing.T) {
	h := &health{watch: func(s grpc_health_v1.Health_WatchServer) error { return untilEnd(s.Context()) }}
	timeout := stability.NewTimeout("x", 200*time.Millisecond)
	c := between(t, h, nil, grpc.WithChainStreamInterceptor(stabilitygrpc.StreamClient(timeout)))
	s, err := c.Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(); status.Code(err) != codes.DeadlineExceeded {
		t.Error(err)
	}
	await(t, "the timeout counts", func() bool { return timeout.Snapshot().Counts["timeout"] == 1 })
}

// A stream that was given to its caller is opened no second time, however it ends.
func TestStreamsAreOpenedOnce(t *testing.T) {
	twice := policy(func(ctx context.Context, call func(context.Context) error) error {
		_ = call(ctx)
		_ = call(ctx)
		return call(ctx)
	})
	for name, again := range map[string]stability.Policy{"retry": stability.NewRetry("x", stability.Backoff(1, 1)), "foreign": twice} {
		var opened atomic.Int32
		over := make(chan struct{})
		outermost := policy(func(ctx context.Context, call func(context.Context) error) error {
			defer close(over)
			return again.Do(ctx, call)
		})
		count := func(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			opened.Add(1)
			return open(ctx, desc, conn, method, opts...)
		}
		h := &health{watch: func(s grpc_health_v1.Health_WatchServer) error { return untilEnd(s.Context()) }}
		c := between(t, h, nil, grpc.WithChainStreamInterceptor(stabilitygrpc.StreamClient(outermost, stability.NewTimeout("x", 200*time.Millisecond)), count))
		s, err := c.Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Recv(); status.Code(err) != codes.DeadlineExceeded {
			t.Error(err)
		}
		select {
		case <-over:
		case <-time.After(10 * time.Second):
			t.Errorf("%s: the policies never end", name)
		}
		if opened.Load() != 1 {
			t.Errorf("%s: opened %d times", name, opened.Load())
		}
	}
}

// An opening that failed, and that an interceptor further in made again, is not the
// end of the stream.
func TestStreamsOpenedAgainFurtherIn(t *testing.T) {
	failed := false
	failsFirst := func(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		if failed {
			return open(ctx, desc, conn, method, opts...)
		}
		failed = true
		err := status.Error(codes.Unavailable, "not yet")
		for _, o := range opts {
			if o, ok := o.(grpc.OnFinishCallOption); ok {
				o.OnFinish(err)
			}
		}
		return nil, err
	}
	h := &health{watch: func(grpc_health_v1.Health_WatchServer) error { return nil }}
	breaker := stability.NewBreaker("x")
	c := between(t, h, nil, grpc.WithChainStreamInterceptor(stabilitygrpc.StreamClient(breaker),
		stabilitygrpc.StreamClient(stability.NewRetry("x", stability.Backoff(1, 1))), failsFirst))
	s, err := c.Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	await(t, "the breaker sees one end", func() bool {
		counts := breaker.Snapshot().Counts
		return counts["success"]+counts["failure"] == 1
	})
	if n := breaker.Snapshot().Counts["failure"]; n != 0 {
		t.Errorf("%d failures", n)
	}
}

// gRPC's own retries, as its service configuration has them, go on.
func TestStreamsLeaveRetriesOfGRPC(t *testing.T) {
	var n atomic.Int32
	h := &health{watch: func(s grpc_health_v1.Health_WatchServer) error {
		if n.Add(1) == 1 {
			return status.Error(codes.Unavailable, "not yet")
		}
		return s.Send(&grpc_health_v1.HealthCheckResponse{})
	}}
	breaker := stability.NewBreaker("x")
	c := between(t, h, nil, grpc.WithChainStreamInterceptor(stabilitygrpc.StreamClient(breaker)), grpc.WithDefaultServiceConfig(`{"methodConfig": [{
		"name": [{}],
		"retryPolicy": {"maxAttempts": 2, "initialBackoff": "0.001s", "maxBackoff": "0.001s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}
	}]}`))
	s, err := c.Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(); err != nil {
		t.Error(err)
	}
	if _, err := s.Recv(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	await(t, "the breaker sees one success", func() bool {
		counts := breaker.Snapshot().Counts
		return counts["success"] == 1 && counts["failure"] == 0
	})
}

// await waits until something that another goroutine does has happened.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) { // gRPC has no bubble's clock
		if time.Now().After(until) {
			t.Fatalf("never: %s", what)
		}
	}
}

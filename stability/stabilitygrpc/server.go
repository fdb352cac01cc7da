package stabilitygrpc

import (
	"context"

	"google.golang.org/grpc"

	"github.com/daytwo-dev/daytwo/stability"
)

// UnaryServer puts policies around a server's handlers: a [stability.Bulkhead], a
// [stability.Adaptive] or [stability.Shed] that keep it from drowning, a
// [stability.RateLimit], a [stability.FailFast]. Requests have the priority that
// their caller sent. A request is never handled twice.
func UnaryServer(policies ...stability.Policy) grpc.UnaryServerInterceptor {
	policy := once(policies)
	return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		var reply any
		var own error
		made := false
		err := policy.Do(receivePriority(ctx), func(ctx context.Context) error {
			made = true
			reply, own = handle(ctx, req)
			return stability.Permanent(verdict(own))
		})
		return reply, end(own, err, made)
	}
}

// StreamServer is [UnaryServer] for streams, each from its beginning to its end.
func StreamServer(policies ...stability.Policy) grpc.StreamServerInterceptor {
	policy := once(policies)
	return func(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		var own error
		made := false
		err := policy.Do(receivePriority(stream.Context()), func(ctx context.Context) error {
			made = true
			own = handle(server, serverStream{stream, ctx})
			return stability.Permanent(verdict(own))
		})
		return end(own, err, made)
	}
}

// serverStream has the context that the policies made.
type serverStream struct {
	grpc.ServerStream
	ctx context.Context // what a stream's Context tells
}

func (s serverStream) Context() context.Context { return s.ctx }

package stabilitygrpc

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/daytwo-dev/daytwo/stability"
)

// StreamClient puts policies around streams, each from its opening to its end: a
// bulkhead's place is held and a timeout runs all the while, and a breaker judges
// how it ended. A retry makes only the opening again: a stream that was given to
// its caller is never opened anew. A hedge is left out.
//
// A stream has ended when its last message or an error was received, its context
// has ended, or its connection was closed.
func StreamClient(policies ...stability.Policy) grpc.StreamClientInterceptor {
	policy := once(policies)
	return func(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		type opening struct {
			stream *clientStream
			err    error
		}
		opened := make(chan opening, 1)
		go func() {
			var own error
			made := false
			var given *clientStream
			err := policy.Do(ctx, func(ctx context.Context) error {
				if given != nil {
					return stability.Permanent(verdict(given.wait()))
				}
				made = true
				s := &clientStream{ctx: ctx, single: !desc.ServerStreams, ended: make(chan struct{})}
				if s.ClientStream, own = open(sendPriority(ctx), desc, conn, method, append(slices.Clone(opts), grpc.OnFinish(s.finish))...); own != nil {
					return verdict(own)
				}
				s.opened.Store(true)
				given = s
				opened <- opening{stream: s}
				return stability.Permanent(verdict(s.wait()))
			})
			if given == nil {
				opened <- opening{err: end(own, err, made)}
			}
		}()
		o := <-opened
		if o.stream == nil {
			return nil, o.err
		}
		return o.stream, nil
	}
}

// clientStream notes how a stream ends.
type clientStream struct {
	grpc.ClientStream
	ctx    context.Context // of the policies, which a timeout ends
	single bool            // one answer is the end
	opened atomic.Bool
	once   sync.Once
	ended  chan struct{}
	err    error // valid once ended
}

// finish is called by gRPC, also for an opening that failed and that an interceptor
// further in makes again.
func (s *clientStream) finish(err error) {
	if s.opened.Load() {
		s.end(err)
	}
}

func (s *clientStream) end(err error) {
	s.once.Do(func() {
		if !errors.Is(err, io.EOF) {
			s.err = err
		}
		close(s.ended)
	})
}

func (s *clientStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if err != nil || s.single {
		s.end(err)
	}
	return err
}

// wait waits for the end and tells how it was.
func (s *clientStream) wait() error {
	select {
	case <-s.ended:
		return s.err
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

package stabilitygrpc

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/daytwo-dev/daytwo/stability"
)

// StreamClient puts policies around streams, each from its opening to its end: a
// bulkhead's place is held and a timeout runs all the while, and a breaker judges
// how it ended. A retry makes only the opening again. A hedge is left out.
//
// A stream has ended when its last message or an error was received, or its
// context has ended.
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
			err := policy.Do(ctx, func(ctx context.Context) error {
				made = true
				var inner grpc.ClientStream
				if inner, own = open(sendPriority(ctx), desc, conn, method, opts...); own != nil {
					return verdict(own)
				}
				s := &clientStream{ClientStream: inner, ctx: ctx, single: !desc.ServerStreams, ended: make(chan struct{})}
				opened <- opening{stream: s}
				return stability.Permanent(verdict(s.wait()))
			})
			select {
			case opened <- opening{err: end(own, err, made)}:
			default: // it was opened
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
	once   sync.Once
	ended  chan struct{}
	err    error // valid once ended
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

// unread is how long the end of a stream that nobody receives is waited for.
const unread = time.Second

// wait waits for the end and tells how it was.
func (s *clientStream) wait() error {
	select {
	case <-s.ended:
		return s.err
	case <-s.ctx.Done():
		return s.ctx.Err()
	case <-s.ClientStream.Context().Done():
	}
	// gRPC is done with it; how it ended is told to who receives.
	timer := time.NewTimer(unread)
	defer timer.Stop()
	select {
	case <-s.ended:
		return s.err
	case <-s.ctx.Done():
	case <-timer.C:
	}
	return context.Canceled
}

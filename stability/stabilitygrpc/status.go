package stabilitygrpc

import (
	"context"
	"errors"
	"net/http"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/daytwo-dev/daytwo/stability"
)

// verdict is what policies see of how a call ended: nothing, a context error, or a
// [stability.StatusError] with the nearest status of HTTP.
func verdict(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	s := status.Convert(err)
	switch s.Code() {
	case codes.Canceled:
		return context.Canceled
	case codes.Unavailable:
		return &stability.StatusError{Code: http.StatusServiceUnavailable, RetryAfter: retryAfter(s)}
	case codes.ResourceExhausted:
		return &stability.StatusError{Code: http.StatusTooManyRequests, RetryAfter: retryAfter(s)}
	case codes.DeadlineExceeded:
		return &stability.StatusError{Code: http.StatusGatewayTimeout}
	case codes.Internal, codes.Unknown, codes.DataLoss:
		return &stability.StatusError{Code: http.StatusInternalServerError}
	}
	return nil
}

// retryAfter is what the server asked for, 0 if nothing.
func retryAfter(s *status.Status) time.Duration {
	return max(0, retryInfo(s).GetRetryDelay().AsDuration())
}

// retryInfo is nil if there is none.
func retryInfo(s *status.Status) *errdetails.RetryInfo {
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			return info
		}
	}
	return nil
}

// refused tells whether the server says that it did not make the call. The code alone
// does not: gRPC makes the same ones itself, of a connection that broke during the call.
func refused(err error) bool {
	s := status.Convert(err)
	return (s.Code() == codes.Unavailable || s.Code() == codes.ResourceExhausted) && retryInfo(s) != nil
}

// refusal is the end of a call by a policy.
type refusal struct {
	err    error
	status *status.Status
}

func (r *refusal) Error() string              { return r.status.String() }
func (r *refusal) Unwrap() error              { return r.err }
func (r *refusal) GRPCStatus() *status.Status { return r.status }

// refuse makes a status of what a policy or a context ended a call with. That of a
// call that was not made, and may be made again, has a RetryInfo, see [refused].
func refuse(err error) error {
	code := codes.Unavailable
	switch {
	case errors.Is(err, context.Canceled):
		code = codes.Canceled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, stability.ErrTimeout), errors.Is(err, stability.ErrNoTime):
		code = codes.DeadlineExceeded
	case errors.Is(err, stability.ErrRate), errors.Is(err, stability.ErrThrottled):
		code = codes.ResourceExhausted
	case errors.As(err, new(*stability.PanicError)):
		code = codes.Internal
	}
	s := status.New(code, err.Error())
	if r := (*stability.RejectedError)(nil); errors.As(err, &r) && code != codes.DeadlineExceeded {
		if with, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(r.RetryAfter)}); err == nil {
			s = with
		}
	}
	return &refusal{err, s}
}

// end is what the caller of a call gets: its own end if it had one, else what the
// policies say.
func end(own, policies error, made bool) error {
	if made && (policies == nil || own != nil && (errors.As(policies, new(*stability.StatusError)) || errors.Is(policies, context.Canceled))) {
		return own
	}
	if policies == nil {
		return status.Error(codes.Internal, "a policy swallowed the error of a call; there is no answer")
	}
	return refuse(policies)
}

// once is the policies without those that make a call twice at once.
func once(policies []stability.Policy) stability.Policy {
	var rest []stability.Policy
	for _, p := range stability.Policies(stability.Compose(policies...)) {
		if _, hedges := p.(*stability.Hedge); !hedges {
			rest = append(rest, p)
		}
	}
	return stability.Compose(rest...)
}

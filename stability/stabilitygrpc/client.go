package stabilitygrpc

import (
	"context"
	"reflect"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	"github.com/daytwo-dev/daytwo/stability"
)

// UnaryClient puts policies around calls of one request and one answer.
//
// Repeatable names the methods ("/package.Service/Method") that may be made again
// after any failure, and twice at once by a [stability.Hedge]; nil: none. Other
// methods are made again only when the server said that it did not do it:
// Unavailable or ResourceExhausted with a google.rpc.RetryInfo, as [UnaryServer]
// refuses calls. Without that the connection may have broken after the call was done.
func UnaryClient(repeatable func(method string) bool, policies ...stability.Policy) grpc.UnaryClientInterceptor {
	whole, single := stability.Compose(policies...), once(policies)
	return func(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		policy, again := single, repeatable != nil && repeatable(method)
		if again {
			policy = whole
		}
		a, err := stability.Call(ctx, policy, func(ctx context.Context) (*attempt, error) {
			a := newAttempt(reply, opts)
			a.err = invoke(sendPriority(ctx), method, req, a.reply, conn, a.opts...)
			v := verdict(a.err)
			if !again && !refused(a.err) {
				v = stability.Permanent(v)
			}
			return a, v
		})
		if a != nil {
			a.give(reply)
			return end(a.err, err, true)
		}
		return end(nil, err, false)
	}
}

// attempt is one attempt at a call, with an answer of its own: another may be
// under way beside it.
type attempt struct {
	reply any
	opts  []grpc.CallOption
	taken []func() // hand over what the options asked for
	err   error
}

func newAttempt(reply any, opts []grpc.CallOption) *attempt {
	a := &attempt{}
	if m, ok := reply.(proto.Message); ok {
		a.reply = m.ProtoReflect().New().Interface()
	} else {
		a.reply = reflect.New(reflect.TypeOf(reply).Elem()).Interface()
	}
	for _, o := range opts {
		switch o := o.(type) {
		case grpc.HeaderCallOption:
			md := &metadata.MD{}
			a.opts = append(a.opts, grpc.Header(md))
			a.taken = append(a.taken, func() { *o.HeaderAddr = *md })
		case grpc.TrailerCallOption:
			md := &metadata.MD{}
			a.opts = append(a.opts, grpc.Trailer(md))
			a.taken = append(a.taken, func() { *o.TrailerAddr = *md })
		case grpc.PeerCallOption:
			p := &peer.Peer{}
			a.opts = append(a.opts, grpc.Peer(p))
			a.taken = append(a.taken, func() { *o.PeerAddr = *p })
		default:
			a.opts = append(a.opts, o)
		}
	}
	return a
}

// give hands the answer over to the caller.
func (a *attempt) give(reply any) {
	for _, f := range a.taken {
		f()
	}
	if a.err != nil {
		return
	}
	if m, ok := reply.(proto.Message); ok {
		proto.Reset(m)
		proto.Merge(m, a.reply.(proto.Message))
		return
	}
	reflect.ValueOf(reply).Elem().Set(reflect.ValueOf(a.reply).Elem())
}

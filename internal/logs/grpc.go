package logs

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // exporters compress
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/otlp"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// logsService is OpenTelemetry's LogsService, as grpc has it: served by *Logs, with messages that [exports] reads and writes.
var logsService = grpc.ServiceDesc{
	ServiceName: "opentelemetry.proto.collector.logs.v1.LogsService",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Export", Handler: func(l any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var sent request
		if err := decode(&sent); err != nil {
			return nil, err
		}
		return plogotlp.NewExportResponse(), grpcError(l.(*Logs).exportGRPC(ctx, sent))
	}}},
}

// request is an export as it came, or what is wrong with it: an error of the codec itself would be answered as one of the server.
type request struct {
	logs plog.Logs
	err  error
}

// exports is the codec of logsService.
type exports struct{}

// Name implements encoding.CodecV2.
func (exports) Name() string { return "proto" }

// Marshal implements encoding.CodecV2.
func (exports) Marshal(v any) (mem.BufferSlice, error) {
	answer, ok := v.(plogotlp.ExportResponse)
	if !ok {
		return nil, fmt.Errorf("a %T is no answer to an export", v)
	}
	data, err := answer.MarshalProto()
	return mem.BufferSlice{mem.SliceBuffer(data)}, err
}

// Unmarshal implements encoding.CodecV2.
func (exports) Unmarshal(data mem.BufferSlice, v any) error {
	sent, ok := v.(*request)
	if !ok {
		return fmt.Errorf("a %T is no export", v)
	}
	whole := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer whole.Free()
	sent.logs, sent.err = otlp.DecodeProtobuf(whole.ReadOnlyData())
	return nil
}

func (l *Logs) exportGRPC(ctx context.Context, sent request) error {
	if err := l.admitGRPC(ctx); err != nil {
		return err
	}
	var events []event.Event
	err := sent.err
	if err == nil {
		events, err = otlp.Events(sent.logs, l.now(), func(n record.Notes) { l.note(otlpDoor, n) })
	}
	if err != nil {
		l.counts.Refused(otlpDoor, string(problem.CodeOf(err)), 1)
		return err
	}
	if len(events) == 0 {
		return nil
	}
	return l.Append(ctx, otlpDoor, events)
}

// admitGRPC is nil if a call may send data.
func (l *Logs) admitGRPC(ctx context.Context) error {
	err := l.guard.mayIngest(requestOf(ctx))
	if err != nil {
		l.counts.Refused(otlpDoor, string(problem.CodeOf(err)), 1)
	}
	return err
}

// requestOf is a call in the words of the guard: who called, by way of what, and
// with what credentials. The name it was called by counts as a Host does: a proxy on
// this machine passes on that of those it speaks for.
func requestOf(ctx context.Context) *http.Request {
	p, known := peer.FromContext(ctx)
	if known && p.LocalAddr != nil {
		ctx = context.WithValue(ctx, http.LocalAddrContextKey, p.LocalAddr)
	}
	r := (&http.Request{Header: http.Header{}, Host: "localhost"}).WithContext(ctx)
	if known {
		r.RemoteAddr = p.Addr.String()
	}
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		for name, values := range md {
			switch {
			case len(values) == 0:
			case name == ":authority":
				r.Host = values[0]
			case !strings.HasPrefix(name, ":"):
				r.Header.Set(name, values[0])
			}
		}
	}
	return r
}

// grpcCodes are problems in the words of gRPC; exporters try again what is
// unavailable or exhausted.
var grpcCodes = map[problem.Code]codes.Code{
	problem.Invalid: codes.InvalidArgument, problem.Unauthenticated: codes.Unauthenticated, problem.Forbidden: codes.PermissionDenied,
	problem.NotFound: codes.NotFound, problem.Conflict: codes.FailedPrecondition, problem.TooLarge: codes.InvalidArgument,
	problem.Exhausted: codes.ResourceExhausted, problem.Unavailable: codes.Unavailable, problem.Internal: codes.Internal,
}

func grpcError(err error) error {
	if err == nil {
		return nil
	}
	p := problem.From(err)
	return status.Error(grpcCodes[p.Code], p.Message)
}

// maxStreams is how many exports a connection has at once, of up to maxBody each; OpenTelemetry's collector has ten.
const maxStreams = 16

// serveOTLP takes the address of OTLP over gRPC and serves it until ctx ends. The
// address of the default may be another collector's: then the server goes on
// without this door.
func (l *Logs) serveOTLP(ctx context.Context) error {
	a := l.cfg.Listeners
	ln, err := listen(ctx, a.OTLP, "otlp-listener")
	if err != nil && a.OTLPByDefault {
		l.log.WarnContext(ctx, "OTLP over gRPC is not taken, everything else goes on", "address", a.OTLP, "error", err,
			"mend", "another process has the address: give one with --otlp-listener, or --otlp-listener=off; OTLP over HTTP is taken at /v1/logs")
		return nil
	}
	if err != nil {
		return err
	}
	l.log.InfoContext(ctx, "listening", "door", "otlp-listener", "address", ln.Addr().String())
	return l.serveGRPC(ctx, ln)
}

// serveGRPC serves OTLP over gRPC on ln until ctx ends. Who may not send is told so before a message is read, let alone decoded.
func (l *Logs) serveGRPC(ctx context.Context, ln net.Listener) error {
	srv := grpc.NewServer(grpc.ForceServerCodecV2(exports{}), grpc.MaxRecvMsgSize(maxBody), grpc.ConnectionTimeout(10*time.Second), grpc.MaxConcurrentStreams(maxStreams),
		grpc.InTapHandle(func(ctx context.Context, _ *tap.Info) (context.Context, error) {
			return ctx, grpcError(l.admitGRPC(ctx))
		}))
	srv.RegisterService(&logsService, l)
	stop := context.AfterFunc(ctx, func() {
		cut := time.AfterFunc(5*time.Second, srv.Stop)
		defer cut.Stop()
		srv.GracefulStop()
	})
	defer stop()
	return srv.Serve(ln)
}

package logs

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // exporters compress
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/daytwo-dev/daytwo/internal/logs/otlp"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/wire"
)

// grpcLogs is OpenTelemetry's LogsService.
type grpcLogs struct {
	plogotlp.UnimplementedGRPCServer
	logs *Logs
}

// Export implements plogotlp.GRPCServer.
func (g *grpcLogs) Export(ctx context.Context, req plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	l, answer := g.logs, plogotlp.NewExportResponse()
	if err := l.guard.mayIngest(requestOf(ctx)); err != nil {
		return answer, grpcError(err)
	}
	events, err := otlp.Events(req.Logs(), l.now(), func(n record.Notes) { l.note(otlpDoor, n) })
	if err != nil {
		l.counts.Refused(otlpDoor, string(problem.CodeOf(err)), 1)
	}
	if err == nil && len(events) > 0 {
		err = l.Append(ctx, otlpDoor, events)
	}
	return answer, grpcError(err)
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

// checked is a codec that looks at messages before it decodes them, which happens before anybody is asked who they are.
type checked struct {
	encoding.CodecV2
	counts *counts
}

// Unmarshal implements encoding.CodecV2.
func (c checked) Unmarshal(data mem.BufferSlice, v any) error {
	whole := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer whole.Free()
	if err := wire.Check(wire.Logs, whole.ReadOnlyData()); err != nil {
		c.counts.Refused(otlpDoor, "shape", 1)
		return err
	}
	return c.CodecV2.Unmarshal(mem.BufferSlice{whole}, v)
}

// serveGRPC serves OTLP over gRPC on ln until ctx ends.
func (l *Logs) serveGRPC(ctx context.Context, ln net.Listener) error {
	srv := grpc.NewServer(grpc.ForceServerCodecV2(checked{encoding.GetCodecV2("proto"), l.counts}), grpc.MaxRecvMsgSize(maxBody), grpc.ConnectionTimeout(10*time.Second), grpc.MaxConcurrentStreams(250))
	plogotlp.RegisterGRPCServer(srv, &grpcLogs{logs: l})
	for _, register := range l.cfg.Exports {
		register(srv)
	}
	stop := context.AfterFunc(ctx, func() {
		cut := time.AfterFunc(5*time.Second, srv.Stop)
		defer cut.Stop()
		srv.GracefulStop()
	})
	defer stop()
	return srv.Serve(ln)
}

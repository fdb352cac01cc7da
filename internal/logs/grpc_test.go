package logs_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/log"
	sdk "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs"
)

// written is when the records say that they were.
var written = time.Now().Add(-time.Minute)

// export sends through OpenTelemetry's own SDK: as many records as asked for, in
// batches. The queue is longer than a batch, since the SDK tells nobody how a batch
// fared that a full queue pushed out.
func export(t *testing.T, address string, records int, options ...otlploggrpc.Option) error {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	exporter, err := otlploggrpc.New(ctx, append(options, otlploggrpc.WithGRPCConn(conn), otlploggrpc.WithRetry(otlploggrpc.RetryConfig{}))...)
	if err != nil {
		t.Fatal(err)
	}
	provider := sdk.NewLoggerProvider(
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "checkout"), attribute.String("host.name", "shop-1"))),
		sdk.WithProcessor(sdk.NewBatchProcessor(exporter, sdk.WithExportMaxBatchSize(100), sdk.WithMaxQueueSize(records+100), sdk.WithExportInterval(time.Hour))),
	)
	logger := provider.Logger("payments", log.WithInstrumentationVersion("1.2"))
	for i := range records {
		var r log.Record
		r.SetTimestamp(written)
		r.SetSeverity(log.SeverityError2)
		r.SetBody(attribute.StringValue("payment declined"))
		r.AddAttributes(attribute.Int("order", i), attribute.Bool("retried", true), attribute.Map("card", attribute.String("kind", "debit")), attribute.StringSlice("tags", []string{"a", "b"}))
		logger.Emit(ctx, r)
	}
	err = provider.ForceFlush(ctx)
	if down := provider.Shutdown(ctx); err == nil {
		err = down
	}
	return err
}

// otlpRig serves OTLP over gRPC.
func otlpRig(t *testing.T, change ...func(*logs.Config)) (*rig, string) {
	t.Helper()
	r := newRig(t, append([]func(*logs.Config){func(c *logs.Config) { c.Listeners.OTLP = "127.0.0.1:0" }}, change...)...)
	stop, ended := r.run(t)
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return r, <-r.found
}

// What OpenTelemetry's SDK exports arrives whole, compressed or not.
func TestOTLPFromTheSDK(t *testing.T) {
	r, address := otlpRig(t)
	if err := export(t, address, 1000); err != nil {
		t.Fatal(err)
	}
	if err := export(t, address, 1, otlploggrpc.WithCompressor("gzip")); err != nil {
		t.Fatal(err)
	}
	all := r.kept.all()
	if len(all) != 1001 {
		t.Fatalf("%d of 1001 records were kept", len(all))
	}
	orders := map[string]bool{}
	for i := range all {
		orders[all[i].Get("order").String()] = true
	}
	if len(orders) != 1000 {
		t.Errorf("%d different orders, want 1000", len(orders))
	}
	for field, want := range map[string]string{
		"message": "payment declined", "level": "error", "service.name": "checkout", "host.name": "shop-1", "scope.name": "payments", "retried": "true",
		"card.kind": "debit", "tags": event.List("a", "b").String(),
	} {
		if got := all[1000].Get(field).String(); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	if got := all[1000].Time; got != written.UnixNano() {
		t.Errorf("the time is %d, want %d", got, written.UnixNano())
	}
}

// Where a token is asked for, the header that exporters are given opens the door.
func TestOTLPWithAToken(t *testing.T) {
	r, address := otlpRig(t, func(c *logs.Config) { c.RequireToken = true })
	if err := export(t, address, 1); err == nil || !strings.Contains(err.Error(), "Unauthenticated") {
		t.Errorf("without a token: %v", err)
	}
	if err := export(t, address, 1, otlploggrpc.WithHeaders(map[string]string{"authorization": "Bearer reads"})); err == nil || !strings.Contains(err.Error(), "PermissionDenied") {
		t.Errorf("with a token that only reads: %v", err)
	}
	if err := export(t, address, 1, otlploggrpc.WithHeaders(map[string]string{"authorization": "Bearer sends"})); err != nil {
		t.Error(err)
	}
	if n := r.kept.count(); n != 1 {
		t.Errorf("%d records were kept, want 1", n)
	}
	r.refused(t, `daytwo_logs_refused_total{door="otlp",reason="forbidden"} 1`, `daytwo_logs_refused_total{door="otlp",reason="unauthenticated"} 1`)
}

// Who may not send is told so at the headers: the message is not waited for.
func TestOTLPRefusesBeforeTheMessage(t *testing.T) {
	r, address := otlpRig(t)
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(context.WithoutCancel(t.Context()), "authorization", "Bearer wrong"), 30*time.Second)
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, exportMethod, grpc.ForceCodecV2(raw{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.RecvMsg(nil); status.Code(err) != codes.Unauthenticated {
		t.Errorf("a call with a wrong token that has sent nothing: %v", err)
	}
	r.refused(t, `daytwo_logs_refused_total{door="otlp",reason="unauthenticated"} 1`)
}

// The address of the default may be another collector's; one that somebody gave may not.
func TestOTLPAddressThatIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, byDefault := range []bool{true, false} {
		r := newRig(t, func(c *logs.Config) {
			c.Listeners = logs.Listeners{OTLP: taken.Addr().String(), OTLPByDefault: byDefault, SyslogTCP: "127.0.0.1:0"}
		})
		stop, ended := r.run(t)
		for range 2 { // the warning and syslog's address
			if byDefault {
				<-r.found
			}
		}
		if byDefault {
			stop()
		}
		if err := <-ended; (err == nil) != byDefault || err != nil && !strings.Contains(err.Error(), "cannot listen on") {
			t.Errorf("by default %v: %v", byDefault, err)
		}
	}
}

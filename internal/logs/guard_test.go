package logs_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/daytwo-dev/daytwo/internal/logs"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Sending needs no token on this machine, unless that is asked for.
func TestWhoMaySendLogs(t *testing.T) {
	refuse := func(w http.ResponseWriter, _ *http.Request, err error) {
		status := map[problem.Code]int{problem.Unauthenticated: 401, problem.Forbidden: 403}[problem.CodeOf(err)]
		http.Error(w, err.Error(), status)
	}
	for _, always := range []bool{false, true} {
		r := newRig(t, func(c *logs.Config) { c.RequireToken = always })
		doors := map[string]http.Handler{"/otlp": r.OTLP(refuse), "/loki": r.Loki(refuse), "/elasticsearch": r.Elasticsearch()}
		here := map[bool]int{false: 200, true: 401}[always]
		for _, tt := range []struct {
			name, remote, host string
			header             http.Header
			want               int
		}{
			{"here", "127.0.0.1:1", "127.0.0.1:2020", nil, here},
			{"here by name", "[::1]:1", "localhost:2020", nil, here},
			{"elsewhere", "192.0.2.1:1", "192.0.2.2:2020", nil, 401},
			{"by a proxy here", "127.0.0.1:1", "localhost", http.Header{"X-Forwarded-For": {"192.0.2.1"}}, 401},
			{"by a proxy that says it is here", "127.0.0.1:1", "localhost", http.Header{"X-Forwarded-For": {"127.0.0.1"}}, 401},
			{"by a standard proxy", "127.0.0.1:1", "localhost", http.Header{"Forwarded": {"for=192.0.2.1"}}, 401},
			{"by nginx as many set it up", "127.0.0.1:1", "localhost", http.Header{"X-Real-Ip": {"192.0.2.1"}}, 401},
			{"by a proxy of the old kind", "127.0.0.1:1", "localhost", http.Header{"Via": {"1.1 gate"}}, 401},
			{"by a proxy that says little", "127.0.0.1:1", "localhost", http.Header{"X-Forwarded-Proto": {"https"}}, 401},
			{"by a foreign name", "127.0.0.1:1", "evil.example:2020", nil, 401},
			{"a page of another site", "127.0.0.1:1", "localhost:2020", http.Header{"Origin": {"https://evil.example"}}, 401},
			{"a page that says nothing of its site", "127.0.0.1:1", "localhost:2020", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 401},
			{"elsewhere with a token", "192.0.2.1:1", "ops.example", http.Header{"Authorization": {"Bearer sends"}}, 200},
			{"elsewhere with a token as Elasticsearch's key", "192.0.2.1:1", "ops.example", http.Header{"Authorization": {"ApiKey sends"}}, 200},
			{"elsewhere with a token that only reads", "192.0.2.1:1", "ops.example", http.Header{"Authorization": {"Bearer reads"}}, 403},
			{"here with a token that is none", "127.0.0.1:1", "localhost:2020", http.Header{"Authorization": {"Bearer x"}}, 401},
		} {
			for door, h := range doors {
				path, body := "/", "{}"
				switch door {
				case "/loki":
					path, body = "/api/v1/push", `{"streams":[]}`
				case "/elasticsearch":
					path, body = "/logs/_doc", `{"message":"hello"}`
				}
				req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
				req.RemoteAddr, req.Host = tt.remote, tt.host
				if tt.header != nil {
					req.Header = tt.header.Clone()
				}
				req.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				h.ServeHTTP(w, req)
				got := w.Code
				if got == 201 || got == 204 {
					got = 200
				}
				if got != tt.want {
					t.Errorf("always %v, %s, %s: %d %s, want %d", always, door, tt.name, w.Code, w.Body, tt.want)
				}
			}
		}
	}
}

func TestWhoMaySendLogsOverGRPC(t *testing.T) {
	for _, always := range []bool{false, true} {
		r := newRig(t, func(c *logs.Config) { c.RequireToken, c.Listeners.OTLP = always, "127.0.0.1:0" })
		stop, ended := r.run(t)
		address := <-r.found
		dial := func(target string) plogotlp.GRPCClient {
			conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			return plogotlp.NewGRPCClient(conn)
		}
		byAddress := dial(address)
		_, port, _ := net.SplitHostPort(address)
		byName := dial("localhost:" + port)
		here := map[bool]codes.Code{false: codes.OK, true: codes.Unauthenticated}[always]
		for _, tt := range []struct {
			name   string
			client plogotlp.GRPCClient
			with   []string
			want   codes.Code
		}{
			{"here", byAddress, nil, here},
			{"here by name", byName, nil, here},
			{"by a proxy here", byAddress, []string{"x-forwarded-for", "192.0.2.1"}, codes.Unauthenticated},
			{"by nginx as many set it up", byAddress, []string{"x-real-ip", "192.0.2.1"}, codes.Unauthenticated},
			{"by a proxy of the old kind", byAddress, []string{"via", "1.1 gate"}, codes.Unauthenticated},
			{"with a token", byAddress, []string{"authorization", "Bearer sends", "via", "1.1 gate"}, codes.OK},
			{"with a token that only reads", byAddress, []string{"authorization", "Bearer reads"}, codes.PermissionDenied},
		} {
			lines := plog.NewLogs()
			lines.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("hello")
			before := r.kept.count()
			_, err := tt.client.Export(metadata.AppendToOutgoingContext(context.WithoutCancel(t.Context()), tt.with...), plogotlp.NewExportRequestFromLogs(lines))
			if status.Code(err) != tt.want || (r.kept.count() > before) != (err == nil) {
				t.Errorf("always %v, %s: %v, want %s", always, tt.name, err, tt.want)
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// Package service runs a program as a twelve-factor service: configuration
// from the environment, logs as JSON lines on standard output, one port,
// health, readiness and metrics beside the routes, and a stop that loses no
// request.
//
//	type config struct {
//		Greeting string `env:"GREETING" default:"hello" help:"what to say"`
//		APIKey   string `env:"API_KEY,required,secret" help:"key for the mailer"`
//	}
//
//	func main() {
//		service.Main("greeter", func(ctx context.Context, s *service.Service, c config) error {
//			s.HandleFunc("GET /hello", func(w http.ResponseWriter, r *http.Request) {
//				fmt.Fprintln(w, c.Greeting)
//			})
//			return nil
//		})
//	}
//
// # Endpoints
//
// Beside the program's routes the port serves /healthz (alive: always 200),
// /readyz (200, or 503 with the named reasons) and /metrics (Prometheus).
//
// # Metrics
//
// Every metric carries the label service="NAME":
//
//	http_server_requests_total{service,method,route,code}
//	http_server_request_duration_seconds{service,method,route}  histogram
//	http_server_in_flight_requests{service}
//	service_build_info{service,version,revision} 1
//	stability_decisions_total{service,policy,name,decision}     of [Service.Client], [Attached.Do] and [Service.Observe]
//	stability_level{service,policy,name,level}
//	stability_breaker_open{service,name}                        0 closed, 0.5 half-open, 1 open
//
// and the go_* and process_* metrics of client_golang. The route is the
// pattern that matched, so that its values are bounded.
//
// With ADMIN_PORT, /metrics moves to that port, beside /debug/pprof/ and
// /hystrix.stream, the metrics stream of the service's breakers.
//
// # Tracing
//
// Requests and the calls of [Service.Client] carry W3C Trace Context, and log
// records the traceId and spanId. With OTEL_EXPORTER_OTLP_ENDPOINT spans are
// sent there.
//
// # Commands
//
// A [Command] is an administrative task of the same program, run as a process
// of its own with the same configuration.
//
// # Stopping
//
// On SIGTERM /readyz turns 503 and answers ask to close their connections;
// after DRAIN_DELAY the port is closed; requests on their way get up to
// DRAIN_TIMEOUT; then background tasks end, and what was attached is closed,
// last first. Tasks are supervised: see [Service.Go]. The exit status is 0, or 1 if something was lost.
package service

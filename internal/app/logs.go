package app

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs"
	"github.com/daytwo-dev/daytwo/internal/orchestrate"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// keepLogs builds the logs on the event store; watched searches report through
// the door for alerts from outside.
func (a *App) keepLogs(ctx context.Context, alerts http.Handler) (*logs.Logs, error) {
	return logs.New(ctx, logs.Config{
		DB: a.db, Events: a.events, Tokens: a.auth, Alerts: alertDoor{alerts}, PublicURL: a.config.PublicURL,
		RequireToken: a.config.RequireIngest, Listeners: a.config.LogListeners,
		Logger: a.log, Registerer: a.registry,
	})
}

// workloadLines gives the lines that workloads write to the logs.
func workloadLines(of func() *logs.Logs) func(workload, service string, line orchestrate.Line) {
	host, _ := os.Hostname() // without one lines have none
	return func(workload, service string, line orchestrate.Line) {
		l := of()
		if l == nil {
			return // before everything is built nothing runs
		}
		e := logs.Line(service, host, line.Stream, line.Text, line.Time)
		e.Set("workload", event.String(workload))
		l.Offer(e)
	}
}

// alertDoor reports alerts through the door that takes them from outside.
type alertDoor struct{ door http.Handler }

// Report implements logs.Alerts.
func (d alertDoor) Report(ctx context.Context, labels, annotations event.Labels, link string, until time.Time) error {
	one := map[string]any{"labels": labels, "annotations": annotations, "endsAt": until.UTC().Format(time.RFC3339Nano), "generatorURL": link}
	body, err := json.Marshal([]any{one})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	w := &answer{header: http.Header{}}
	d.door.ServeHTTP(w, req)
	if w.status >= 300 {
		return problem.New(problem.Unavailable, "the alert was refused: %s", bytes.TrimSpace(w.body.Bytes()))
	}
	return nil
}

// answer is what a handler of this process said.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

package alertmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/alert"
	apiv2 "github.com/prometheus/alertmanager/api/v2"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/common/model"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Paths of the doors.
const (
	alertsPath = "/api/v2/alerts"
	hookPath   = "/alertmanager/webhook" // what an outside Alertmanager's webhook_configs posts to
)

// maxBody bounds what is sent in: 64 alerts at a time is what Prometheus sends, each of a few kilobytes.
const maxBody = 8 << 20

// updatable is Alertmanager's API, which is told of each routing.
type updatable interface {
	Update(cfg *config.Config, setAlertStatus func(ctx context.Context, labels model.LabelSet))
}

// incoming records what is put in through the API before anything else knows of it.
type incoming struct {
	*mem.Alerts
	receive func(context.Context, []*Alert) error
}

func (i incoming) Put(ctx context.Context, alerts ...*Alert) error { return i.receive(ctx, alerts) }

// Handler is Alertmanager's API, to be mounted at /alertmanager for whoever may read; alerts come in through Ingest.
func (m *Manager) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := auth.FromContext(r.Context())
		switch {
		case !strings.HasPrefix(r.URL.Path, "/api/v2/"):
			refuse(w, problem.New(problem.NotFound, "there is no %s here", r.URL.Path).WithMend("Alertmanager's API is below /alertmanager/api/v2/; its pages are /alerts"))
			return
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			if err := p.Allows(auth.Responder); err != nil {
				refuse(w, err)
				return
			}
			m.mutate(w, r)
			return
		}
		m.serve(w, r)
	})
}

// Health answers whether alerts are taken and routed. Mount it for everybody.
func (m *Manager) Health() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := m.current(); err != nil {
			refuse(w, err)
			return
		}
		fmt.Fprintln(w, "OK")
	})
}

// Ingest takes alerts in, from Prometheus servers and amtool. Mount it for whoever may send data.
func (m *Manager) Ingest() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		r.URL.Path = alertsPath
		m.serve(w, r)
	})
}

// Hook takes in what the webhooks of outside Alertmanagers send. Mount it as Ingest.
func (m *Manager) Hook() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		m.hook(w, r)
	})
}

func (m *Manager) serve(w http.ResponseWriter, r *http.Request) {
	if _, err := m.current(); err != nil {
		refuse(w, err)
		return
	}
	// The API carries a document of itself that is rendered when it is made: not before somebody asks.
	m.door.Do(m.openDoor)
	if m.doorErr != nil {
		refuse(w, m.doorErr)
		return
	}
	m.doorMade.ServeHTTP(w, r)
}

func (m *Manager) openDoor() {
	api, err := apiv2.NewAPI(incoming{m.alerts, m.cfg.Receive}, m.groups, m.muted.Muted, m.silences, nil, m.cfg.Logger, m.cfg.Registerer)
	if err != nil {
		m.doorErr = fmt.Errorf("API of Alertmanager: %w", err)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	api.Update(m.inForce.routing.config, m.markStatus)
	m.doorAPI, m.doorMade = updater{api}, api.Handler
}

type updater struct{ api *apiv2.API }

func (u updater) Update(c *config.Config, status func(context.Context, model.LabelSet)) {
	u.api.Update(c, status)
}

func (m *Manager) groups(ctx context.Context, routes func(*dispatch.Route) bool, alerts func(*alert.Alert, time.Time) bool) (dispatch.AlertGroups, map[model.Fingerprint][]string, error) {
	on, err := m.current()
	if err != nil {
		return nil, nil, err
	}
	return on.dispatcher.Groups(ctx, routes, alerts)
}

// mutate lets the API change silences, and answers only when the change is in the store.
func (m *Manager) mutate(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody)) // before anything waits for it
	if err != nil {
		refuse(w, problem.New(problem.Invalid, "read the request: %w", err))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := &held{header: http.Header{}, status: http.StatusOK}
	err = m.change(func() error { m.serve(answer, r); return nil })
	if err != nil {
		refuse(w, err)
		return
	}
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body.Bytes()) // the client has gone; nobody to tell
	if m.cfg.Audit == nil || answer.status >= http.StatusBadRequest {
		return
	}
	action, id := "silence.set", ""
	if r.Method == http.MethodDelete {
		action, id = "silence.expire", r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	}
	var made struct{ SilenceID string }
	if json.Unmarshal(answer.body.Bytes(), &made) == nil && made.SilenceID != "" {
		id = made.SilenceID
	}
	m.cfg.Audit(r.Context(), action, "silence/"+id, "by Alertmanager's API")
}

// held is an answer that is not sent yet.
type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *held) Header() http.Header         { return h.header }
func (h *held) WriteHeader(status int)      { h.status = status }
func (h *held) Write(b []byte) (int, error) { return h.body.Write(b) }

// refuse answers as Alertmanager does: the reason as a JSON text.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch problem.CodeOf(err) {
	case problem.Invalid:
		status = http.StatusBadRequest
	case problem.Unauthenticated:
		status = http.StatusUnauthorized
	case problem.Forbidden:
		status = http.StatusForbidden
	case problem.NotFound:
		status = http.StatusNotFound
	case problem.TooLarge:
		status = http.StatusRequestEntityTooLarge
	case problem.Unavailable:
		w.Header().Set("Retry-After", "1")
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(err.Error()) // the client has gone; nobody to tell
}

// Notification is what the webhook of an Alertmanager sends (webhook_configs, version 4). Only what is read stands here.
type Notification struct {
	Version string `json:"version"`
	Alerts  []struct {
		Status       string            `json:"status"`
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations"`
		StartsAt     time.Time         `json:"startsAt"`
		EndsAt       time.Time         `json:"endsAt"`
		GeneratorURL string            `json:"generatorURL"`
	} `json:"alerts"`
}

// ParseNotification reads one. Alerts of it that fire have no end: the sender tells of it, and repeats too seldom to conclude
// anything from silence.
func ParseNotification(data []byte, now time.Time) ([]*Alert, error) {
	var n Notification
	if err := json.Unmarshal(data, &n); err != nil {
		return nil, problem.New(problem.Invalid, "this is no notification of Alertmanager: %w", err)
	}
	if len(n.Alerts) == 0 {
		return nil, problem.New(problem.Invalid, "the notification has no alerts").WithMend("send what webhook_configs of Alertmanager sends")
	}
	var alerts []*Alert
	for _, one := range n.Alerts {
		if one.StartsAt.IsZero() {
			one.StartsAt = now
		}
		ends := time.Time{}
		if one.Status == "resolved" {
			ends = one.EndsAt
			if ends.IsZero() || ends.After(now) {
				ends = now
			}
			if one.StartsAt.After(ends) {
				one.StartsAt = ends
			}
		}
		a := NewAlert(one.Labels, one.Annotations, one.StartsAt, ends, one.GeneratorURL)
		a.UpdatedAt = now
		if err := a.Validate(); err != nil {
			return nil, problem.New(problem.Invalid, "an alert of the notification: %w", err)
		}
		alerts = append(alerts, a)
	}
	return alerts, nil
}

func (m *Manager) hook(w http.ResponseWriter, r *http.Request) {
	if _, err := m.current(); err != nil {
		refuse(w, err)
		return
	}
	body := new(bytes.Buffer)
	if _, err := body.ReadFrom(r.Body); err != nil {
		if _, big := errors.AsType[*http.MaxBytesError](err); big {
			err = problem.New(problem.TooLarge, "the notification has more than %d bytes", maxBody)
		} else {
			err = problem.New(problem.Invalid, "read the notification: %w", err)
		}
		refuse(w, err)
		return
	}
	alerts, err := ParseNotification(body.Bytes(), time.Now())
	if err == nil {
		err = m.cfg.Receive(r.Context(), alerts)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusOK)
}

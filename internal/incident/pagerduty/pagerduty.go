// Package pagerduty speaks PagerDuty's protocols for package incident: the Events API (v2, v1, changes), the REST API v2 and
// webhooks v3, so that senders and clients made for it work here unchanged. Formats follow https://developer.pagerduty.com.
//
// It also takes the webhooks of Alertmanager, Grafana and anything that posts JSON, and e-mail.
package pagerduty

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// Config is what New needs.
type Config struct {
	DB        *store.DB
	Incidents *incident.Incidents
	Timeline  *timeline.Timeline
	Catalog   *catalog.Live
	Auth      *auth.Auth // seals the secrets of webhooks; nil: they are kept as they are
	// Audit writes who changed what through the REST API, in the request that ctx belongs to; nil: nothing is written.
	Audit     func(ctx context.Context, action, target, detail string)
	PublicURL string // of daytwo, for the links in answers
	// Client sends webhooks; it must not follow redirects and guards against private addresses where that is wanted.
	Client *http.Client
	// RequireToken takes no sender on this machine on trust.
	RequireToken bool
	Logger       *slog.Logger
}

// API is the door.
type API struct {
	Config
	mux  *http.ServeMux
	bell chan struct{} // a webhook may be due; room for one
}

// New builds the door and brings the tables of webhooks up to date. Webhooks go out while Run runs.
func New(ctx context.Context, c Config) (*API, error) {
	if c.DB == nil || c.Incidents == nil || c.Timeline == nil || c.Catalog == nil || c.Logger == nil {
		return nil, errors.New("pagerduty: Config needs DB, Incidents, Timeline, Catalog and Logger")
	}
	if c.Client == nil {
		c.Client = http.DefaultClient
	}
	a := &API{Config: c, mux: http.NewServeMux(), bell: make(chan struct{}, 1)}
	if err := a.migrate(ctx); err != nil {
		return nil, err
	}
	a.eventRoutes()
	a.restRoutes()
	return a, nil
}

// Handler serves everything that is below /pagerduty. It finds the principal in the context and decides itself who may what.
func (a *API) Handler() http.Handler { return a.mux }

// answer writes v as JSON.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone; nobody to tell
}

// trusted tells whether a sender needs no key of its own: it may send data, or it is on this machine.
func (a *API) trusted(r *http.Request) bool {
	if auth.FromContext(r.Context()).AllowsIngest() == nil {
		return true
	}
	return !a.RequireToken && web.Local(r)
}

// keyOf finds the service behind a routing key. A sender that is trusted may name the service itself.
func (a *API) keyOf(r *http.Request, key string) (service string, ok bool) {
	if service, ok := a.Incidents.Integration(key); ok {
		return service, true
	}
	if s, known := a.Catalog.Current().Service(key); known && a.trusted(r) {
		return s.Name, true
	}
	return "", false
}

// isTooMuch tells a request that is too large, or too many, or that came at a bad time.
func isTooMuch(err error) (status int, ok bool) {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge, true
	}
	switch problem.CodeOf(err) {
	case problem.TooLarge:
		return http.StatusRequestEntityTooLarge, true
	case problem.Exhausted:
		return http.StatusTooManyRequests, true
	case problem.Unavailable:
		return http.StatusServiceUnavailable, true
	case problem.Internal:
		return http.StatusInternalServerError, true
	}
	return 0, false
}

package pagerduty

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

func (a *API) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("pagerduty: %w", err)
	}
	return a.DB.Migrate(ctx, "pagerduty", files)
}

// Subscription is who hears of incidents by webhook.
type Subscription struct {
	ID            string            `json:"id"`
	Description   string            `json:"description"`
	URL           string            `json:"url"`
	Events        []string          `json:"events"`
	FilterType    string            `json:"filterType" enum:"account_reference,service_reference,team_reference"`
	FilterID      string            `json:"filterId,omitempty"`
	Headers       map[string]string `json:"headers,omitempty"`
	Active        bool              `json:"active"`
	DisabledUntil time.Time         `json:"disabledUntil,omitzero" doc:"it failed too often and is left alone until then"`
	DisabledFor   string            `json:"disabledFor,omitempty" doc:"why"`
	CreatedAt     time.Time         `json:"createdAt"`

	secret   string
	refusals int
}

// eventTypes are what can be subscribed to.
var eventTypes = []string{"incident.triggered", "incident.acknowledged", "incident.unacknowledged", "incident.resolved", "incident.reassigned",
	"incident.reopened", "incident.delegated", "incident.annotated", "incident.priority_updated", "incident.responder.added",
	"incident.responder.replied", "incident.status_update_published", "incident.conference_bridge.updated", "incident.role.assigned",
	"incident.task.updated", "incident.urgency_updated", "incident.title_updated", "pagey.ping"}

const maxSubscriptions = 200

// complete checks a subscription.
func (s *Subscription) complete() error {
	u, err := url.Parse(s.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || len(s.URL) > 2000:
		return problem.New(problem.Invalid, "the address of the webhook is not an http or https URL").WithField("delivery_method.url").WithMend("give https://host/path")
	case len(s.Events) == 0:
		return problem.New(problem.Invalid, "no event is named").WithField("events").WithMend("name some of %s", strings.Join(eventTypes, ", "))
	case len(s.Description) > 1000:
		return problem.New(problem.TooLarge, "the description is longer than 1000 bytes").WithField("description")
	}
	for _, e := range s.Events {
		if !slices.Contains(eventTypes, e) && !foreign(e) {
			return problem.New(problem.Invalid, "there is no event %q", clip(e, 100)).WithField("events").WithMend("use some of %s", strings.Join(eventTypes, ", "))
		}
	}
	switch s.FilterType {
	case "account_reference":
		s.FilterID = ""
	case "service_reference", "team_reference":
		if s.FilterID == "" {
			return problem.New(problem.Invalid, "the filter names no %s", strings.TrimSuffix(s.FilterType, "_reference")).WithField("filter.id")
		}
	default:
		return problem.New(problem.Invalid, "there is no filter %q", clip(s.FilterType, 100)).WithField("filter.type").
			WithMend("use account_reference, service_reference or team_reference")
	}
	for name, value := range s.Headers {
		if strings.ContainsAny(name+value, "\r\n\x00") || name == "" || strings.EqualFold(name, "host") || strings.HasPrefix(strings.ToLower(name), "x-pagerduty") {
			return problem.New(problem.Invalid, "the header %q cannot be set", clip(name, 100)).WithField("delivery_method.custom_headers")
		}
	}
	return nil
}

// foreign tells events that the original has and that never happen here: asking for them is no mistake.
func foreign(e string) bool {
	return strings.HasPrefix(e, "service.") || strings.HasPrefix(e, "incident.workflow.") || strings.HasPrefix(e, "incident.custom_field") ||
		e == "incident.incident_type.changed" || e == "incident.escalated" || e == "incident.service_updated"
}

const subscriptionColumns = `s.id, s.description, s.url, s.secret, s.events, s.filter_type, s.filter_id, s.headers, s.active, s.refusals, s.disabled_until,
	s.disabled_for, s.created_at`

type scanner interface{ Scan(dest ...any) error }

func (a *API) scanSubscription(row scanner) (s Subscription, err error) {
	var events, headers, sealed string
	var disabled, created int64
	err = row.Scan(&s.ID, &s.Description, &s.URL, &sealed, &events, &s.FilterType, &s.FilterID, &headers, &s.Active, &s.refusals, &disabled,
		&s.DisabledFor, &created)
	if err != nil {
		return s, err
	}
	s.DisabledUntil, s.CreatedAt = store.FromMicros(disabled), store.FromMicros(created)
	if err := json.Unmarshal([]byte(events), &s.Events); err != nil {
		return s, fmt.Errorf("webhook subscription %s: %w", s.ID, err)
	}
	if err := json.Unmarshal([]byte(headers), &s.Headers); err != nil {
		return s, fmt.Errorf("webhook subscription %s: %w", s.ID, err)
	}
	s.secret, err = a.open(sealed)
	return s, err
}

const sealedFor = "webhook subscription"

// seal keeps a secret from whoever reads the store.
func (a *API) seal(secret string) (string, error) {
	if a.Auth == nil {
		return secret, nil
	}
	return a.Auth.Seal(sealedFor, []byte(secret))
}

func (a *API) open(sealed string) (string, error) {
	if a.Auth == nil {
		return sealed, nil
	}
	secret, err := a.Auth.Open(sealedFor, sealed)
	if err != nil {
		return "", fmt.Errorf("secret of a webhook subscription: %w", err)
	}
	return string(secret), nil
}

func list[T any](ctx context.Context, tx *store.Tx, scan func(scanner) (T, error), q string, args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	items := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	return items, rows.Err()
}

// Subscriptions lists them, oldest first.
func (a *API) Subscriptions(ctx context.Context) (items []Subscription, err error) {
	err = a.DB.Read(ctx, func(tx *store.Tx) error {
		items, err = list(ctx, tx, a.scanSubscription, `SELECT `+subscriptionColumns+` FROM webhook_subscriptions s ORDER BY s.id`)
		return err
	})
	return items, err
}

// Subscription reads one.
func (a *API) Subscription(ctx context.Context, id string) (s Subscription, err error) {
	err = a.DB.Read(ctx, func(tx *store.Tx) error {
		s, err = a.subscription(ctx, tx, id)
		return err
	})
	return s, err
}

func (a *API) subscription(ctx context.Context, tx *store.Tx, id string) (Subscription, error) {
	items, err := list(ctx, tx, a.scanSubscription, `SELECT `+subscriptionColumns+` FROM webhook_subscriptions s WHERE s.id = ?`, clip(id, 100))
	if err == nil && len(items) == 0 {
		return Subscription{}, problem.New(problem.NotFound, "there is no webhook subscription %q", clip(id, 100))
	}
	if err != nil {
		return Subscription{}, err
	}
	return items[0], nil
}

// Subscribe adds a subscription. The secret that signs its webhooks is returned this once.
func (a *API) Subscribe(ctx context.Context, s Subscription) (Subscription, string, error) {
	if err := s.complete(); err != nil {
		return s, "", err
	}
	s.ID, s.CreatedAt = event.NewID(), time.Now().UTC().Truncate(time.Microsecond)
	secret := rand.Text() + rand.Text()
	sealed, err := a.seal(secret)
	if err != nil {
		return s, "", err
	}
	events, headers, err := s.lists()
	if err != nil {
		return s, "", err
	}
	err = a.DB.Write(ctx, func(tx *store.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM webhook_subscriptions`).Scan(&n); err != nil {
			return err
		}
		if n >= maxSubscriptions {
			return problem.New(problem.Exhausted, "there are %d webhook subscriptions already", n)
		}
		_, err := tx.Exec(ctx, `INSERT INTO webhook_subscriptions (id, description, url, secret, events, filter_type, filter_id, headers, active, refusals,
			disabled_until, disabled_for, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, '', ?)`,
			s.ID, s.Description, s.URL, sealed, events, s.FilterType, s.FilterID, headers, s.Active, s.CreatedAt)
		return err
	})
	return s, secret, err
}

func (s Subscription) lists() (events, headers string, err error) {
	if s.Headers == nil {
		s.Headers = map[string]string{}
	}
	e, err := json.Marshal(s.Events)
	if err != nil {
		return "", "", err
	}
	h, err := json.Marshal(s.Headers)
	return string(e), string(h), err
}

// ChangeSubscription replaces what a subscription says; its secret and what waits for it stay.
func (a *API) ChangeSubscription(ctx context.Context, s Subscription) (Subscription, error) {
	if err := s.complete(); err != nil {
		return s, err
	}
	events, headers, err := s.lists()
	if err != nil {
		return s, err
	}
	err = a.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := a.subscription(ctx, tx, s.ID); err != nil {
			return err
		}
		tx.OnCommit(a.ring)
		_, err := tx.Exec(ctx, `UPDATE webhook_subscriptions SET description = ?, url = ?, events = ?, filter_type = ?, filter_id = ?, headers = ?, active = ?
			WHERE id = ?`, s.Description, s.URL, events, s.FilterType, s.FilterID, headers, s.Active, s.ID)
		return err
	})
	return s, err
}

// Unsubscribe removes a subscription and what waits for it.
func (a *API) Unsubscribe(ctx context.Context, id string) error {
	return a.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := a.subscription(ctx, tx, id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM webhook_deliveries WHERE subscription_id = ?`, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM webhook_subscriptions WHERE id = ?`, id)
		return err
	})
}

// Enable gives a subscription that was disabled another chance, at once.
func (a *API) Enable(ctx context.Context, id string) (s Subscription, err error) {
	err = a.DB.Write(ctx, func(tx *store.Tx) error {
		if s, err = a.subscription(ctx, tx, id); err != nil {
			return err
		}
		tx.OnCommit(a.ring)
		s.DisabledUntil, s.DisabledFor, s.Active, s.refusals = time.Time{}, "", true, 0
		_, err := tx.Exec(ctx, `UPDATE webhook_subscriptions SET active = 1, refusals = 0, disabled_until = 0, disabled_for = '' WHERE id = ?`, id)
		return err
	})
	return s, err
}

package pagerduty

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

const (
	deliveryLimit  = 5 * time.Second // of one attempt
	giveUpAfter    = 48 * time.Hour  // since the event
	disabledFor    = 24 * time.Hour
	maxRefusals    = 3      // in a row, then the subscription is disabled
	maxWaiting     = 10_000 // deliveries of one subscription: older ones are dropped
	maxOut         = 16     // deliveries on the wire
	maxOutTogether = 4      // of them to one subscription
	keepDeliveries = 30 * 24 * time.Hour
	idleLook       = time.Minute // between looks when nothing is known to be due
)

// Delivery is one event on its way to one subscription.
type Delivery struct {
	Seq          int64     `json:"seq"`
	ID           string    `json:"id" doc:"of the event: the same in every attempt and replay"`
	Subscription string    `json:"subscription"`
	Incident     string    `json:"incident,omitempty"`
	EventType    string    `json:"eventType"`
	Status       string    `json:"status" enum:"pending,delivered,refused,failed,dropped"`
	Attempts     int       `json:"attempts"`
	CreatedAt    time.Time `json:"createdAt"`
	At           time.Time `json:"at" doc:"of the last attempt"`
	NextAt       time.Time `json:"nextAt,omitzero" doc:"of the next attempt"`
	Error        string    `json:"error,omitempty"`
	Body         string    `json:"body"`
}

// decideDelivery says what becomes of a delivery after an attempt that was answered with a status (0: no answer): delivered,
// refused (the receiver does not want it), pending (another attempt after some time), or failed (for good).
func decideDelivery(status, attempts int, age time.Duration) (to string, after time.Duration) {
	switch {
	case status >= 200 && status < 300:
		return "delivered", 0
	case status >= 300 && status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout:
		return "refused", 0
	}
	after = min(time.Hour, 5*time.Second<<min(attempts-1, 10))
	if age+after > giveUpAfter {
		return "failed", 0
	}
	return "pending", after
}

// sign is the value of X-PagerDuty-Signature.
func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

func (a *API) ring() {
	select {
	case a.bell <- struct{}{}:
	default:
	}
}

// Run queues webhooks for what happens to incidents and sends them, until ctx ends.
func (a *API) Run(ctx context.Context) error {
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() {
		_ = a.Timeline.Consume(ctx, "pagerduty/webhooks", timeline.Filter{Kinds: []timeline.Kind{timeline.Incident}}, a.queue)
	})
	var busy busy
	for failures := 0; ctx.Err() == nil; {
		due, wait, err := a.due(ctx, &busy)
		if err != nil && ctx.Err() == nil {
			failures++
			wait = min(time.Second<<min(failures, 5), 30*time.Second)
			a.Logger.ErrorContext(ctx, "webhooks wait: they cannot be read", "error", err, "failures", failures)
		} else {
			failures = 0
		}
		for _, d := range due {
			busy.enter(d)
			work.Go(func() {
				defer a.ring()
				defer busy.leave(d)
				a.deliver(ctx, d)
			})
		}
		if len(due) > 0 {
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-a.bell:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// busy knows what is on the wire: one event of an incident to a subscription at a time, so that they come in order.
type busy struct {
	mu    sync.Mutex
	total int
	lines map[string]bool
	per   map[string]int
}

func line(d outgoing) string { return d.Subscription + "/" + d.Incident }

func (b *busy) enter(d outgoing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lines == nil {
		b.lines, b.per = map[string]bool{}, map[string]int{}
	}
	b.lines[line(d)] = true
	b.per[d.Subscription]++
	b.total++
}

func (b *busy) leave(d outgoing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.lines, line(d))
	if b.per[d.Subscription]--; b.per[d.Subscription] == 0 {
		delete(b.per, d.Subscription)
	}
	b.total--
}

// now is what is on the wire. It is asked before the store is read: what ends after that may be read as if it were still to go.
func (b *busy) now() map[string]bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.lines)
}

// room picks those that may go out now; before is what was on the wire when the store was read.
func (b *busy) room(all []outgoing, before map[string]bool) (picked []outgoing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	per := map[string]int{}
	for _, d := range all {
		if before[line(d)] || b.lines[line(d)] || b.per[d.Subscription]+per[d.Subscription] >= maxOutTogether || b.total+len(picked) >= maxOut {
			continue
		}
		per[d.Subscription]++
		picked = append(picked, d)
	}
	return picked
}

// outgoing is a delivery with where it goes.
type outgoing struct {
	Delivery
	to Subscription
}

// due finds the deliveries whose time has come: of each subscription and incident the oldest.
func (a *API) due(ctx context.Context, busy *busy) (picked []outgoing, wait time.Duration, err error) {
	now := time.Now()
	wait = idleLook
	before := busy.now()
	var all []outgoing
	err = a.DB.Read(ctx, func(tx *store.Tx) error {
		subs, err := list(ctx, tx, a.scanSubscription, `SELECT `+subscriptionColumns+` FROM webhook_subscriptions s WHERE s.active = 1`)
		if err != nil {
			return err
		}
		for _, s := range subs {
			if s.DisabledUntil.After(now) {
				wait = min(wait, s.DisabledUntil.Sub(now))
				continue
			}
			heads, err := list(ctx, tx, scanDelivery, `SELECT `+deliveryColumns+` FROM webhook_deliveries d WHERE d.status = 'pending' AND d.subscription_id = ?
				AND NOT EXISTS (SELECT 1 FROM webhook_deliveries e WHERE e.status = 'pending' AND e.subscription_id = d.subscription_id
				AND e.incident_id = d.incident_id AND e.seq < d.seq) ORDER BY d.next_at, d.seq LIMIT ?`, s.ID, maxOut)
			if err != nil {
				return err
			}
			for _, d := range heads {
				if d.NextAt.After(now) {
					wait = min(wait, d.NextAt.Sub(now))
					continue
				}
				all = append(all, outgoing{d, s})
			}
		}
		return nil
	})
	return busy.room(all, before), max(wait, time.Millisecond), err
}

const deliveryColumns = `d.seq, d.id, d.subscription_id, d.incident_id, d.event_type, d.body, d.status, d.attempts, d.created_at, d.at, d.next_at, d.error`

func scanDelivery(row scanner) (d Delivery, err error) {
	var created, at, next int64
	err = row.Scan(&d.Seq, &d.ID, &d.Subscription, &d.Incident, &d.EventType, &d.Body, &d.Status, &d.Attempts, &created, &at, &next, &d.Error)
	d.CreatedAt, d.At, d.NextAt = store.FromMicros(created), store.FromMicros(at), store.FromMicros(next)
	return d, err
}

// deliver makes one attempt and records how it went.
func (a *API) deliver(ctx context.Context, d outgoing) {
	status, err := a.post(ctx, d)
	if ctx.Err() != nil {
		return // daytwo stops: the attempt does not count
	}
	d.Attempts++
	now := time.Now()
	to, after := decideDelivery(status, d.Attempts, now.Sub(d.CreatedAt))
	text := ""
	if err != nil {
		text = clip(err.Error(), 500)
	}
	err = a.DB.Write(ctx, func(tx *store.Tx) error {
		next := int64(0)
		if to == "pending" {
			next = store.Micros(now.Add(after))
		}
		if _, err := tx.Exec(ctx, `UPDATE webhook_deliveries SET status = ?, attempts = ?, at = ?, next_at = ?, error = ? WHERE seq = ?`,
			to, d.Attempts, now, next, text, d.Seq); err != nil {
			return err
		}
		return a.judge(ctx, tx, d.to, to, text, now)
	})
	if err != nil && ctx.Err() == nil {
		a.Logger.ErrorContext(ctx, "how a webhook went could not be stored; it is sent again", "delivery", d.ID, "error", err)
	}
}

// judge disables a subscription that fails for good.
func (a *API) judge(ctx context.Context, tx *store.Tx, s Subscription, to, why string, now time.Time) error {
	var err error
	switch to {
	case "delivered":
		_, err = tx.Exec(ctx, `UPDATE webhook_subscriptions SET refusals = 0, disabled_for = '', disabled_until = 0 WHERE id = ? AND refusals + disabled_until > 0`, s.ID)
	case "refused":
		_, err = tx.Exec(ctx, `UPDATE webhook_subscriptions SET refusals = refusals + 1,
			disabled_until = CASE WHEN refusals + 1 >= ? THEN ? ELSE disabled_until END,
			disabled_for = CASE WHEN refusals + 1 >= ? THEN ? ELSE disabled_for END WHERE id = ?`,
			maxRefusals, now.Add(disabledFor), maxRefusals, fmt.Sprintf("the receiver refused %d events in a row, at last with: %s", maxRefusals, why), s.ID)
	case "failed":
		_, err = tx.Exec(ctx, `UPDATE webhook_subscriptions SET disabled_until = ?, disabled_for = ? WHERE id = ?`,
			now.Add(disabledFor), "an event could not be delivered for 48 hours, at last: "+why, s.ID)
	}
	return err
}

func (a *API) post(ctx context.Context, d outgoing) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, deliveryLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.to.URL, bytes.NewReader([]byte(d.Body)))
	if err != nil {
		return http.StatusBadRequest, errors.New("the address cannot be used")
	}
	for name, value := range d.to.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "PagerDuty-Webhook/V3.0")
	req.Header.Set("X-PagerDuty-Signature", sign(d.to.secret, []byte(d.Body)))
	req.Header.Set("X-Webhook-Id", d.ID)
	req.Header.Set("X-Webhook-Subscription", d.to.ID)
	res, err := a.Client.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the address, which may hold a secret
		}
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 4<<10)) // politeness
	if res.StatusCode >= 300 {
		return res.StatusCode, fmt.Errorf("answered %s", res.Status)
	}
	return res.StatusCode, nil
}

// queue turns an entry of the timeline into deliveries, in the transaction that moves past the entry.
func (a *API) queue(ctx context.Context, tx *store.Tx, e timeline.Entry) error {
	subs, err := list(ctx, tx, a.scanSubscription, `SELECT `+subscriptionColumns+` FROM webhook_subscriptions s WHERE s.active = 1 AND s.created_at <= ?`, e.Time)
	if err != nil || len(subs) == 0 {
		return err
	}
	kind := eventType(e)
	if kind == "" {
		return nil
	}
	i, err := incident.Load(ctx, tx, e.Data["incident"])
	if err != nil {
		if problem.CodeOf(err) == problem.NotFound {
			return nil
		}
		return err
	}
	body, err := json.Marshal(map[string]any{"event": a.webhookEvent(kind, e, i)})
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	for _, s := range subs {
		if !slices.Contains(s.Events, kind) || !a.selects(s, i.Incident) {
			continue
		}
		if err := a.enqueueDelivery(ctx, tx, s.ID, i.ID, kind, e.ID, string(body)); err != nil {
			return err
		}
	}
	return nil
}

func (a *API) enqueueDelivery(ctx context.Context, tx *store.Tx, subscription, incidentID, kind, id, body string) error {
	now := time.Now()
	_, err := tx.Exec(ctx, `INSERT INTO webhook_deliveries (seq, id, subscription_id, incident_id, event_type, body, status, attempts, created_at, at, next_at, error)
		SELECT COALESCE(MAX(seq), 0) + 1, ?, ?, ?, ?, ?, 'pending', 0, ?, ?, ?, '' FROM webhook_deliveries`,
		id+"-"+subscription, subscription, incidentID, kind, body, now, now, now)
	if err != nil {
		return fmt.Errorf("queue webhook: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE webhook_deliveries SET status = 'dropped', next_at = 0, error = 'too many events waited for this subscription' WHERE seq IN
		(SELECT seq FROM webhook_deliveries WHERE subscription_id = ? AND status = 'pending' ORDER BY seq DESC LIMIT 1000 OFFSET ?)`, subscription, maxWaiting); err != nil {
		return fmt.Errorf("queue webhook: %w", err)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM webhook_deliveries WHERE seq IN (SELECT seq FROM webhook_deliveries WHERE subscription_id = ? AND status <> 'pending'
		AND created_at < ? ORDER BY seq LIMIT 10)`, subscription, now.Add(-keepDeliveries)); err != nil {
		return fmt.Errorf("queue webhook: %w", err)
	}
	tx.OnCommit(a.ring)
	return nil
}

// selects tells whether an incident is one of those a subscription is about.
func (a *API) selects(s Subscription, i incident.Incident) bool {
	switch s.FilterType {
	case "service_reference":
		return a.serviceName(s.FilterID) == i.Service
	case "team_reference":
		service, ok := a.Catalog.Current().Service(i.Service)
		team, err := a.team(s.FilterID)
		return ok && err == nil && service.Team == team.Name
	}
	return true
}

// eventType is what an entry of the timeline is called; empty: nothing that is told.
func eventType(e timeline.Entry) string {
	switch e.Action {
	case "opened":
		return "incident.triggered"
	case "acknowledged", "unacknowledged", "resolved", "reassigned", "reopened", "escalated", "delegated":
		return "incident." + e.Action
	case "merged":
		if e.Data["into"] != "" {
			return "incident.resolved"
		}
	case "note":
		return "incident.annotated"
	case "priority":
		return "incident.priority_updated"
	case "urgency":
		return "incident.urgency_updated"
	case "title":
		return "incident.title_updated"
	case "responders":
		if e.Data["answer"] != "" {
			return "incident.responder.replied"
		}
		return "incident.responder.added"
	case "update":
		return "incident.status_update_published"
	case "conference":
		return "incident.conference_bridge.updated"
	case "role":
		return "incident.role.assigned"
	case "task":
		return "incident.task.updated"
	}
	return ""
}

// webhookEvent is the event as receivers know it.
func (a *API) webhookEvent(kind string, e timeline.Entry, d incident.Detail) map[string]any {
	at := e.Time.UTC().Format(time.RFC3339Nano)
	out := map[string]any{"id": e.ID, "event_type": kind, "resource_type": "incident", "occurred_at": at, "agent": a.agentRef(e.Actor), "client": nil}
	ref := map[string]any{"id": d.ID, "type": "incident_reference", "summary": d.Title, "self": a.self("incidents", d.ID), "html_url": a.page(d.ID)}
	switch kind {
	case "incident.annotated":
		out["data"] = map[string]any{"id": e.ID, "type": "incident_note", "incident": ref, "content": e.Title, "trimmed": false}
	case "incident.status_update_published":
		out["data"] = map[string]any{"id": e.Data["update"], "type": "incident_status_update", "incident": ref, "message": last(d.Board.Updates), "trimmed": false}
	case "incident.responder.added", "incident.responder.replied":
		data := map[string]any{"type": "incident_responder", "incident": ref, "message": "", "state": "pending", "user": nil, "escalation_policy": nil}
		for _, r := range d.Board.Responders {
			if slices.Contains(splitList(e.Data["people"]), r.Person) {
				data["user"], data["message"], data["state"] = a.userRef(r.Person), r.Message, r.State
			}
		}
		out["data"] = data
	default:
		data := map[string]any{"id": d.ID, "type": "incident", "self": a.self("incidents", d.ID), "html_url": a.page(d.ID), "number": d.Number,
			"status": statusAt(e, d), "incident_key": a.incidentKey(d), "created_at": rfc(d.OpenedAt), "title": d.Title, "service": a.serviceRef(d.Service),
			"assignees": a.userRefs(d.Board.Assigned), "escalation_policy": a.policyRef(d.Policy), "teams": a.teamRefs(d.Service), "priority": a.priorityRef(d.Priority),
			"urgency": d.Urgency, "conference_bridge": bridge(d.Board.Conference), "resolve_reason": a.resolveReason(d.MergedInto), "incident_type": map[string]string{"name": "incident_default"}}
		if role := e.Data["role"]; role != "" {
			data["role"] = map[string]any{"name": role, "user": a.userRef(e.Data["person"])}
		}
		out["data"] = data
	}
	return out
}

// statusAt is the status an incident had when an entry was written.
func statusAt(e timeline.Entry, d incident.Detail) string {
	switch e.Action {
	case "opened", "unacknowledged", "reassigned", "delegated", "reopened":
		return "triggered"
	case "acknowledged", "resolved":
		return e.Action
	}
	return string(d.Status)
}

func last(list []incident.Update) string {
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1].Text
}

// Ping queues an event that says nothing, so that a receiver can be tried.
func (a *API) Ping(ctx context.Context, id string) error {
	return a.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := a.subscription(ctx, tx, id); err != nil {
			return err
		}
		ping := event.NewID()
		body, err := json.Marshal(map[string]any{"event": map[string]any{"id": ping, "event_type": "pagey.ping", "resource_type": "pagey",
			"occurred_at": rfc(time.Now()), "agent": nil, "client": nil, "data": map[string]any{"message": "Hello from daytwo!", "type": "ping"}}})
		if err != nil {
			return err
		}
		return a.enqueueDelivery(ctx, tx, id, "", "pagey.ping", ping, string(body))
	})
}

// Deliveries lists what went, or is to go, to a subscription, newest first.
func (a *API) Deliveries(ctx context.Context, subscription, status string, before int64, limit int) (items []Delivery, err error) {
	where, args := `d.subscription_id = ?`, []any{subscription}
	if status != "" {
		where, args = where+` AND d.status = ?`, append(args, status)
	}
	if before > 0 {
		where, args = where+` AND d.seq < ?`, append(args, before)
	}
	err = a.DB.Read(ctx, func(tx *store.Tx) error {
		if _, err := a.subscription(ctx, tx, subscription); err != nil {
			return err
		}
		items, err = list(ctx, tx, scanDelivery, `SELECT `+deliveryColumns+` FROM webhook_deliveries d WHERE `+where+` ORDER BY d.seq DESC LIMIT ?`, append(args, limit)...)
		return err
	})
	return items, err
}

// Replay sends a delivery again, under the same event id. One that waits goes out at once.
func (a *API) Replay(ctx context.Context, id string) (d Delivery, err error) {
	err = a.DB.Write(ctx, func(tx *store.Tx) error {
		found, err := list(ctx, tx, scanDelivery, `SELECT `+deliveryColumns+` FROM webhook_deliveries d WHERE d.id = ?`, clip(id, 100))
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return problem.New(problem.NotFound, "there is no webhook delivery %q", clip(id, 100))
		}
		now := time.Now().UTC().Truncate(time.Microsecond)
		d = found[0]
		d.Status, d.NextAt, d.Attempts, d.Error = "pending", now, 0, ""
		d.CreatedAt = now // its 48 hours begin anew
		tx.OnCommit(a.ring)
		_, err = tx.Exec(ctx, `UPDATE webhook_deliveries SET status = 'pending', next_at = ?, attempts = 0, error = '', created_at = ? WHERE seq = ?`, now, now, d.Seq)
		return err
	})
	return d, err
}

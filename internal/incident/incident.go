// Package incident turns alerts into incidents and incidents into pages, until somebody acknowledges.
//
// What it promises:
//
//   - A committed trigger leads to an attempt to reach somebody, or to a visible "nobody reachable", also across kill -9.
//   - Nothing is sent for an incident that was acknowledged or resolved; what is under way then is broken off, unless it tells of others.
//   - A page that could not be sent is tried until somebody takes the incident, also by way of the next channel and the next person; when
//     nobody could be reached, the escalation starts over again and again.
//   - A page that may have been lost in a crash is sent again under the same id, so that a receiver can drop the duplicate.
//   - Pages to somebody who was told of something as bad a moment ago go out together, in one message; a first page never waits.
//   - A service has at most one open incident; further alerts of it join. Alerts without a service are grouped by rule and place.
//
// Decisions (does this alert join, when is whom to be paged, try again or give up) are pure functions in decide.go and
// escalation.go; the reasons they give are shown in the incident's log.
package incident

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// Status is where an incident stands.
type Status string

const (
	Triggered    Status = "triggered"    // nobody has taken it: people are paged
	Acknowledged Status = "acknowledged" // somebody works on it: nobody is paged
	Resolved     Status = "resolved"     // over
)

// Severities, worst first.
const (
	Critical = "critical"
	Warning  = "warning"
	Info     = "info"
)

// Incident is what people handle.
type Incident struct {
	ID             string     `json:"id"`
	Number         int64      `json:"number" doc:"for people to say; every route takes it in place of the id"`
	Title          string     `json:"title"`
	Service        string     `json:"service"`
	Group          string     `json:"group,omitempty" doc:"what its alerts share where they name no service: alertname and, if present, cluster, namespace, job"`
	Status         Status     `json:"status" enum:"triggered,acknowledged,resolved"`
	Severity       string     `json:"severity" enum:"critical,warning,info" doc:"the worst of its alerts so far"`
	OpenedAt       time.Time  `json:"openedAt"`
	OpenedBy       string     `json:"openedBy,omitempty" doc:"who opened it by hand; absent: an alert did"`
	AcknowledgedAt *time.Time `json:"acknowledgedAt,omitempty"`
	AcknowledgedBy string     `json:"acknowledgedBy,omitempty"`
	ResolvedAt     *time.Time `json:"resolvedAt,omitempty"`
	ResolvedBy     string     `json:"resolvedBy,omitempty" doc:"daytwo when its alerts stopped firing"`
	Policy         string     `json:"policy,omitempty" doc:"the escalation policy, as it was when the incident opened"`
	Unreached      string     `json:"unreached,omitempty" doc:"why nobody could be reached; absent while somebody was, or still may be, and once somebody took it"`
	NextStep       *NextStep  `json:"nextStep,omitempty" doc:"what happens if nobody acknowledges; absent once somebody did"`
	Urgency        string     `json:"urgency" enum:"high,low" doc:"which notification rules of people apply"`
	Priority       string     `json:"priority,omitempty"`
	SnoozedUntil   *time.Time `json:"snoozedUntil,omitempty" doc:"until when it counts as acknowledged; then it pages again"`
	MergedInto     string     `json:"mergedInto,omitempty" doc:"the incident that took over its alerts"`
	UpdatedAt      time.Time  `json:"updatedAt"`
	Board          Board      `json:"board" doc:"what people arranged around it"`

	escalation Escalation
	groupKey   string
	cycle      int
	step       int
	nextAt     time.Time
	resolveAt  time.Time
}

// NextStep is what the pager will do.
type NextStep struct {
	At   *time.Time `json:"at,omitempty" doc:"absent: never, nobody is left to page"`
	What string     `json:"what"`
}

// Open tells whether the incident still needs somebody.
func (i Incident) Open() bool { return i.Status != Resolved }

// Detail is an incident with everything that belongs to it.
type Detail struct {
	Incident
	Alerts     []JoinedAlert `json:"alerts" doc:"oldest first; of many, those that fire come before those that do not"`
	MoreAlerts int           `json:"moreAlerts,omitempty" doc:"how many are left out"`
	Pages      []Page        `json:"pages" doc:"oldest first"`
	Log        []LogEntry    `json:"log" doc:"oldest first"`
	EarlierLog int           `json:"earlierLog,omitempty" doc:"how many lines before these are left out"`
}

// JoinedAlert is one alert of an incident.
type JoinedAlert struct {
	ID     string    `json:"id"`
	Title  string    `json:"title"`
	Status string    `json:"status" enum:"firing,resolved"`
	At     time.Time `json:"at" doc:"since when"`
}

// Page is one need to reach one person at one address.
type Page struct {
	ID       string     `json:"id" doc:"the same in every attempt: the Message-ID, and the X-Daytwo-Delivery header"`
	Person   string     `json:"person"`
	Channel  string     `json:"channel" doc:"email, webhook, sms, voice, push, slack, teams, discord, telegram or ntfy"`
	Address  string     `json:"address" doc:"masked: numbers and e-mail addresses in part, a webhook without its path"`
	Level    int        `json:"level" doc:"of the policy; 0: the last resort"`
	Status   string     `json:"status" enum:"due,sending,retry,sent,delivered,exhausted,canceled" doc:"sent: the channel took it; delivered: the provider says that it arrived; exhausted: nothing waits for it any more"`
	Attempts int        `json:"attempts"`
	At       time.Time  `json:"at" doc:"since when it has this status"`
	NextAt   *time.Time `json:"nextAt,omitempty" doc:"when it is tried again although it is exhausted; sooner if its channel works sooner; absent: it is not"`
	Error    string     `json:"error,omitempty" doc:"of the last attempt"`
	Kind     string     `json:"kind,omitempty" enum:"responder,update" doc:"absent: the escalation pages"`
	Together int        `json:"together,omitempty" doc:"how many pages its message carried; absent: it went alone"`
}

// LogEntry is one line of what happened to an incident and why.
type LogEntry struct {
	Time   time.Time `json:"time"`
	Action string    `json:"action" doc:"opened, joined, refired, cleared, escalated, skipped, paged, delivered, failed, unanswered, unreachable, acknowledged, unacknowledged, snoozed, reassigned, retried, responders, role, task, update, conference, priority, merged, reopened, resolved, note"`
	Actor  string    `json:"actor,omitempty"`
	Text   string    `json:"text"`
}

// self is the actor of what nobody did by hand.
const self = "daytwo"

// Sender carries a message to an address; notify.Permanent reads its errors.
type Sender interface {
	Send(ctx context.Context, to notify.Address, m notify.Message) error
}

// Config is what New needs.
type Config struct {
	DB         *store.DB
	Timeline   *timeline.Timeline
	Catalog    *catalog.Live
	Sender     Sender
	PublicURL  string           // of daytwo, for the links in messages
	Now        func() time.Time // nil: time.Now
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil keeps the metrics unregistered
	// HeartbeatURL is fetched every minute as long as the auditor finds nothing; empty: none.
	HeartbeatURL string
	// StrictSeverity refuses events with a severity that is not known, rather than taking them for errors.
	StrictSeverity bool
	EventsPerKey   int           // events a minute that one key may send; 0: no limit
	AuditEvery     time.Duration // between looks of the auditor; 0: 15 s
}

// Incidents opens, joins, pages, acknowledges and resolves.
type Incidents struct {
	db       *store.DB
	timeline *timeline.Timeline
	catalog  *catalog.Live
	sender   Sender
	url      string
	now      func() time.Time
	log      *slog.Logger
	metrics  *metrics
	wake     chan struct{} // something may be due; room for one
	underway underway
	working  working
	inbox    inbox
	rules    ruleBook
	auditor  auditor
	watch    watch
	beat     string        // URL that hears of the auditor's success; empty: none
	budget   time.Duration // takeBudget, but for tests that must not depend on how fast a machine is
}

//go:embed migrations/*.sql
var migrations embed.FS

// New brings the tables up to date. Nobody is paged until Run.
func New(ctx context.Context, c Config) (*Incidents, error) {
	if c.DB == nil || c.Timeline == nil || c.Catalog == nil || c.Sender == nil || c.Logger == nil {
		return nil, errors.New("incident: Config needs DB, Timeline, Catalog, Sender and Logger")
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("incident: %w", err)
	}
	if err := c.DB.Migrate(ctx, "incident", files); err != nil {
		return nil, err
	}
	s := &Incidents{
		db: c.DB, timeline: c.Timeline, catalog: c.Catalog, sender: c.Sender,
		url: strings.TrimSuffix(c.PublicURL, "/"), now: c.Now, log: c.Logger, wake: make(chan struct{}, 1), budget: takeBudget,
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.beat, s.auditor.every = c.HeartbeatURL, cmp.Or(c.AuditEvery, auditEvery)
	s.inbox.strict, s.inbox.perKey = c.StrictSeverity, c.EventsPerKey
	if s.metrics, err = newMetrics(c.Registerer); err != nil {
		return nil, err
	}
	return s, s.loadRules(ctx)
}

// link is the page of an incident for people.
func (s *Incidents) link(id string) string { return s.url + "/incidents/" + id }

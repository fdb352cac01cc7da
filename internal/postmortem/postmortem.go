// Package postmortem keeps what was learned from incidents. Each resolved incident gets a stub once: the facts, who was
// involved, and the stretch of the timeline around it, taken down at that moment, so that what people write beside them stays
// true when retention has swept the rest. People fill in the text; whoever saves on top of another's version is told.
package postmortem

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// Status tells a draft from what everybody should read.
type Status string

const (
	Draft     Status = "draft"
	Published Status = "published"
)

// Postmortem is what was learned from one incident.
type Postmortem struct {
	ID string `json:"id"`
	Facts
	Written
	Version   int64     `json:"version" doc:"send it back as If-Match with a change"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// Detail is a postmortem with its stretch of the timeline.
type Detail struct {
	Postmortem
	Timeline []timeline.Entry `json:"timeline" doc:"of the services involved, from 30 minutes before to the resolution; oldest first"`
}

// Facts are what daytwo knows of the incident. They do not change.
type Facts struct {
	IncidentID     string     `json:"incidentId"`
	Number         int64      `json:"number" doc:"of the incident"`
	Service        string     `json:"service"`
	Services       []string   `json:"services" doc:"involved, the service of the incident first"`
	Severity       string     `json:"severity"`
	OpenedAt       time.Time  `json:"openedAt"`
	AcknowledgedAt *time.Time `json:"acknowledgedAt,omitempty"`
	AcknowledgedBy string     `json:"acknowledgedBy,omitempty"`
	ResolvedAt     time.Time  `json:"resolvedAt"`
	ResolvedBy     string     `json:"resolvedBy,omitempty"`
	People         []string   `json:"people" doc:"who was paged, acted or wrote a note"`
}

// Written is what people write, Markdown throughout. The stub prefills it.
type Written struct {
	Title     string   `json:"title" minLength:"1" maxLength:"500"`
	Status    Status   `json:"status" enum:"draft,published"`
	Summary   string   `json:"summary" maxLength:"65536"`
	Impact    string   `json:"impact" maxLength:"65536"`
	RootCause string   `json:"rootCause" maxLength:"65536"`
	Lessons   string   `json:"lessons" maxLength:"65536"`
	Actions   []Action `json:"actions" maxItems:"100"`
}

// Action is something to do so that it does not happen again.
type Action struct {
	Text  string `json:"text" minLength:"1" maxLength:"1000"`
	Owner string `json:"owner,omitempty" maxLength:"100"`
	Done  bool   `json:"done" required:"false"`
}

// Config is what New needs.
type Config struct {
	DB       *store.DB
	Timeline *timeline.Timeline
	Now      func() time.Time // nil: time.Now
	Logger   *slog.Logger
}

// Postmortems drafts, keeps and exports.
type Postmortems struct {
	db       *store.DB
	timeline *timeline.Timeline
	now      func() time.Time
	log      *slog.Logger
}

//go:embed migrations/*.sql
var migrations embed.FS

// New brings the tables up to date.
func New(ctx context.Context, c Config) (*Postmortems, error) {
	if c.DB == nil || c.Timeline == nil || c.Logger == nil {
		return nil, errors.New("postmortem: Config needs DB, Timeline and Logger")
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("postmortem: %w", err)
	}
	if err := c.DB.Migrate(ctx, "postmortem", files); err != nil {
		return nil, err
	}
	p := &Postmortems{db: c.DB, timeline: c.Timeline, now: c.Now, log: c.Logger}
	if p.now == nil {
		p.now = time.Now
	}
	return p, nil
}

// clock is the time as the store keeps it.
func (p *Postmortems) clock() time.Time { return p.now().UTC().Truncate(time.Microsecond) }

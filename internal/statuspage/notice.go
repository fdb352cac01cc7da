package statuspage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// Notice is a trouble that people tell the public of, in their own words. It pages nobody. One that tells of an incident stands in
// place of what the page would say of it by itself.
type Notice struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Impact   string     `json:"impact" enum:"none,minor,major,critical" doc:"while it lasts: minor shows its components degraded, major as a partial outage, critical as a major one"`
	Services []string   `json:"services" doc:"whose components it touches"`
	Incident string     `json:"incident,omitempty" doc:"the id of the incident it tells of"`
	State    string     `json:"state" enum:"investigating,identified,monitoring,resolved" doc:"of its newest update"`
	Start    time.Time  `json:"start"`
	End      *time.Time `json:"end,omitempty" doc:"absent: it lasts"`
	Updates  []Update   `json:"updates" doc:"the oldest first"`
	Version  string     `json:"version,omitempty" doc:"of its name, impact and services: give it as If-Match to replace just these"`
}

// version is that of what can be amended; an update of how things stand is no other version.
func (n Notice) version() (string, error) {
	data, err := json.Marshal(noticeBody{n.Name, n.Impact, n.Services})
	return catalog.VersionOf(data), err
}

// Update is one thing told the public.
type Update struct {
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
	State string    `json:"state,omitempty" enum:"investigating,identified,monitoring,resolved"`
	Text  string    `json:"text"`
	By    string    `json:"by,omitempty" doc:"for people who have signed in alone"`
}

// The states of a notice.
const (
	investigating = "investigating"
	identified    = "identified"
	monitoring    = "monitoring"
	resolved      = "resolved"
)

var (
	noticeStates = []string{investigating, identified, monitoring, resolved}
	impacts      = []string{"none", "minor", "major", "critical"}
)

// Limits of notices.
const (
	maxNotices       = 200 // of those that last
	maxNoticeUpdates = 500
	maxNoticeText    = 5000 // bytes of one update
	maxNoticeName    = 200
	maxListed        = 1000
)

// check says what is wrong with a notice by itself; known are the services that the page shows.
func (n Notice) check(known []string) error {
	refuse := func(field, mend, format string, args ...any) error {
		return problem.New(problem.Invalid, format, args...).WithField(field).WithMend("%s", mend)
	}
	switch {
	case n.Name == "" || len(n.Name) > maxNoticeName:
		return refuse("name", "say in one line what customers notice", "the name is empty, or longer than %d letters", maxNoticeName)
	case !slices.Contains(impacts, n.Impact):
		return refuse("impact", "use none, minor, major or critical", "%q is not an impact", n.Impact)
	case len(n.Services) == 0:
		return refuse("services", "name a service that the status page shows", "it touches no component")
	}
	for i, s := range n.Services {
		if !slices.Contains(known, s) {
			return refuse(fmt.Sprintf("services[%d]", i), "name one that the status page shows, or add it there", "the status page does not show %q", s)
		}
	}
	return nil
}

// say adds an update.
func (n *Notice) say(state, text, by string, now time.Time) error {
	text = strings.TrimSpace(text)
	switch {
	case !slices.Contains(noticeStates, state):
		return problem.New(problem.Invalid, "%q is not a state", state).WithField("state").WithMend("use investigating, identified, monitoring or resolved")
	case text == "" || len(text) > maxNoticeText:
		return problem.New(problem.Invalid, "the text is empty, or longer than %d letters", maxNoticeText).WithField("text").WithMend("say how things stand")
	case len(n.Updates) >= maxNoticeUpdates:
		return problem.New(problem.Exhausted, "it has %d updates already", len(n.Updates)).WithMend("resolve it, and publish another")
	}
	n.Updates = append(n.Updates, Update{ID: event.NewID(), At: now, State: state, Text: text, By: by})
	n.State, n.End = state, nil
	if state == resolved {
		n.End = &now
	}
	return nil
}

// Publish tells the public of a trouble.
func (p *Page) Publish(ctx context.Context, n Notice, text, by string) (Notice, error) {
	now := p.clock()
	n.ID, n.Start, n.Name, n.Updates = event.NewID(), now, strings.TrimSpace(n.Name), nil
	if err := n.check(p.shown()); err != nil {
		return n, err
	}
	var err error
	if n.Version, err = n.version(); err != nil {
		return n, err
	}
	if err := n.say(n.State, text, by, now); err != nil {
		return n, err
	}
	return n, p.write(ctx, func(tx *store.Tx) error {
		var open int
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM status_notices WHERE resolved_at = 0`).Scan(&open); err != nil {
			return fmt.Errorf("count notices: %w", err)
		}
		if open >= maxNotices {
			return problem.New(problem.Exhausted, "%d notices last already", open).WithMend("resolve some")
		}
		return put(ctx, tx, n)
	})
}

// Tell adds an update to a notice; the state resolved ends it, any other lets it last again.
func (p *Page) Tell(ctx context.Context, id, state, text, by string) (Notice, error) {
	return p.change(ctx, id, func(n *Notice) error { return n.say(state, text, by, p.clock()) })
}

// Amend changes the name, impact and services of a notice; seen is the version that was looked at, nil for whichever there is.
func (p *Page) Amend(ctx context.Context, id string, seen *catalog.Saved, name, impact string, services []string) (Notice, error) {
	return p.change(ctx, id, func(n *Notice) error {
		if seen != nil && seen.Version != n.Version {
			return problem.New(problem.Conflict, "the notice was changed after you had looked at it: it is %q, %s, now", n.Name, n.Impact).
				WithField("If-Match").WithMend("look at it as it is now, and change that; without If-Match yours takes its place")
		}
		n.Name, n.Impact, n.Services = strings.TrimSpace(name), impact, services
		return n.check(p.shown())
	})
}

// Withdraw takes a notice off the page, as if it had never been there.
func (p *Page) Withdraw(ctx context.Context, id string) error {
	return p.write(ctx, func(tx *store.Tx) error {
		if _, err := find(ctx, tx, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM status_notices WHERE id = ?`, id)
		return err
	})
}

// Notices are those that last, and those that ended since, the newest first.
func (p *Page) Notices(ctx context.Context, since time.Time) (list []Notice, err error) {
	err = p.cfg.DB.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT notice FROM status_notices WHERE resolved_at = 0 OR resolved_at >= ? ORDER BY started_at DESC LIMIT ?`, since, maxListed)
		if err != nil {
			return fmt.Errorf("read notices: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			n, err := scan(rows)
			if err != nil {
				return err
			}
			list = append(list, n)
		}
		return rows.Err()
	})
	return list, err
}

func (p *Page) change(ctx context.Context, id string, do func(*Notice) error) (n Notice, err error) {
	err = p.write(ctx, func(tx *store.Tx) error {
		if n, err = find(ctx, tx, id); err != nil {
			return err
		}
		if err := do(&n); err != nil {
			return err
		}
		if n.Version, err = n.version(); err != nil {
			return err
		}
		return put(ctx, tx, n)
	})
	return n, err
}

// write changes something, and what the public sees at once.
func (p *Page) write(ctx context.Context, do func(*store.Tx) error) error {
	if err := p.cfg.DB.Write(ctx, do); err != nil {
		return err
	}
	if err := p.Refresh(ctx); err != nil {
		p.cfg.Logger.WarnContext(ctx, "the status page shows the change a little later", "error", err)
	}
	return nil
}

// shown are the services that the page shows.
func (p *Page) shown() (names []string) {
	for _, c := range p.cfg.Catalog.Current().StatusPage.Components {
		names = append(names, c.Service)
	}
	return names
}

func (p *Page) clock() time.Time { return p.cfg.Now().UTC().Truncate(time.Microsecond) }

type scanner interface{ Scan(to ...any) error }

func scan(row scanner) (n Notice, err error) {
	var raw string
	if err := row.Scan(&raw); err != nil {
		return n, err
	}
	if err := json.Unmarshal([]byte(raw), &n); err != nil {
		return n, fmt.Errorf("read notice: %w", err)
	}
	n.Version, err = n.version()
	return n, err
}

func find(ctx context.Context, tx *store.Tx, id string) (Notice, error) {
	n, err := scan(tx.QueryRow(ctx, `SELECT notice FROM status_notices WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return n, problem.New(problem.NotFound, "there is no notice %q", id).WithMend("see GET /api/status-notices")
	}
	return n, err
}

func put(ctx context.Context, tx *store.Tx, n Notice) error {
	raw, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("store notice: %w", err)
	}
	var ended time.Time
	if n.End != nil {
		ended = *n.End
	}
	_, err = tx.Exec(ctx, `INSERT INTO status_notices (id, incident_id, started_at, resolved_at, notice) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET resolved_at = excluded.resolved_at, notice = excluded.notice`, n.ID, n.Incident, n.Start, ended, string(raw))
	if err != nil {
		return fmt.Errorf("store notice: %w", err)
	}
	return nil
}

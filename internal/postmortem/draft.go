package postmortem

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

const (
	before     = 30 * time.Minute // of the opening: causes lie there
	after      = time.Second      // of the resolution: its own entry is written a moment later
	maxEntries = 1000             // of the timeline; of more, the newest are kept
)

// Incident is what Draft needs to know.
type Incident struct {
	Facts
	Title string
}

// Draft writes the stub of an incident that was resolved, inside tx. An incident has one postmortem: doing it again returns the
// one that is there, as it is by now.
func (p *Postmortems) Draft(ctx context.Context, tx *store.Tx, i Incident) (Detail, error) {
	if i.IncidentID == "" || i.OpenedAt.IsZero() || i.ResolvedAt.IsZero() {
		return Detail{}, problem.New(problem.Invalid, "a postmortem needs an incident that was opened and resolved")
	}
	existing, err := find(ctx, tx, `incident_id = ?`, i.IncidentID)
	if err != nil || existing != nil {
		return deref(existing), err
	}
	i.Services = unique(append([]string{i.Service}, i.Services...))
	entries, err := p.entries(ctx, i)
	if err != nil {
		return Detail{}, err
	}
	now := p.clock()
	d := Detail{Timeline: entries, Postmortem: Postmortem{ID: event.NewID(), Facts: i.Facts, Version: 1, CreatedAt: now, UpdatedAt: now}}
	d.People = unique(append(i.People, involved(entries)...))
	d.Written = stub(d.Facts, store.Text(oneLine(i.Title)), entries)
	if err := insert(ctx, tx, d); err != nil {
		return Detail{}, err
	}
	return d, p.tell(ctx, tx, d.Postmortem, "drafted", "daytwo")
}

// entries are the timeline of the services around the incident, and everything that belongs to the incident itself.
func (p *Postmortems) entries(ctx context.Context, i Incident) ([]timeline.Entry, error) {
	f := timeline.Filter{Services: i.Services, Limit: 500,
		Range: event.Range{From: i.OpenedAt.Add(-before), To: i.ResolvedAt.Add(after)}}
	list := []timeline.Entry{}
	for len(list) < maxEntries {
		page, next, err := p.timeline.List(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("draft postmortem: %w", err)
		}
		if list = append(list, page...); next == "" {
			break
		}
		f.Cursor = next
	}
	slices.Reverse(list)
	return list, nil
}

// involved are the people who did something on the timeline. Actors that are not people carry a kind: token:…, system:….
func involved(entries []timeline.Entry) (people []string) {
	for _, e := range entries {
		if e.Actor != "" && e.Actor != "daytwo" && !strings.Contains(e.Actor, ":") {
			people = append(people, e.Actor)
		}
		if person := e.Data["person"]; e.Kind == timeline.Page && person != "" {
			people = append(people, person)
		}
	}
	return people
}

// stub writes what the facts alone say, and what is left to be written.
func stub(f Facts, title string, entries []timeline.Entry) Written {
	return Written{
		Title: headline(title), Status: Draft, Actions: []Action{},
		Summary:   summary(f, title),
		Impact:    fmt.Sprintf("%s was affected for %s. Who noticed, and what could they not do?", f.Service, span(f.OpenedAt, f.ResolvedAt)),
		RootCause: changes(f, entries),
	}
}

// headline is as much of the title of an incident as that of a postmortem may have: what was drafted can be saved.
func headline(title string) string {
	if len(title) > maxTitle {
		title = strings.ToValidUTF8(title[:maxTitle-len("…")], "") + "…"
	}
	return title
}

func summary(f Facts, title string) string {
	s := fmt.Sprintf("Incident #%d of %s (%s): %s. It opened at %s", f.Number, f.Service, f.Severity, strings.TrimSuffix(title, "."), stamp(f.OpenedAt))
	if f.AcknowledgedAt != nil {
		s += fmt.Sprintf(", was acknowledged by %s after %s", f.AcknowledgedBy, span(f.OpenedAt, *f.AcknowledgedAt))
	} else {
		s += ", was never acknowledged"
	}
	s += fmt.Sprintf(", and was resolved after %s", span(f.OpenedAt, f.ResolvedAt))
	if f.ResolvedBy != "" {
		s += " by " + f.ResolvedBy
	}
	return s + "."
}

// changes lists what was changed before the incident: where to look, not what it was.
func changes(f Facts, entries []timeline.Entry) string {
	var b strings.Builder
	for _, e := range entries {
		if e.Kind == timeline.Change && e.Time.Before(f.OpenedAt) {
			fmt.Fprintf(&b, "- %s %s\n", stamp(e.Time), literal(e.Title))
		}
	}
	if b.Len() == 0 {
		return "No change is known in the 30 minutes before."
	}
	return "Changes in the 30 minutes before:\n\n" + b.String()
}

// tell puts an entry about the postmortem on the timeline.
func (p *Postmortems) tell(ctx context.Context, tx *store.Tx, m Postmortem, action, actor string) error {
	return p.timeline.Append(ctx, tx, &timeline.Entry{
		Kind: timeline.Postmortem, Action: action, Time: p.clock(), Service: m.Service, Actor: actor, Ref: "postmortem/" + m.ID,
		Title: fmt.Sprintf("Postmortem of #%d %s: %s", m.Number, action, m.Title),
		Data:  map[string]string{"incident": m.IncidentID, "postmortem": m.ID},
	})
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func span(from, to time.Time) string {
	return event.FormatDuration(to.Sub(from).Round(time.Second))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// unique keeps the first of each, and nothing empty.
func unique(list []string) []string {
	out := []string{}
	for _, s := range list {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

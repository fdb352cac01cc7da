package incident

import (
	"context"
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// maxListed is how many incidents a message of several pages names; it says how many more there are.
const maxListed = 20

// composeBundle writes the message of several pages: what each is about, worst first, and where they all are.
func (s *Incidents) composeBundle(a attempt, list []Incident) notify.Message {
	worst := list[0]
	p := Payload{Event: "incident.page", Changes: []PayloadChange{},
		Page:     PayloadPage{ID: a.message(), Attempt: a.Attempts, Person: a.Person, Level: a.Level, Policy: worst.Policy, Number: 1},
		Incident: s.payloadIncident(worst)}
	var text, items strings.Builder
	for _, i := range list[:min(len(list), maxListed)] {
		p.Incidents = append(p.Incidents, s.payloadIncident(i))
		line := fmt.Sprintf("#%d [%s] %s", i.Number, i.Severity, i.titled())
		fmt.Fprintf(&text, "%s\n  %s\n", line, s.link(i.ID))
		fmt.Fprintf(&items, "<li><a href=\"%s\">%s</a></li>\n", html.EscapeString(s.link(i.ID)), html.EscapeString(line))
	}
	if more := len(list) - maxListed; more > 0 {
		fmt.Fprintf(&text, "and %d more\n", more)
		fmt.Fprintf(&items, "<li>and %d more</li>\n", more)
	}
	subject := fmt.Sprintf("[%s] %d incidents: %s and more (#%s)", worst.Severity, len(list), worst.titled(), numbered(list))
	all, why := s.url+"/incidents", "They came so close together that one message tells of all of them."
	p.Text = subject + " " + all
	return notify.Message{ID: p.Page.ID, Thread: p.Page.ID, Subject: subject, URL: all, Data: p, Number: worst.Number, Together: len(list),
		Quiet: !slices.ContainsFunc(list, func(i Incident) bool { return !i.quiet("") }),
		Text:  text.String() + "\nAll that is open:\n  " + all + "\n\n" + why + "\n",
		HTML: `<!doctype html><html><body style="font-family:system-ui,sans-serif;font-size:16px;line-height:1.5;max-width:36em"><h1 style="font-size:20px">` +
			html.EscapeString(subject) + "</h1>\n<ul>\n" + items.String() + "</ul>\n<p><a href=\"" + html.EscapeString(all) + `">All that is open</a></p><p style="color:#666;font-size:13px">` +
			why + "</p></body></html>\n"}
}

// titled is the title of an incident after its service, as much of it as fits a line.
func (i Incident) titled() string {
	title := clip(i.Title, shownTitle)
	if i.Service == "" {
		return title
	}
	return i.Service + ": " + title
}

// numbered names some incidents by number.
func numbered(list []Incident) string {
	const few = 5
	names := []string{}
	for _, i := range list[:min(len(list), few)] {
		names = append(names, fmt.Sprint(i.Number))
	}
	if len(list) > few {
		names = append(names, "…")
	}
	return strings.Join(names, ", #")
}

// sorted are the incidents of a message, each once, the worst first.
func (a attempt) sorted(wanted map[string]Incident) (list []Incident) {
	pages := a.all()
	slices.SortStableFunc(pages, func(a, b attempt) int { return a.rank - b.rank })
	for _, p := range pages {
		i, ok := wanted[p.ID]
		if ok && !slices.ContainsFunc(list, func(other Incident) bool { return other.ID == i.ID }) {
			list = append(list, i)
		}
	}
	return list
}

// InMessage are the incidents that a message to a person told of, by its id, the newest first.
func (s *Incidents) InMessage(ctx context.Context, message, person string) ([]Incident, error) {
	return s.pagedTo(ctx, `p.person = ? AND (p.bundle = ? OR p.id = ?)`, person, message, message)
}

// PagedTo are the open incidents that a person was paged for, the newest first.
func (s *Incidents) PagedTo(ctx context.Context, person string) ([]Incident, error) {
	return s.pagedTo(ctx, `p.person = ? AND p.attempts > 0 AND i.status <> 'resolved'`, person)
}

func (s *Incidents) pagedTo(ctx context.Context, where string, args ...any) (list []Incident, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		list, err = query(ctx, tx, func(row scanner) (Incident, error) { return scanIncident(row) }, `SELECT `+incidentColumns+` FROM incidents i
			WHERE i.id IN (SELECT p.incident_id FROM pages p JOIN incidents i ON i.id = p.incident_id WHERE `+where+`) ORDER BY i.number DESC LIMIT 1000`, args...)
		return err
	})
	if err == nil && len(list) == 0 {
		err = problem.New(problem.NotFound, "no open incident pages you")
	}
	return list, err
}

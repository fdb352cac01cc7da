package incident_test

import (
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// A title may have 1024 characters: the letter has all of them, and what has a limit keeps what follows the title.
func TestLongTitles(t *testing.T) {
	b := newBench(t, tables.New(t), shop)
	stop := b.run(t)
	title := strings.TrimSpace(strings.Repeat("word ", 204))
	i := b.triggerAs(t, incident.Trigger{AlertID: "a1", Service: "checkout", Title: title, Severity: "critical"})
	eventually(t, "paged", func() bool { return len(b.sender.all()) > 0 })
	stop()
	m := b.sender.all()[0].message
	if !strings.HasSuffix(m.Subject, "… (#1)") || len(m.Subject) > 300 || !strings.Contains(m.Text, title) {
		t.Errorf("subject %q", m.Subject)
	}
	again := title + "!"
	if d, err := b.Edit(t.Context(), i.ID, "ada", incident.Edit{Title: &again}); err != nil || d.Title != again {
		t.Errorf("edited: %v %q", err, d.Title)
	}
	if _, err := b.SaveRule(t.Context(), incident.Rule{Name: "quiet", When: `true`, Suppress: "staging", For: catalog.Duration(time.Hour)}, nil, "ada"); err != nil {
		t.Fatal(err)
	}
	b.triggerAs(t, incident.Trigger{AlertID: "a2", Service: "payments", Title: title, Severity: "critical"})
	b.cleared(t, "a2")
	entries, _, err := b.timeline.List(t.Context(), timeline.Filter{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		switch e.Action {
		case "suppressed":
			if !strings.Contains(e.Title, "pages nobody: staging, until ") {
				t.Errorf("timeline: %q", e.Title)
			}
		case "closed":
			if !strings.HasSuffix(e.Title, "it was suppressed (staging)") {
				t.Errorf("timeline: %q", e.Title)
			}
		}
	}
}

package incident_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// What names a service would be lost with the name: the next alert would page the last resort.
func TestAServiceThatIsNamedKeepsItsName(t *testing.T) {
	db := storetest.New(t)
	c, findings := catalog.Parse("daytwo.yml", []byte(shop))
	if problem.Broken(findings) {
		t.Fatal(findings)
	}
	live, err := catalog.Open(t.Context(), catalog.Config{DB: db, File: c, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{db: db, catalog: live, sender: &sender{}}
	b.restart(t)
	live.Named = b.Naming
	ctx := t.Context()
	s, err := live.SaveService(ctx, catalog.Service{Name: "billing", EscalationPolicy: "payments"})
	if err != nil {
		t.Fatal(err)
	}
	rule, err := b.SaveRule(ctx, incident.Rule{Name: "r", When: `class == "pay"`, Service: "billing"}, nil, "ada")
	if err != nil {
		t.Fatal(err)
	}
	beat, err := b.CreateHeartbeat(ctx, incident.Heartbeat{Name: "backup", Service: "billing", Every: catalog.Duration(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	open := b.trigger(t, "o1", "billing")
	refused := func(by ...string) {
		t.Helper()
		renamed := s
		renamed.Name = "invoices"
		_, failed := live.SaveService(ctx, renamed)
		for what, err := range map[string]error{"renamed": failed, "removed": live.Delete(ctx, catalog.KindService, s.ID)} {
			if problem.CodeOf(err) != problem.Conflict {
				t.Errorf("%s: %v", what, err)
				continue
			}
			for _, name := range by {
				if !strings.Contains(err.Error(), name) {
					t.Errorf("%s: %v does not name %s", what, err, name)
				}
			}
		}
	}
	refused(`event rule "r"`, "heartbeat backup", "open incident #1")
	s.Description = "money"
	if s, err = live.SaveService(ctx, s); err != nil {
		t.Error(err)
	}
	if err := b.RemoveRule(ctx, rule.ID); err != nil {
		t.Fatal(err)
	}
	refused("heartbeat backup")
	if err := b.RemoveHeartbeat(ctx, beat.ID); err != nil {
		t.Fatal(err)
	}
	refused("open incident #1")
	if _, err := b.Resolve(ctx, open.ID, "ada"); err != nil {
		t.Fatal(err)
	}
	s.Name = "invoices"
	if s, err = live.SaveService(ctx, s); err != nil {
		t.Error(err)
	}
	if err := live.Delete(ctx, catalog.KindService, s.ID); err != nil {
		t.Error(err)
	}
}

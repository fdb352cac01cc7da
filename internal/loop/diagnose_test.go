package loop_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/loop"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// However much others change, the deploy that did it is found.
func TestSuspectsAmongTheChangesOfOthers(t *testing.T) {
	ctx, quiet := t.Context(), slog.New(slog.DiscardHandler)
	db := storetest.New(t)
	line, err := timeline.New(ctx, timeline.Config{DB: db, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	services := catalog.NewLive(&catalog.Catalog{Services: []catalog.Service{{Name: "checkout"}, {Name: "website"}}})
	sender, err := notify.New(notify.Config{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	incidents, err := incident.New(ctx, incident.Config{DB: db, Timeline: line, Catalog: services, Sender: sender, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	opened := time.Now()
	var id string
	if err := db.Write(ctx, func(tx *store.Tx) error {
		for k := range 80 {
			service := "website"
			if k == 0 {
				service = "checkout"
			}
			e := timeline.Entry{Kind: timeline.Change, Action: "deploy", Service: service, Title: fmt.Sprint("change ", k), Time: opened.Add(time.Duration(k-600) * time.Second)}
			if err := line.Append(ctx, tx, &e); err != nil {
				return err
			}
		}
		i, err := incidents.Trigger(ctx, tx, incident.Trigger{AlertID: "1", Service: "checkout", Title: "down", Severity: "critical", Time: opened})
		if err == nil {
			id = i.ID
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	l := loop.New(loop.Config{DB: db, Timeline: line, Catalog: services, Incidents: incidents,
		Measure: func(context.Context, string, time.Time) (float64, bool) { return 0, false }})
	suspects, err := l.Suspects(ctx, id)
	if err != nil || len(suspects) != 1 || suspects[0].Entry.Title != "change 0" {
		t.Errorf("suspects %+v, %v", suspects, err)
	}
}

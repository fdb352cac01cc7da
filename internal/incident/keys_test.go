package incident_test

import (
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// Whoever resolves an incident holds the only writer of SQLite: how long must not depend on all alerts there ever were.
func TestResolvingDoesNotReadAllHistory(t *testing.T) {
	db := storetest.New(t)
	newBench(t, db, shop)
	err := db.Read(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Query(t.Context(), `EXPLAIN QUERY PLAN `+incident.EndAlerts, 1, "i")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				return err
			}
			if strings.HasPrefix(step, "SCAN") {
				t.Error(step)
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Error(err)
	}
}

// An alert that is open since keys were cut to 255 bytes ends with its whole key.
func TestKeysThatWereCutBefore(t *testing.T) {
	b := newBench(t, tables.New(t), shop)
	key, long := strings.Repeat("k", 24), strings.Repeat("漢", 100)
	was := long[:252] + "…" // 255 bytes
	i := b.triggerAs(t, incident.Trigger{AlertID: "old", Key: key, DedupKey: was, Service: "checkout", Title: "x", Severity: "critical"})
	stop := b.run(t)
	if _, err := b.Accept(t.Context(), incident.Event{Key: key, Service: "checkout", Source: "t", Action: "resolve", DedupKey: long}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the event is taken", func() bool {
		list, err := b.Events(t.Context(), incident.EventFilter{Limit: 1})
		return err == nil && len(list) == 1 && list[0].Outcome != ""
	})
	stop()
	if list, err := b.Events(t.Context(), incident.EventFilter{Limit: 1}); err != nil || list[0].Outcome != "resolved" || list[0].IncidentID != i.ID {
		t.Errorf("%+v, %v", list, err)
	}
}

// Alerts whose long keys differ at the end only are not one incident where keys make incidents.
func TestLongKeysAreDistinct(t *testing.T) {
	b := newBench(t, tables.New(t), shop+"  - {name: each, grouping: {by: [dedup_key]}}\n")
	key, long := strings.Repeat("k", 24), strings.Repeat("漢", 339)
	one := b.triggerAs(t, incident.Trigger{AlertID: "1", Key: key, DedupKey: long + "1", Service: "each", Title: "x", Severity: "critical"})
	two := b.triggerAs(t, incident.Trigger{AlertID: "2", Key: key, DedupKey: long + "2", Service: "each", Title: "x", Severity: "critical"})
	if one.ID == two.ID {
		t.Error("two keys, one incident")
	}
}

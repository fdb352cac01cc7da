package incident_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// crew are people who are each paged for some services, an hour after an incident opens.
func crew(people, each int) string {
	var who, policies, services strings.Builder
	for p := range people {
		fmt.Fprintf(&who, "  - {name: p%d, email: p%d@example.com}\n", p, p)
		fmt.Fprintf(&policies, "  - {name: p%d, levels: [{targets: [p%d], after: 1h}]}\n", p, p)
		for s := range each {
			fmt.Fprintf(&services, "  - {name: s%d-%d, escalation_policy: p%d}\n", p, s, p)
		}
	}
	return "people:\n" + who.String() + "escalation_policies:\n" + policies.String() + "services:\n" + services.String()
}

// due makes a page for every open incident, all of them due now.
func (b *bench) due(t testing.TB, list []incident.Incident) {
	t.Helper()
	now := time.Now().UTC()
	err := b.db.Write(context.Background(), func(tx *store.Tx) error {
		for n, i := range list {
			person, _, _ := strings.Cut(strings.TrimPrefix(i.Service, "s"), "-")
			_, err := tx.Exec(context.Background(), `INSERT INTO pages (id, incident_id, kind, step, level, person, channel, address, status, created_at, at, wake_at, text)
				VALUES (?, ?, '', 0, 1, ?, 'email', ?, 'due', ?, ?, ?, '')`, fmt.Sprintf("page-%06d", n), i.ID, "p"+person, "p"+person+"@example.com", now, now, now)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// How long others wait for the store while 2,000 pages to 40 people go out at once.
func BenchmarkStorm(b *testing.B) {
	const people, each = 40, 50
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				db := storetest.New(b)
				if engine == "postgres" {
					var err error
					if db, err = store.Open(b.Context(), store.Config{URL: storetest.PostgresURL(b)}); err != nil {
						b.Fatal(err)
					}
					b.Cleanup(func() { db.Close() })
				}
				in := newBench(b, db, crew(people, each))
				var list []incident.Incident
				for s := range each { // everybody's turn comes again and again
					for p := range people {
						list = append(list, in.trigger(b, fmt.Sprintf("a%d-%d", p, s), fmt.Sprintf("s%d-%d", p, s)))
					}
				}
				in.due(b, list)
				b.StartTimer()
				stop := in.run(b)
				ctx, cancel := context.WithCancel(b.Context())
				var waits []time.Duration
				var asking sync.WaitGroup
				asking.Go(func() { // as somebody who acknowledges
					for ctx.Err() == nil {
						began := time.Now()
						_ = in.db.Write(context.Background(), func(tx *store.Tx) error {
							return in.timeline.Append(context.Background(), tx, &timeline.Entry{Kind: timeline.Change, Action: "event", Title: "t", Time: time.Now()})
						})
						waits = append(waits, time.Since(began))
					}
				})
				eventually(b, "all pages are sent", func() bool {
					left := 1
					err := in.db.Read(b.Context(), func(tx *store.Tx) error {
						return tx.QueryRow(b.Context(), `SELECT COUNT(*) FROM pages WHERE wake_at > 0`).Scan(&left)
					})
					return err == nil && left == 0
				})
				cancel()
				asking.Wait()
				b.StopTimer()
				stop()
				slices.Sort(waits)
				b.ReportMetric(float64(waits[len(waits)/2].Microseconds())/1000, "ms/wait-p50")
				b.ReportMetric(float64(waits[len(waits)-1].Microseconds())/1000, "ms/wait-max")
				b.ReportMetric(float64(len(in.sender.all())), "messages")
				b.StartTimer()
			}
		})
	}
}

package catalog_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/schedule"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// What a file said of overrides stays as it was, whatever it says later; what it says of the time to come counts.
func TestOverridesOfAFileRewriteNoHistory(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := &clock{moment(t, "2026-03-04T12:00:00Z")}
		with := func(overrides string) *catalog.Catalog {
			text := strings.Replace(strings.ReplaceAll(oncallFile, "MEMBERS", "ada"), "escalation_policies:", "    overrides: ["+overrides+"]\nescalation_policies:", 1)
			file, findings := catalog.Parse("daytwo.yml", []byte(text))
			if problem.Broken(findings) {
				t.Fatal(findings)
			}
			return file
		}
		const (
			grace  = `{person: grace, from: 2026-03-01T00:00:00Z, to: 2026-03-02T00:00:00Z}`
			within = `{person: linus, from: 2026-03-01T12:00:00Z, to: 2026-03-01T18:00:00Z}`
			linus  = `{person: linus, from: 2026-03-04T00:00:00Z, to: 2026-03-06T00:00:00Z}`
			later  = `{person: grace, from: 2026-03-10T00:00:00Z, to: 2026-03-11T00:00:00Z}`
		)
		open := func(overrides string) *catalog.Live {
			l, err := catalog.Open(t.Context(), catalog.Config{DB: db, File: with(overrides), Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return c.now }})
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		l := open(strings.Join([]string{grace, within, linus, later}, ", "))
		expect := func(what string, want map[string]string) {
			t.Helper()
			calendar, ok := l.Current().Calendar("primary")
			if !ok {
				t.Fatal("no calendar")
			}
			for at, person := range want {
				if on, _ := calendar.At(moment(t, at)); on.Person != person {
					t.Errorf("%s: %s is on call at %s, want %s", what, on.Person, at, person)
				}
			}
		}
		was := map[string]string{"2026-03-01T06:00:00Z": "grace", "2026-03-01T13:00:00Z": "linus", "2026-03-01T20:00:00Z": "grace", "2026-03-03T12:00:00Z": "ada", "2026-03-04T11:00:00Z": "linus"}
		expect("as it began", was)
		expect("as it began", map[string]string{"2026-03-05T12:00:00Z": "linus", "2026-03-10T12:00:00Z": "grace"})

		l.Replace(with("")) // somebody tidies up
		expect("all are gone", was)
		expect("all are gone", map[string]string{"2026-03-04T13:00:00Z": "ada", "2026-03-05T12:00:00Z": "ada", "2026-03-10T12:00:00Z": "ada"})

		c.now = c.now.Add(time.Hour)
		l = open(strings.Join([]string{linus, within, grace, later}, ", ")) // in another order, after a restart
		expect("back again", was)
		expect("back again", map[string]string{"2026-03-04T12:30:00Z": "ada", "2026-03-05T12:00:00Z": "linus", "2026-03-10T12:00:00Z": "grace"})

		c.now = c.now.Add(time.Hour)
		const longer = `{person: linus, from: 2026-03-04T00:00:00Z, to: 2026-03-08T00:00:00Z}`
		const never = `{person: grace, from: 2026-02-01T00:00:00Z, to: 2026-02-05T00:00:00Z}`
		l.Replace(with(longer + ", " + never))
		l = open(longer + ", " + never)
		expect("longer", was)
		expect("longer", map[string]string{"2026-02-02T12:00:00Z": "ada", "2026-03-04T13:30:00Z": "linus", "2026-03-07T12:00:00Z": "linus", "2026-03-10T12:00:00Z": "ada"})
		ids := map[string]bool{}
		for _, o := range l.Current().Schedules[0].Overrides {
			if ids[o.ID] {
				t.Errorf("two overrides have the id %s", o.ID)
			}
			ids[o.ID] = true
		}
	})
}

// The report of a schedule counts the pages that it brought, not all of its people's.
func TestFairnessCountsThePagesOfTheSchedule(t *testing.T) {
	db, c := storetest.New(t), &clock{moment(t, "2026-03-04T12:00:00Z")}
	l := openLive(t, db, c, "ada, grace")
	asked := ""
	l.Pages = func(_ context.Context, name string, _, _ time.Time) (list []schedule.Paged, err error) {
		asked = name
		due := c.now.Add(-time.Hour)
		for _, person := range []string{"ada", "grace", "linus"} { // a step may name people beside the schedule
			list = append(list, schedule.Paged{Person: person, At: due, Due: due})
		}
		return list, nil
	}
	calendar, _ := l.Current().Calendar("primary")
	on, _ := calendar.At(c.now.Add(-time.Hour))
	status, body := rig(t, l, db)("GET", "/api/schedules/"+l.Current().Schedules[0].ID+"/fairness", "", "")
	if status != 200 || asked != "primary" || strings.Count(body, `"pages":1`) != 1 || strings.Contains(body, "linus") {
		t.Errorf("%d %s", status, body)
	}
	if at := strings.Index(body, `"pages":1`); at < 0 || !strings.Contains(body[:at], `"person":"`+on.Person+`"`) || strings.LastIndex(body[:at], `"person"`) != strings.LastIndex(body[:at], `"person":"`+on.Person+`"`) {
		t.Errorf("not counted for %s: %s", on.Person, body)
	}
}

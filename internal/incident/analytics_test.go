package incident_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

func TestAnalyticsTellWhatWasNoiseAndWhoWasWoken(t *testing.T) {
	inBubble(t, shop, func(t *testing.T, b *bench) { // begins at midnight UTC: 01:00 where ada lives
		start := time.Now()
		b.trigger(t, "noise", "checkout")
		pass(4 * time.Minute)
		b.cleared(t, "noise")
		pass(time.Hour)
		b.trigger(t, "real", "payments") // ada, and grace after five minutes
		pass(9 * time.Minute)            // before the second round
		if _, err := b.Acknowledge(t.Context(), "2", "grace"); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Minute)
		b.cleared(t, "real")
		pass(10 * time.Hour)
		b.trigger(t, "open", "checkout") // by day
		b.trigger(t, "merged", "payments")
		pass(time.Minute)
		if _, err := b.Merge(t.Context(), "3", "ada", []string{"4"}); err != nil {
			t.Fatal(err)
		}
		a, err := b.Analyse(t.Context(), event.Range{From: start, To: start.Add(24 * time.Hour)}, "")
		if err != nil {
			t.Fatal(err)
		}
		all := a.All
		if all.Opened != 3 || all.Acknowledged != 1 || all.Resolved != 2 || *all.AckMean != 540 || *all.ResolveMean != (240+1140)/2 || *all.ResolveMedian != 690 {
			t.Errorf("all %+v", all)
		}
		// ada is paged over two channels at once: that is one page.
		if all.Unacted != 1 || all.UnactedAlerts != 1 || all.UnactedPages != 1 || all.Alerts != 4 {
			t.Errorf("noise %+v", all)
		}
		if len(a.People) != 2 || a.People[0] != (incident.OfPerson{Person: "ada", Pages: 4, NightPages: 2, Nights: 1, WorstNight: 2, Incidents: 4}) ||
			a.People[1] != (incident.OfPerson{Person: "grace", Pages: 1, NightPages: 1, Nights: 1, WorstNight: 1, Incidents: 1}) {
			t.Errorf("people %+v", a.People)
		}
		// ada's clock is past midnight: her night began the day before, as did that of grace.
		before := start.UTC().AddDate(0, 0, -1).Format(time.DateOnly)
		if len(a.Nights) != 2 || a.Nights[0] != (incident.OfNight{Night: before, Person: "ada", Pages: 2}) {
			t.Errorf("nights %+v", a.Nights)
		}
		if len(a.Services) != 2 || a.Services[0].Service != "checkout" || a.Services[0].Opened != 2 || a.Services[1].AckMean == nil {
			t.Errorf("services %+v", a.Services)
		}
		later, err := b.Analyse(t.Context(), event.Range{From: start.Add(2 * time.Hour), To: start.Add(24 * time.Hour)}, "checkout")
		if err != nil || later.All.Opened != 1 || later.All.AckMean != nil || len(later.Nights) != 0 {
			t.Errorf("later %+v, %v", later, err)
		}
	})
}

func TestAnalyticsOnBothStores(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, shop)
		stop := b.run(t)
		i := b.trigger(t, "a1", "checkout")
		eventually(t, "ada is paged at both addresses", func() bool {
			d := b.get(t, i.ID)
			return len(d.Pages) == 2 && d.Pages[0].Status == "sent" && d.Pages[1].Status == "sent"
		})
		if _, err := b.AskResponders(t.Context(), i.ID, "ada", []string{"ada"}, "look"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "ada is asked at both addresses", func() bool {
			d := b.get(t, i.ID)
			return len(d.Pages) == 4 && d.Pages[2].Status == "sent" && d.Pages[3].Status == "sent"
		})
		if _, err := b.Acknowledge(t.Context(), i.ID, "ada"); err != nil {
			t.Fatal(err)
		}
		b.cleared(t, "a1")
		stop()
		now := time.Now()
		within := event.Range{From: now.Add(-time.Hour), To: now.Add(time.Hour)}
		a, err := b.Analyse(t.Context(), within, "checkout")
		if err != nil || a.All.Opened != 1 || a.All.Resolved != 1 || a.All.AckMean == nil || a.All.Unacted != 0 || a.All.Pages != 2 || a.More {
			t.Errorf("%+v, %v", a, err)
		}
		call := serve(t, b)
		if status, body := call(http.MethodGet, "/api/oncall-analytics?service=payments", ""); status != 200 || !strings.Contains(body, `"opened":0`) || strings.Contains(body, "ackMean") {
			t.Errorf("another service: %d %s", status, body)
		}
		if status, body := call(http.MethodGet, "/api/oncall-analytics?from=now-9000d", ""); status != 400 || !strings.Contains(body, "a year") {
			t.Errorf("a long span: %d %s", status, body)
		}
	})
}

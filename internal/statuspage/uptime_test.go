package statuspage_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/statuspage"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// Of three troubles at once a component is out once, whatever order they come in.
func TestTroublesAtOnceAreOneDowntime(t *testing.T) {
	noon := now.Add(-48 * time.Hour)
	out := func(id string, from, to time.Duration) statuspage.Trouble {
		return statuspage.Trouble{ID: id, Service: "checkout", Severity: "critical", Start: noon.Add(from), End: noon.Add(to)}
	}
	p, get := page(t, file, func() ([]statuspage.Trouble, error) {
		return []statuspage.Trouble{out("1", 0, 2*time.Hour), out("3", 3*time.Hour, 4*time.Hour), out("2", time.Hour, 150*time.Minute), out("4", 30*time.Minute, time.Hour)}, nil
	})
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, body := get("/")
	// Out from 0 to 2.5 h and from 3 to 4 h, of 89.5 days.
	if !strings.Contains(body, "2 March: out for 3h30m0s") || !strings.Contains(body, "99.83 % uptime") {
		t.Error(body)
	}
}

// The history goes back ninety days however many troubles there were; what is long over is asked for once.
func TestTheHistoryHasNoMostTroubles(t *testing.T) {
	c, _ := catalog.Parse("f", []byte(file))
	clock := now
	asked := 0
	var all []statuspage.Trouble
	for i := range 6000 { // ten minutes of each hour, one of two of them by two incidents
		start := now.Add(-time.Duration(i/2) * time.Hour / 2)
		all = append(all, statuspage.Trouble{ID: fmt.Sprint(i), Service: "checkout", Severity: "critical", Start: start.Add(-10 * time.Minute), End: start})
	}
	p, err := statuspage.New(t.Context(), statuspage.Config{DB: storetest.New(t), Catalog: catalog.NewLive(c), Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return clock },
		Troubles: func(_ context.Context, service string, from, to time.Time, lasting bool) (list []statuspage.Trouble, err error) {
			asked++
			for _, tr := range all {
				if tr.Service == service && !tr.End.Before(from) && (to.IsZero() || tr.End.Before(to)) {
					list = append(list, tr)
				}
			}
			return list, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	p.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	// 3,000 half hours are 62.5 days, of which each is out for 48 × 10 minutes.
	if n := strings.Count(w.Body.String(), "out for 8h0m0s"); n < 61 {
		t.Errorf("%d days are out for eight hours", n)
	}
	if body := w.Body.String(); strings.Count(body, "Trouble with Checkout") != 50 || !strings.Contains(body, "more in the last two weeks") {
		t.Error("the list of what is over has no end, or does not say that it has one")
	}
	first := asked
	clock = clock.Add(5 * time.Second)
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := asked - first; again != 2 { // each component once
		t.Errorf("the next look asked %d times", again)
	}
}

func TestBadges(t *testing.T) {
	p, get := page(t, strings.Replace(file, "{name: Checkout, service: checkout}", "{name: 'Checkout & <pay>', service: checkout}", 1), func() ([]statuspage.Trouble, error) {
		return []statuspage.Trouble{{ID: "1", Service: "checkout", Severity: "critical", Start: now.Add(-time.Hour)}}, nil
	})
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/badge.svg": "status: outage", "/badges/shop.svg": "Shop: operational", "/badges/Shop.svg?uptime": "Shop: 100.00 %",
		"/badges/Checkout%20&%20%3Cpay%3E.svg": "Checkout &amp; &lt;pay&gt;: outage", "/badges/Checkout%20&%20%3Cpay%3E.svg?uptime": "Checkout &amp; &lt;pay&gt;: 99.9",
	} {
		status, body := get(path)
		if status != 200 || !strings.Contains(body, `aria-label="`+want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
		if err := xml.Unmarshal([]byte(body), new(struct{})); err != nil {
			t.Errorf("%s is no SVG: %v", path, err)
		}
	}
	for _, path := range []string{"/badges/internal.svg", "/badges/Shop", "/badges/.svg"} {
		if status, _ := get(path); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// What many read at once is one snapshot: none of them writes to it.
func TestManyReadOneSnapshot(t *testing.T) {
	p, get := page(t, file, func() (list []statuspage.Trouble, err error) {
		for i := range 5 {
			list = append(list, statuspage.Trouble{ID: fmt.Sprint("open", i), Service: "checkout", Severity: "critical", Start: now.Add(-time.Hour)},
				statuspage.Trouble{ID: fmt.Sprint("over", i), Service: "shop", Severity: "critical", Start: now.Add(-3 * time.Hour), End: now.Add(-2 * time.Hour)})
		}
		return list, nil
	})
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if status, body := get("/api/v2/incidents.json"); status != 200 || strings.Count(body, `"started_at"`) != 10 {
					t.Errorf("%d %s", status, body)
				}
			}
		})
	}
	all.Wait()
}

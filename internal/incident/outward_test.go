package incident_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// counted counts the lines of a log that say something.
type counted struct {
	slog.Handler
	what string
	n    atomic.Int64
}

func (c *counted) Enabled(context.Context, slog.Level) bool { return true }

func (c *counted) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, c.what) {
		c.n.Add(1)
	}
	return nil
}

// The outside is told once a minute that all is well, again at once where it did not take it, and not while the auditor finds something.
func TestTheOutsideIsToldWhileAllIsWell(t *testing.T) {
	var beats, offset atomic.Int64
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ping/secret" {
			t.Errorf("asked for %s", r.URL)
		}
		if beats.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer outside.Close()
	defer http.DefaultClient.CloseIdleConnections()
	b := newBench(t, tables.New(t), shop)
	found := &counted{Handler: slog.DiscardHandler, what: "nothing will happen to an open incident"}
	failed := &counted{Handler: slog.DiscardHandler, what: "the outside was not told"}
	var err error
	b.Incidents, err = incident.New(t.Context(), incident.Config{DB: b.db, Timeline: b.timeline, Catalog: b.catalog, Sender: b.sender,
		Now:          func() time.Time { return time.Now().Add(time.Duration(offset.Load())) },
		HeartbeatURL: outside.URL + "/ping/secret", AuditEvery: 2 * time.Millisecond, Logger: slog.New(slog.NewMultiHandler(found, failed))})
	if err != nil {
		t.Fatal(err)
	}
	stop := b.run(t)
	defer stop()
	eventually(t, "it is told again what it did not take", func() bool { return beats.Load() == 2 })
	if failed.n.Load() != 1 {
		t.Errorf("%d words about what failed", failed.n.Load())
	}
	minutes := int64(0)
	eventually(t, "it is told as the minutes pass", func() bool {
		offset.Add(int64(time.Minute))
		minutes++
		return beats.Load() >= 5
	})
	if n := beats.Load(); n > minutes+2 {
		t.Errorf("told %d times in %d minutes", n, minutes)
	}

	const open = `{"number":9,"service":"x","title":"t","severity":"critical","urgency":"high","status":"triggered","openedAt":1,"nextAt":1,"board":{}}`
	b.forge(t, open) // its step was due long ago, and no table knows of it
	eventually(t, "the auditor finds it", func() bool { return found.n.Load() > 0 })
	before, said := found.n.Load(), beats.Load()
	offset.Add(int64(time.Hour))
	eventually(t, "the auditor finds it again and again", func() bool { return found.n.Load() > before+3 })
	if n := beats.Load(); n != said {
		t.Errorf("the outside was told %d times that all is well, which it is not", n-said)
	}
	b.forge(t, strings.Replace(open, `"triggered"`, `"resolved"`, 1))
	eventually(t, "it is told that all is well again", func() bool { return beats.Load() > said })
}

// forge writes to the ledger what the package would never write.
func (b *bench) forge(t *testing.T, data string) {
	t.Helper()
	err := b.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO incident_ledger (seq, incident_id, at, fact, data)
			SELECT COALESCE(MAX(seq), 0) + 1, 'forged', 1, 'incident', ? FROM incident_ledger`, data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The support hours of a service decide, when an incident opens, by which rules people are paged for it.
func TestSupportHoursDecideHowPeopleArePaged(t *testing.T) {
	const hours = `
people:
  - name: ada
    contacts: [{channel: email, address: ada@example.com}, {channel: sms, address: "+4915112345678"}]
    notify: {high: [{by: sms}], low: [{by: email}]}
escalation_policies: [{name: ada, levels: [{targets: [ada], after: 0s}]}]
services:
  - {name: office, escalation_policy: ada, support_hours: {time_zone: Europe/Paris, windows: [{days: [mon, tue, wed, thu, fri], from: "09:00", to: "17:00"}], outside: low}}
  - {name: always, escalation_policy: ada}
`
	inBubble(t, hours, func(t *testing.T, b *bench) { // begins on Saturday, 2000-01-01, at midnight
		for k, want := range []struct {
			after   time.Duration
			service string
			urgency string
			channel string
		}{
			{0, "office", "low", "email"},
			{0, "always", "high", "sms"},
			{2*24*time.Hour + 7*time.Hour + 59*time.Minute, "office", "low", "email"}, // Monday, 08:59 in Paris
			{time.Minute, "office", "high", "sms"},
			{7*time.Hour + 59*time.Minute, "office", "high", "sms"},
			{time.Minute, "office", "low", "email"}, // 17:00
		} {
			pass(want.after)
			i := b.trigger(t, fmt.Sprint("a", k), want.service)
			pass(0)
			d := b.get(t, i.ID)
			if d.Urgency != want.urgency || len(d.Pages) != 1 || d.Pages[0].Channel != want.channel || d.Pages[0].Status != "sent" {
				t.Errorf("at %s: %s, pages %+v; want %+v", time.Now().UTC(), d.Urgency, d.Pages, want)
			}
			if _, err := b.Resolve(t.Context(), i.ID, "ada"); err != nil { // the next is an incident of its own
				t.Fatal(err)
			}
		}
	})
}

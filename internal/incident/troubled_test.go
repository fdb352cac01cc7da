package incident_test

import (
	"slices"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

func TestTroublesOfAService(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, shop)
		b.trigger(t, "a1", "checkout")
		b.cleared(t, "a1")
		b.trigger(t, "a2", "checkout")
		b.trigger(t, "b1", "payments")
		if _, _, err := b.Publish(t.Context(), "2", "ada", "some orders fail", nil); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Acknowledge(t.Context(), "3", "ada"); err != nil {
			t.Fatal(err)
		}
		open, err := b.OpenByService(t.Context())
		if want := []incident.OpenOfService{{Service: "checkout", Triggered: 1, Newest: 2}, {Service: "payments", Acknowledged: 1, Newest: 3}}; err != nil || !slices.Equal(open, want) {
			t.Errorf("open: %+v, %v", open, err)
		}
		ended := *b.get(t, "1").ResolvedAt
		for name, x := range map[string]struct {
			from, to time.Time
			lasting  bool
			want     []string
		}{
			"all":              {time.Time{}, time.Time{}, true, []string{b.get(t, "1").ID, b.get(t, "2").ID}},
			"over":             {time.Time{}, time.Time{}, false, []string{b.get(t, "1").ID}},
			"from its end on":  {ended, time.Time{}, false, []string{b.get(t, "1").ID}},
			"up to its end":    {time.Time{}, ended, false, nil},
			"later":            {ended.Add(time.Microsecond), time.Time{}, false, nil},
			"later, and lasts": {ended.Add(time.Microsecond), time.Time{}, true, []string{b.get(t, "2").ID}},
		} {
			list, err := b.Troubled(t.Context(), "checkout", x.from, x.to, x.lasting)
			var got []string
			for _, i := range list {
				got = append(got, i.ID)
				if want := b.get(t, i.ID); i.Severity != want.Severity || !i.OpenedAt.Equal(want.OpenedAt) || len(i.Board.Updates) != len(want.Board.Updates) {
					t.Errorf("%s: %+v", name, i)
				}
			}
			if err != nil || !slices.Equal(got, x.want) {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
		if _, err := b.Merge(t.Context(), "3", "ada", []string{"2"}); err != nil {
			t.Fatal(err)
		}
		if list, err := b.Troubled(t.Context(), "checkout", time.Time{}, time.Time{}, true); err != nil || len(list) != 1 {
			t.Errorf("one that was merged is counted twice: %v, %v", list, err)
		}
	})
}

// A page counts for the schedule that a step asked: not for another policy's, not if somebody is asked by name, and also after the
// incident was given to others.
func TestWhatAScheduleHadPaged(t *testing.T) {
	inBubble(t, house, func(t *testing.T, b *bench) {
		from := time.Now().Add(-time.Hour)
		b.accept(t, "a", "trigger", "x") // pages whoever primary has on call
		b.accept(t, "b", "trigger", "y") // pages ada or grace, whom its policy names
		pass(2 * time.Minute)
		d := b.get(t, "1")
		if len(d.Pages) != 1 || len(b.get(t, "2").Pages) != 1 {
			t.Fatalf("%+v", d.Pages)
		}
		if _, err := b.AskResponders(t.Context(), "1", "ada", []string{"grace"}, "look"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Reassign(t.Context(), "1", "ada", []string{"ada"}, ""); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Minute)
		paged, err := b.Paged(t.Context(), "primary", from, time.Now())
		if err != nil || len(paged) != 1 || paged[0].Person != d.Pages[0].Person || paged[0].Due.After(paged[0].At) {
			t.Errorf("%+v, %v", paged, err)
		}
		if none, err := b.Paged(t.Context(), "secondary", from, time.Now()); err != nil || len(none) != 0 {
			t.Errorf("another schedule: %+v, %v", none, err)
		}
	})
}

// Whoever resolved by mistake takes it back without waking anybody.
func TestAnIncidentIsRetakenWithoutPaging(t *testing.T) {
	inBubble(t, house, func(t *testing.T, b *bench) {
		b.accept(t, "a", "trigger", "x")
		if _, err := b.Resolve(t.Context(), "1", "ada"); err != nil {
			t.Fatal(err)
		}
		sent := len(b.sender.all())
		d, err := b.Retake(t.Context(), "1", "ada")
		if err != nil || d.Status != incident.Acknowledged || d.AcknowledgedBy != "ada" || d.ResolvedAt != nil {
			t.Fatalf("%+v, %v", d.Incident, err)
		}
		pass(29 * time.Minute)
		if got := len(b.sender.all()); got != sent {
			t.Errorf("%d messages after it was taken back", got-sent)
		}
		pass(2 * time.Minute)
		if d := b.get(t, "1"); d.Status != incident.Triggered {
			t.Errorf("after the time to acknowledge: %s", d.Status)
		}
		if d, err := b.Retake(t.Context(), "1", "ada"); err != nil || d.Status != incident.Acknowledged {
			t.Errorf("one that is open is acknowledged: %s, %v", d.Status, err)
		}
		if _, err := b.Snooze(t.Context(), "1", "ada", 10*time.Minute); err != nil {
			t.Fatal(err)
		}
		if d, err := b.Retake(t.Context(), "1", "ada"); err != nil || d.SnoozedUntil != nil {
			t.Errorf("still snoozed: %+v, %v", d.Incident, err)
		}
		pass(20 * time.Minute)
		if d := b.get(t, "1"); d.Status != incident.Acknowledged {
			t.Errorf("the snooze that was taken back ended: %s", d.Status)
		}
	})
}

package timeline_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

func TestMain(m *testing.M) {
	if os.Getenv(crashEnv) != "" {
		crashChild()
		return
	}
	_ = flag.Set("rapid.checks", "40") // each makes a store
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, db *store.DB) *timeline.Timeline {
	t.Helper()
	return openWith(t, timeline.Config{DB: db, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry()})
}

func openWith(t testing.TB, c timeline.Config) *timeline.Timeline {
	t.Helper()
	tl, err := timeline.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return tl
}

func appendTo(t testing.TB, db *store.DB, tl *timeline.Timeline, e timeline.Entry) timeline.Entry {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) error { return tl.Append(t.Context(), tx, &e) })
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func deploy(service string) timeline.Entry {
	return timeline.Entry{Kind: timeline.Change, Action: "deploy", Service: service, Title: service + " v2 deployed"}
}

func list(t testing.TB, tl *timeline.Timeline, f timeline.Filter) []timeline.Entry {
	t.Helper()
	items, _, err := tl.List(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func seqs(entries []timeline.Entry) []int64 {
	out := []int64{}
	for _, e := range entries {
		out = append(out, e.Seq)
	}
	return out
}

func TestAppendAndReadBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tl := open(t, db)
		whole := appendTo(t, db, tl, timeline.Entry{
			Time: time.Date(2026, 3, 4, 5, 6, 7, 8999, time.FixedZone("", 3600)), Kind: timeline.Incident, Action: "opened",
			Service: "checkout", Title: "Errors 🔥\x00 in checkout", Actor: "ada", Ref: "incident/1",
			Tone: timeline.Critical, Data: map[string]string{"a": "1", "nul": "\x00"},
		})
		bare := appendTo(t, db, tl, deploy("cart"))

		if whole.Seq != 1 || bare.Seq != 2 || tl.Head() != 2 {
			t.Errorf("seqs %d, %d, head %d, want 1, 2, 2", whole.Seq, bare.Seq, tl.Head())
		}
		if bare.ID == "" || bare.Tone != timeline.Info || time.Since(bare.Time) > time.Minute {
			t.Errorf("not filled: %+v", bare)
		}
		if want := time.Date(2026, 3, 4, 4, 6, 7, 8000, time.UTC); !whole.Time.Equal(want) || whole.Time.Location() != time.UTC {
			t.Errorf("time %v, want %v", whole.Time, want)
		}
		// What Append filled in is what is read, also after a restart.
		for _, reader := range []*timeline.Timeline{tl, open(t, db)} {
			if diff := cmp.Diff([]timeline.Entry{bare, whole}, list(t, reader, timeline.Filter{})); diff != "" {
				t.Error(diff)
			}
			if reader.Head() != 2 {
				t.Errorf("head %d after restart, want 2", reader.Head())
			}
		}
	})
}

func TestAppendRefuses(t *testing.T) {
	db := storetest.New(t)
	tl := open(t, db)
	cases := map[string]struct {
		change func(*timeline.Entry)
		code   problem.Code
		field  string
	}{
		"no kind":    {func(e *timeline.Entry) { e.Kind = "" }, problem.Invalid, "kind"},
		"no action":  {func(e *timeline.Entry) { e.Action = "" }, problem.Invalid, "action"},
		"no title":   {func(e *timeline.Entry) { e.Title = "" }, problem.Invalid, "title"},
		"tone":       {func(e *timeline.Entry) { e.Tone = "purple" }, problem.Invalid, "tone"},
		"long ref":   {func(e *timeline.Entry) { e.Ref = strings.Repeat("r", 201) }, problem.TooLarge, "ref"},
		"large data": {func(e *timeline.Entry) { e.Data = map[string]string{"a": strings.Repeat("d", 64<<10)} }, problem.TooLarge, "data"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			e := deploy("cart")
			c.change(&e)
			err := db.Write(t.Context(), func(tx *store.Tx) error { return tl.Append(t.Context(), tx, &e) })
			if p := problem.From(err); p == nil || p.Code != c.code || p.Field != c.field {
				t.Errorf("got %+v, want %s of %s", p, c.code, c.field)
			}
		})
	}
	long := deploy("cart")
	long.Title = strings.Repeat("ä", 600)
	if e := appendTo(t, db, tl, long); e.Seq != 1 || len(e.Title) > 1000 || !strings.HasSuffix(e.Title, "ä…") {
		t.Errorf("seq %d, title of %d bytes: refused entries left a gap or the title is not cut", e.Seq, len(e.Title))
	}
}

// A rolled back entry leaves no gap and reaches nobody.
func TestRollback(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tl := open(t, db)
		feed := tl.Subscribe(timeline.Filter{}, timeline.FromNow)
		defer feed.Close()
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			e := deploy("cart")
			if err := tl.Append(t.Context(), tx, &e); err != nil {
				return err
			}
			return fmt.Errorf("changed my mind")
		})
		if err == nil {
			t.Fatal("Write must report the error")
		}
		kept := appendTo(t, db, tl, deploy("checkout"))
		if kept.Seq != 1 {
			t.Errorf("seq %d, want 1", kept.Seq)
		}
		if got := <-feed.C; got.ID != kept.ID {
			t.Errorf("subscriber got %+v", got)
		}
	})
}

func TestConcurrentAppendsHaveNoGapsAndArriveInOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const writers, each = 8, 25
		tl := open(t, db)
		feed := tl.Subscribe(timeline.Filter{}, timeline.FromNow)
		defer feed.Close()
		var group sync.WaitGroup
		for range writers {
			group.Go(func() {
				for range each {
					e := deploy("cart")
					if err := db.Write(t.Context(), func(tx *store.Tx) error { return tl.Append(t.Context(), tx, &e) }); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for want := int64(1); want <= writers*each; want++ {
			if e := <-feed.C; e.Seq != want {
				t.Fatalf("got seq %d, want %d", e.Seq, want)
			}
		}
		group.Wait()
	})
}

func TestListFilters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tl := open(t, db)
		noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
		for i, e := range []timeline.Entry{
			{Kind: timeline.Change, Action: "deploy", Service: "cart", Ref: "run/1"},
			{Kind: timeline.Alert, Action: "fired", Service: "cart", Ref: "alert/1"},
			{Kind: timeline.Alert, Action: "resolved", Service: "cart", Ref: "alert/1"},
			{Kind: timeline.Change, Action: "deploy", Service: "checkout", Ref: "run/2"},
		} {
			e.Title, e.Time = "x", noon.Add(time.Duration(i)*time.Minute)
			appendTo(t, db, tl, e)
		}
		late := deploy("cart") // recorded last, happened first
		late.Time = noon.Add(-time.Hour)
		appendTo(t, db, tl, late)

		cases := map[string]struct {
			filter timeline.Filter
			want   []int64
		}{
			"all, by time":  {timeline.Filter{}, []int64{4, 3, 2, 1, 5}},
			"service":       {timeline.Filter{Services: []string{"cart"}}, []int64{3, 2, 1, 5}},
			"two services":  {timeline.Filter{Services: []string{"checkout", "cart"}}, []int64{4, 3, 2, 1, 5}},
			"kind":          {timeline.Filter{Kinds: []timeline.Kind{timeline.Alert}}, []int64{3, 2}},
			"kind, action":  {timeline.Filter{Kinds: []timeline.Kind{timeline.Alert}, Actions: []string{"fired"}}, []int64{2}},
			"ref":           {timeline.Filter{Refs: []string{"alert/1", "run/2"}}, []int64{4, 3, 2}},
			"from included": {timeline.Filter{Range: event.Range{From: noon.Add(2 * time.Minute)}}, []int64{4, 3}},
			"to excluded":   {timeline.Filter{Range: event.Range{To: noon.Add(time.Minute)}}, []int64{1, 5}},
			"none":          {timeline.Filter{Services: []string{"nobody"}}, []int64{}},
		}
		for name, c := range cases {
			if got := seqs(list(t, tl, c.filter)); !slices.Equal(got, c.want) {
				t.Errorf("%s: listed %v, want %v", name, got, c.want)
			}
			// The same filter on the feed, from the store and from memory.
			wanted := slices.Sorted(slices.Values(c.want))
			for _, reader := range []*timeline.Timeline{tl, open(t, db)} {
				feed := reader.Subscribe(c.filter, 0)
				for _, want := range wanted {
					if e := <-feed.C; e.Seq != want {
						t.Errorf("%s: fed %d, want %d", name, e.Seq, want)
					}
				}
				feed.Close()
				if e, more := <-feed.C; more {
					t.Errorf("%s: fed %d too many", name, e.Seq)
				}
			}
		}
	})
}

func TestListPages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tl := open(t, db)
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for i := range 23 {
			e := deploy("cart")
			e.Time = at.Add(time.Duration(i/5) * time.Second) // ties
			appendTo(t, db, tl, e)
		}
		want := seqs(list(t, tl, timeline.Filter{}))
		got, f := []int64{}, timeline.Filter{Limit: 4}
		for pages := 1; ; pages++ {
			items, next, err := tl.List(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, seqs(items)...)
			if f.Cursor = next; next == "" {
				if pages != 6 {
					t.Errorf("%d pages, want 6", pages)
				}
				break
			}
			appendTo(t, db, tl, deploy("newer")) // must not shift the pages
		}
		if !slices.Equal(got, want) {
			t.Errorf("paged %v, want %v", got, want)
		}
		_, _, err := tl.List(t.Context(), timeline.Filter{Cursor: "what?"})
		if p := problem.From(err); p == nil || p.Code != problem.Invalid || p.Field != "cursor" {
			t.Errorf("bad cursor: %+v", p)
		}
	})
}

// Readers that fall far behind what memory holds lose nothing, get nothing
// twice, and do not hold up anybody else.
func TestSlowSubscriber(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const total = 3000
		tl := open(t, db)
		slow := tl.Subscribe(timeline.Filter{}, 0)
		defer slow.Close()
		even := tl.Subscribe(timeline.Filter{Services: []string{"even"}}, 0)
		defer even.Close()
		for i := 0; i < total; i += 100 {
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				for j := range 100 {
					e := deploy([]string{"even", "odd"}[j%2])
					if err := tl.Append(t.Context(), tx, &e); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for want := int64(1); want <= total; want++ {
			if e := <-slow.C; e.Seq != want {
				t.Fatalf("slow: got %d, want %d", e.Seq, want)
			}
		}
		for want := int64(1); want <= total; want += 2 {
			if e := <-even.C; e.Seq != want {
				t.Fatalf("even: got %d, want %d", e.Seq, want)
			}
		}
		resumed := tl.Subscribe(timeline.Filter{}, total-1)
		defer resumed.Close()
		if e := <-resumed.C; e.Seq != total {
			t.Errorf("resumed at %d, want %d", e.Seq, total)
		}
		beyond := tl.Subscribe(timeline.Filter{}, total+1000) // of another ledger
		defer beyond.Close()
		if e := appendTo(t, db, tl, deploy("cart")); e.Seq != (<-beyond.C).Seq {
			t.Errorf("the next entry did not arrive")
		}
	})
}

func TestSubscriptionCloseIsPromptAndRepeatable(t *testing.T) {
	db := storetest.New(t)
	tl := open(t, db)
	for range 100 {
		appendTo(t, db, tl, deploy("cart"))
	}
	for range 50 {
		feed := tl.Subscribe(timeline.Filter{}, 0) // blocked on its full channel
		feed.Close()
		feed.Close()
	}
}

// until fails the test when the condition does not come true in time.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

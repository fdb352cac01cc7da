package postmortem_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/postmortem"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
	"github.com/daytwo-dev/daytwo/internal/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var golden = flag.Bool("golden", false, "write the golden files anew")

var opened = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// story is a timeline around an incident of checkout, with what does not belong to it.
func story() []timeline.Entry {
	at := func(minutes float64, kind timeline.Kind, action, service, title, actor string) timeline.Entry {
		return timeline.Entry{Time: opened.Add(time.Duration(minutes * float64(time.Minute))), Kind: kind, Action: action,
			Service: service, Title: title, Actor: actor, Ref: "incident/i1"}
	}
	paged := at(0.1, timeline.Page, "sent", "checkout", "Paged ada by email for #7", "daytwo")
	paged.Data = map[string]string{"person": "ada"}
	return []timeline.Entry{
		at(-31, timeline.Change, "deploy", "checkout", "too long ago", "eve"),
		at(-10, timeline.Change, "deploy", "payments", "payments v9 deployed | <b>was</b> v8", "grace"),
		at(-2, timeline.Change, "deploy", "checkout", "checkout v2 deployed (was v1)", "token:ci"),
		at(-1, timeline.Change, "deploy", "storefront", "another service", "eve"),
		at(0, timeline.Incident, "opened", "checkout", "Incident #7 opened: budget burns", "daytwo"),
		paged,
		at(1.5, timeline.Incident, "acknowledged", "checkout", "Incident #7 acknowledged: budget burns", "ada"),
		at(4, timeline.Change, "rollback", "checkout", "checkout v1 deployed (was v2)", "ada"),
		at(12, timeline.Incident, "resolved", "checkout", "Incident #7 resolved: budget burns", "daytwo"),
		at(13, timeline.Change, "deploy", "checkout", "afterwards", "eve"),
	}
}

func facts() postmortem.Incident {
	acknowledged := opened.Add(90 * time.Second)
	return postmortem.Incident{Title: "budget burns", Facts: postmortem.Facts{
		IncidentID: "i1", Number: 7, Service: "checkout", Services: []string{"payments", "checkout"}, Severity: "critical",
		OpenedAt: opened, AcknowledgedAt: &acknowledged, AcknowledgedBy: "ada", ResolvedAt: opened.Add(12 * time.Minute), ResolvedBy: "daytwo",
		People: []string{"linus"},
	}}
}

type bench struct {
	*postmortem.Postmortems
	db       *store.DB
	timeline *timeline.Timeline
}

func newBench(t *testing.T, db *store.DB) *bench {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	tl, err := timeline.New(t.Context(), timeline.Config{DB: db, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	p, err := postmortem.New(t.Context(), postmortem.Config{DB: db, Timeline: tl, Logger: quiet,
		Now: func() time.Time { return opened.Add(15 * time.Minute) }})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{p, db, tl}
}

func (b *bench) tell(t *testing.T, entries []timeline.Entry) {
	t.Helper()
	err := b.db.Write(t.Context(), func(tx *store.Tx) error {
		for _, e := range entries {
			if err := b.timeline.Append(t.Context(), tx, &e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) draft(t *testing.T, i postmortem.Incident) (d postmortem.Detail) {
	t.Helper()
	err := b.db.Write(t.Context(), func(tx *store.Tx) (err error) {
		d, err = b.Draft(t.Context(), tx, i)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDraftHoldsTheStory(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		b.tell(t, story())
		d := b.draft(t, facts())
		var titles []string
		for _, e := range d.Timeline {
			titles = append(titles, string(e.Kind)+" "+e.Action)
		}
		want := []string{"change deploy", "change deploy", "incident opened", "page sent", "incident acknowledged", "change rollback", "incident resolved"}
		if !slices.Equal(titles, want) {
			t.Errorf("timeline %q, want %q", titles, want)
		}
		if !slices.Equal(d.People, []string{"linus", "grace", "ada"}) || !slices.Equal(d.Services, []string{"checkout", "payments"}) {
			t.Errorf("people %q, services %q", d.People, d.Services)
		}
		if !strings.Contains(d.Summary, "acknowledged by ada after 1m30s, and was resolved after 12m by daytwo") ||
			!strings.Contains(d.RootCause, "checkout v2 deployed") || strings.Contains(d.RootCause, "v1 deployed") {
			t.Errorf("summary %q\nroot cause %q", d.Summary, d.RootCause)
		}
		got, err := b.Get(t.Context(), d.ID)
		if err != nil || fmt.Sprint(got.Postmortem.Facts) == "" || got.Summary != d.Summary || len(got.Timeline) != len(d.Timeline) || got.Version != 1 {
			t.Errorf("read back %+v: %v", got, err)
		}
		entries, _, err := b.timeline.List(t.Context(), timeline.Filter{Kinds: []timeline.Kind{timeline.Postmortem}})
		if err != nil || len(entries) != 1 || entries[0].Ref != "postmortem/"+d.ID {
			t.Errorf("timeline %+v: %v", entries, err)
		}
	})
}

func TestDraftOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		first := b.draft(t, facts())
		if _, err := b.Update(t.Context(), first.ID, 1, edited(), "ada"); err != nil {
			t.Fatal(err)
		}
		second := b.draft(t, facts())
		if second.ID != first.ID || second.Title != "edited" || second.Version != 2 {
			t.Errorf("the second draft: %+v", second)
		}
		if list, more, err := b.List(t.Context(), postmortem.Filter{Limit: 10}); len(list) != 1 || more || err != nil {
			t.Errorf("%d postmortems: %v", len(list), err)
		}
	})
}

func TestALongTimelineIsBounded(t *testing.T) {
	b := newBench(t, storetest.New(t))
	var many []timeline.Entry
	for k := range 1200 {
		many = append(many, timeline.Entry{Time: opened.Add(time.Duration(k) * time.Millisecond), Kind: timeline.Alert, Action: "fired",
			Service: "checkout", Title: fmt.Sprint(k)})
	}
	b.tell(t, many)
	d := b.draft(t, facts())
	if n := len(d.Timeline); n != 1000 || d.Timeline[n-1].Title != "1199" {
		t.Errorf("%d entries", n)
	}
}

func TestDraftNeedsAnEndedIncident(t *testing.T) {
	b := newBench(t, storetest.New(t))
	i := facts()
	i.ResolvedAt = time.Time{}
	err := b.db.Write(t.Context(), func(tx *store.Tx) error { _, err := b.Draft(t.Context(), tx, i); return err })
	if problem.CodeOf(err) != problem.Invalid {
		t.Errorf("got %v", err)
	}
}

func edited() postmortem.Written {
	return postmortem.Written{
		Title: "edited", Status: postmortem.Published, Summary: "It broke.\n\nThen it was mended.", Impact: "| none |", RootCause: "a missing index",
		Actions: []postmortem.Action{{Text: "Add the\nindex", Owner: "grace", Done: true}, {Text: "Test with real data"}},
	}
}

func TestSavingOnTopOfAnothersVersionIsAConflict(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		d := b.draft(t, facts())
		saved, err := b.Update(t.Context(), d.ID, 1, edited(), "ada")
		if err != nil || saved.Version != 2 || saved.Status != postmortem.Published || saved.Actions[0].Text != "Add the index" {
			t.Fatalf("%+v: %v", saved.Postmortem, err)
		}
		late := edited()
		late.Summary = "another's"
		if _, err := b.Update(t.Context(), d.ID, 1, late, "grace"); problem.CodeOf(err) != problem.Conflict {
			t.Errorf("got %v", err)
		}
		got, err := b.Get(t.Context(), d.ID)
		if err != nil || got.Summary != edited().Summary || got.Version != 2 {
			t.Errorf("after the conflict: %+v, %v", got.Postmortem, err)
		}
		for name, spoil := range map[string]func(w *postmortem.Written){
			"no title":     func(w *postmortem.Written) { w.Title = " " },
			"status":       func(w *postmortem.Written) { w.Status = "lost" },
			"long":         func(w *postmortem.Written) { w.Lessons = strings.Repeat("x", 65<<10) },
			"empty action": func(w *postmortem.Written) { w.Actions = []postmortem.Action{{}} },
			"many actions": func(w *postmortem.Written) { w.Actions = make([]postmortem.Action, 101) },
		} {
			w := edited()
			spoil(&w)
			if _, err := b.Update(t.Context(), d.ID, 2, w, "ada"); err == nil {
				t.Errorf("%s was taken", name)
			}
		}
		if _, err := b.Update(t.Context(), "nope\x00", 1, edited(), "ada"); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("an unknown postmortem: %v", err)
		}
	})
}

func TestMarkdown(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.tell(t, story())
	stub := b.draft(t, facts())
	published, err := b.Update(t.Context(), stub.ID, 1, edited(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]postmortem.Detail{"stub": stub, "published": published} {
		file := "testdata/" + name + ".md"
		if *golden {
			if err := os.WriteFile(file, d.Markdown(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Markdown(); string(got) != string(want) {
			t.Errorf("%s: got\n%s", file, got)
		}
	}
}

func TestRoutes(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.tell(t, story())
	d := b.draft(t, facts())
	other := facts()
	other.IncidentID, other.Service, other.Services = "i2", "payments", nil
	b.draft(t, other)
	a, err := auth.New(t.Context(), auth.Config{DB: b.db, AdminToken: "a-token-of-enough-length", KeyFile: t.TempDir() + "/key"})
	if err != nil {
		t.Fatal(err)
	}
	s := web.New(web.Config{Auth: a})
	b.Routes(s)
	if _, err := s.OpenAPI(); err != nil {
		t.Fatal(err)
	}
	handler := s.Handler()
	text, err := json.Marshal(edited())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, path, version, body string
		status                      int
		want                        string
	}{
		{"GET", "/api/postmortems", "", "", 200, `"incidentId":"i2"`},
		{"GET", "/api/postmortems?incident=i1", "", "", 200, `{"items":[{"id":"` + d.ID},
		{"GET", "/api/postmortems?service=nope", "", "", 200, `{"items":[]}`},
		{"GET", "/api/postmortems?limit=1", "", "", 200, `"next":"`},
		{"GET", "/api/postmortems/" + d.ID, "", "", 200, `"timeline":[{"seq":`},
		{"GET", "/api/postmortems/" + d.ID + "/markdown", "", "", 200, "# Postmortem: budget burns\n"},
		{"GET", "/api/postmortems/nope", "", "", 404, "there is no postmortem"},
		{"PUT", "/api/postmortems/" + d.ID, "", string(text), 400, "If-Match"},
		{"PUT", "/api/postmortems/" + d.ID, "x", string(text), 400, `"field":"If-Match"`},
		{"PUT", "/api/postmortems/" + d.ID, `"1"`, `{"title": "x"}`, 400, "summary"},
		{"PUT", "/api/postmortems/" + d.ID, `"1"`, string(text), 200, `"version":2`},
		{"PUT", "/api/postmortems/" + d.ID, "1", string(text), 409, "load it again"},
		{"PUT", "/api/postmortems/" + d.ID, "2", string(text), 200, `"version":3`},
	} {
		r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
		r.Header.Set("Authorization", "Bearer a-token-of-enough-length")
		r.Header.Set("Content-Type", "application/json")
		if tt.version != "" {
			r.Header.Set("If-Match", tt.version)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s %s = %d %s\nwant %d with %s", tt.method, tt.path, w.Code, w.Body, tt.status, tt.want)
		}
		if strings.HasSuffix(tt.path, "/markdown") && !strings.HasPrefix(w.Header().Get("Content-Type"), "text/markdown") {
			t.Errorf("markdown is answered as %v", w.Header())
		}
	}
}

func TestADraftOfALongTitleCanBeSaved(t *testing.T) {
	b := newBench(t, storetest.New(t))
	i := facts()
	i.Title = strings.Repeat("漢", 400)
	d := b.draft(t, i)
	if !strings.Contains(d.Summary, i.Title) {
		t.Error("the summary lacks the whole title")
	}
	if _, err := b.Update(t.Context(), d.ID, d.Version, d.Written, "ada"); err != nil {
		t.Error(err)
	}
}

package logs

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/match"
)

// watcher looks at the searches with a threshold and reports those over it.
type watcher struct {
	logs *Logs

	wake chan struct{} // a search is watched from now on

	mu   sync.Mutex
	last map[string]look
}

func newWatcher(l *Logs) *watcher { return &watcher{logs: l, wake: make(chan struct{}, 1)} }

// soon asks for a round now: whoever begins to watch a search sees at once what
// it finds.
func (w *watcher) soon() {
	select {
	case w.wake <- struct{}{}:
	default: // a round is asked for already
	}
}

// look is what was found the last time.
type look struct {
	count  int64
	firing bool
}

const (
	watchEvery = 30 * time.Second
	fireFor    = 5 * watchEvery // an alert that is not repeated ends by itself after this
)

// Run looks at watched searches until ctx ends.
func (w *watcher) run(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		if err := w.round(ctx); err != nil && ctx.Err() == nil {
			w.logs.log.ErrorContext(ctx, "watched searches; the next round tries again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-w.wake:
		}
	}
}

// round looks at each watched search once. One that fails is told of and keeps
// none of the others from being looked at.
func (w *watcher) round(ctx context.Context) error {
	all, err := w.logs.savedSearches(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.Threshold <= 0 {
			continue
		}
		if err := w.look(ctx, s); err != nil && ctx.Err() == nil {
			w.logs.log.WarnContext(ctx, "a watched search was not looked at", "search", s.Name, "error", err)
		}
	}
	return nil
}

func (w *watcher) look(ctx context.Context, s SavedSearch) error {
	now := w.logs.now()
	asked := Asked{Query: s.Query, Language: s.Language, Service: s.Service, From: "now-" + s.Window, To: "now"}
	sc, err := asked.scope(now)
	if err != nil {
		return err
	}
	res, err := w.logs.cfg.Events.Query(ctx, event.Query{Range: sc.within, Filter: sc.filter, Tables: []event.Table{{Calculate: []event.Calculation{{Op: event.CalcCount}}}}})
	if err != nil {
		return err
	}
	was, _ := w.state(s.ID)
	found := look{res.Matched, over(res.Matched, s.Threshold)}
	switch {
	case found.firing:
		err = w.report(ctx, s, found.count, now.Add(fireFor))
	case was:
		err = w.report(ctx, s, found.count, now.Add(-time.Second))
	}
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil {
		w.last = map[string]look{}
	}
	w.last[s.ID] = found
	return nil
}

// over is the whole decision.
func over(count, threshold int64) bool { return threshold > 0 && count >= threshold }

func (w *watcher) state(id string) (firing bool, count *int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if l, ok := w.last[id]; ok {
		return l.firing, &l.count
	}
	return false, nil
}

// forget ends the alert of a search that is no more.
func (w *watcher) forget(ctx context.Context, s SavedSearch) {
	firing, _ := w.state(s.ID)
	w.mu.Lock()
	delete(w.last, s.ID)
	w.mu.Unlock()
	if !firing {
		return
	}
	if err := w.report(ctx, s, 0, w.logs.now().Add(-time.Second)); err != nil {
		w.logs.log.WarnContext(ctx, "the alert of a deleted search ends by itself", "search", s.Name, "error", err)
	}
}

// serviceOf is the service that all lines of a search are of, as far as the
// search says so for certain; empty: it does not.
func serviceOf(s SavedSearch, now time.Time) string {
	if s.Service != "" {
		return s.Service
	}
	f, err := match.Query(s.Language, s.Query, now)
	if err != nil {
		return "" // looking at the search told of it
	}
	return certainService(f)
}

func certainService(f event.Filter) string {
	switch f.Op {
	case event.OpAnd:
		for _, of := range f.Of {
			if service := certainService(of); service != "" {
				return service
			}
		}
	case event.OpEquals, event.OpIn:
		if f.Field == event.ServiceField && len(f.Values) == 1 {
			return f.Values[0].Text()
		}
	}
	return ""
}

func (w *watcher) report(ctx context.Context, s SavedSearch, n int64, until time.Time) error {
	if w.logs.cfg.Alerts == nil {
		return nil
	}
	labels := event.Labels{"alertname": s.Name, "severity": s.Severity, "search": s.ID}
	if service := serviceOf(s, w.logs.now()); service != "" {
		labels["service"] = service
	}
	what := s.Query
	if what == "" {
		what = "any line"
	}
	annotations := event.Labels{
		"title":       s.Name,
		"summary":     fmt.Sprintf("%d lines in %s match %s", n, s.Window, what),
		"description": fmt.Sprintf("At least %d lines within %s are expected to be a fault. Query (%s): %s", s.Threshold, s.Window, s.Language, what),
	}
	q := url.Values{"q": {s.Query}, "from": {"now-" + s.Window}, "to": {"now"}}
	if s.Language != match.KQL {
		q.Set("language", s.Language)
	}
	if s.Service != "" {
		q.Set("service", s.Service)
	}
	return w.logs.cfg.Alerts.Report(ctx, labels, annotations, w.logs.cfg.PublicURL+"/logs?"+q.Encode(), until)
}

package incident

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/store"
)

const (
	auditEvery = 15 * time.Second
	beatEvery  = time.Minute
	auditSlack = time.Minute // how late a step may be before it counts as forgotten
	auditChunk = 1000        // ledger entries read at once
)

// Audit is what the auditor found: it folds the ledger, looks at no table of what came of it, and asks of every open
// incident what will happen next; and it looks at the events from which the ledger is yet to come.
type Audit struct {
	At        time.Time     `json:"at" doc:"when it looked; zero: it did not yet"`
	Seq       int64         `json:"seq" doc:"up to which entry of the ledger"`
	Well      bool          `json:"well" doc:"the outward heartbeat is sent: nothing below but ended incidents"`
	Open      int           `json:"open" doc:"open incidents"`
	Ended     []Finding     `json:"ended" doc:"people were paged, nobody acknowledged, and nobody is left to page, which was said loudly"`
	Unreached []Finding     `json:"unreached" doc:"nobody could be told, which was said loudly; their escalation starts over again and again"`
	Stranded  []Finding     `json:"stranded" doc:"something should happen, and nothing will"`
	Stuck     []string      `json:"stuck" doc:"rules of the timeline that fail at one entry while all later ones wait, and why"`
	Waiting   int           `json:"waiting,omitempty" doc:"events that were accepted more than a minute ago and not looked at"`
	Failed    []FailedEvent `json:"failed" doc:"events of the last day that could not be worked out, newest first, at most 100; they are tried again every hour"`
	Error     string        `json:"error,omitempty" doc:"why it could not look"`
}

// FailedEvent is an event that was accepted and could not be worked out.
type FailedEvent struct {
	ID     string    `json:"id"`
	Time   time.Time `json:"time" doc:"when it came in"`
	Title  string    `json:"title"`
	Reason string    `json:"reason"`
}

// well tells whether the outside may rely on everything being paged.
func (a Audit) well() bool {
	return len(a.Unreached) == 0 && len(a.Stranded) == 0 && len(a.Stuck) == 0 && a.Waiting == 0 && len(a.Failed) == 0 && a.Error == ""
}

// Finding is one incident that nothing will happen to.
type Finding struct {
	ID     string `json:"id"`
	Number int64  `json:"number"`
	Reason string `json:"reason"`
}

// auditor is the fold so far. The zero value is at the beginning.
type auditor struct {
	every time.Duration
	mu    sync.Mutex
	state *State
	seq   int64
}

// decideAudit says whether something will happen to an incident that has these pages: ok, unreached (paging starts over, and nobody could
// be told so far), ended (nobody is left, and that was said), or stranded.
func decideAudit(i IncidentState, pages []PageState, now time.Time) (verdict, reason string) {
	late := store.Micros(now.Add(-auditSlack))
	if i.Status == Resolved || i.Status == Acknowledged && i.NextAt == 0 {
		return "ok", "somebody has it"
	}
	coming := i.NextAt > late
	if i.NextAt > 0 && !coming {
		return "stranded", fmt.Sprintf("its next step was due at %s", store.FromMicros(i.NextAt).Format(time.RFC3339))
	}
	under := slices.ContainsFunc(pages, func(p PageState) bool { return p.WakeAt > late && p.Status != "exhausted" })
	switch {
	case i.Unreached != "" && i.Status == Triggered && (coming || under):
		return "unreached", "nobody reachable: " + i.Unreached
	case coming:
		return "ok", "its next step is scheduled"
	case under:
		return "ok", "a page is under way"
	case slices.ContainsFunc(pages, func(p PageState) bool { return p.WakeAt > 0 && p.WakeAt <= late && p.Status != "exhausted" }):
		return "stranded", "its pages wait longer than they should"
	case i.Unreached != "":
		return "stranded", "nobody reachable, and paging does not start over: " + i.Unreached
	}
	return "ended", "everybody was paged and nobody acknowledged"
}

// Audit reads on in the ledger and judges.
func (s *Incidents) Audit(ctx context.Context) Audit {
	s.auditor.mu.Lock()
	defer s.auditor.mu.Unlock()
	a := &s.auditor
	if a.state == nil {
		a.state = NewState()
	}
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		for {
			list, err := facts(ctx, tx, a.seq, auditChunk)
			if err != nil || len(list) == 0 {
				return err
			}
			for _, f := range list {
				if f.What != factRecord && f.What != factAlert && f.What != factEnded && f.What != factEscalation && f.What != factTurn {
					if err := a.state.Apply(f); err != nil {
						return err
					}
				}
				a.seq = f.Seq
			}
			a.state.forget()
		}
	})
	found := Audit{At: s.clock(), Seq: a.seq, Open: len(a.state.Incidents), Ended: []Finding{}, Unreached: []Finding{}, Stranded: []Finding{}, Stuck: []string{},
		Failed: []FailedEvent{}}
	if err == nil {
		err = s.auditInbox(ctx, &found)
	}
	if err != nil {
		found.Error = err.Error()
	}
	for _, c := range s.timeline.Stuck(auditSlack) {
		found.Stuck = append(found.Stuck, fmt.Sprintf("%s fails since %s: %v", c.Consumer, c.Since.UTC().Format(time.RFC3339), c.Err))
	}
	pages := map[string][]PageState{}
	for _, p := range a.state.Pages {
		if p.Kind == "" {
			pages[p.Incident] = append(pages[p.Incident], p)
		}
	}
	for id, i := range a.state.Incidents {
		switch verdict, reason := decideAudit(i, pages[id], found.At); verdict {
		case "ended":
			found.Ended = append(found.Ended, Finding{id, i.Number, reason})
		case "unreached":
			found.Unreached = append(found.Unreached, Finding{id, i.Number, reason})
		case "stranded":
			found.Stranded = append(found.Stranded, Finding{id, i.Number, reason})
		}
	}
	for _, list := range [][]Finding{found.Ended, found.Unreached, found.Stranded} {
		slices.SortFunc(list, func(a, b Finding) int { return int(b.Number - a.Number) })
	}
	found.Well = found.well()
	s.metrics.stranded.Set(float64(len(found.Stranded)))
	s.metrics.unreached.Set(float64(len(found.Unreached)))
	s.metrics.waiting.Set(float64(found.Waiting))
	s.metrics.unworked.Set(float64(len(found.Failed)))
	return found
}

// auditInbox looks at the events that were accepted and of which nothing came yet.
func (s *Incidents) auditInbox(ctx context.Context, a *Audit) error {
	return s.db.Read(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM inbound_events WHERE fresh = 1 AND at < ?`, a.At.Add(-auditSlack)).Scan(&a.Waiting)
		if err != nil {
			return fmt.Errorf("count events: %w", err)
		}
		list, err := failedEvents(ctx, tx, a.At.Add(-keepFailed), maxFailed)
		for _, e := range list {
			a.Failed = append(a.Failed, FailedEvent{ID: e.ID, Time: e.Time, Title: e.Body.Title, Reason: e.Reason})
		}
		return err
	})
}

// forget drops what can no longer matter to the auditor.
func (st *State) forget() {
	for id, i := range st.Incidents {
		if i.Status == Resolved {
			delete(st.Incidents, id)
		}
	}
	for id, p := range st.Pages {
		if p.WakeAt == 0 {
			delete(st.Pages, id)
		}
	}
}

// audit looks again and again until ctx ends, and tells the outside that all is well as long as it is.
func (s *Incidents) audit(ctx context.Context) {
	var told time.Time
	for ctx.Err() == nil {
		found := s.Audit(ctx)
		if ctx.Err() != nil {
			return
		}
		for _, f := range found.Stranded {
			s.log.ErrorContext(ctx, "nothing will happen to an open incident", "incident", f.Number, "why", f.Reason)
		}
		if found.Waiting > 0 {
			s.log.ErrorContext(ctx, "events wait to be looked at for more than a minute", "events", found.Waiting)
		}
		for _, c := range found.Stuck {
			s.log.ErrorContext(ctx, "what the timeline says is not acted on", "rule", c)
		}
		if found.Well && s.beat != "" && s.clock().Sub(told) >= beatEvery {
			if err := s.tellWell(ctx); err != nil {
				s.log.WarnContext(ctx, "the outside was not told that all is well", "err", err)
			} else {
				told = s.clock()
			}
		}
		timer := time.NewTimer(s.auditor.every)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (s *Incidents) tellWell(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.beat, nil)
	if err != nil {
		return errors.New("heartbeat: the URL cannot be used")
	}
	req.Header.Set("User-Agent", "daytwo")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("heartbeat: %w", rootCause(err))
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return fmt.Errorf("heartbeat: the answer was %s", res.Status)
	}
	return nil
}

// rootCause leaves out the address, which may hold a secret.
func rootCause(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

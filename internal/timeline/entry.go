package timeline

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"
	"unicode/utf8"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// Kind says what an entry is about.
type Kind string

const (
	Change     Kind = "change" // deploy, rollback, restart, scale, flag, fault: somebody or something did something
	Alert      Kind = "alert"
	Incident   Kind = "incident"
	Page       Kind = "page"
	Run        Kind = "run"
	Postmortem Kind = "postmortem"
)

// Tones colour an entry.
const (
	Critical = "critical"
	Warning  = "warning"
	Good     = "good"
	Info     = "info"
	Fault    = "fault"
)

const (
	maxName  = 200      // bytes of kind, action, service, actor, ref
	maxTitle = 1000     // bytes; longer titles are cut, so that no transition is lost for its text
	maxData  = 64 << 10 // bytes of Data as JSON
)

// Entry is one thing that happened. Entries are handed to many readers: treat
// Data as read-only.
type Entry struct {
	Seq     int64             `json:"seq" doc:"position in the ledger: no gaps, in commit order"`
	ID      string            `json:"id"`
	Time    time.Time         `json:"time" doc:"when it happened, which may be before it was recorded"`
	Kind    Kind              `json:"kind" doc:"change, alert, incident, page, run, postmortem"`
	Action  string            `json:"action" doc:"what happened: deploy, fired, opened, acknowledged, resolved, sent, started, finished …"`
	Service string            `json:"service,omitempty"`
	Title   string            `json:"title"`
	Actor   string            `json:"actor,omitempty" doc:"who did it"`
	Ref     string            `json:"ref,omitempty" doc:"what it belongs to: incident/<id>, run/<id>, alert/<id>, workload/<name>, postmortem/<id>"`
	Tone    string            `json:"tone" enum:"critical,warning,good,info,fault"`
	Data    map[string]string `json:"data,omitempty"`
}

// Append adds e to the ledger inside tx. It fills Seq always, and ID, Time (now)
// and Tone (info) where they are empty; Time is kept to the microsecond, in UTC.
// Subscribers and consumers get the entry after tx commits, never otherwise.
func (t *Timeline) Append(ctx context.Context, tx *store.Tx, e *Entry) error {
	data, err := e.complete(time.Now())
	if err != nil {
		return err
	}
	err = tx.QueryRow(ctx, `UPDATE timeline_head SET seq = seq + 1 RETURNING seq`).Scan(&e.Seq)
	if err != nil {
		return fmt.Errorf("append to timeline: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO timeline_entries
		(seq, id, time, kind, action, service, title, actor, ref, tone, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.Seq, e.ID, store.Micros(e.Time), string(e.Kind), e.Action, e.Service, e.Title, e.Actor, e.Ref, e.Tone, data)
	if err != nil {
		return fmt.Errorf("append to timeline: %w", err)
	}
	committed := *e
	committed.Data = maps.Clone(e.Data)
	tx.OnCommit(func() {
		t.metrics.entries.WithLabelValues(string(committed.Kind)).Inc()
		t.recent.publish(committed)
	})
	return nil
}

// complete fills what the caller left open, checks the rest, and returns Data
// in its stored form.
func (e *Entry) complete(now time.Time) (data string, err error) {
	if e.ID == "" {
		e.ID = event.NewID()
	}
	if e.Time.IsZero() {
		e.Time = now
	}
	e.Time = e.Time.UTC().Truncate(time.Microsecond)
	if e.Tone == "" {
		e.Tone = Info
	}
	e.Title = cut(store.Text(e.Title), maxTitle)
	names := []struct {
		field    string
		value    *string
		required bool
	}{
		{"kind", (*string)(&e.Kind), true}, {"action", &e.Action, true}, {"title", &e.Title, true},
		{"service", &e.Service, false}, {"actor", &e.Actor, false}, {"ref", &e.Ref, false},
	}
	for _, n := range names {
		*n.value = store.Text(*n.value)
		if n.required && *n.value == "" {
			return "", problem.New(problem.Invalid, "a timeline entry needs a %s", n.field).WithField(n.field)
		}
		if n.field != "title" && len(*n.value) > maxName {
			return "", problem.New(problem.TooLarge, "the %s of a timeline entry has %d bytes, more than %d", n.field, len(*n.value), maxName).WithField(n.field)
		}
	}
	switch e.Tone {
	case Critical, Warning, Good, Info, Fault:
	default:
		return "", problem.New(problem.Invalid, "there is no tone %q", e.Tone).WithField("tone").
			WithMend("use critical, warning, good, info or fault")
	}
	return encodeData(e.Data)
}

func encodeData(data map[string]string) (string, error) {
	if len(data) == 0 {
		return "", nil
	}
	raw, err := json.Marshal(data) // escapes NUL and mends UTF-8
	if err != nil {
		return "", fmt.Errorf("encode timeline data: %w", err)
	}
	if len(raw) > maxData {
		return "", problem.New(problem.TooLarge, "the data of a timeline entry has %d bytes, more than %d", len(raw), maxData).WithField("data")
	}
	return string(raw), nil
}

// cut shortens s to at most n bytes, ending in an ellipsis.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = s[:n-len("…")]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}

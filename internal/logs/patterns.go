package logs

import (
	"context"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/pattern"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
)

// patternsInput asks for the templates behind messages.
type patternsInput struct {
	Asked
	Limit int `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

// Pattern is a template of messages.
type Pattern struct {
	ID       string           `json:"id"`
	Template string           `json:"template" doc:"<n>, <ip>, <time> and the like stand for what changes, <*> for any word"`
	Count    int64            `json:"count" doc:"among the lines looked at"`
	Share    float64          `json:"share" doc:"of the lines looked at"`
	New      bool             `json:"new" doc:"no line of the span of the same length before is like it"`
	Sample   string           `json:"sample"`
	First    string           `json:"first"`
	Last     string           `json:"last"`
	Levels   map[string]int64 `json:"levels"`
}

// PatternsAnswer is the patterns, most frequent first.
type PatternsAnswer struct {
	Patterns []Pattern `json:"patterns"`
	Looked   int64     `json:"looked" doc:"newest lines looked at"`
	Matched  int64     `json:"matched" doc:"lines that match"`
	Before   int64     `json:"before" doc:"lines of the span before, which say what is new"`
}

// maxMined is how many lines are looked at: the newest ones.
const maxMined = 20_000

func (l *Logs) patterns(ctx context.Context, in *patternsInput) (*PatternsAnswer, error) {
	s, err := in.scope(l.now())
	if err != nil {
		return nil, err
	}
	now, looked, matched, err := l.mine(ctx, s, maxMined)
	if err != nil {
		return nil, err
	}
	earlier := s
	earlier.within = event.Range{From: s.within.From.Add(-s.within.Duration()), To: s.within.From}
	before, past, _, err := l.mine(ctx, earlier, maxMined)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, p := range before {
		known[p.ID] = true
	}
	answer := &PatternsAnswer{Looked: looked, Matched: matched, Before: past}
	for _, p := range now[:min(in.Limit, len(now))] {
		one := Pattern{
			ID: p.ID, Template: p.Template, Count: p.Count, Share: float64(p.Count) / float64(max(1, looked)), Sample: p.Sample, Levels: p.Levels,
			First: time.Unix(0, p.First).UTC().Format(time.RFC3339Nano), Last: time.Unix(0, p.Last).UTC().Format(time.RFC3339Nano),
		}
		one.New = past > 0 && !known[p.ID]
		for i := 0; one.New && i < len(before); i++ {
			one.New = !pattern.Fits(before[i].Template, p.Template)
		}
		answer.Patterns = append(answer.Patterns, one)
	}
	return answer, nil
}

func (l *Logs) mine(ctx context.Context, s scope, most int64) (found []pattern.Pattern, looked, matched int64, err error) {
	var m pattern.Miner
	rows := &event.Rows{Fields: []string{event.MessageField, event.LevelField, "msg", "log", "body", "MESSAGE"}, Limit: event.MaxRows, Count: true}
	for looked < most {
		res, err := l.cfg.Events.Query(ctx, event.Query{Range: s.within, Filter: s.filter, Rows: rows})
		if err != nil {
			return nil, 0, 0, err
		}
		matched = max(matched, res.Matched)
		for i := range res.Rows {
			e := &res.Rows[i]
			m.Add(messageOf(e), record.Level(e.Get(event.LevelField).String()), e.Time)
			looked++
		}
		if len(res.Rows) < rows.Limit {
			break
		}
		c := rows.CursorOf(&res.Rows[len(res.Rows)-1])
		rows.After, rows.Count = &c, false
	}
	return m.Patterns(), looked, matched, nil
}

// messageOf is the text of a line, also where a document calls it otherwise.
func messageOf(e *event.Event) string {
	for _, name := range []string{event.MessageField, "msg", "log", "body", "MESSAGE"} {
		if v := e.Get(name); !v.IsNull() {
			return v.Text()
		}
	}
	return ""
}

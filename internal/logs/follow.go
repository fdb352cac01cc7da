package logs

import (
	"context"
	"time"
)

// followInput asks for lines as they come.
type followInput struct {
	Query    string `query:"q" maxLength:"32768"`
	Language string `query:"language" enum:"kql,lucene" default:"kql"`
	Service  string `query:"service"`
}

// Followed are lines as they came, oldest first.
type Followed struct {
	Rows    []Row `json:"rows"`
	Dropped int64 `json:"dropped,omitempty" doc:"lines passed over since the last event, because they came faster than they are shown"`
}

// maxFollowed is how many lines one event holds; a flood is thinned, and says so.
const maxFollowed = 500

// follow streams lines until the client goes.
func (l *Logs) follow(ctx context.Context, in *followInput, send func(id string, f Followed) error) error {
	asked := Asked{Query: in.Query, Language: in.Language, Service: in.Service, From: "now-1m", To: "now"}
	s, err := asked.scope(l.now())
	if err != nil {
		return err
	}
	tail, err := l.cfg.Events.Tail(ctx, s.filter)
	if err != nil {
		return err
	}
	defer tail.Close()
	for {
		events, dropped, err := tail.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		f := Followed{Dropped: dropped}
		if over := len(events) - maxFollowed; over > 0 {
			f.Dropped += int64(over)
			events = events[over:]
		}
		for i := range events {
			f.Rows = append(f.Rows, rowOf(&events[i]))
		}
		if err := send("", f); err != nil {
			return err
		}
		if len(events) >= maxFollowed { // a flood: leave the screen time to breathe
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}

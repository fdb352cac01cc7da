package app

import (
	"context"
	"strconv"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// ledger gives the timeline its routes: package timeline is a sibling of the
// HTTP kit and knows nothing of it.
type ledger struct {
	db       *store.DB
	timeline *timeline.Timeline
}

// Selection is what the list and the stream filter by.
type Selection struct {
	Service []string `query:"service" doc:"only these services"`
	Kind    []string `query:"kind" doc:"only these kinds: change, alert, incident, page, run, postmortem"`
	Action  []string `query:"action" doc:"only these actions, for example deploy"`
	Ref     []string `query:"ref" doc:"only what belongs to these, for example incident/<id>"`
}

func (s Selection) filter() timeline.Filter {
	f := timeline.Filter{Services: s.Service, Actions: s.Action, Refs: s.Ref}
	for _, k := range s.Kind {
		f.Kinds = append(f.Kinds, timeline.Kind(k))
	}
	return f
}

type listInput struct {
	Selection
	web.Page
	From string `query:"from" doc:"RFC 3339, unix seconds, or now-1h"`
	To   string `query:"to" doc:"RFC 3339, unix seconds, or now"`
}

type changeInput struct {
	Body struct {
		Service string            `json:"service,omitempty" maxLength:"200"`
		Title   string            `json:"title" minLength:"1" maxLength:"1000" doc:"what was done, in one line"`
		Action  string            `json:"action,omitempty" default:"other" maxLength:"200" doc:"deploy, config, flag, scale, other"`
		Data    map[string]string `json:"data,omitempty"`
	}
}

// Routes registers the timeline's part of the API.
func (l ledger) Routes(s *web.Server) {
	web.Get(s, "/api/timeline", web.Op{ID: "list-timeline", Summary: "What happened, newest first", Tag: "timeline"}, l.list)
	web.Stream(s, "/api/timeline/stream", web.Op{ID: "stream-timeline", Summary: "What happens, as it happens", Tag: "timeline",
		Description: "Begins after the event id given, or with what comes next."}, l.stream)
	web.Post(s, "/api/timeline/changes", web.Op{ID: "record-change", Summary: "Record a change made outside daytwo", Tag: "timeline",
		Role: auth.Responder, Audit: "timeline.record", Status: 201}, l.record)
}

func (l ledger) list(ctx context.Context, in *listInput) (*web.List[timeline.Entry], error) {
	f := in.filter()
	f.Limit, f.Cursor = in.Limit, in.Cursor
	var err error
	if f.Range.From, err = web.TimeParam("from", in.From); err != nil {
		return nil, err
	}
	if f.Range.To, err = web.TimeParam("to", in.To); err != nil {
		return nil, err
	}
	items, next, err := l.timeline.List(ctx, f)
	return &web.List[timeline.Entry]{Items: items, Next: next}, err
}

type streamInput struct {
	Selection
	web.Resume
}

func (l ledger) stream(ctx context.Context, in *streamInput, send func(string, timeline.Entry) error) error {
	after := l.timeline.Head()
	if last := in.LastID(); last != "" {
		var err error
		if after, err = strconv.ParseInt(last, 10, 64); err != nil || after < 0 {
			return problem.New(problem.Invalid, "%q is not the id of a timeline event", last).WithField("after")
		}
	}
	sub := l.timeline.Subscribe(in.filter(), after)
	defer sub.Close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-sub.C:
			if !ok {
				return nil
			}
			if err := send(strconv.FormatInt(e.Seq, 10), e); err != nil {
				return err
			}
		}
	}
}

func (l ledger) record(ctx context.Context, in *changeInput) (*timeline.Entry, error) {
	e := timeline.Entry{
		Kind: timeline.Change, Action: in.Body.Action, Service: in.Body.Service,
		Title: strings.TrimSpace(in.Body.Title), Actor: auth.FromContext(ctx).String(), Data: in.Body.Data,
	}
	err := l.db.Write(ctx, func(tx *store.Tx) error { return l.timeline.Append(ctx, tx, &e) })
	return &e, err
}

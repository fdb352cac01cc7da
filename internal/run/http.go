package run

import (
	"context"
	"strconv"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// Routes registers the API of runs.
func (e *Engine) Routes(s *web.Server) {
	const tag = "runs"
	web.Get(s, "/api/runs", web.Op{ID: "list-runs", Summary: "Runs, newest first", Tag: tag}, e.listRuns)
	web.Get(s, "/api/runs/{id}", web.Op{ID: "get-run", Summary: "One run with its steps", Tag: tag}, e.getRun)
	web.Post(s, "/api/runs/{id}/cancel", web.Op{ID: "cancel-run", Summary: "Ask for the end of a run", Tag: tag,
		Description: "A queued run ends at once, a running one a little later: follow its stream.",
		Role:        auth.Operator, Audit: "run.cancel"}, e.cancelRun)
	web.Get(s, "/api/runs/{id}/log", web.Op{ID: "get-run-log", Summary: "The log of a run", Tag: tag,
		Description: "Lines with a seq after the one given. Next, if present, is the after of the part that follows."}, e.getLog)
	web.Stream(s, "/api/runs/{id}/stream", web.Op{ID: "stream-run", Summary: "A run as it happens", Tag: tag,
		Description: "Begins with the run and its log after the event id given. Each line comes once, its id is its seq; " +
			"a run comes at each change. The stream ends after the run in its final state."}, e.streamRun)
}

type runInput struct {
	ID string `path:"id"`
}

type listInput struct {
	Kind    []string `query:"kind" doc:"only these kinds, for example deploy"`
	Service []string `query:"service" doc:"only of these services"`
	Status  []string `query:"status" doc:"only these: queued, running, succeeded, failed, canceled, interrupted"`
	web.Page
}

func (e *Engine) listRuns(ctx context.Context, in *listInput) (*web.List[Run], error) {
	cursor, err := in.After()
	if err != nil {
		return nil, err
	}
	f := Filter{Kinds: in.Kind, Services: in.Service, Limit: in.Limit, Cursor: cursor}
	for _, s := range in.Status {
		switch Status(s) {
		case Queued, Running, Succeeded, Failed, Canceled, Interrupted:
			f.Statuses = append(f.Statuses, Status(s))
		default:
			return nil, problem.New(problem.Invalid, "there is no status %q", s).WithField("status").
				WithMend("use queued, running, succeeded, failed, canceled or interrupted")
		}
	}
	items, next, err := e.List(ctx, f)
	return &web.List[Run]{Items: items, Next: web.Cursor(next)}, err
}

func (e *Engine) getRun(ctx context.Context, in *runInput) (*Run, error) {
	r, err := e.Get(ctx, in.ID)
	return &r, err
}

func (e *Engine) cancelRun(ctx context.Context, in *runInput) (*Run, error) {
	if err := e.Cancel(ctx, in.ID, auth.FromContext(ctx).Name); err != nil {
		return nil, err
	}
	r, err := e.Get(ctx, in.ID)
	web.Audited(ctx, "run/"+r.ID, r.Title)
	return &r, err
}

type logInput struct {
	ID    string `path:"id"`
	After int64  `query:"after" minimum:"0" doc:"the seq of the last line you have"`
	Limit int    `query:"limit" default:"1000" minimum:"1" maximum:"5000" doc:"how many lines at most"`
}

func (e *Engine) getLog(ctx context.Context, in *logInput) (*web.List[Line], error) {
	lines, err := e.Log(ctx, in.ID, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	list := &web.List[Line]{Items: lines}
	if len(lines) == in.Limit {
		list.Next = strconv.FormatInt(lines[len(lines)-1].Seq, 10)
	}
	return list, nil
}

type streamInput struct {
	ID string `path:"id"`
	web.Resume
}

func (e *Engine) streamRun(ctx context.Context, in *streamInput, send func(string, Update) error) error {
	var after int64
	if last := in.LastID(); last != "" {
		var err error
		if after, err = strconv.ParseInt(last, 10, 64); err != nil || after < 0 {
			return problem.New(problem.Invalid, "%q is not the id of a line", last).WithField("after")
		}
	}
	return e.Follow(ctx, in.ID, after, func(u Update) error {
		if u.Line != nil {
			return send(strconv.FormatInt(u.Line.Seq, 10), u)
		}
		return send("", u)
	})
}

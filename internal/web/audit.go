package web

import (
	"context"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Audited tells the audit entry of the operation that is being answered what it
// was about: target is "noun/id", detail what changed, without secrets. A handler
// that says nothing gets the path as its target.
func Audited(ctx context.Context, target, detail string) {
	x := exchangeOf(ctx)
	x.target, x.detail = target, detail
}

// audit writes the entry of an operation that has succeeded. What was done is
// done: if it cannot be written down, that is logged and counted, not answered.
func (s *Server) audit(ctx context.Context, op Op) {
	x := exchangeOf(ctx)
	e := auth.Entry{Actor: x.actor, Action: op.Audit, Target: x.target, Detail: x.detail, Request: x.id}
	if e.Actor == "" {
		e.Actor = auth.FromContext(ctx).String()
	}
	if x.r != nil {
		e.Address = s.clientAddr(x.r)
		if e.Target == "" {
			e.Target = strings.TrimPrefix(x.r.URL.Path, "/api/")
		}
	}
	// The client may have gone already: its change is still written down.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	if err := s.auth.AuditNow(ctx, e); err != nil {
		s.metrics.unlogged.Inc()
		s.log.ErrorContext(ctx, "a change is missing in the audit log", "actor", e.Actor, "action", e.Action,
			"target", e.Target, "detail", e.Detail, "request", e.Request, "error", err)
	}
}

type auditInput struct {
	Page
	Actor  string `query:"actor" doc:"only what this one did"`
	Action string `query:"action" doc:"only this action"`
	Target string `query:"target" doc:"only what was done to this"`
	From   string `query:"from" doc:"RFC 3339, Unix seconds, or relative like now-7d"`
	To     string `query:"to" doc:"as from; this moment itself is left out"`
}

func (s *Server) auditRoutes() {
	Get(s, "/api/audit", Op{ID: "list-audit", Summary: "List who did what, newest first", Tag: "audit", Role: auth.Admin},
		func(ctx context.Context, in *auditInput) (*List[auth.Entry], error) {
			f := auth.AuditFilter{Actor: in.Actor, Action: in.Action, Target: in.Target, Limit: in.Limit}
			var err error
			if f.Before, err = in.After(); err != nil {
				return nil, err
			}
			if f.Range.From, err = TimeParam("from", in.From); err != nil {
				return nil, err
			}
			if f.Range.To, err = TimeParam("to", in.To); err != nil {
				return nil, err
			}
			entries, next, err := s.auth.AuditLog(ctx, f)
			return &List[auth.Entry]{Items: entries, Next: Cursor(next)}, err
		})
}

// TimeParam reads an optional query parameter that is a time: RFC 3339, Unix
// seconds, or relative like now-1h. Empty is the zero time.
func TimeParam(name, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	t, err := event.ParseTime(value, time.Now().UTC())
	if err != nil {
		return time.Time{}, problem.From(err).WithField(name)
	}
	return t, nil
}

// Audit writes the entry of what a door's handler has done, in the request that
// ctx belongs to.
func (s *Server) Audit(ctx context.Context, action, target, detail string) {
	Audited(ctx, target, detail)
	s.audit(ctx, Op{Audit: action})
}

package postmortem

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/web"
)

type listInput struct {
	web.Page
	Incident string `query:"incident" doc:"only that of the incident with this id"`
	Service  string `query:"service"`
}

type idInput struct {
	ID string `path:"id"`
}

type updateInput struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" required:"true" doc:"the version the change is based on, with or without quotes"`
	Body    Written
}

// Routes registers the postmortem's part of the API.
func (p *Postmortems) Routes(s *web.Server) {
	const tag = "postmortems"
	web.Get(s, "/api/postmortems", web.Op{ID: "list-postmortems", Summary: "List postmortems without their timelines, newest first", Tag: tag}, p.list)
	web.Get(s, "/api/postmortems/{id}", web.Op{ID: "get-postmortem", Summary: "Get a postmortem with its timeline", Tag: tag},
		func(ctx context.Context, in *idInput) (*Detail, error) {
			d, err := p.Get(ctx, in.ID)
			return &d, err
		})
	web.Get(s, "/api/postmortems/{id}/markdown", web.Op{ID: "export-postmortem", Summary: "Export a postmortem as Markdown", Tag: tag},
		func(ctx context.Context, in *idInput) (*web.File, error) {
			d, err := p.Get(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			name := fmt.Sprintf("postmortem-%d.md", d.Number)
			return &web.File{ContentType: "text/markdown; charset=utf-8", Name: name, Body: d.Markdown()}, nil
		})
	web.Put(s, "/api/postmortems/{id}", web.Op{ID: "update-postmortem", Summary: "Replace what is written in a postmortem",
		Description: "A conflict says that somebody saved in between: load it again.",
		Tag:         tag, Role: auth.Responder, Audit: "postmortem.update"}, p.update)
}

func (p *Postmortems) list(ctx context.Context, in *listInput) (*web.List[Postmortem], error) {
	before, err := in.After()
	if err != nil {
		return nil, err
	}
	list, more, err := p.List(ctx, Filter{Incident: in.Incident, Service: in.Service, Before: before, Limit: in.Limit})
	answer := &web.List[Postmortem]{Items: list}
	if more {
		answer.Next = web.Cursor(list[len(list)-1].ID)
	}
	return answer, err
}

func (p *Postmortems) update(ctx context.Context, in *updateInput) (*Detail, error) {
	version, err := strconv.ParseInt(strings.Trim(in.IfMatch, `"`), 10, 64)
	if err != nil {
		return nil, problem.New(problem.Invalid, "If-Match does not hold a version").
			WithField("If-Match").WithMend("send the version of the postmortem you changed")
	}
	d, err := p.Update(ctx, in.ID, version, in.Body, auth.FromContext(ctx).String())
	return &d, err
}

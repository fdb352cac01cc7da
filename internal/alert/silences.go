package alert

import (
	"context"
	"time"

	"github.com/daytwo-dev/daytwo/internal/alert/alertmanager"
	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// SilenceView is a silence with what it holds now.
type SilenceView struct {
	alertmanager.Silence
	Alerts int `json:"alerts" doc:"how many of the alerts that fire now it matches"`
}

// matched are the firing alerts, newest first, for which a condition holds under the labels that Alertmanager knows them by.
func (a *Alerts) matched(covers func(map[string]string) bool) []*Alert {
	found := []*Alert{}
	for _, one := range a.Firing() {
		if sent, kept := a.sentLabels(one); kept && covers(sent) {
			found = append(found, one)
		}
	}
	return found
}

func (a *Alerts) view(s alertmanager.Silence) SilenceView {
	return SilenceView{s, len(a.matched(s.Matches))}
}

// maxPreview bounds the alerts that a preview names.
const maxPreview = 200

// SilencePreview is what a silence would hold.
type SilencePreview struct {
	Alerts []*Alert `json:"alerts" doc:"that fire now, newest first"`
	More   int      `json:"more,omitempty" doc:"how many are left out"`
}

type silenceInput struct {
	Matchers []string  `json:"matchers" minItems:"1" maxItems:"50" doc:"as service=\"checkout\"; an alert must match all of them"`
	StartsAt time.Time `json:"startsAt,omitempty" doc:"absent: now"`
	EndsAt   time.Time `json:"endsAt"`
	Comment  string    `json:"comment" minLength:"1" maxLength:"2000" doc:"why"`
}

func (a *Alerts) silenceRoutes(s *web.Server) {
	type preview struct {
		Matcher []string `query:"matcher,explode" doc:"as service=\"checkout\", again for each matcher"`
	}
	type byID struct {
		ID string `path:"id"`
	}
	type create struct{ Body silenceInput }
	type update struct {
		ID   string `path:"id"`
		Body silenceInput
	}
	web.Get(s, "/api/silences", web.Op{ID: "list-silences", Summary: "List silences: those in force, those to come, those that ended", Tag: "alerts"},
		func(ctx context.Context, _ *struct{}) (*web.List[SilenceView], error) {
			all, err := a.routing.Silences(ctx)
			list := &web.List[SilenceView]{Items: []SilenceView{}}
			for _, one := range all {
				if one.State == "expired" {
					list.Items = append(list.Items, SilenceView{Silence: one})
					continue
				}
				list.Items = append(list.Items, a.view(one))
			}
			return list, err
		})
	web.Get(s, "/api/silences/preview", web.Op{ID: "preview-silence", Summary: "Tell which alerts a silence would hold", Tag: "alerts"},
		func(_ context.Context, in *preview) (*SilencePreview, error) {
			covers, err := alertmanager.Covers(in.Matcher)
			if err != nil {
				return nil, err
			}
			found := a.matched(covers)
			p := &SilencePreview{Alerts: found[:min(len(found), maxPreview)]}
			p.More = len(found) - len(p.Alerts)
			return p, nil
		})
	web.Get(s, "/api/silences/{id}", web.Op{ID: "get-silence", Summary: "Get a silence", Tag: "alerts"},
		func(ctx context.Context, in *byID) (*SilenceView, error) {
			one, err := a.routing.Silence(ctx, in.ID)
			v := a.view(one)
			return &v, err
		})
	web.Post(s, "/api/silences", web.Op{
		ID: "create-silence", Summary: "Silence alerts", Tag: "alerts", Role: auth.Responder, Audit: "silence.set", Status: 201,
		Description: "Alerts that it matches open no incident and are told to nobody as long as it is in force. Incidents that are open stay open.",
	}, func(ctx context.Context, in *create) (*SilenceView, error) { return a.setSilence(ctx, "", in.Body) })
	web.Put(s, "/api/silences/{id}", web.Op{
		ID: "update-silence", Summary: "Change a silence", Tag: "alerts", Role: auth.Responder, Audit: "silence.set",
		Description: "Where the change would alter what was silenced in the past, the silence ends and another begins: the answer has its id.",
	}, func(ctx context.Context, in *update) (*SilenceView, error) { return a.setSilence(ctx, in.ID, in.Body) })
	web.Post(s, "/api/silences/{id}/expire", web.Op{
		ID: "expire-silence", Summary: "End a silence now", Tag: "alerts", Role: auth.Responder, Audit: "silence.expire",
	}, func(ctx context.Context, in *byID) (*SilenceView, error) {
		if err := a.routing.ExpireSilence(ctx, in.ID); err != nil {
			return nil, err
		}
		one, err := a.routing.Silence(ctx, in.ID)
		web.Audited(ctx, "silence/"+in.ID, one.Comment)
		v := a.view(one)
		return &v, err
	})
}

func (a *Alerts) setSilence(ctx context.Context, id string, in silenceInput) (*SilenceView, error) {
	one, err := a.routing.SetSilence(ctx, alertmanager.Silence{
		ID: id, Matchers: in.Matchers, StartsAt: in.StartsAt, EndsAt: in.EndsAt, Comment: in.Comment,
		CreatedBy: auth.FromContext(ctx).String(),
	})
	if err != nil {
		return nil, err
	}
	web.Audited(ctx, "silence/"+one.ID, one.Comment)
	v := a.view(one)
	return &v, nil
}

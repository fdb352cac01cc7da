package demo

import (
	"context"

	"github.com/daytwo-dev/daytwo/internal/web"
)

// Story is the demo as the API shows it.
type Story struct {
	Auto   bool        `json:"auto"`
	Shop   string      `json:"shop,omitempty" doc:"URL of the storefront, once it is up"`
	Stages []StageView `json:"stages"`
}

// routes adds the mailbox and the story to the server's own.
func (d *demo) routes(s *web.Server) {
	s.MountPublic("/demo/hook", d.mailbox)
	web.Get(s, "/api/demo/mailbox", web.Op{ID: "get-demo-mailbox", Summary: "What the demo's mailbox received", Tag: "demo"},
		func(context.Context, *struct{}) (*Mail, error) {
			mail := d.mailbox.Mail()
			return &mail, nil
		})
	web.Get(s, "/api/demo/story", web.Op{ID: "get-demo-story", Summary: "The stages of the demo's story", Tag: "demo"},
		func(context.Context, *struct{}) (*Story, error) {
			view := Story{Auto: d.Auto, Stages: d.story.View()}
			if shop := d.shop.Load(); shop != nil {
				view.Shop = *shop
			}
			return &view, nil
		})
}

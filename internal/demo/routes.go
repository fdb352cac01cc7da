package demo

import (
	"context"

	"github.com/daytwo-dev/daytwo/internal/web"
)

// Story is the demo as the API shows it.
type Story struct {
	Auto   bool        `json:"auto"`
	Shop   string      `json:"shop" doc:"URL of the storefront"`
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
			return &Story{Auto: d.Auto, Shop: d.shop, Stages: d.story.View()}, nil
		})
}

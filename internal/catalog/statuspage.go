package catalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/web"
)

const (
	statusPageID  = "status-page" // there is one
	maxComponents = 200
)

// unsaved is the version of a status page that nobody has saved.
const unsaved = "none"

// SaveStatusPage replaces what the public status page lists, unless a file declares it. Without components there is no page. One that
// says of which version it is replaces just that.
func (l *Live) SaveStatusPage(ctx context.Context, p StatusPage) (StatusPage, error) {
	seen := p.Saved
	p.File, p.Saved, p.Components = "", nil, slices.Clone(p.Components)
	err := l.edit(ctx, func(c *change, now *Catalog) error {
		if err := managed(KindStatusPage, now.StatusPage.Title, now.StatusPage.File); err != nil {
			return err
		}
		is := &Saved{Version: unsaved}
		for _, r := range c.shelf.rows[KindStatusPage] {
			is = r.saved()
		}
		if err := is.Check(seen, "the status page"); err != nil {
			return err
		}
		return c.put(KindStatusPage, statusPageID, "", p)
	}, func(after *Catalog) error { return after.checkStatusPage(p) })
	return l.Current().StatusPage, err
}

func (c *Catalog) checkStatusPage(p StatusPage) error {
	if len(p.Title) > 200 {
		return refuse("title", "write at most 200 letters", "the title is too long")
	}
	if len(p.Components) > maxComponents {
		return refuse("components", "show what customers tell apart", "%d components are more than %d", len(p.Components), maxComponents)
	}
	for i, m := range p.Components {
		at := fmt.Sprintf("components[%d]", i)
		if _, ok := c.Service(m.Service); !ok {
			return refuse(at+".service", "name one of GET /api/services", "there is no service %q", shorten(m.Service))
		}
		if len(m.Name) > 200 || len(m.Description) > 1000 {
			return refuse(at+".name", "write at most 200 letters, and a description of at most 1000", "the name or the description is too long")
		}
		if slices.ContainsFunc(p.Components[:i], func(o StatusComponent) bool { return o.Service == m.Service }) {
			return refuse(at+".service", "show each service once", "%q is shown twice", m.Service)
		}
	}
	return nil
}

func (l *Live) statusPageRoutes(s *web.Server) {
	current := func() *StatusPage {
		page := l.Current().StatusPage
		if page.Components == nil {
			page.Components = []StatusComponent{}
		}
		return &page
	}
	web.Get(s, "/api/status-page", op("get-status-page", "Get what the public status page lists"),
		func(context.Context, *none) (*StatusPage, error) { return current(), nil })
	type input struct {
		IfMatch string `header:"If-Match" maxLength:"100" doc:"the version that was looked at, see saved.version, or none if nobody had saved one: if there is another by now, the answer is 409 and nothing changes; absent: whatever is there is replaced"`
		Body    struct {
			Title      string            `json:"title,omitempty"`
			Updates    bool              `json:"updates,omitempty" doc:"what stakeholders are told of an incident is told the public too"`
			Components []StatusComponent `json:"components"`
		}
	}
	web.Put(s, "/api/status-page", changing("replace-status-page", "Replace what the public status page lists, unless a file declares it", auth.Operator, "status_page.replace"),
		func(ctx context.Context, in *input) (*StatusPage, error) {
			_, err := l.SaveStatusPage(ctx, StatusPage{Saved: Seen(in.IfMatch), Title: in.Body.Title, Updates: in.Body.Updates, Components: in.Body.Components})
			return current(), err
		})
}

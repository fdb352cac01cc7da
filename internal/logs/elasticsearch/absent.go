package elasticsearch

import (
	"context"
	"net/http"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// absence is what a request says of indices that are not there.
type absence struct {
	ignore bool // names without one are left out
	none   bool // a pattern that finds none is an error
}

func absenceOf(r *http.Request) absence {
	return absence{ignore: flag(r, "ignore_unavailable"), none: r.URL.Query().Get("allow_no_indices") == "false"}
}

// member takes the same from the header of a search among many.
func (a *absence) member(head map[string]any) {
	if v, given := head["ignore_unavailable"]; given {
		a.ignore = v == true || v == "true"
	}
	if v, given := head["allow_no_indices"]; given {
		a.none = v == false || v == "false"
	}
}

// refuseAbsent fails for an index that is named and not there, as Elasticsearch
// does; a pattern may find none. An index whose last event went by retention is
// not there any more, unless it was made without a document.
func (d *Door) refuseAbsent(ctx context.Context, expr string, a absence) error {
	if expr == "" {
		return nil
	}
	found := false
	for name := range strings.SplitSeq(expr, ",") {
		if name == "_all" || strings.HasPrefix(name, "-") {
			continue
		}
		pattern := strings.Contains(name, "*")
		if pattern && !a.none || a.ignore && !a.none {
			continue
		}
		known, err := d.isThere(ctx, name)
		if err != nil {
			return err
		}
		if !known && !pattern && !a.ignore {
			return missingIndex(name)
		}
		found = found || known
	}
	if a.none && !found {
		return missingIndex(expr)
	}
	return nil
}

func (d *Door) isThere(ctx context.Context, expr string) (bool, error) {
	if strings.Contains(expr, "*") {
		all, err := d.matching(ctx, expr)
		return len(all) > 0, err
	}
	made, err := d.cfg.Documents.Get(ctx, kindIndex, expr)
	if err != nil || made != nil {
		return made != nil, err
	}
	res, err := d.cfg.Events.Query(ctx, event.Query{
		Filter: event.Equals(event.DatasetField, event.String(expr)),
		Rows:   &event.Rows{Fields: []string{event.DatasetField}, Limit: 1},
	})
	if err != nil {
		return false, err
	}
	return len(res.Rows) > 0, nil
}

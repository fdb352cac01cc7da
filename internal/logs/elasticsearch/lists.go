package elasticsearch

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// refuseDates refuses ranges of dates over fields whose values dateRange would
// compare wrongly, such as times with an offset.
func (d *Door) refuseDates(ctx context.Context, index string, fields []string) error {
	for _, field := range fields {
		lists, err := d.hasLists(ctx, event.Query{Filter: indexFilter(index)}, field)
		if err != nil {
			return err
		}
		if lists { // both bounds must hold for the same element
			return uncovered("range of dates over a field of arrays", field)
		}
		n, err := d.countOf(ctx, event.And(indexFilter(index), event.Exists(field), event.Not(event.Regexp(field, datesWritten))))
		if err != nil {
			return err
		}
		if n > 0 {
			return faultf(http.StatusBadRequest, "unsupported_operation_exception",
				"daytwo does not cover a range of dates over [%s]: %d of its values are not written as 2026-01-02T03:04:05.678Z, 2026-01-02 or milliseconds since 1970; send the time as @timestamp or in one of these", field, n)
		}
	}
	return nil
}

// refuseLists refuses calculations over fields whose values are arrays, of which
// Elasticsearch counts every element.
func (d *Door) refuseLists(ctx context.Context, s *request) error {
	kinds := map[string]string{}
	numeric(s.aggs, kinds)
	for _, field := range slices.Sorted(maps.Keys(kinds)) {
		lists, err := d.hasLists(ctx, event.Query{Range: bounds(s.filter), Filter: s.filter}, field)
		if err != nil {
			return err
		}
		if lists {
			return uncovered("aggregation "+kinds[field]+" over a field of arrays", field)
		}
	}
	return nil
}

// hasLists tells whether a field of the events that q selects has arrays.
func (d *Door) hasLists(ctx context.Context, q event.Query, field string) (bool, error) {
	q.Fields = &event.Fields{Prefix: field}
	res, err := d.cfg.Events.Query(ctx, q)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(res.Fields, func(f event.FieldInfo) bool {
		return f.Name == field && slices.Contains(f.Types, event.TypeList.String())
	}), nil
}

// numeric notes the fields of aggregations that look at one number of a document.
func numeric(aggs []aggregation, kinds map[string]string) {
	for i := range aggs {
		switch a := &aggs[i]; a.kind {
		case "avg", "min", "max", "sum", "stats", "extended_stats", "value_count", "percentiles", "histogram":
			if a.field != event.TimeField {
				kinds[a.field] = a.kind
			}
		}
		numeric(aggs[i].subs, kinds)
	}
}

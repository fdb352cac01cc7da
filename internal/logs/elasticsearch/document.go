package elasticsearch

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
)

// index takes one document.
func (d *Door) index(r *http.Request) (any, error) {
	create := r.URL.Query().Get("op_type") == "create" || r.PathValue("op") == "_create"
	it := item{action: "index", index: r.PathValue("index"), id: r.PathValue("id")}
	if create {
		it.action = "create"
	}
	it.own = it.id != ""
	if name := r.URL.Query().Get("pipeline"); name != "" && name != "_none" {
		if err := d.pipelineRuns(r.Context(), name); err != nil {
			return nil, err
		}
	}
	source, err := io.ReadAll(r.Body)
	if err != nil {
		d.cfg.Counts.Refused(doorName, "body", 1)
		return nil, bodyError(err)
	}
	d.fill(&it, source, time.Now())
	items := []item{it}
	if err := d.store(r.Context(), items); err != nil {
		return nil, err
	}
	if items[0].fault != nil {
		return nil, items[0].fault
	}
	body := items[0].answer()
	delete(body, "status")
	return reply{http.StatusCreated, body}, nil
}

// get answers one document by its id.
func (d *Door) get(r *http.Request) (any, error) {
	index, id := r.PathValue("index"), r.PathValue("id")
	e, err := d.byID(r.Context(), index, id)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return reply{http.StatusNotFound, map[string]any{"_index": index, "_id": id, "found": false}}, nil
	}
	keep, err := sourceFilter(sourceParams(r))
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"_index": e.Get(event.DatasetField).Text(), "_id": id, "_version": 1, "_seq_no": 0, "_primary_term": 1, "found": true,
		"_source": record.Source(e, keep.take),
	}, nil
}

// source answers the document alone.
func (d *Door) source(r *http.Request) (any, error) {
	e, err := d.byID(r.Context(), r.PathValue("index"), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, faultf(http.StatusNotFound, "resource_not_found_exception", "Document not found [%s]/[%s]", r.PathValue("index"), r.PathValue("id"))
	}
	return record.Source(e, nil), nil
}

func (d *Door) byID(ctx context.Context, index, id string) (*event.Event, error) {
	res, err := d.cfg.Events.Query(ctx, event.Query{
		Filter: event.And(indexFilter(index), idFilter([]string{id})),
		Rows:   &event.Rows{Limit: 1},
	})
	if err != nil || len(res.Rows) == 0 {
		return nil, err
	}
	return &res.Rows[0], nil
}

// idFilter finds documents by the id they came with and other events by the
// number the store gave them.
func idFilter(ids []string) event.Filter {
	var texts, numbers []event.Value
	for _, id := range ids {
		texts = append(texts, event.String(id))
		if n, err := strconv.ParseInt(id, 10, 64); err == nil {
			numbers = append(numbers, event.Int(n))
		}
	}
	f := event.In(record.IDField, texts...)
	if len(numbers) > 0 {
		f = event.Or(f, event.And(event.Not(event.Exists(record.IDField)), event.In(event.IDField, numbers...)))
	}
	return f
}

// idOf is the id under which a document is shown.
func idOf(e *event.Event) string {
	if v := e.Get(record.IDField); !v.IsNull() {
		return v.Text()
	}
	return strconv.FormatUint(e.ID, 10)
}

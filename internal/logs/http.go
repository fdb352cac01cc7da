package logs

import (
	"context"
	"net/http"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// Routes registers the part of the API that shows logs, and the doors.
func (l *Logs) Routes(w *web.Server) {
	const tag = "logs"
	web.Get(w, "/api/logs/search", web.Op{ID: "search-logs", Summary: "Find log lines, newest first", Tag: tag}, l.search)
	web.Get(w, "/api/logs/histogram", web.Op{ID: "count-logs", Summary: "Count log lines over time", Tag: tag}, l.histogram)
	web.Get(w, "/api/logs/fields", web.Op{ID: "list-log-fields", Summary: "List the fields of log lines", Tag: tag}, l.fields)
	web.Get(w, "/api/logs/values", web.Op{ID: "list-log-values", Summary: "List the most frequent values of a field", Tag: tag}, l.values)
	web.Get(w, "/api/logs/patterns", web.Op{ID: "list-log-patterns", Summary: "List the templates behind messages, and which are new", Tag: tag}, l.patterns)
	web.Get(w, "/api/logs/around", web.Op{ID: "get-logs-around", Summary: "Get the lines before and after one", Tag: tag}, l.around)
	web.Get(w, "/api/logs/export", web.Op{ID: "export-logs", Summary: "Export log lines as CSV or NDJSON", Tag: tag}, l.export)
	web.Stream(w, "/api/logs/follow", web.Op{ID: "follow-logs", Summary: "Follow log lines as they come", Tag: tag}, l.follow)
	web.Get(w, "/api/logs/searches", web.Op{ID: "list-searches", Summary: "List saved searches", Tag: tag},
		func(ctx context.Context, _ *struct{}) (*web.List[SavedSearch], error) {
			all, err := l.savedSearches(ctx)
			return &web.List[SavedSearch]{Items: all}, err
		})
	web.Post(w, "/api/logs/searches", web.Op{ID: "save-search", Summary: "Save a search, and watch it if it has a threshold", Tag: tag,
		Role: auth.Responder, Audit: "logs.search.save", Status: http.StatusCreated}, l.save)
	web.Delete(w, "/api/logs/searches/{id}", web.Op{ID: "delete-search", Summary: "Delete a saved search; its alert ends", Tag: tag,
		Role: auth.Responder, Audit: "logs.search.delete"}, l.deleteSearch)

	w.MountPublic("/elasticsearch", l.elastic)
	w.MountPublic("/ingest/lines", l.Lines(w.Fail))
	w.MountPublic("/loki", l.Loki(w.Fail))
	w.MountPublic("/v1/logs", l.OTLP(w.Fail))
}

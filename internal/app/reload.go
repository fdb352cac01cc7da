package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/daytwo-dev/daytwo/internal/alert"
	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/logs"
	"github.com/daytwo-dev/daytwo/internal/metrics"
	"github.com/daytwo-dev/daytwo/internal/orchestrate"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// reloader puts a changed operations directory in force: all of it or nothing.
type reloader struct {
	app       *App
	catalog   *catalog.Live
	metrics   *metrics.Metrics
	alerts    *alert.Alerts
	workloads *orchestrate.Orchestrator
	pipelines *logs.Pipelines

	mu sync.Mutex // one reload at a time
}

// reload reads every file first; only when none has an error does it change
// anything. Metrics and workloads come first, since they may still refuse: what
// they were asked is undone then. The rules were checked, so that nothing is left
// to fail but a file that changed meanwhile, and then the previous rules stay.
func (r *reloader) reload(ctx context.Context) (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() {
		if err != nil {
			r.metrics.Refused()
		}
	}()
	files, err := readOperations(r.app.config.ConfigDir, r.app.listener.Addr().String())
	if err != nil {
		return err
	}
	pipelines, err := r.pipelines.Read()
	if err != nil {
		return err
	}
	before := r.metrics.Config()
	if err := r.metrics.Reload(ctx); err != nil {
		return err
	}
	if err := r.workloads.Sync(ctx, files.workloads, fileActor); err != nil {
		return errors.Join(err, r.metrics.Restore(before))
	}
	catalogBefore := r.catalog.Replace(files.catalog) // the alerts' objectives are read from it
	if err := r.alerts.Reload(ctx); err != nil {
		r.catalog.Replace(catalogBefore)
		return errors.Join(err, r.metrics.Restore(before))
	}
	r.pipelines.Apply(pipelines)
	r.app.log.InfoContext(ctx, "operations directory reloaded", "dir", files.dir)
	return nil
}

func (a *App) reloadRoute() {
	web.Post(a.server, "/-/reload", web.Op{
		ID: "reload", Summary: "Read the operations directory again, all or nothing", Tag: "server",
		Role: auth.Admin, Audit: "server.reload",
	}, func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		return nil, a.reload(ctx)
	})
	// As Prometheus and Alertmanager have it, whose files are among those.
	alike := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost && r.Method != http.MethodPut {
			w.Header().Set("Allow", "POST, PUT")
			http.Error(w, "use POST or PUT", http.StatusMethodNotAllowed)
			return
		}
		if err := a.reload(r.Context()); err != nil {
			http.Error(w, fmt.Sprintf("failed to reload config: %v", err), http.StatusInternalServerError)
			return
		}
		a.server.Audit(r.Context(), "server.reload", "reload", "")
	})
	a.server.Mount("/prometheus/-/reload", auth.Admin, alike)
	a.server.Mount("/alertmanager/-/reload", auth.Admin, alike)
}

package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/notifier"
)

// Prometheus's defaults for alerts that wait to be sent.
const (
	alertQueue = 10000
	alertBatch = notifier.DefaultMaxBatchSize
)

// drainWithin is how long a stop waits for alerts that are still to be sent.
const drainWithin = 5 * time.Second

// outside sends alerts to the Alertmanagers that prometheus.yml names under alerting.
type outside struct {
	manager *notifier.Manager
	finder  *discovery.Manager
	stop    context.CancelFunc // ends finder
	drained context.Context    // ended: requests under way are given up
	giveUp  context.CancelFunc
	inside  []*url.URL // the Alertmanager of this process, which gets its alerts without being sent them
}

func newOutside(logger *slog.Logger, registerer prometheus.Registerer, discovered *discovery.SDMetrics) (*outside, error) {
	o := &outside{}
	var found context.Context
	found, o.stop = context.WithCancel(context.Background())
	o.drained, o.giveUp = context.WithCancel(context.Background())
	o.finder = discovery.NewManager(found, logger.With("part", "discovery"), registerer, discovered,
		discovery.Name("notify"), discovery.Updatert(time.Second))
	if o.finder == nil {
		o.stop()
		return nil, errors.New("discovery of Alertmanagers: see the log")
	}
	o.manager = notifier.NewManager(&notifier.Options{
		QueueCapacity: alertQueue, MaxBatchSize: alertBatch, DrainOnShutdown: true, Registerer: registerer, Do: o.do,
	}, model.UTF8Validation, slog.New(newSeldom(logger.With("part", "notifier").Handler())))
	return o, nil
}

// do sends one request, not longer than a stop waits.
func (o *outside) do(ctx context.Context, client *http.Client, r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(o.drained, cancel)
	answer, err := client.Do(r.WithContext(ctx))
	if err != nil {
		stop()
		cancel()
		return nil, err
	}
	answer.Body = &endingBody{answer.Body, func() { stop(); cancel() }}
	return answer, nil
}

// endingBody calls end when it is closed.
type endingBody struct {
	io.ReadCloser
	end func()
}

func (b *endingBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

// run sends until end was called and what waited is sent or given up.
func (o *outside) run() {
	var group sync.WaitGroup
	group.Go(func() { _ = o.finder.Run() }) // returns only its context's end
	o.manager.Run(o.finder.SyncCh())
	o.stop()
	group.Wait()
}

// end makes run return soon.
func (o *outside) end() {
	time.AfterFunc(drainWithin, o.giveUp)
	o.manager.Stop()
}

func (o *outside) apply(c *config.Config) error {
	if err := o.manager.ApplyConfig(c); err != nil {
		return err
	}
	sets := map[string]discovery.Configs{}
	for name, one := range c.AlertingConfig.AlertmanagerConfigs.ToMap() {
		sets[name] = one.ServiceDiscoveryConfigs
	}
	if err := o.finder.ApplyConfig(sets); err != nil {
		return fmt.Errorf("discovery: %w", err)
	}
	return nil
}

// Send hands alerts to the Alertmanagers of prometheus.yml, of which there may be none; it implements rules.Sender. What
// cannot be sent for long is dropped and counted in prometheus_notifications_dropped_total.
func (m *Metrics) Send(alerts ...*notifier.Alert) { m.outside.manager.Send(alerts...) }

// Alertmanagers and DroppedAlertmanagers are what the API shows.
func (o *outside) Alertmanagers() []*url.URL {
	return slices.Concat(o.inside, o.manager.Alertmanagers())
}
func (o *outside) DroppedAlertmanagers() []*url.URL { return o.manager.DroppedAlertmanagers() }

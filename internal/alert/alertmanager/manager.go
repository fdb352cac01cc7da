// Package alertmanager embeds Alertmanager's own packages: the route tree, grouping, inhibition, time intervals, silences,
// templates and every receiver of alertmanager.yml, and its API for amtool and outside Prometheus servers.
//
// It keeps no alerts of its own: package alert records them, hands the firing ones in with Publish, and asks with Withheld whether
// one may become an incident now. What Alertmanager remembers (silences, what it notified) is in the store before it counts.
package alertmanager

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// Alert is one as Alertmanager knows it.
type Alert = alert.Alert

// Config is what New needs. The table alert_kept must be there.
type Config struct {
	DB         *store.DB
	Routing    *Routing // in force at first
	URL        string   // of this server, without a path
	Logger     *slog.Logger
	Registerer prometheus.Registerer

	// Firing are the alerts on record that fire, with which Run begins. It may be nil.
	Firing func() []*Alert
	// Receive records alerts that came in from outside, and publishes them.
	Receive func(context.Context, []*Alert) error
	// Audit writes down who changed which silence, and how. It may be nil.
	Audit func(ctx context.Context, action, target, detail string)
}

// Manager is an Alertmanager.
type Manager struct {
	cfg           Config
	kept          *kept
	silences      *silence.Silences
	silencer      *silence.Silencer
	notifications *nflog.Log
	outcomes      outcomes
	muted         marker.GroupMarker
	pipeline      *notify.PipelineBuilder
	dispatching   *dispatch.DispatcherMetrics
	ready         chan struct{}
	alerts        *mem.Alerts // once ready

	changes sync.Mutex // one change of a silence at a time, so that its failure is told to who asked

	mu      sync.RWMutex
	inForce running

	door     sync.Once
	doorErr  error
	doorMade http.Handler
	doorAPI  updatable
}

// running is what one alertmanager.yml started.
type running struct {
	routing    *Routing
	inhibitor  *inhibit.Inhibitor
	dispatcher *dispatch.Dispatcher
}

// silent is where Alertmanager's record of its own events would go: nowhere, the timeline has them.
var silent eventrecorder.Recorder

// New reads silences and notifications. Nothing is sent before Run.
func New(ctx context.Context, c Config) (*Manager, error) {
	c.Logger = c.Logger.With("part", "alertmanager")
	m := &Manager{cfg: c, kept: &kept{db: c.DB}, muted: marker.NewGroupMarker(), ready: make(chan struct{})}
	m.inForce.routing = c.Routing
	saved, err := m.kept.read(ctx, keptSilence)
	if err != nil {
		return nil, err
	}
	m.silences, err = silence.New(silence.Options{SnapshotReader: saved, Retention: retention, Logger: c.Logger, Metrics: c.Registerer})
	if err != nil {
		return nil, fmt.Errorf("read silences: %w", err)
	}
	m.silences.SetBroadcast(m.kept.silence)
	m.silencer = silence.NewSilencer(m.silences, c.Logger, silent)
	if saved, err = m.kept.read(ctx, keptNotification); err != nil {
		return nil, err
	}
	m.notifications, err = nflog.New(nflog.Options{SnapshotReader: saved, Retention: retention, Logger: c.Logger, Metrics: c.Registerer})
	if err != nil {
		return nil, fmt.Errorf("read what was notified: %w", err)
	}
	m.notifications.SetBroadcast(m.kept.notification)
	m.pipeline = notify.NewPipelineBuilder(c.Registerer, featurecontrol.NoopFlags{}, silent)
	m.dispatching = dispatch.NewDispatcherMetrics(false, c.Registerer, featurecontrol.NoopFlags{})
	return m, nil
}

// How often Alertmanager's own housekeeping goes on.
const (
	collectAlerts  = 30 * time.Minute
	collectState   = 15 * time.Minute
	collectGroups  = 30 * time.Second
	withoutCluster = time.Duration(0)
)

// Ready is closed when Run has everything in place.
func (m *Manager) Ready() <-chan struct{} { return m.ready }

// Run notifies until ctx ends.
func (m *Manager) Run(ctx context.Context) error {
	alerts, err := mem.NewAlerts(ctx, collectAlerts, 0, m.silencer, m.cfg.Logger, silent, m.cfg.Registerer, featurecontrol.NoopFlags{})
	if err != nil {
		return fmt.Errorf("alertmanager: %w", err)
	}
	defer alerts.Close()
	if m.cfg.Firing != nil { // before anybody is notified, so that the inhibitor knows them all
		if err := alerts.Put(ctx, m.cfg.Firing()...); err != nil {
			return fmt.Errorf("alertmanager: alerts on record: %w", err)
		}
	}
	m.mu.Lock()
	m.alerts = alerts
	m.start(m.inForce.routing)
	m.mu.Unlock()
	close(m.ready)
	tick := time.NewTicker(collectState)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			m.mu.Lock()
			defer m.mu.Unlock()
			m.inForce.dispatcher.Stop()
			m.inForce.inhibitor.Stop()
			return nil
		case <-tick.C:
			m.collect(ctx)
		}
	}
}

// collect forgets silences and notifications whose time has passed.
func (m *Manager) collect(ctx context.Context) {
	_, silences := m.silences.GC()
	_, notifications := m.notifications.GC()
	m.outcomes.forget(time.Now())
	for _, err := range []error{silences, notifications, m.kept.forget(ctx, time.Now()), m.kept.taken()} {
		if err != nil && ctx.Err() == nil {
			m.cfg.Logger.Error("state of Alertmanager", "error", err)
		}
	}
}

// Apply puts a routing in force. Nothing of it can fail.
func (m *Manager) Apply(r *Routing) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.alerts == nil {
		m.inForce.routing = r // Run starts with it
		return
	}
	m.inForce.inhibitor.Stop()
	m.inForce.dispatcher.Stop()
	m.start(r)
}

// start is called with the lock. The order is Alertmanager's: who inhibits is known before anybody is notified.
func (m *Manager) start(r *Routing) {
	inhibitor := inhibit.NewInhibitor(m.alerts, r.config.InhibitRules, m.cfg.Logger, silent)
	stages := m.pipeline.New(m.outcomes.watched(r.receivers), func() time.Duration { return withoutCluster }, inhibitor, m.silencer, r.intervals,
		m.muted, m.notifications, nil)
	dispatcher := dispatch.NewDispatcher(m.alerts, r.root, stages, m.muted, func(d time.Duration) time.Duration {
		return max(d, notify.MinTimeout)
	}, collectGroups, nil, m.cfg.Logger, silent, m.dispatching, r.template)
	go inhibitor.Run()
	inhibitor.WaitForLoading()
	go dispatcher.Run(time.Now())
	dispatcher.WaitForLoading()
	m.inForce = running{r, inhibitor, dispatcher}
	if m.doorAPI != nil {
		m.doorAPI.Update(r.config, m.markStatus)
	}
}

// Routing is the one in force.
func (m *Manager) Routing() *Routing {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.inForce.routing
}

// ResolveTimeout is after how long an alert is over that nobody repeats and whose sender gave no end.
func (m *Manager) ResolveTimeout() time.Duration {
	return time.Duration(m.Routing().config.Global.ResolveTimeout)
}

// current is what is in force; an error says that there is nothing yet.
func (m *Manager) current() (running, error) {
	select {
	case <-m.ready:
	default:
		return running{}, problem.New(problem.Unavailable, "alerts are still starting").WithMend("try again in a moment")
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.inForce, nil
}

// Publish tells Alertmanager of alerts as they are on record: an end in the past means resolved. Before Ready it does nothing.
func (m *Manager) Publish(ctx context.Context, alerts []*Alert) {
	if _, err := m.current(); err != nil || len(alerts) == 0 {
		return
	}
	if err := m.alerts.Put(ctx, alerts...); err != nil {
		m.cfg.Logger.Error("Alertmanager does not take alerts", "error", err)
	}
}

// NewAlert is an alert for Publish; a zero end is open.
func NewAlert(labels, annotations map[string]string, starts, ends time.Time, source string) *Alert {
	a := &Alert{UpdatedAt: time.Now()}
	a.Labels, a.Annotations = labelSet(labels), labelSet(annotations)
	a.StartsAt, a.EndsAt, a.GeneratorURL = starts, ends, source
	return a
}

func labelSet(texts map[string]string) model.LabelSet {
	set := make(model.LabelSet, len(texts))
	for name, value := range texts {
		if value != "" {
			set[model.LabelName(name)] = model.LabelValue(value)
		}
	}
	return set
}

// shortID is the same for the same text.
func shortID(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

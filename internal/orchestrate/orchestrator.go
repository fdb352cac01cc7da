package orchestrate

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

//go:embed migrations/*.sql
var migrations embed.FS

// safetyPoll is how often Run looks at the store although nothing woke it: a
// commit may be durable and yet reported as failed, and a deploy may have ended
// without its last word.
const safetyPoll = 5 * time.Second

// Config is what New needs.
type Config struct {
	DB         *store.DB
	Timeline   *timeline.Timeline
	Runs       *run.Engine // New registers the kind "deploy"
	Dir        string      // for logs and working directories
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil keeps the metrics unregistered

	OnTargets func([]Target) // told what to scrape, at first and when it changes; may be nil
	// OnLine is given each line that a workload writes, with its service, as it comes; it must not wait. May be nil.
	OnLine  func(workload, service string, line Line)
	Backoff Backoff // zero: 0.5 s doubling to 1 min, forgiven after 1 min
}

// Orchestrator keeps workloads running while Run runs. Everything else may be
// called before, too.
type Orchestrator struct {
	db        *store.DB
	timeline  *timeline.Timeline
	runs      *run.Engine
	log       *slog.Logger
	onTargets func([]Target)
	onLine    func(workload, service string, line Line)
	house     *household
	exits     *prometheus.CounterVec
	dropped   *prometheus.CounterVec // lines of logs
	wake      chan struct{}          // what is wanted may have changed

	mu       sync.Mutex
	units    map[string]*unit
	ports    map[string]int
	targets  []Target
	rollouts map[*rollout]bool // under way
}

// New brings the tables up to date.
func New(ctx context.Context, c Config) (*Orchestrator, error) {
	if c.DB == nil || c.Timeline == nil || c.Runs == nil || c.Logger == nil || c.Dir == "" {
		return nil, errors.New("orchestrate: Config needs DB, Timeline, Runs, Dir and Logger")
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("orchestrate: %w", err)
	}
	if err := c.DB.Migrate(ctx, "orchestrate", files); err != nil {
		return nil, fmt.Errorf("migrate orchestrate: %w", err)
	}
	dir, err := realDir(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("directory of workloads: %w", err)
	}
	if c.Backoff == (Backoff{}) {
		c.Backoff = Backoff{500 * time.Millisecond, time.Minute, time.Minute}
	}
	if c.OnTargets == nil {
		c.OnTargets = func([]Target) {}
	}
	o := &Orchestrator{
		db: c.DB, timeline: c.Timeline, runs: c.Runs, log: c.Logger, onTargets: c.OnTargets, onLine: c.OnLine,
		wake: make(chan struct{}, 1), units: map[string]*unit{}, ports: map[string]int{},
		exits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daytwo_workload_exits_total", Help: "Times a workload's process ended by itself or could not be started.",
		}, []string{"workload"}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daytwo_workload_log_dropped_lines_total", Help: "Lines that a workload wrote and that were not kept, because there were too many a second.",
		}, []string{"workload"}),
		rollouts: map[*rollout]bool{},
	}
	o.house = &household{
		dir: dir, owner: ownerMark(dir), spawner: newSpawner(), prober: newProber(), wait: c.Backoff,
		changed: newSignal(), ports: o.portsNow, exited: func(name string) { o.exits.WithLabelValues(name).Inc() },
	}
	if c.Registerer != nil {
		c.Registerer.MustRegister(o.exits, o.dropped, readyCollector{o})
	}
	c.Runs.Register("deploy", run.Kind{Run: o.deploy, Resumable: true})
	return o, nil
}

// realDir makes a directory and tells its one name.
func realDir(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	return filepath.Abs(dir)
}

// ownerMark is in the environment of every process we start. It tells ours
// from those of another daytwo with another directory.
func ownerMark(dir string) string {
	return fmt.Sprintf("DAYTWO_WORKLOAD_OWNER=%x", sha256.Sum256([]byte(dir)))[:len("DAYTWO_WORKLOAD_OWNER=")+16]
}

// Run ends what a daytwo that was killed has left, starts every workload, and
// keeps them until ctx ends; then it stops them.
func (o *Orchestrator) Run(ctx context.Context) error {
	if n := killMarked(o.house.mark("")); n > 0 {
		o.log.Warn("ended processes that an earlier daytwo left behind", "processes", n)
	}
	if err := o.reclaimPorts(ctx); err != nil {
		return err
	}
	stopSpawner := make(chan struct{})
	var spawner, units sync.WaitGroup
	spawner.Go(func() { o.house.spawner.run(stopSpawner) })
	defer func() { units.Wait(); close(stopSpawner); spawner.Wait() }()
	defer o.house.prober.client.CloseIdleConnections()
	start := func(u *unit) {
		ctx, end := context.WithCancel(ctx)
		u.end = end
		units.Go(func() { defer end(); u.run(ctx) })
	}
	poll := time.NewTicker(safetyPoll)
	defer poll.Stop()
	for {
		if err := o.reconcile(ctx, start); err != nil && ctx.Err() == nil {
			o.log.Error("cannot read which workloads should run, trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-o.wake:
		case <-poll.C:
		}
	}
}

func (o *Orchestrator) nudge() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// reclaimPorts gives a new port to workloads whose own was taken by another
// program while daytwo was away, before any of them starts, so that all know
// it.
func (o *Orchestrator) reclaimPorts(ctx context.Context) error {
	return o.db.Write(ctx, func(tx *store.Tx) error {
		rows, err := readRows(ctx, tx, `WHERE desired_revision > 0`)
		if err != nil {
			return err
		}
		ports, err := readPorts(ctx, tx)
		if err != nil {
			return err
		}
		for _, w := range rows {
			m, err := o.manifest(ctx, tx, w)
			if err != nil {
				return err
			}
			if m.Port != 0 || portFree(ctx, ports[w.name]) {
				continue
			}
			old := ports[w.name]
			if ports[w.name], err = choosePort(ctx, o.house.owner, w.name, taken(ports)); err != nil {
				return err
			}
			o.log.Warn("a workload's port was taken by another program; it gets a new one", "workload", w.name, "old", old, "new", ports[w.name])
			if err := savePort(ctx, tx, w.name, ports[w.name]); err != nil {
				return err
			}
		}
		return nil
	})
}

func taken(ports map[string]int) map[int]bool {
	t := map[int]bool{}
	for _, p := range ports {
		t[p] = true
	}
	return t
}

// manifest reads the one that should run.
func (o *Orchestrator) manifest(ctx context.Context, tx *store.Tx, w row) (Manifest, error) {
	r, err := readRevision(ctx, tx, w.name, w.desired)
	if err != nil {
		return Manifest{}, err
	}
	return r.parsed()
}

// reconcile tells every unit what the store says should run.
func (o *Orchestrator) reconcile(ctx context.Context, start func(*unit)) error {
	if err := errors.Join(o.settle(ctx), o.recall(ctx)); err != nil {
		return err
	}
	wants := map[string]want{}
	targets := []Target{}
	var ports map[string]int
	err := o.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := readRows(ctx, tx, "")
		if err != nil {
			return err
		}
		if ports, err = readPorts(ctx, tx); err != nil {
			return err
		}
		for _, row := range rows {
			w := want{generation: row.generation, revision: row.desired, port: ports[row.name]}
			if row.desired > 0 {
				m, err := o.manifest(ctx, tx, row)
				if err != nil {
					return err
				}
				w.manifest = &m
				targets = append(targets, m.targets(w.port)...)
			}
			wants[row.name] = w
		}
		return nil
	})
	if err != nil {
		return err
	}
	o.mu.Lock()
	o.ports = ports
	for name, u := range o.units {
		if _, wanted := wants[name]; !wanted {
			delete(o.units, name)
			u.end()
			o.exits.DeleteLabelValues(name)
			o.dropped.DeleteLabelValues(name)
		}
	}
	changed := o.targets == nil || !slices.EqualFunc(o.targets, targets, Target.equal)
	o.targets = targets
	o.mu.Unlock()
	if changed {
		o.onTargets(slices.Clone(targets))
	}
	for _, name := range slices.Sorted(maps.Keys(wants)) {
		o.unit(name, start).set(wants[name])
	}
	return nil
}

// unit returns the unit of a workload, started if it is new.
func (o *Orchestrator) unit(name string, start func(*unit)) *unit {
	o.mu.Lock()
	defer o.mu.Unlock()
	u := o.units[name]
	if u == nil {
		dropped := o.dropped.WithLabelValues(name)
		log, err := openLogbook(filepath.Join(o.house.dir, name, "log"), func(lines int) { dropped.Add(float64(lines)) })
		if err != nil {
			o.log.Error("a workload's log is kept in memory only", "workload", name, "error", err)
		}
		u = &unit{name: name, log: log, house: o.house, wake: make(chan struct{}, 1)}
		u.seen.generation = -1
		u.service.Store(name)
		if o.onLine != nil {
			log.hear = func(line Line) { o.onLine(name, u.service.Load().(string), line) }
		}
		o.units[name] = u
		start(u)
	}
	return u
}

func (o *Orchestrator) portsNow() map[string]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.ports)
}

// observe tells what is known of a workload's process.
func (o *Orchestrator) observe(name string) observed {
	o.mu.Lock()
	u := o.units[name]
	o.mu.Unlock()
	if u == nil {
		return observed{generation: -1}
	}
	return u.observed()
}

// Log returns a workload's newest lines, oldest first.
func (o *Orchestrator) Log(ctx context.Context, name string, lines int) ([]Line, error) {
	if err := o.db.Read(ctx, func(tx *store.Tx) error { _, err := readRow(ctx, tx, name); return err }); err != nil {
		return nil, err
	}
	o.mu.Lock()
	u := o.units[name]
	o.mu.Unlock()
	if u != nil {
		return u.log.tail(lines), nil
	}
	return readLog(filepath.Join(o.house.dir, name, "log"), lines)
}

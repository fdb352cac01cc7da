package run

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what New needs.
type Config struct {
	DB         *store.DB
	Timeline   *timeline.Timeline
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil keeps the metrics unregistered

	Concurrency int           // runs at once; 0 means 8
	Queue       int           // runs that may wait; 0 means 1000
	LogLimit    int64         // bytes of the log of one run; 0 means 64 MiB
	LogAge      time.Duration // how long the log of a run is kept after its end; 0 means 90 days
	Grace       time.Duration // between asking a cancelled command to end and killing it; 0 means 5 s
}

// Kind is a sort of run and how to execute it.
type Kind struct {
	// Run executes. It returns soon after ctx ends; what it does after that
	// holds up the end of the run and of daytwo.
	Run func(ctx context.Context, t *Task) error

	// Resumable kinds are run again after a crash or restart. Their Run must
	// call the same steps in the same order; those that have succeeded are
	// skipped. Without it an interrupted run ends as Interrupted.
	Resumable bool

	Timeout time.Duration // for runs whose Spec has none; 0 means none
}

// Engine executes runs. All but Register may be called before, while and after
// Run runs; only Run executes.
type Engine struct {
	db       *store.DB
	timeline *timeline.Timeline
	log      *slog.Logger
	metrics  *metrics

	concurrency int
	queue       int
	logLimit    int64
	logAge      time.Duration
	grace       time.Duration

	kinds map[string]Kind // fixed once Run runs
	wake  chan struct{}   // there may be something to start
	bells bells

	mu     sync.Mutex
	active map[string]*execution
}

// New brings the tables up to date.
func New(ctx context.Context, c Config) (*Engine, error) {
	if c.DB == nil || c.Timeline == nil || c.Logger == nil {
		return nil, errors.New("run: Config needs DB, Timeline and Logger")
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	if err := c.DB.Migrate(ctx, "run", files); err != nil {
		return nil, err
	}
	e := &Engine{
		db: c.DB, timeline: c.Timeline, log: c.Logger,
		concurrency: orDefault(c.Concurrency, 8), queue: orDefault(c.Queue, 1000),
		logLimit: orDefault(c.LogLimit, 64<<20), logAge: orDefault(c.LogAge, 90*24*time.Hour), grace: orDefault(c.Grace, 5*time.Second),
		kinds: map[string]Kind{}, wake: make(chan struct{}, 1), active: map[string]*execution{},
	}
	e.metrics = newMetrics(c.Registerer, e.countQueued)
	return e, nil
}

func orDefault[T int | int64 | time.Duration](v, standard T) T {
	if v <= 0 {
		return standard
	}
	return v
}

// Register makes a kind known, before Run. A second kind of the same name is a
// mistake in the program.
func (e *Engine) Register(kind string, k Kind) {
	if _, twice := e.kinds[kind]; twice || k.Run == nil {
		panic("run: kind " + kind + " is registered twice or has no Run")
	}
	e.kinds[kind] = k
}

// Run settles what an earlier process left behind and then executes what is
// queued, oldest first, until ctx ends. It returns when the last execution has
// ended: resumable ones go back to the queue, others become Interrupted. Old
// logs are dropped meanwhile.
func (e *Engine) Run(ctx context.Context) error {
	if err := e.settle(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("settle runs of the last process: %w", err)
	}
	var executions sync.WaitGroup
	defer executions.Wait()
	executions.Go(func() { e.trim(ctx) })
	slots := make(chan struct{}, e.concurrency)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		x, err := e.claim(ctx)
		if x != nil {
			executions.Go(func() {
				x.execute(ctx)
				<-slots
				e.nudge()
			})
			continue
		}
		<-slots
		if err != nil && ctx.Err() == nil {
			e.log.Error("run engine cannot take the next run, trying again", "error", err)
		}
		e.rest(ctx)
	}
}

// rest waits for something to do. The poll is for a commit that was durable but
// reported as failed.
func (e *Engine) rest(ctx context.Context) {
	select {
	case <-e.wake:
	case <-time.After(5 * time.Second):
	case <-ctx.Done():
	}
}

// nudge makes Run look at the queue.
func (e *Engine) nudge() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

func (e *Engine) countQueued(ctx context.Context) (n int, err error) {
	err = e.db.Read(ctx, func(tx *store.Tx) error {
		n, err = countQueued(ctx, tx)
		return err
	})
	return n, err
}

func countQueued(ctx context.Context, tx *store.Tx) (n int, err error) {
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM runs WHERE status = ?`, string(Queued)).Scan(&n)
	return n, err
}

package metrics

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

const compressWAL = compression.Snappy

// database stands for the time series database before it is open, while it is, and after it is closed. Reading and
// writing while it is not open fail with tsdb.ErrNotReady, which the API answers with 503.
type database struct {
	stats  *tsdb.DBStats
	guard  *guard
	opened atomic.Pointer[opened]
}

// opened holds the local database and the same together with remote storage, through which samples pass.
type opened struct {
	local *tsdb.DB
	both  storage.Storage
}

func newDatabase(g *guard) *database { return &database{stats: tsdb.NewDBStats(), guard: g} }

func (d *database) set(local *tsdb.DB, both storage.Storage) { d.opened.Store(&opened{local, both}) }

func (d *database) close() error {
	if o := d.opened.Swap(nil); o != nil {
		return o.both.Close()
	}
	return nil
}

func (d *database) ready() error {
	if d.opened.Load() == nil {
		return problem.New(problem.Unavailable, "the time series database is not open: %w", tsdb.ErrNotReady).WithMend("try again in a moment")
	}
	return nil
}

// progress names what opening the database is at.
func (d *database) progress() error {
	s := d.stats.Head.WALReplayStatus.GetWALReplayStatus()
	if s.Max == 0 && s.Current == 0 {
		return problem.New(problem.Unavailable, "opening the time series database")
	}
	return problem.New(problem.Unavailable, "replaying the write-ahead log of metrics: segment %d of %d", s.Current-s.Min+1, s.Max-s.Min+1)
}

// register adds the metrics that Prometheus's server adds to those of its database.
func (d *database) register(db *tsdb.DB, r prometheus.Registerer) error {
	oldest := func() int64 {
		if blocks := db.Blocks(); len(blocks) > 0 {
			return blocks[0].Meta().MinTime
		}
		return db.Head().MinTime()
	}
	var errs []error
	for _, g := range []struct {
		name, help string
		ms         func() int64
	}{
		{"prometheus_tsdb_lowest_timestamp_seconds", "Lowest timestamp value stored in the database.", oldest},
		{"prometheus_tsdb_head_min_time_seconds", "Minimum time bound of the head block.", db.Head().MinTime},
		{"prometheus_tsdb_head_max_time_seconds", "Maximum timestamp of the head block.", db.Head().MaxTime},
	} {
		errs = append(errs, r.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: g.name, Help: g.help},
			func() float64 { return float64(g.ms() / 1000) })))
	}
	return errors.Join(errs...)
}

// startTime is when samples begin, with a margin for the start, as remote storage asks for.
func (d *database) startTime() (int64, error) {
	o := d.opened.Load()
	if o == nil {
		return math.MaxInt64, tsdb.ErrNotReady
	}
	start := time.Now().UnixMilli()
	if blocks := o.local.Blocks(); len(blocks) > 0 {
		start = blocks[0].Meta().MinTime
	}
	return start + 2*tsdb.DefaultBlockDuration, nil
}

// oldest is the time of the oldest sample kept here.
func (d *database) oldest() (time.Time, bool) {
	o := d.opened.Load()
	if o == nil {
		return time.Time{}, false
	}
	at, err := o.local.StartTime()
	if err != nil || at == math.MaxInt64 { // an empty head begins at the end of time
		return time.Time{}, false
	}
	return time.UnixMilli(at).UTC(), true
}

func (d *database) Querier(from, to int64) (storage.Querier, error) {
	if o := d.opened.Load(); o != nil {
		return o.both.Querier(from, to)
	}
	return nil, tsdb.ErrNotReady
}

// localQuerier reads what is kept here, without remote storage.
func (d *database) localQuerier(from, to int64) (storage.Querier, error) {
	if o := d.opened.Load(); o != nil {
		return o.local.Querier(from, to)
	}
	return nil, tsdb.ErrNotReady
}

func (d *database) ChunkQuerier(from, to int64) (storage.ChunkQuerier, error) {
	if o := d.opened.Load(); o != nil {
		return o.both.ChunkQuerier(from, to)
	}
	return nil, tsdb.ErrNotReady
}

func (d *database) ExemplarQuerier(ctx context.Context) (storage.ExemplarQuerier, error) {
	if o := d.opened.Load(); o != nil {
		return o.local.ExemplarQuerier(ctx)
	}
	return nil, tsdb.ErrNotReady
}

// AppenderV2 writes without the series that the guard refuses.
func (d *database) AppenderV2(ctx context.Context) storage.AppenderV2 {
	strict := d.strictAppender(ctx)
	if d.guard.on() {
		return lenientAppender{strict}
	}
	return strict
}

// strictAppender writes for whom wants to hear of each series that the guard refuses.
func (d *database) strictAppender(ctx context.Context) storage.AppenderV2 {
	if o := d.opened.Load(); o != nil {
		return o.both.AppenderV2(ctx)
	}
	return refusingAppender{}
}

// The rest is what the API asks of a local database.

func (d *database) Stats(label string, limit int) (*tsdb.Stats, error) {
	if o := d.opened.Load(); o != nil {
		return o.local.Head().Stats(label, limit), nil
	}
	return nil, tsdb.ErrNotReady
}

func (d *database) WALReplayStatus() (tsdb.WALReplayStatus, error) {
	return d.stats.Head.WALReplayStatus.GetWALReplayStatus(), nil
}

func (d *database) BlockMetas() ([]tsdb.BlockMeta, error) {
	if o := d.opened.Load(); o != nil {
		return o.local.BlockMetas(), nil
	}
	return nil, tsdb.ErrNotReady
}

func (d *database) CleanTombstones() error {
	if o := d.opened.Load(); o != nil {
		return o.local.CleanTombstones()
	}
	return tsdb.ErrNotReady
}

func (d *database) Delete(ctx context.Context, from, to int64, matchers ...*labels.Matcher) error {
	if o := d.opened.Load(); o != nil {
		return o.local.Delete(ctx, from, to, matchers...)
	}
	return tsdb.ErrNotReady
}

func (d *database) Snapshot(dir string, withHead bool) error {
	if o := d.opened.Load(); o != nil {
		return o.local.Snapshot(dir, withHead)
	}
	return tsdb.ErrNotReady
}

// refusingAppender is what writers get while the database is not open.
type refusingAppender struct{}

func (refusingAppender) Append(storage.SeriesRef, labels.Labels, int64, int64, float64, *histogram.Histogram, *histogram.FloatHistogram, storage.AOptions) (storage.SeriesRef, error) {
	return 0, tsdb.ErrNotReady
}
func (refusingAppender) Commit() error   { return tsdb.ErrNotReady }
func (refusingAppender) Rollback() error { return tsdb.ErrNotReady }

func (d *database) apply(c *config.Config) error {
	if o := d.opened.Load(); o != nil {
		return o.local.ApplyConfig(c)
	}
	return tsdb.ErrNotReady
}

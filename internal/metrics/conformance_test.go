package metrics

import (
	"testing"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"time"
)

// Prometheus's own acceptance scripts, against our engine and our database behind its fanout. What the scripts use of
// experimental syntax and storage is switched on here, as Prometheus's own tests do; nothing else differs.
func TestPromQLConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: all of Prometheus's scripts take some seconds")
	}
	c := Config{Dir: t.TempDir()}
	c.setDefaults()
	loaded, findings := load("", c.Retention, "")
	if err := refuse(findings); err != nil {
		t.Fatal(err)
	}
	m := &Metrics{cfg: c, parser: parser.NewParser(promqltest.TestParserOpts), db: newDatabase(&guard{})}
	m.inForce.Store(loaded)
	m.evalEvery.Store(time.Minute.Milliseconds())
	options := m.engineOptions()
	options.EnableDelayedNameRemoval, options.UseStartTimestamps = true, true
	options.Logger, options.MaxSamples = promslog.NewNopLogger(), promqltest.DefaultMaxSamplesPerQuery
	engine := promql.NewEngine(options)
	t.Cleanup(func() { _ = engine.Close() })
	promqltest.RunBuiltinTestsWithStorage(t, engine, func(tb testing.TB) storage.Storage {
		o := m.options()
		o.EnableSTStorage, o.EnableHistogramSTEncoding, o.FloatChunkEncoding = true, true, chunkenc.EncXOR2
		o.RetentionDuration = 0 // the scripts are of 1970
		o.MinBlockDuration = (24 * time.Hour).Milliseconds()
		o.MaxBlockDuration = o.MinBlockDuration
		o.EnableMemorySnapshotOnShutdown = false
		db, err := tsdb.Open(tb.TempDir(), promslog.NewNopLogger(), nil, o, tsdb.NewDBStats())
		if err != nil {
			tb.Fatal(err)
		}
		return storage.NewFanout(promslog.NewNopLogger(), db)
	})
}

package ruletest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// laboratory is a database and an engine for one test. Samples are put in as time goes by, so that no rule sees the future.
type laboratory struct {
	db     *tsdb.DB
	dir    string
	parser parser.Parser
	engine *promql.Engine
	input  []*input
}

// input is a series of a test with the samples that are still to come.
type input struct {
	labels labels.Labels
	values []parser.SequenceValue
	at     time.Time // of the first of values
	every  time.Duration
}

var repeats = regexp.MustCompile(`x(\d+)`)

func newLaboratory(t *test, start time.Time, evaluation time.Duration) (_ *laboratory, err error) {
	l := &laboratory{parser: parser.NewParser(parser.Options{})}
	for i, s := range t.InputSeries {
		for _, m := range repeats.FindAllStringSubmatch(s.Values, -1) {
			if n, err := strconv.Atoi(m[1]); err != nil || n > maxRepeats {
				return nil, &atSeries{i, fmt.Errorf("%s repeats a value more than %d times", m[0], maxRepeats)}
			}
		}
		name, values, err := l.parser.ParseSeriesDesc(s.Series + " " + s.Values)
		if err != nil {
			return nil, &atSeries{i, err}
		}
		l.input = append(l.input, &input{labels: name, values: values, at: start, every: time.Duration(t.Interval)})
	}
	if l.dir, err = os.MkdirTemp("", "daytwo-ruletest-"); err != nil {
		return nil, err
	}
	options := tsdb.DefaultOptions()
	options.MinBlockDuration, options.MaxBlockDuration = (24 * time.Hour).Milliseconds(), (24 * time.Hour).Milliseconds()
	options.RetentionDuration = 0 // the tests are of 1970
	options.WALSegmentSize = -1   // nothing is to be kept
	options.StripeSize = 64
	if l.db, err = tsdb.Open(l.dir, promslog.NewNopLogger(), nil, options, tsdb.NewDBStats()); err != nil {
		return nil, errors.Join(err, os.RemoveAll(l.dir))
	}
	l.engine = promql.NewEngine(promql.EngineOpts{
		Logger: promslog.NewNopLogger(), MaxSamples: 50_000_000, Timeout: 100 * time.Second,
		NoStepSubqueryIntervalFn: func(int64) int64 { return evaluation.Milliseconds() },
		EnableAtModifier:         true, EnableNegativeOffset: true, Parser: l.parser,
	})
	return l, nil
}

// atSeries is an error of the input series with a number.
type atSeries struct {
	number int
	err    error
}

func (e *atSeries) Error() string { return e.err.Error() }

func (l *laboratory) close() error {
	return errors.Join(l.engine.Close(), l.db.Close(), os.RemoveAll(l.dir))
}

// fill puts in every sample up to a time.
func (l *laboratory) fill(ctx context.Context, until time.Time) error {
	app := l.db.AppenderV2(ctx)
	for _, s := range l.input {
		for len(s.values) > 0 && !s.at.After(until) {
			v := s.values[0]
			if !v.Omitted {
				if _, err := app.Append(0, s.labels, 0, s.at.UnixMilli(), v.Value, nil, v.Histogram, storage.AOptions{}); err != nil {
					return errors.Join(fmt.Errorf("series %s: %w", s.labels, err), app.Rollback())
				}
			}
			s.values, s.at = s.values[1:], s.at.Add(s.every)
		}
	}
	return app.Commit()
}

// query evaluates an expression at a time; a scalar is one sample without labels.
func (l *laboratory) query(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	q, err := l.engine.NewInstantQuery(ctx, l.db, nil, expr, at)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	result := q.Exec(ctx)
	if result.Err != nil {
		return nil, result.Err
	}
	switch v := result.Value.(type) {
	case promql.Vector:
		return append(promql.Vector{}, v...), nil
	case promql.Scalar:
		return promql.Vector{{T: v.T, F: v.V}}, nil
	}
	return nil, fmt.Errorf("%s is no vector and no scalar", result.Value.Type())
}

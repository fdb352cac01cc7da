package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// quiet is a configuration that scrapes as little as each can: daytwo scrapes itself at the global interval.
const quiet = "global: {scrape_interval: 1m}\n"

// ingest measures remote write and then queries over what was written: 10,000 series, fifty minutes of each: what is
// older than an hour the database would not take after the first.
func (b *bench) ingest(name, binary, dir string) error {
	s, err := launch(name, binary, dir, quiet)
	if err != nil {
		return err
	}
	defer func() { s.end(syscall.SIGTERM) }()
	times := 200 * b.scale / 100
	begin := time.Now().Add(-time.Duration(times) * step)
	for version, v2 := range []bool{false, true} {
		l := load{metric: fmt.Sprintf("bench_v%d_total", version+1), series: 10_000, times: times, begin: begin, v2: v2}
		before := s.cpu()
		if err := l.send(s); err != nil {
			return err
		}
		b.note(fmt.Sprintf("ingest by remote write %d, samples a CPU second", version+1), name, float64(l.samples())/(s.cpu()-before))
	}
	return b.queries(s, begin.Add(time.Duration(times)*step))
}

func (b *bench) queries(s *server, end time.Time) error {
	for _, q := range []struct {
		what, expr  string
		span, every time.Duration // instant if 0
		series      int
	}{
		{"instant, sum by of 10,000 series", `sum by (group) (bench_v1_total)`, 0, 0, 50},
		{"instant, rate of 10,000 series", `rate(bench_v1_total[5m])`, 0, 0, 10_000},
		{"range of 45 minutes, sum by rate of 10,000 series", `sum by (group) (rate(bench_v1_total[5m]))`, 45 * time.Minute, time.Minute, 50},
		{"range of 45 minutes, 15 s step, sum of 10,000 series", `sum(bench_v1_total)`, 45 * time.Minute, 15 * time.Second, 1},
		{"range of 45 minutes, quantile over time of 10,000 series", `max(quantile_over_time(0.9, bench_v1_total[10m]))`, 45 * time.Minute, 5 * time.Minute, 1},
		{"range of 45 minutes, one series of 10,000", `rate(bench_v1_total{series="77"}[5m])`, 45 * time.Minute, 15 * time.Second, 1},
	} {
		form, path := url.Values{"query": {q.expr}, "time": {fmt.Sprint(end.Unix())}}, "/api/v1/query"
		if q.span > 0 {
			span := q.span * time.Duration(b.scale) / 100
			form = url.Values{"query": {q.expr}, "start": {fmt.Sprint(end.Add(-span).Unix())}, "end": {fmt.Sprint(end.Unix())}, "step": {fmt.Sprint(q.every.Seconds())}}
			path += "_range"
		}
		var walls, cpus []float64
		for range 7 {
			before := s.cpu()
			series, took, err := s.query(path, form)
			if err != nil {
				return err
			}
			if series != q.series {
				return fmt.Errorf("%s: %d series, want %d", q.expr, series, q.series)
			}
			walls, cpus = append(walls, took.Seconds()*1000), append(cpus, (s.cpu()-before)*1000)
		}
		b.note(q.what+", ms", s.name, median(walls))
		b.note(q.what+", CPU ms", s.name, sum(cpus)/float64(len(cpus)))
	}
	return nil
}

func sum(all []float64) (total float64) {
	for _, v := range all {
		total += v
	}
	return total
}

// memory measures 100,000 series, then the start after a kill with 12 million samples in the log, and after a clean stop.
func (b *bench) memory(name, binary, dir string) error {
	s, err := launch(name, binary, dir, quiet)
	if err != nil {
		return err
	}
	times := 120 * b.scale / 100
	l := load{metric: "bench_memory_total", series: 100_000, times: times / 4, begin: time.Now().Add(-time.Duration(times) * step), v2: true}
	if err := l.send(s); err != nil {
		return err
	}
	time.Sleep(15 * time.Second) // the collector comes to rest
	b.note("RSS with 100,000 series, MiB", name, s.rss())
	l.begin, l.times = l.begin.Add(time.Duration(l.times)*step), times-l.times
	if err := l.send(s); err != nil {
		return err
	}
	time.Sleep(15 * time.Second)
	b.note(fmt.Sprintf("RSS with 100,000 series and %d M samples, MiB", times*l.series/1_000_000), name, s.rss())
	for _, how := range []struct {
		what   string
		signal syscall.Signal
	}{{"a kill", syscall.SIGKILL}, {"a clean stop", syscall.SIGTERM}} {
		begin := time.Now()
		s.end(how.signal)
		if how.signal == syscall.SIGTERM {
			b.note("the clean stop itself, s", name, time.Since(begin).Seconds())
		}
		if s, err = launch(name, binary, dir, quiet); err != nil {
			return err
		}
		b.note("from "+how.what+" to serving, s", name, time.Since(s.started).Seconds())
		b.note("from "+how.what+" to serving, CPU s", name, s.cpu())
		if series, _, err := s.query("/api/v1/query", url.Values{"query": {`count(last_over_time(bench_memory_total[1h])) == 100000`}}); err != nil || series != 1 {
			return fmt.Errorf("after %s the series are not all there: %d, %w", how.what, series, err)
		}
	}
	b.note("size of the data, MiB", name, size(filepath.Join(dir, "data")))
	s.end(syscall.SIGTERM)
	return nil
}

func size(dir string) (mib float64) {
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			mib += float64(info.Size()) / (1 << 20)
		}
		return nil
	})
	return mib
}

// idle measures a server that scrapes four targets of 500 series every 15 s, as nearly everybody's does.
func (b *bench) idle(name, binary, dir string) error {
	var text strings.Builder
	for i := range 500 {
		fmt.Fprintf(&text, "some_metric_total{number=\"%d\",kind=\"of\"} %d\n", i, i*1000)
	}
	config := "global: {scrape_interval: 15s, evaluation_interval: 15s}\nscrape_configs:\n"
	for i := range 4 {
		target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			fmt.Fprint(w, text.String())
		}))
		defer target.Close()
		config += fmt.Sprintf("  - {job_name: job%d, static_configs: [{targets: [%q]}]}\n", i, strings.TrimPrefix(target.URL, "http://"))
	}
	s, err := launch(name, binary, dir, config)
	if err != nil {
		return err
	}
	defer func() { s.end(syscall.SIGTERM) }()
	time.Sleep(20 * time.Second)
	before, begin := s.cpu(), time.Now()
	time.Sleep(60 * time.Second)
	b.note("idling with four targets, % of a core", name, 100*(s.cpu()-before)/time.Since(begin).Seconds())
	b.note("idling with four targets, RSS MiB", name, s.rss())
	return nil
}

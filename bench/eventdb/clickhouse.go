package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/daytwo-dev/daytwo/bench/eventdb/process"
	"github.com/daytwo-dev/daytwo/bench/eventdb/rows"
)

// loadClickHouse loads the same rows from a file of rows, in the form that is
// cheapest for it to read.
func (b *bench) loadClickHouse() error {
	file := filepath.Join(b.dir, "rows.bin")
	if err := writeRows(file, b.rows); err != nil {
		return err
	}
	defer os.Remove(file)
	e, err := b.clickhouse()
	if err != nil {
		return err
	}
	loaded, err := insert(e, file)
	err = errors.Join(err, e.Stop())
	b.results.Load["clickhouse"], b.results.Bytes["clickhouse"] = loaded, size(b.path("clickhouse"))
	return err
}

func insert(e *process.Engine, file string) (process.Reply, error) {
	var schema, columns []string
	for _, c := range rows.Columns {
		index := ""
		switch c.Name {
		case "message":
			index = ", INDEX words message TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 1"
		case "trace":
			index = ", INDEX traces trace TYPE bloom_filter(0.01) GRANULARITY 1"
		}
		schema = append(schema, c.Name+" "+c.Type+index)
		columns = append(columns, c.Name+" "+c.Type)
	}
	var loaded process.Reply
	for _, sql := range []string{
		"CREATE DATABASE IF NOT EXISTS d",
		"CREATE TABLE d.e (" + strings.Join(schema, ", ") + ") ENGINE = MergeTree ORDER BY (service, kind, time) PARTITION BY toDate(time)",
		fmt.Sprintf("INSERT INTO d.e SELECT * FROM file('%s', 'RowBinary', '%s') SETTINGS max_threads = 2, max_insert_threads = 2", file, strings.Join(columns, ", ")),
		"OPTIMIZE TABLE d.e FINAL",
	} {
		r, err := e.Ask(map[string]string{"sql": sql})
		if err != nil {
			return loaded, err
		}
		loaded.CPU, loaded.Wall, loaded.Peak = loaded.CPU+r.CPU, loaded.Wall+r.Wall, r.Peak
	}
	return loaded, nil
}

func writeRows(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	g := rows.New(n)
	var b []byte
	for range n {
		x := g.Next()
		b = x.AppendBinary(b[:0])
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

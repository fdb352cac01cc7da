// Command duckdb is DuckDB as a process that answers SQL, for the benchmark of the
// store of events: one JSON object a line in, one with the answer, its wall and CPU
// milliseconds and the peak of memory out.
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/daytwo-dev/daytwo/bench/eventdb/process"
	"github.com/daytwo-dev/daytwo/bench/eventdb/rows"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

type command struct {
	Load int    `json:"load"` // rows
	SQL  string `json:"sql"`
}

func run(path string) error {
	connector, err := duckdb.NewConnector(path, func(c driver.ExecerContext) error {
		_, err := c.ExecContext(context.Background(), "SET threads = 2", nil)
		return err
	})
	if err != nil {
		return err
	}
	defer connector.Close()
	db := sql.OpenDB(connector)
	defer db.Close()
	return process.Answer(os.Stdin, os.Stdout, func(line []byte, m *process.Measure) (string, error) {
		var c command
		if err := json.Unmarshal(line, &c); err != nil {
			return "", err
		}
		if c.Load > 0 {
			return "", load(db, connector, c.Load, m)
		}
		return answer(db, c.SQL)
	})
}

// answer is the first column of the first row, after all rows were read.
func answer(db *sql.DB, query string) (string, error) {
	result, err := db.QueryContext(context.Background(), query)
	if err != nil {
		return "", err
	}
	defer result.Close()
	columns, err := result.Columns()
	if err != nil {
		return "", err
	}
	values := make([]any, len(columns))
	places := make([]any, len(columns))
	for i := range values {
		places[i] = &values[i]
	}
	first := ""
	for n := 0; result.Next(); n++ {
		if err := result.Scan(places...); err != nil {
			return "", err
		}
		if n == 0 {
			first = fmt.Sprint(values[0])
		}
	}
	return first, result.Err()
}

// load appends rows with DuckDB's appender, the fastest way in without a file, and
// makes them durable once at the end.
func load(db *sql.DB, connector *duckdb.Connector, n int, m *process.Measure) error {
	ctx := context.Background()
	if _, err := db.ExecContext(ctx, `CREATE TABLE e (time TIMESTAMP_NS, service VARCHAR, kind VARCHAR, host VARCHAR, region VARCHAR, level VARCHAR, message VARCHAR, trace VARCHAR, span VARCHAR, parent VARCHAR,
		name VARCHAR, route VARCHAR, method VARCHAR, "user" VARCHAR, agent VARCHAR, ip VARCHAR, version VARCHAR, pod VARCHAR, zone VARCHAR,
		status BIGINT, bytes BIGINT, duration BIGINT, line BIGINT, retries BIGINT, ratio DOUBLE, ok BOOLEAN)`); err != nil {
		return err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	appender, err := duckdb.NewAppenderFromConn(conn, "", "e")
	if err != nil {
		return err
	}
	g := rows.New(n)
	batch := make([]rows.Row, 0, 2000)
	for done := 0; done < n; done += len(batch) {
		batch = batch[:min(2000, n-done)]
		m.Own(func() {
			for i := range batch {
				batch[i] = g.Next()
			}
		})
		for i := range batch {
			x := &batch[i]
			if err := appender.AppendRow(time.Unix(0, x.Time).UTC(), x.Service, x.Kind, x.Host, x.Region, x.Level, x.Message, x.Trace, x.Span, x.Parent, x.Name, x.Route, x.Method, x.User, x.Agent, x.IP, x.Version, x.Pod, x.Zone,
				x.Status, x.Bytes, x.Duration, x.Line, x.Retries, x.Ratio, x.OK); err != nil {
				return errors.Join(err, appender.Close())
			}
		}
	}
	if err := appender.Close(); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "CHECKPOINT")
	return err
}

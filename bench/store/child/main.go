// Command child runs the workload of the store on the one SQLite driver it was
// built with (tag modernc or ncruces) and prints what it measured as JSON.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const rows = 50_000

var text = strings.Repeat("operations ", 27) // about 300 bytes

func main() {
	dir := flag.String("dir", "", "empty directory for the database")
	readers := flag.Int("readers", 8, "readers beside the writer")
	phase := flag.Duration("phase", 3*time.Second, "length of each timed phase")
	flag.Parse()
	if driver == "" {
		return
	}
	m, err := measure(context.Background(), filepath.Join(*dir, "state.db"), *readers, *phase)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(m); err != nil {
		log.Fatal(err)
	}
}

func measure(ctx context.Context, path string, readers int, phase time.Duration) (map[string]float64, error) {
	m := map[string]float64{}
	start := time.Now()
	w, err := sql.Open(driver, dsn(path, "FULL"))
	if err != nil {
		return nil, err
	}
	defer w.Close()
	w.SetMaxOpenConns(1)
	if _, err := w.ExecContext(ctx, "CREATE TABLE notes (id BIGINT PRIMARY KEY, kind BIGINT NOT NULL, text TEXT NOT NULL)"); err != nil {
		return nil, err
	}
	m["cold open and first table, ms"] = ms(time.Since(start))

	start = time.Now()
	if err := fill(ctx, w); err != nil {
		return nil, err
	}
	m["rows/s in one transaction"] = rows / time.Since(start).Seconds()

	r, err := sql.Open(driver, dsn(path, "FULL")+"&_pragma=query_only(1)")
	if err != nil {
		return nil, err
	}
	defer r.Close()
	r.SetMaxOpenConns(readers)
	r.SetMaxIdleConns(readers)

	var next atomic.Int64
	next.Store(rows)
	writes, err := during(phase, func() error { return write(ctx, w, next.Add(1)) })
	if err != nil {
		return nil, err
	}
	m["durable writes/s alone"] = writes

	reads, err := concurrently(readers, phase, func(i int64) error { return read(ctx, r, i%rows) })
	if err != nil {
		return nil, err
	}
	m["small reads/s alone"] = reads

	var beside float64
	var writeErr error
	var wg sync.WaitGroup
	wg.Go(func() { beside, writeErr = during(phase, func() error { return write(ctx, w, next.Add(1)) }) })
	reads, err = concurrently(readers, phase, func(i int64) error { return read(ctx, r, i%rows) })
	wg.Wait()
	if err != nil || writeErr != nil {
		return nil, fmt.Errorf("read %w, write %w", err, writeErr)
	}
	m["durable writes/s beside readers"], m["small reads/s beside the writer"] = beside, reads

	scans, err := during(phase, func() error { return scan(ctx, r) })
	if err != nil {
		return nil, err
	}
	m["group-by of all rows, ms"] = 1000 / scans
	m["peak RSS, MB"], err = peakRSS()
	return m, err
}

func fill(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for i := range rows {
		if _, err := tx.ExecContext(ctx, "INSERT INTO notes VALUES (?, ?, ?)", i, i%100, text); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func write(ctx context.Context, db *sql.DB, id int64) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, "INSERT INTO notes VALUES (?, ?, ?)", id, id%100, text); err != nil {
		return err
	}
	return tx.Commit()
}

func read(ctx context.Context, db *sql.DB, id int64) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var got string
	return tx.QueryRowContext(ctx, "SELECT text FROM notes WHERE id = ?", id).Scan(&got)
}

func scan(ctx context.Context, db *sql.DB) error {
	found, err := db.QueryContext(ctx, "SELECT kind, count(*), max(length(text)) FROM notes GROUP BY kind ORDER BY 2 DESC")
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var kind, n, longest int64
		if err := found.Scan(&kind, &n, &longest); err != nil {
			return err
		}
	}
	return found.Err()
}

// during repeats f for as long as a phase lasts and answers how often a second.
func during(phase time.Duration, f func() error) (float64, error) {
	n, start := 0, time.Now()
	for time.Since(start) < phase {
		if err := f(); err != nil {
			return 0, err
		}
		n++
		runtime.Gosched() // as a real caller would, which waits for its client here
	}
	return float64(n) / time.Since(start).Seconds(), nil
}

func concurrently(n int, phase time.Duration, f func(i int64) error) (float64, error) {
	rates, errs := make([]float64, n), make([]error, n)
	var i atomic.Int64
	var wg sync.WaitGroup
	for k := range n {
		wg.Go(func() { rates[k], errs[k] = during(phase, func() error { return f(i.Add(7919)) }) })
	}
	wg.Wait()
	var sum float64
	for k := range n {
		if errs[k] != nil {
			return 0, errs[k]
		}
		sum += rates[k]
	}
	return sum, nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// peakRSS reads VmHWM of /proc/self/status.
func peakRSS() (float64, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	return kb / 1024, err
}

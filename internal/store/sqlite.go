package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// applicationID marks a SQLite file as daytwo's: "day2" in ASCII.
const applicationID = 0x64617932

// The check for damage at Open reads the whole database. Of one larger than
// largeFile it reads what it can in maxCheck; damage that it misses is found
// when its page is read.
const (
	largeFile = 64 << 20
	maxCheck  = 250 * time.Millisecond
)

// openSQLite opens Dir/state.db in WAL mode: readers never wait for the writer
// nor it for them. synchronous=FULL makes each commit durable against power
// loss, which NORMAL does not; batches share its cost.
func (db *DB) openSQLite(ctx context.Context, c Config) error {
	db.dialect = SQLite
	db.name = filepath.Join(c.Dir, "state.db")
	// SQLite would make it as readable as the umask allows; -wal and -shm follow it.
	file, err := os.OpenFile(db.name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return dirProblem(db.name, err)
	}
	if err := file.Close(); err != nil {
		return err
	}
	if db.writes.pool, err = openPool(db.name, 1, url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)",
		"synchronous(FULL)", "foreign_keys(1)", "journal_size_limit(67108864)"}, "_txlock": {"immediate"}}); err != nil {
		return db.explain(ctx, err)
	}
	if err := db.claimFile(ctx); err != nil {
		return db.explain(ctx, err)
	}
	if err := db.check(ctx); err != nil {
		return err
	}
	db.readers, err = openPool(db.name, maxReaders, url.Values{"_pragma": {"busy_timeout(5000)", "query_only(1)"}})
	return db.explain(ctx, err)
}

// openPool opens no connection yet, and keeps those it opens later.
func openPool(path string, size int, params url.Values) (*sql.DB, error) {
	connector, err := newPreparing((&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: params.Encode()}).String())
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(min(size, idleReaders))
	return pool, nil
}

// claimFile makes a new file daytwo's and refuses those of other programs.
func (db *DB) claimFile(ctx context.Context) error {
	var mode string
	var id, tables int
	pool := db.writes.pool
	if err := pool.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return problem.New(problem.Unavailable, "the file system of %s cannot share memory between connections (journal mode %s)", db.name, mode).
			WithMend("use a data directory on a local disk")
	}
	if err := pool.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return err
	}
	if id == applicationID {
		return nil
	}
	if err := pool.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
		return err
	}
	if id != 0 || tables > 0 {
		return problem.New(problem.Conflict, "%s is the database of another program", db.name).
			WithMend("choose another data directory")
	}
	_, err := pool.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	return err
}

// check looks for damage.
func (db *DB) check(ctx context.Context) error {
	info, err := os.Stat(db.name)
	if err != nil {
		return err
	}
	bounded := ctx
	if info.Size() > largeFile {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, maxCheck)
		defer cancel()
	}
	var verdict string
	err = db.writes.pool.QueryRowContext(bounded, "PRAGMA quick_check(1)").Scan(&verdict)
	switch {
	case err == nil && verdict != "ok":
		return corrupted(db.name, errors.New(verdict))
	case err != nil && ctx.Err() == nil && bounded.Err() != nil:
		db.log.Info("store: the database is large, so it was checked in part", "file", db.name, "checked_for", maxCheck)
		return nil
	}
	return db.explain(ctx, err)
}

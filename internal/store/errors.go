package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// explain turns what an engine or file system says into a problem that names
// the thing and the mend. Errors it does not know, and problems, it leaves. What
// an engine says about a statement whose ctx has ended is that ctx's error.
func (db *DB) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*problem.Error](err); ok {
		return err
	}
	if ended := ctx.Err(); ended != nil {
		if errors.Is(err, ended) {
			return err
		}
		return fmt.Errorf("%w: %w", ended, err)
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		if p := db.sqliteProblem(e, err); p != nil {
			return p
		}
	}
	if p := db.postgresProblem(err); p != nil {
		return p
	}
	if errors.Is(err, errBatchLost) {
		return problem.New(problem.Unavailable, "%s undid the write: %w", db.name, err).WithMend("try again")
	}
	if errors.Is(err, sql.ErrConnDone) || strings.Contains(err.Error(), "sql: database is closed") {
		return problem.New(problem.Unavailable, "the store is closed: daytwo is stopping: %w", err)
	}
	return err
}

// uncommitted explains a failed commit. SQLite has then rolled back; whether
// PostgreSQL has is unknown unless it answered.
func (db *DB) uncommitted(err error) error {
	_, answered := errors.AsType[*pgconn.PgError](err)
	answered = answered && !connectionLost(err) || errors.Is(err, pgx.ErrTxCommitRollback)
	if db.dialect == PostgreSQL && !answered {
		return problem.New(problem.Unavailable, "the connection to %s was lost during a commit, so whether the change was kept is not known: %w", db.name, err).
			WithMend("look before you repeat it")
	}
	return err
}

// unserializable tells whether PostgreSQL undid a transaction for the sake of
// another one.
func unserializable(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01")
}

// connectionLost tells whether err is the end of a connection to PostgreSQL.
func connectionLost(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(e.Code, "57P") || strings.HasPrefix(e.Code, "08")
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return false // a caller's, though it looks like one of the network's
	}
	_, isNet := errors.AsType[net.Error](err)
	return isNet || errors.Is(err, driver.ErrBadConn) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "conn closed")
}

// droppedIdle tells whether err is that of a connection that had died before.
func (db *DB) droppedIdle(err error) bool {
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	return db.dialect == PostgreSQL && !connecting && connectionLost(err)
}

// sqliteProblem explains the failures of the machine under SQLite.
func (db *DB) sqliteProblem(e *sqlite.Error, err error) error {
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return problem.New(problem.Unavailable, "no space is left for %s: %w", db.name, err).
			WithMend("free space on that disk; a running daytwo then goes on by itself")
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return corrupted(db.name, err)
	case sqlite3.SQLITE_ERROR:
		if strings.Contains(err.Error(), "unsupported file format") { // the header is damaged
			return corrupted(db.name, err)
		}
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH:
		if e.Code() == sqlite3.SQLITE_READONLY {
			return nil // a write inside Read: a mistake of ours
		}
		return problem.New(problem.Unavailable, "%s cannot be opened for writing: %w", db.name, err).
			WithMend("make the file and its directory writable for the user daytwo runs as")
	case sqlite3.SQLITE_IOERR:
		return problem.New(problem.Unavailable, "the disk under %s failed: %w", db.name, err).
			WithMend("check the disk's space and health; the kernel's log may say more")
	case sqlite3.SQLITE_BUSY:
		return problem.New(problem.Unavailable, "%s is locked by another program: %w", db.name, err).
			WithMend("close the program that has it open (a backup or a database browser)")
	}
	return nil
}

func corrupted(name string, err error) error {
	return problem.New(problem.Unavailable, "the database %s is damaged: %w", name, err).
		WithMend("stop daytwo, move %[1]s, %[1]s-wal and %[1]s-shm aside, and put a backup in their place; "+
			"without one, sqlite3 %[1]s .recover saves what can be read", name)
}

// fileProblem explains the file-system errors every writer meets, or is nil.
func fileProblem(path string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return problem.New(problem.Unavailable, "no space is left for %s: %w", path, err).
			WithMend("free space on that disk; a running daytwo then goes on by itself")
	case errors.Is(err, syscall.EROFS):
		return problem.New(problem.Unavailable, "%s is on a read-only file system: %w", path, err).
			WithMend("remount it writable, or choose a data directory elsewhere")
	case errors.Is(err, fs.ErrPermission):
		return problem.New(problem.Unavailable, "%s is not writable: %w", path, err).
			WithMend("give the directory to the user daytwo runs as, or choose another data directory")
	}
	return nil
}

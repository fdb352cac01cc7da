package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

const (
	advisoryKey    = 0x64617932 // "day2" in ASCII, beside the schema's hash
	lockPatience   = 5 * time.Second
	standbyWord    = time.Minute // between words of a process that stands by
	connectTimeout = 10 * time.Second
)

// openPostgres connects to the database of c.URL. The connection that writes
// holds an advisory lock, so that whoever lost the lock cannot write either: a
// connection made anew, after PostgreSQL restarted, takes it again or fails.
func (db *DB) openPostgres(ctx context.Context, c Config) error {
	db.dialect = PostgreSQL
	cfg, err := pgx.ParseConfig(c.URL)
	if err != nil { // pgx masks the password, but only those it can tell
		return problem.New(problem.Invalid, "the database URL cannot be read").
			WithMend("write postgres://user:password@host:5432/database and escape special characters of the password (%%40 for @)")
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	db.name = fmt.Sprintf("the PostgreSQL database %s on %s", cfg.Database, net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))))
	host, _ := os.Hostname()
	cfg.RuntimeParams["application_name"] = fmt.Sprintf("daytwo, process %d on %s", os.Getpid(), host)

	db.writes.pool = stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(db.takeDatabase))
	db.writes.pool.SetMaxOpenConns(1)
	if err := db.writes.pool.PingContext(ctx); err != nil { // a process that stands by waits here
		return db.explain(ctx, err)
	}
	db.readers = stdlib.OpenDB(*cfg)
	db.readers.SetMaxOpenConns(maxReaders)
	db.readers.SetMaxIdleConns(idleReaders)
	return nil
}

// takeDatabase takes the advisory lock for the session of conn. It is patient
// for a moment, because a server notices late that a killed daytwo is gone.
func (db *DB) takeDatabase(ctx context.Context, conn *pgx.Conn) error {
	var standby, taken bool
	if err := conn.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&standby); err != nil {
		return err
	}
	if standby {
		return problem.New(problem.Unavailable, "%s is a read-only standby", db.name).WithMend("use the URL of the primary")
	}
	const take = "SELECT pg_try_advisory_lock($1, hashtext(coalesce(current_schema(), '')))"
	again := db.tenure.term.Load() != 0
	for deadline := time.Now().Add(lockPatience); ; {
		if again {
			if err := db.sameTerm(ctx, conn); err != nil {
				return err
			}
		}
		if err := conn.QueryRow(ctx, take, int32(advisoryKey)).Scan(&taken); err != nil {
			return err
		}
		if taken {
			db.log.Info("store: connected", "database", db.name)
			if again { // another one may have had it between the two looks
				return db.sameTerm(ctx, conn)
			}
			return db.beginTerm(ctx, conn)
		}
		if time.Now().After(deadline) {
			if !db.standby || again {
				break
			}
			db.log.Info("store: standing by, the database is in use", "database", db.name, "by", db.holder(ctx, conn))
			deadline = time.Now().Add(standbyWord)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return problem.New(problem.Conflict, "%s is in use by %s", db.name, db.holder(ctx, conn)).
		WithMend("stop that process, use another database, or stand by with --standby")
}

// holder is who has the advisory lock.
func (db *DB) holder(ctx context.Context, conn *pgx.Conn) string {
	const who = `SELECT coalesce(nullif(a.application_name, ''), 'another program') || ', backend ' || l.pid FROM pg_locks l
		LEFT JOIN pg_stat_activity a ON a.pid = l.pid JOIN pg_database d ON d.oid = l.database
		WHERE l.locktype = 'advisory' AND l.granted AND l.classid::bigint = $1 AND d.datname = current_database() LIMIT 1`
	holder := "another process"
	if err := conn.QueryRow(ctx, who, int64(advisoryKey)).Scan(&holder); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		db.log.Warn("store: who uses the database is not known", "error", err)
	}
	return holder
}

// postgresProblem explains what PostgreSQL and the way to it say; nil when err
// is something else.
func (db *DB) postgresProblem(err error) error {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return db.serverProblem(e, err)
	}
	if db.dialect != PostgreSQL {
		return nil
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	if connecting || connectionLost(err) {
		return problem.New(problem.Unavailable, "%s cannot be reached: %w", db.name, err).
			WithMend("check that PostgreSQL runs and that host and port of the database URL are right; daytwo reconnects by itself")
	}
	return nil
}

func (db *DB) serverProblem(e *pgconn.PgError, err error) error {
	unavailable := func(what, mend string) error {
		return problem.New(problem.Unavailable, "%s %s: %w", db.name, what, err).WithMend("%s", mend)
	}
	switch e.Code {
	case "28P01", "28000":
		return unavailable("refuses the user or password", "correct user and password in the database URL, or the server's pg_hba.conf")
	case "3D000":
		return unavailable("does not exist", "create it (createdb), or correct the name in the database URL")
	case "42501":
		return unavailable("forbids this", "make daytwo's user the owner of the database, or grant it CREATE and USAGE on the schema")
	case "3F000":
		return unavailable("lacks the schema in its search_path", "create it, or correct search_path in the database URL")
	case "53100":
		return unavailable("has no space left", "free space on the server's disk; a running daytwo then goes on by itself")
	case "53300":
		return unavailable("has no connection left", "raise max_connections of the server, or close other clients")
	case "25006":
		return unavailable("is read-only", "use the URL of the primary")
	case "57P01", "57P02", "57P03":
		return unavailable("is stopping or starting", "wait for it; daytwo reconnects by itself")
	case "XX001", "XX002":
		return unavailable("is damaged", "restore the server's backup")
	}
	return nil
}

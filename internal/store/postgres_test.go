package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

const password = "hunter2-never-shown"

// refusedQuietly is refused, and looks for the password in what is said.
func refusedQuietly(t *testing.T, url string) error {
	t.Helper()
	err := refused(t, store.Config{URL: url})
	if said := fmt.Sprintf("%v %+v %#v", err, err, problem.From(err)); strings.Contains(said, password) {
		t.Errorf("the password is shown: %s", said)
	}
	return err
}

func TestPostgresUnreachable(t *testing.T) {
	err := refusedQuietly(t, "postgres://ada:"+password+"@127.0.0.1:1/state?connect_timeout=5")
	wantProblem(t, err, problem.Unavailable, "state", "127.0.0.1:1", "cannot be reached")
	for _, url := range []string{
		"postgres://ada:" + password + "@127.0.0.1:port/state",
		"postgres://ada:" + password + "%zz@127.0.0.1/state",
		"postgres://ada:" + password + "@[::1/state",
	} {
		wantProblem(t, refusedQuietly(t, url), problem.Invalid, "database URL")
	}
}

func TestPostgresRefusals(t *testing.T) {
	server := newServer(t)
	server.Exec(t, "CREATE ROLE guarded LOGIN PASSWORD '"+password+"'")
	server.Exec(t, "CREATE DATABASE state")

	wrong := server.URL("guarded:wrong-"+password, "state")
	wantProblem(t, refusedQuietly(t, wrong), problem.Unavailable, "state", "user or password")
	wantProblem(t, refusedQuietly(t, server.URL("daytwo:"+password, "nowhere")), problem.Unavailable, "nowhere", "does not exist", "createdb")

	t.Run("no right to make tables", func(t *testing.T) {
		wantProblem(t, refusedQuietly(t, server.URL("guarded:"+password, "state")), problem.Unavailable, "state", "forbids", "owner")
	})
	t.Run("a second process", func(t *testing.T) {
		c := store.Config{URL: server.NewDatabase(t)}
		db, err := store.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		wantProblem(t, refused(t, c), problem.Conflict, "process "+strconv.Itoa(os.Getpid()))
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if db, err = store.Open(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		db.Close()
	})
	t.Run("a standby", func(t *testing.T) {
		if err := server.BecomeStandby(); err != nil {
			t.Fatal(err)
		}
		wantProblem(t, refused(t, store.Config{URL: server.URL("daytwo", "state")}), problem.Unavailable, "state", "standby", "primary")
	})
}

func newServer(t *testing.T) *storetest.Server {
	t.Helper()
	storetest.PostgresURL(t) // skips where there is none
	server, err := storetest.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

// The store outlives its server's restarts, and answers honestly meanwhile.
func TestPostgresRestart(t *testing.T) {
	ctx, server := t.Context(), newServer(t)
	db, err := store.Open(ctx, store.Config{URL: server.NewDatabase(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(ctx, "notes", notes); err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		if err := db.Write(ctx, insert(ctx, round, "")); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		wantIDs(t, db, []int{0, 1, 2}[:round+1]...)
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
		wantProblem(t, db.Write(ctx, insert(ctx, 99, "")), problem.Unavailable, "reconnects")
		wantProblem(t, db.Read(ctx, func(tx *store.Tx) error {
			return tx.QueryRow(ctx, "SELECT 1").Scan(new(int))
		}), problem.Unavailable, "reconnects")
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
	}
	wantIDs(t, db, 0, 1, 2)
}

// A write whose session the server ended is run again, once kept.
func TestPostgresLosesTheSession(t *testing.T) {
	ctx, url := t.Context(), storetest.PostgresURL(t)
	db, err := store.Open(ctx, store.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(ctx, "notes", notes); err != nil {
		t.Fatal(err)
	}
	attempts := 0
	err = db.Write(ctx, func(tx *store.Tx) error {
		attempts++
		if err := insert(ctx, attempts, "")(tx); err != nil {
			return err
		}
		if attempts == 1 {
			tx.OnCommit(func() { t.Error("the hook of an attempt that was lost ran") })
			return terminate(ctx, db, tx)
		}
		return nil
	})
	if err != nil || attempts != 2 {
		t.Errorf("%d attempts, %v", attempts, err)
	}
	wantIDs(t, db, 2)
}

// terminate has the server end the session of tx.
func terminate(ctx context.Context, db *store.DB, tx *store.Tx) error {
	var pid int
	if err := tx.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		return err
	}
	return db.Read(ctx, func(other *store.Tx) error {
		return other.QueryRow(ctx, "SELECT pg_terminate_backend(?)", pid).Scan(new(bool))
	})
}

// Sessions that ended while idle are replaced unseen.
func TestPostgresEndsIdleSessions(t *testing.T) {
	ctx, c := t.Context(), store.Config{URL: storetest.PostgresURL(t)}
	db, err := store.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(ctx, "notes", notes); err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		endSessions(t, c.URL)
		if err := db.Write(ctx, insert(ctx, round, "")); err != nil {
			t.Error(err)
		}
		endSessions(t, c.URL)
		wantIDs(t, db, []int{0, 1, 2}[:round+1]...)
	}
}

// Whoever lost the database to another process cannot write to it any more.
func TestPostgresTakenOver(t *testing.T) {
	ctx, c := t.Context(), store.Config{URL: storetest.PostgresURL(t)}
	loser, err := store.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer loser.Close()
	endSessions(t, c.URL)
	taker, err := store.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer taker.Close()
	if err := taker.Migrate(ctx, "notes", notes); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, loser.Write(ctx, insert(ctx, 1, "")), problem.Conflict, "in use by daytwo, process")
	if err := taker.Write(ctx, insert(ctx, 2, "")); err != nil {
		t.Error(err)
	}
	wantIDs(t, taker, 2)
	taker.Close()
	wantProblem(t, loser.Hold(ctx), problem.Conflict, "taken over")
	wantProblem(t, loser.Write(ctx, insert(ctx, 3, "")), problem.Conflict, "taken over") // though nobody has it now
}

// One that stands by gets the database when the session of the one that works is silent, which ends it; Hold keeps it from being so.
func TestPostgresHangs(t *testing.T) {
	ctx, c := t.Context(), store.Config{URL: storetest.PostgresURL(t), Standby: true}
	hung, err := store.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer hung.Close()
	if err := hung.Migrate(ctx, "notes", notes); err != nil {
		t.Fatal(err)
	}
	holding, hang := context.WithCancel(ctx)
	held := make(chan error, 1)
	go func() { held <- hung.Hold(holding) }()
	taken := make(chan error, 1)
	var taker *store.DB
	go func() {
		db, err := store.Open(ctx, c)
		taker = db
		taken <- err
	}()
	select {
	case err := <-taken:
		t.Errorf("taken while it is held: %v", err)
	case <-time.After(store.Silence + store.Silence/3): // so long without a sign of life, and it would have been
	}
	hang()
	if err := <-held; err != nil {
		t.Error(err)
	}
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
	defer taker.Close()
	wantProblem(t, hung.Write(ctx, insert(ctx, 1, "")), problem.Conflict, "taken over")
	wantProblem(t, hung.Hold(ctx), problem.Conflict, "taken over")
	if err := taker.Write(ctx, insert(ctx, 2, "")); err != nil {
		t.Error(err)
	}
	wantIDs(t, taker, 2)
}

// endSessions has the server end all sessions of a database but the one asking.
func endSessions(t *testing.T, url string) {
	t.Helper()
	admin, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.Exec("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
		t.Fatal(err)
	}
}

package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// The conformance suite: what every caller may rely on, on both databases.

var notes = fstest.MapFS{
	"001_notes.sql": {Data: []byte("-- +goose Up\nCREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL);")},
}

// eachWithNotes runs f on stores that have the table notes.
func eachWithNotes(t *testing.T, f func(t *testing.T, db *store.DB)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Migrate(t.Context(), "notes", notes); err != nil {
			t.Fatal(err)
		}
		f(t, db)
	})
}

func insert(ctx context.Context, id int, text string) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO notes (id, text) VALUES (?, ?)", id, text)
		return err
	}
}

// ids answers what is in notes.
func ids(t *testing.T, db *store.DB) []int {
	t.Helper()
	var all []int
	err := db.Read(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT id FROM notes ORDER BY id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int
			if err := rows.Scan(&id); err != nil {
				return err
			}
			all = append(all, id)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func wantIDs(t *testing.T, db *store.DB, want ...int) {
	t.Helper()
	if got := ids(t, db); !slices.Equal(got, want) {
		t.Errorf("stored: %v, want %v", got, want)
	}
}

// Writes of many goroutines share commits; each keeps its own fate.
func TestConcurrentWrites(t *testing.T) {
	eachWithNotes(t, func(t *testing.T, db *store.DB) {
		ctx, boom := t.Context(), errors.New("boom")
		var hooks, kept []int
		var wg sync.WaitGroup
		for i := range 200 {
			fails := i%10 == 9
			if !fails {
				kept = append(kept, i)
			}
			wg.Go(func() {
				ran := false
				err := db.Write(ctx, func(tx *store.Tx) error {
					tx.OnCommit(func() { ran, hooks = true, append(hooks, i) })
					if err := insert(ctx, i, "a ? b")(tx); err != nil || !fails {
						return err
					}
					return boom
				})
				if fails != errors.Is(err, boom) || ran == fails {
					t.Errorf("write %d answered %v, its hook ran: %v", i, err, ran)
				}
			})
		}
		wg.Wait()
		wantIDs(t, db, kept...)
		slices.Sort(hooks)
		if !slices.Equal(hooks, kept) {
			t.Errorf("hooks of %v, want %v", hooks, kept)
		}
	})
}

// Hooks run in the order of the commits: it is the order of what they publish.
func TestHooksInOrder(t *testing.T) {
	eachWithNotes(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		var published []int
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				err := db.Write(ctx, func(tx *store.Tx) error {
					var next int
					if err := tx.QueryRow(ctx, "SELECT count(*) FROM notes").Scan(&next); err != nil {
						return err
					}
					tx.OnCommit(func() { published = append(published, next) })
					return insert(ctx, next, "")(tx)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		wantIDs(t, db, published...)
	})
}

func TestPanicsUndoTheirOwnWriteOnly(t *testing.T) {
	eachWithNotes(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				defer func() {
					if p := recover(); (p != nil) != (i%3 == 1) {
						t.Errorf("write %d: panic %v", i, p)
					}
				}()
				err := db.Write(ctx, func(tx *store.Tx) error {
					err := insert(ctx, i, "")(tx)
					switch i % 3 {
					case 1:
						panic("boom")
					case 2:
						runtime.Goexit() // as t.FailNow does
					}
					return err
				})
				if err != nil || i%3 != 0 {
					t.Errorf("write %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		wantIDs(t, db, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27)
	})
}

func TestPanicInHookHarmsNobody(t *testing.T) {
	eachWithNotes(t, func(t *testing.T, db *store.DB) {
		ctx, ran := t.Context(), false
		err := db.Write(ctx, func(tx *store.Tx) error {
			tx.OnCommit(func() { panic("boom") })
			tx.OnCommit(func() { ran = true })
			return insert(ctx, 1, "")(tx)
		})
		if err != nil || !ran {
			t.Errorf("%v, the second hook ran: %v", err, ran)
		}
		if err := db.Write(ctx, insert(ctx, 2, "")); err != nil {
			t.Error(err)
		}
		wantIDs(t, db, 1, 2)
	})
}

// A failed statement fails the write on both databases, even if fn swallows it.
func TestFailedStatementFailsTheWrite(t *testing.T) {
	eachWithNotes(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		err := db.Write(ctx, func(tx *store.Tx) error {
			_ = insert(ctx, 1, "first")(tx)
			_ = insert(ctx, 1, "again")(tx)
			return nil
		})
		if err == nil {
			t.Error("a write with a failed statement was kept")
		}
		if err := db.Write(ctx, insert(ctx, 2, "")); err != nil {
			t.Error(err)
		}
		wantIDs(t, db, 2)
	})
}

func TestNestedWriteIsRefused(t *testing.T) {
	eachWithNotes(t, func(t *testing.T, db *store.DB) {
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			return db.Write(tx.Context(), func(*store.Tx) error { return nil })
		})
		if problem.CodeOf(err) != problem.Internal {
			t.Errorf("nested write: %v", err)
		}
	})
}

// A cancelled caller leaves the line, and the others are answered all the same.
func TestCancelledWhileWaiting(t *testing.T) {
	eachWithNotes(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		var wg sync.WaitGroup
		for round := range 20 {
			waiting, cancel := context.WithCancel(ctx)
			wg.Go(func() {
				err := db.Write(ctx, func(tx *store.Tx) error {
					cancel() // while the next ones wait
					return insert(ctx, round, "")(tx)
				})
				if err != nil {
					t.Error(err)
				}
			})
			for i := range 5 {
				wg.Go(func() {
					err := db.Write(waiting, insert(waiting, 1000+10*round+i, ""))
					if err != nil && !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		}
		if got := ids(t, db); len(got) < 20 || got[19] != 19 {
			t.Errorf("stored: %v", got)
		}
	})
}

func TestCancelledBetweenStatements(t *testing.T) {
	eachWithNotes(t, func(t *testing.T, db *store.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Write(ctx, func(tx *store.Tx) error {
			if err := insert(ctx, 1, "")(tx); err != nil {
				return err
			}
			cancel()
			return insert(ctx, 2, "")(tx)
		})
		if !errors.Is(err, context.Canceled) || problem.CodeOf(err) != problem.Unavailable {
			t.Errorf("got %v", err)
		}
		wantIDs(t, db)
	})
}

// Read sees one moment, waits for no writer, and cannot write.
func TestRead(t *testing.T) {
	eachWithNotes(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		count := func(tx *store.Tx) (n int) {
			if err := tx.QueryRow(ctx, "SELECT count(*) FROM notes").Scan(&n); err != nil {
				t.Error(err)
			}
			return n
		}
		if err := db.Read(ctx, func(tx *store.Tx) error {
			before := count(tx)
			if err := db.Write(ctx, insert(ctx, 1, "")); err != nil {
				return err
			}
			if after := count(tx); before != 0 || after != before {
				t.Errorf("one read saw %d and then %d", before, after)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if err := db.Read(ctx, insert(ctx, 2, "")); err == nil {
			t.Error("a Read wrote")
		}
		if err := db.Write(ctx, func(tx *store.Tx) error {
			return db.Read(ctx, func(tx *store.Tx) error {
				if n := count(tx); n != 1 {
					t.Errorf("a read beside a write saw %d rows", n)
				}
				return nil
			})
		}); err != nil {
			t.Error(err)
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if err := db.Read(ended, func(*store.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled read answered %v", err)
		}
		wantIDs(t, db, 1)
	})
}

func TestValues(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		if err := db.Migrate(ctx, "values", fstest.MapFS{"001_values.sql": {Data: []byte("-- +goose Up\n" +
			"CREATE TABLE vals (t TEXT, b BIGINT, i INTEGER, d DOUBLE PRECISION, at BIGINT);")}}); err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.FixedZone("", 3600))
		if err := db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO vals (t, b, i, d, at) VALUES (?, ?, ?, ?, ?)", "é?'\"$1", int64(1)<<62, true, 0.1, at)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := db.Read(ctx, func(tx *store.Tx) error {
			var text string
			var big, when int64
			var flag bool
			var d float64
			err := tx.QueryRow(ctx, "SELECT t, b, i, d, at FROM vals WHERE i = ? AND at = ?", true, at).Scan(&text, &big, &flag, &d, &when)
			if text != "é?'\"$1" || big != 1<<62 || !flag || d != 0.1 || !store.FromMicros(when).Equal(at) {
				t.Errorf("read back %q %d %v %v %s", text, big, flag, d, store.FromMicros(when))
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	})
}

func TestMicros(t *testing.T) {
	if store.Micros(time.Time{}) != 0 || !store.FromMicros(0).IsZero() {
		t.Error("the zero time does not survive")
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 6789, time.UTC)
	if got := store.FromMicros(store.Micros(at)); !got.Equal(at.Truncate(time.Microsecond)) || got.Location() != time.UTC {
		t.Errorf("%s came back as %s", at, got)
	}
}

func TestClosed(t *testing.T) {
	eachWithNotes(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		var wg sync.WaitGroup
		answers := make([]error, 50)
		for i := range answers {
			wg.Go(func() { answers[i] = db.Write(ctx, insert(ctx, i, "")) })
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		answers = append(answers, db.Write(ctx, insert(ctx, 99, "")), db.Read(ctx, func(*store.Tx) error { return nil }))
		for i, err := range answers {
			if err != nil && problem.CodeOf(err) != problem.Unavailable || err == nil && i >= 50 {
				t.Errorf("answer %d of a closed store: %v", i, err)
			}
		}
	})
}

// What was answered for is there when the store is opened again.
func TestReopen(t *testing.T) {
	for _, dialect := range []store.Dialect{store.SQLite, store.PostgreSQL} {
		t.Run(string(dialect), func(t *testing.T) {
			ctx, c := t.Context(), store.Config{Dir: t.TempDir()}
			if dialect == store.PostgreSQL {
				c.URL = storetest.PostgresURL(t)
			}
			for i := range 3 {
				db, err := store.Open(ctx, c)
				if err != nil {
					t.Fatal(err)
				}
				if db.Dialect() != dialect {
					t.Errorf("the dialect is %s", db.Dialect())
				}
				if err := db.Migrate(ctx, "notes", notes); err != nil {
					t.Fatal(err)
				}
				if err := db.Write(ctx, insert(ctx, i, fmt.Sprint(i))); err != nil {
					t.Fatal(err)
				}
				if got := ids(t, db); len(got) != i+1 {
					t.Errorf("round %d: %v", i, got)
				}
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// A write that hangs does not keep a stop waiting for ever, and what it wrote is kept or undone as a whole.
func TestCloseDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		db, err := store.Open(t.Context(), store.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		hang, written := make(chan struct{}), make(chan error)
		go func() {
			written <- db.Write(context.Background(), func(tx *store.Tx) error {
				<-hang
				_, err := tx.Exec(context.Background(), `CREATE TABLE late (id TEXT)`)
				return err
			})
		}()
		synctest.Wait()
		began := time.Now()
		err = db.Close()
		if waited := time.Since(began); problem.CodeOf(err) != problem.Unavailable || waited != 30*time.Second || !strings.Contains(err.Error(), "a write has kept it for 30s") {
			t.Errorf("closed after %s: %v", waited, err)
		}
		if err := db.Write(context.Background(), func(*store.Tx) error { return nil }); problem.CodeOf(err) != problem.Unavailable {
			t.Errorf("a write after Close: %v", err)
		}
		close(hang)
		if err := <-written; err != nil {
			t.Errorf("the write that hung: %v", err)
		}
		synctest.Wait()
		again, err := store.Open(t.Context(), store.Config{Dir: dir})
		if err != nil {
			t.Fatalf("the store is free once the write has ended: %v", err)
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	})
}

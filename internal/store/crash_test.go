package store_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// crashDir and crashURL tell a copy of the test binary to be the process that
// is killed.
const (
	crashDir = "DAYTWO_TEST_CRASH_DIR"
	crashURL = "DAYTWO_TEST_CRASH_URL"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := writeForever(store.Config{Dir: dir, URL: os.Getenv(crashURL)}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// pairs are two tables that each write changes together.
var pairs = files("001_pairs.sql", "CREATE TABLE lefts (id BIGINT PRIMARY KEY, filler TEXT);\nCREATE TABLE rights (id BIGINT PRIMARY KEY);")

// writeForever writes from several goroutines, and tells on standard output
// what has been answered for.
func writeForever(c store.Config) error {
	ctx := context.Background()
	db, err := store.Open(ctx, c)
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx, "pairs", pairs); err != nil {
		return err
	}
	var last atomic.Int64
	if err := db.Read(ctx, func(tx *store.Tx) error {
		var id int64
		err := tx.QueryRow(ctx, "SELECT coalesce(max(id), 0) FROM lefts").Scan(&id)
		last.Store(id)
		return err
	}); err != nil {
		return err
	}
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for range cap(errs) {
		wg.Go(func() {
			for {
				id := last.Add(1)
				if err := db.Write(ctx, func(tx *store.Tx) error {
					if _, err := tx.Exec(ctx, "INSERT INTO lefts (id, filler) VALUES (?, ?)", id, strings.Repeat("x", rand.IntN(2000))); err != nil {
						return err
					}
					_, err := tx.Exec(ctx, "INSERT INTO rights (id) VALUES (?)", id)
					return err
				}); err != nil {
					errs <- err
					return
				}
				fmt.Println(id)
			}
		})
	}
	return <-errs
}

// Killed at any moment, the process loses nothing it has answered for, keeps no
// half of a write, and leaves the store free for the next one.
func TestKill(t *testing.T) {
	for _, dialect := range []store.Dialect{store.SQLite, store.PostgreSQL} {
		t.Run(string(dialect), func(t *testing.T) {
			c := store.Config{Dir: t.TempDir()}
			if dialect == store.PostgreSQL {
				c.URL = storetest.PostgresURL(t)
			}
			acked := map[int64]bool{}
			for range 8 {
				killAfter(t, c, rand.IntN(300), acked)
				checkPairs(t, c, acked)
			}
		})
	}
}

// killAfter runs a child, kills it after it has answered for n writes, and adds
// to acked whatever it said until its end.
func killAfter(t *testing.T, c store.Config, n int, acked map[int64]bool) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+c.Dir, crashURL+"="+c.URL)
	var complaint strings.Builder
	child.Stderr = &complaint
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for i := 0; ; i++ {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // what was not said whole does not count
		}
		id, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		acked[id] = true
		if i == n {
			wantProblem(t, refused(t, c), problem.Conflict, c.Dir, "process "+strconv.Itoa(child.Process.Pid))
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = child.Wait() // it was killed
	if complaint.Len() > 0 {
		t.Fatal(complaint.String())
	}
}

func checkPairs(t *testing.T, c store.Config, acked map[int64]bool) {
	t.Helper()
	ctx := t.Context()
	db, err := store.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	stored := map[int64]bool{}
	if err := db.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, "SELECT l.id, r.id FROM lefts l FULL JOIN rights r ON r.id = l.id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var left, right *int64
			if err := rows.Scan(&left, &right); err != nil {
				return err
			}
			if left == nil || right == nil {
				t.Error("half a write was kept")
				continue
			}
			stored[*left] = true
		}
		return rows.Err()
	}); err != nil {
		t.Fatal(err)
	}
	for id := range acked {
		if !stored[id] {
			t.Errorf("write %d was answered for and is lost", id)
		}
	}
}

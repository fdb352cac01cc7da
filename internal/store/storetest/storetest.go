// Package storetest opens real stores for tests: SQLite in a temporary
// directory, PostgreSQL on a throw-away server of the test binary.
package storetest

import (
	"testing"

	"github.com/daytwo-dev/daytwo/internal/store"
)

// New opens an empty SQLite store that is closed when the test ends.
func New(t testing.TB) *store.DB {
	t.Helper()
	return open(t, store.Config{Dir: t.TempDir()})
}

// Postgres opens an empty PostgreSQL store that is closed when the test ends.
// It skips the test, visibly, where the server's binaries are missing.
func Postgres(t testing.TB) *store.DB {
	t.Helper()
	return open(t, store.Config{URL: PostgresURL(t)})
}

// Each runs f as a sub-test on an empty store of each dialect. The one on
// PostgreSQL is skipped, visibly, where its server's binaries are missing.
func Each(t *testing.T, f func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, New(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
}

func open(t testing.TB, c store.Config) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return db
}

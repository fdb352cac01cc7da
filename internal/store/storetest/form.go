package storetest

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/store"
)

// Form is what new stores begin as, so that a test that needs hundreds of them
// brings the tables of one up to date. Its methods may be called from any
// goroutine.
type Form struct {
	prepare func(t testing.TB, db *store.DB)

	mu       sync.Mutex
	file     []byte // of SQLite
	database string // of PostgreSQL
}

// NewForm makes stores that are as prepare leaves an empty one.
func NewForm(prepare func(t testing.TB, db *store.DB)) *Form { return &Form{prepare: prepare} }

// New is New for a prepared store.
func (f *Form) New(t testing.TB) *store.DB {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		dir := t.TempDir()
		f.first(t, store.Config{Dir: dir})
		var err error
		if f.file, err = os.ReadFile(filepath.Join(dir, "state.db")); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "state.db"), f.file, 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, store.Config{Dir: dir})
}

// Postgres is Postgres for a prepared store. The first call is to be made
// outside of a synctest bubble, which the server would not outlive.
func (f *Form) Postgres(t testing.TB) *store.DB {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.database == "" {
		url := PostgresURL(t)
		f.first(t, store.Config{URL: url})
		name, _, _ := strings.Cut(strings.TrimPrefix(url, "postgres://daytwo@/"), "?")
		f.database = name
	}
	s, err := server()
	if err != nil {
		t.Fatal(err)
	}
	return open(t, store.Config{URL: s.copyDatabase(t, f.database)})
}

// first prepares a store and closes it.
func (f *Form) first(t testing.TB, c store.Config) {
	t.Helper()
	db, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	f.prepare(t, db)
	if err := db.Close(); err != nil {
		t.Fatalf("close the store: %v", err)
	}
}

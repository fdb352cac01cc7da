package store_test

import (
	"errors"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

var notes = fstest.MapFS{
	"001_notes.sql": {Data: []byte("-- +goose Up\nCREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL);")},
}

func TestWriteThenRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		if err := db.Migrate(ctx, "notes", notes); err != nil {
			t.Fatal(err)
		}
		boom := errors.New("boom")
		var hooks []int
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				err := db.Write(ctx, func(tx *store.Tx) error {
					tx.OnCommit(func() { hooks = append(hooks, i) })
					if _, err := tx.Exec(ctx, "INSERT INTO notes (id, text) VALUES (?, ?)", i, "a ? b"); err != nil {
						return err
					}
					if i%10 == 9 {
						return boom
					}
					return nil
				})
				if (i%10 == 9) != errors.Is(err, boom) {
					t.Errorf("write %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		var n int
		if err := db.Read(ctx, func(tx *store.Tx) error {
			return tx.QueryRow(ctx, "SELECT count(*) FROM notes WHERE text = ?", "a ? b").Scan(&n)
		}); err != nil {
			t.Fatal(err)
		}
		if n != 45 || len(hooks) != 45 {
			t.Errorf("%d rows and %d hooks, want 45", n, len(hooks))
		}
	})
}

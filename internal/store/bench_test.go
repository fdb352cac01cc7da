package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// inParallel shares b.N calls among callers.
func inParallel(b *testing.B, callers int, call func(ctx context.Context, i int) error) {
	ctx := b.Context()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range callers {
		wg.Go(func() {
			for i := int(next.Add(1)); i <= b.N; i = int(next.Add(1)) {
				if err := call(ctx, i); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// What concurrent callers gain from sharing a commit.
func BenchmarkWrite(b *testing.B) {
	text := strings.Repeat("operations ", 27)
	for _, callers := range []int{1, 4, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			db := storetest.New(b)
			if err := db.Migrate(b.Context(), "notes", notes); err != nil {
				b.Fatal(err)
			}
			inParallel(b, callers, func(ctx context.Context, i int) error { return db.Write(ctx, insert(ctx, i, text)) })
		})
	}
}

func BenchmarkRead(b *testing.B) {
	db := storetest.New(b)
	ctx := b.Context()
	if err := db.Migrate(ctx, "notes", notes); err != nil {
		b.Fatal(err)
	}
	if err := db.Write(ctx, insert(ctx, 1, "text")); err != nil {
		b.Fatal(err)
	}
	inParallel(b, 8, func(ctx context.Context, _ int) error {
		return db.Read(ctx, func(tx *store.Tx) error {
			var text string
			return tx.QueryRow(ctx, "SELECT text FROM notes WHERE id = ?", 1).Scan(&text)
		})
	})
}

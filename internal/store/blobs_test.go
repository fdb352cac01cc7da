package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

func newBlobs(t *testing.T, dir string) *store.Blobs {
	t.Helper()
	b, err := store.NewBlobs(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func readBlob(t *testing.T, b *store.Blobs, key string) string {
	t.Helper()
	r, err := b.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func TestBlobs(t *testing.T) {
	ctx, dir := t.Context(), filepath.Join(t.TempDir(), "a", "blobs")
	b := newBlobs(t, dir)
	for _, text := range []string{"first", "", strings.Repeat("long", 1<<16)} { // each replaces the one before
		size, sum, err := b.Put(ctx, "runs/1/log", strings.NewReader(text))
		want := sha256.Sum256([]byte(text))
		if err != nil || size != int64(len(text)) || sum != hex.EncodeToString(want[:]) {
			t.Errorf("Put answered %d %s %v", size, sum, err)
		}
		if got := readBlob(t, newBlobs(t, dir), "runs/1/log"); got != text {
			t.Errorf("read back %d bytes, want %d", len(got), len(text))
		}
	}
	for _, key := range []string{"runs-old", "runs/1/a", "runs/10/a", "z"} {
		if _, _, err := b.Put(ctx, key, strings.NewReader(key)); err != nil {
			t.Fatal(err)
		}
	}
	for prefix, want := range map[string][]string{
		"":       {"runs-old", "runs/1/a", "runs/1/log", "runs/10/a", "z"},
		"runs/1": {"runs/1/a", "runs/1/log", "runs/10/a"}, "runs/1/": {"runs/1/a", "runs/1/log"},
		"no": nil, "no/such": nil, "../": nil, "/": nil,
	} {
		if got, err := b.List(ctx, prefix); err != nil || !slices.Equal(got, want) {
			t.Errorf("List(%q) = %v, %v, want %v", prefix, got, err, want)
		}
	}
	for range 2 { // the second time it is gone already
		if err := b.Delete(ctx, "runs/1/log"); err != nil {
			t.Error(err)
		}
	}
	if _, err := b.Open(ctx, "runs/1/log"); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("opened a deleted blob: %v", err)
	}
}

// A reader that fails, or a caller that gives up, leaves the blob as it was.
func TestBlobsPutIsWhole(t *testing.T) {
	dir := t.TempDir()
	b, boom := newBlobs(t, dir), errors.New("boom")
	if _, _, err := b.Put(t.Context(), "k", strings.NewReader("old")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Put(t.Context(), "k", io.MultiReader(strings.NewReader("new"), iotest.ErrReader(boom))); !errors.Is(err, boom) {
		t.Errorf("a failing reader: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := b.Put(ended, "k", strings.NewReader("new")); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled put: %v", err)
	}
	if got := readBlob(t, b, "k"); got != "old" {
		t.Errorf("the blob is %q", got)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, ".partial")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.WriteFile(filepath.Join(dir, ".partial", "half"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	newBlobs(t, dir)
	if left, _ := os.ReadDir(filepath.Join(dir, ".partial")); len(left) > 0 {
		t.Errorf("an earlier process's half is still there: %v", left)
	}
}

func TestBlobsConcurrentPuts(t *testing.T) {
	b := newBlobs(t, t.TempDir())
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 20 {
				if _, _, err := b.Put(t.Context(), "same/key", bytes.NewReader(bytes.Repeat([]byte{byte(i)}, 5000))); err != nil {
					t.Error(err)
				}
				if got := readBlob(t, b, "same/key"); len(got) != 5000 || strings.Count(got, got[:1]) != 5000 {
					t.Error("read a mixture")
				}
			}
		})
	}
	wg.Wait()
}

func FuzzBlobKey(f *testing.F) {
	for _, key := range []string{"a/b.txt", "../up", "a/../../up", "/etc/passwd", "", ".", "a//b", "a/", ".partial/x", "a\x00b", "a\\b", "C:x", strings.Repeat("a", 300), "é"} {
		f.Add(key)
	}
	base := f.TempDir()
	dir := filepath.Join(base, "in", "blobs")
	b, err := store.NewBlobs(dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, key string) {
		_, _, err := b.Put(t.Context(), key, strings.NewReader(key))
		if err != nil {
			return // refused, or in the way of another key
		}
		if !filepath.IsLocal(key) || strings.Contains(key, "..") && strings.HasPrefix(key, ".") {
			t.Fatalf("%q was taken", key)
		}
		if got := readBlob(t, b, key); got != key {
			t.Fatalf("%q holds %q", key, got)
		}
		keys, err := b.List(t.Context(), key)
		if err != nil || !slices.Contains(keys, key) {
			t.Fatalf("%q is not listed: %v %v", key, keys, err)
		}
		if outside, _ := os.ReadDir(filepath.Join(base, "in")); len(outside) != 1 {
			t.Fatalf("%q made %v", key, outside)
		}
		if err := b.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	})
}

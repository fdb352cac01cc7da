package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// wantProblem checks that err tells a person what is wrong and what to do.
func wantProblem(t *testing.T, err error, code problem.Code, parts ...string) {
	t.Helper()
	p, ok := errors.AsType[*problem.Error](err)
	if !ok {
		t.Fatalf("not a problem: %v", err)
	}
	if p.Code != code || p.Mend == "" {
		t.Errorf("%s %q (mend %q), want %s and a mend", p.Code, p.Message, p.Mend, code)
	}
	for _, part := range parts {
		if !strings.Contains(p.Message+" "+p.Mend, part) {
			t.Errorf("%q (%q) does not say %q", p.Message, p.Mend, part)
		}
	}
}

func refused(t *testing.T, c store.Config) error {
	t.Helper()
	db, err := store.Open(t.Context(), c)
	if err == nil {
		db.Close()
		t.Fatalf("%s %s was opened", c.Dir, c.URL)
	}
	return err
}

func TestOpenRefusesBadConfig(t *testing.T) {
	wantProblem(t, refused(t, store.Config{}), problem.Invalid, "data directory")
	wantProblem(t, refused(t, store.Config{URL: "mysql://root:hunter2@h/db"}), problem.Invalid, "postgres://")
}

func TestOpenMakesTheDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "yet", "with ?#% in it")
	db, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := os.Stat(filepath.Join(dir, "state.db")); err != nil {
		t.Error(err)
	}
}

func TestOpenRefusesWhatIsNoDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		wantProblem(t, refused(t, store.Config{Dir: dir}), problem.Invalid, dir, "not a directory", "another data directory")
	}
}

// mount puts a small file system on dir, or skips where that is not allowed.
func mount(t *testing.T, dir, options string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("needs the right to mount a file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
}

func TestOpenRefusesWhatItCannotWrite(t *testing.T) {
	t.Run("permission", func(t *testing.T) {
		if os.Getuid() == 0 {
			t.Skip("root may write everywhere")
		}
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		wantProblem(t, refused(t, store.Config{Dir: dir}), problem.Unavailable, dir, "not writable")
	})
	t.Run("read-only file system", func(t *testing.T) {
		dir := t.TempDir()
		mount(t, dir, "size=1m")
		if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Skip(err)
		}
		wantProblem(t, refused(t, store.Config{Dir: dir}), problem.Unavailable, dir, "read-only", "remount")
	})
	t.Run("no space", func(t *testing.T) {
		dir := t.TempDir()
		mount(t, dir, "size=64k")
		if err := os.WriteFile(filepath.Join(dir, "big"), make([]byte, 64<<10), 0o600); err != nil {
			t.Fatal(err)
		}
		wantProblem(t, refused(t, store.Config{Dir: dir}), problem.Unavailable, dir, "no space")
	})
}

func TestOpenRefusesASecondProcess(t *testing.T) {
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	wantProblem(t, refused(t, store.Config{Dir: dir}), problem.Conflict, dir, "process "+strconv.Itoa(os.Getpid()))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = store.Open(t.Context(), store.Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	db.Close()
}

func TestOpenRefusesAForeignDatabase(t *testing.T) {
	dir := t.TempDir()
	foreign, err := sql.Open("sqlite", filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := foreign.Exec("CREATE TABLE theirs (x)"); err != nil {
		t.Fatal(err)
	}
	foreign.Close()
	wantProblem(t, refused(t, store.Config{Dir: dir}), problem.Conflict, "state.db", "another program")
}

// filled answers the directory of a closed store with some hundred pages.
func filled(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	ctx := t.Context()
	db, err := store.Open(ctx, store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(ctx, "notes", notes); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(ctx, func(tx *store.Tx) error {
		for i := range 500 {
			if err := insert(ctx, i, strings.Repeat("x", 1000))(tx); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOpenRefusesADamagedDatabase(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"no database at all": func([]byte) []byte { return bytes.Repeat([]byte("garbage "), 1000) },
		"header":             func(b []byte) []byte { copy(b, "garbage"); return b },
		"pages overwritten":  func(b []byte) []byte { copy(b[100*4096:], bytes.Repeat([]byte{0x5a}, 8*4096)); return b },
		"cut short":          func(b []byte) []byte { return b[:len(b)/2] },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filled(t)
			file := filepath.Join(dir, "state.db")
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			err = refused(t, store.Config{Dir: dir})
			wantProblem(t, err, problem.Unavailable, file, "damaged", "put a backup in their place")
			wantProblem(t, refused(t, store.Config{Dir: dir}), problem.Unavailable, "damaged") // the lock was freed
		})
	}
}

// fillUp writes until the store has no room, and answers how many rows it kept.
func fillUp(t *testing.T, db *store.DB) int {
	t.Helper()
	for i := range 10_000 {
		if err := db.Write(t.Context(), insert(t.Context(), i, strings.Repeat("x", 4000))); err != nil {
			wantProblem(t, err, problem.Unavailable, "state.db", "no space", "goes on by itself")
			return i
		}
	}
	t.Fatal("the store never filled up")
	return 0
}

func TestFullDisk(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	mount(t, dir, "size=1m")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 400<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(ctx, store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(ctx, "notes", notes); err != nil {
		t.Fatal(err)
	}
	kept := fillUp(t, db)
	if got := ids(t, db); len(got) != kept {
		t.Errorf("%d rows are stored, %d were answered for", len(got), kept)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(ctx, insert(ctx, kept, "")); err != nil {
		t.Errorf("with space again: %v", err)
	}
	if got := ids(t, db); len(got) != kept+1 {
		t.Errorf("%d rows are stored, want %d", len(got), kept+1)
	}
}

// The same where nothing can be mounted: SQLite's own limit stands in.
func TestFullDatabase(t *testing.T) {
	ctx, db := t.Context(), storetest.New(t)
	if err := db.Migrate(ctx, "notes", notes); err != nil {
		t.Fatal(err)
	}
	limit := func(pages int) {
		if err := db.Write(ctx, func(tx *store.Tx) error {
			return tx.QueryRow(ctx, "PRAGMA max_page_count = "+strconv.Itoa(pages)).Scan(new(int))
		}); err != nil {
			t.Fatal(err)
		}
	}
	limit(100)
	kept := fillUp(t, db)
	limit(1000)
	if err := db.Write(ctx, insert(ctx, kept, "")); err != nil {
		t.Errorf("with space again: %v", err)
	}
	if got := ids(t, db); len(got) != kept+1 {
		t.Errorf("%d rows are stored, want %d", len(got), kept+1)
	}
}

func TestFullDiskForBlobs(t *testing.T) {
	dir := t.TempDir()
	mount(t, dir, "size=64k")
	b := newBlobs(t, dir)
	_, _, err := b.Put(t.Context(), "big", bytes.NewReader(make([]byte, 1<<20)))
	wantProblem(t, err, problem.Unavailable, "big", "no space")
	if _, _, err := b.Put(context.Background(), "small", strings.NewReader("fits")); err != nil {
		t.Errorf("with space again: %v", err)
	}
}

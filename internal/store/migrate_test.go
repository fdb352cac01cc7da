package store_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

func files(sql ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(sql); i += 2 {
		fsys[sql[i]] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + sql[i+1])}
	}
	return fsys
}

const (
	first  = "CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL);"
	second = "ALTER TABLE notes ADD COLUMN author TEXT NOT NULL DEFAULT 'nobody';"
)

func TestMigrateUpgradesAndKeepsData(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		older := files("001_notes.sql", first)
		newer := files("001_notes.sql", first, "002_author.sql", second)
		for range 2 { // the second time there is nothing to do
			if err := db.Migrate(ctx, "notes", older); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Write(ctx, insert(ctx, 1, "kept")); err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(ctx, "notes", newer); err != nil {
			t.Fatal(err)
		}
		var author string
		if err := db.Read(ctx, func(tx *store.Tx) error {
			return tx.QueryRow(ctx, "SELECT author FROM notes WHERE text = ?", "kept").Scan(&author)
		}); err != nil || author != "nobody" {
			t.Errorf("after the upgrade: %q, %v", author, err)
		}

		err := db.Migrate(ctx, "notes", older)
		if problem.CodeOf(err) != problem.Conflict || !strings.Contains(err.Error(), "newer daytwo") || problem.From(err).Mend == "" {
			t.Errorf("data of a newer version: %v", err)
		}
		if err := db.Migrate(ctx, "other", files("001_other.sql", "CREATE TABLE other (id BIGINT);")); err != nil {
			t.Errorf("another domain: %v", err)
		}
	})
}

func TestMigrateTakesTheFileOfItsDialect(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		if err := db.Migrate(ctx, "both", files(
			"001_seq.sqlite.sql", "CREATE TABLE seq (n INTEGER PRIMARY KEY AUTOINCREMENT, d TEXT DEFAULT 'sqlite');",
			"001_seq.postgres.sql", "CREATE TABLE seq (n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, d TEXT DEFAULT 'postgres');",
			"002_more.sql", "CREATE TABLE more (id BIGINT);",
		)); err != nil {
			t.Fatal(err)
		}
		var dialect string
		if err := db.Write(ctx, func(tx *store.Tx) error {
			return tx.QueryRow(ctx, "INSERT INTO seq DEFAULT VALUES RETURNING d").Scan(&dialect)
		}); err != nil || dialect != string(db.Dialect()) {
			t.Errorf("the table is that of %q, %v", dialect, err)
		}
	})
}

// A migration that fails leaves nothing behind, and mended it runs.
func TestMigrateFailsWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		err := db.Migrate(ctx, "notes", files("001_notes.sql", first, "002_bad.sql", "CREATE TABLE half (id BIGINT);\nCREATE TABLE oops (;"))
		if err == nil || !strings.Contains(err.Error(), "002_bad.sql") {
			t.Errorf("a bad migration: %v", err)
		}
		if err := db.Migrate(ctx, "notes", files("001_notes.sql", first, "002_good.sql", "CREATE TABLE half (id BIGINT);")); err != nil {
			t.Errorf("mended: %v", err)
		}
		if err := db.Write(ctx, insert(ctx, 1, "")); err != nil {
			t.Error(err)
		}
	})
}

package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// Statements that are kept must not be seen from outside.
func TestStatementsAreKeptUnseen(t *testing.T) {
	db := storetest.New(t)
	ctx := t.Context()
	write := func(f func(tx *store.Tx) error) {
		t.Helper()
		if err := db.Write(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	read := func(f func(tx *store.Tx) error) {
		t.Helper()
		if err := db.Read(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	const all = "SELECT * FROM things ORDER BY id"
	write(func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "CREATE TABLE things (id BIGINT PRIMARY KEY)")
		for i := range 3 {
			if err == nil {
				_, err = tx.Exec(ctx, "INSERT INTO things (id) VALUES (?)", i)
			}
		}
		return err
	})
	count := func(tx *store.Tx, nested bool) (n int, err error) {
		rows, err := tx.Query(ctx, all)
		if err != nil {
			return 0, err
		}
		defer rows.Close()
		for rows.Next() {
			n++
			if nested {
				inner, err := countRows(ctx, tx, all)
				if err != nil {
					return n, err
				}
				n += inner
			}
		}
		return n, rows.Err()
	}
	read(func(tx *store.Tx) error {
		for range 2 {
			if n, err := count(tx, true); err != nil || n != 12 {
				return fmt.Errorf("the same query inside its own rows answered %d rows of 12: %w", n, err)
			}
		}
		return nil
	})
	// Rows that are given up half way leave a statement that starts anew.
	read(func(tx *store.Tx) error {
		var id int
		if err := tx.QueryRow(ctx, all).Scan(&id); err != nil {
			return err
		}
		n, err := count(tx, false)
		if n != 3 {
			return fmt.Errorf("%d rows of 3: %w", n, err)
		}
		return err
	})
	// The table changes under the statement.
	write(func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "ALTER TABLE things ADD COLUMN name TEXT NOT NULL DEFAULT 'x'")
		return err
	})
	read(func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, all)
		if err != nil {
			return err
		}
		defer rows.Close()
		var id int
		var name string
		for rows.Next() {
			if err := rows.Scan(&id, &name); err != nil {
				return err
			}
		}
		if id != 2 || name != "x" {
			return fmt.Errorf("the last row is %d %q", id, name)
		}
		return rows.Err()
	})
	// More statements than are kept.
	read(func(tx *store.Tx) error {
		for i := range 600 {
			var n int
			if err := tx.QueryRow(ctx, fmt.Sprintf("SELECT %d", i)).Scan(&n); err != nil || n != i {
				return fmt.Errorf("SELECT %d answered %d: %w", i, n, err)
			}
		}
		return nil
	})
}

func countRows(ctx context.Context, tx *store.Tx, query string) (n int, err error) {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		n++
	}
	return n, rows.Err()
}

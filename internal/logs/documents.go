package logs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// documents keeps what shippers set up, for elasticsearch.Documents.
type documents struct{ db *store.DB }

// maxDocuments bounds those of one kind.
const maxDocuments = 5000

func (d documents) Put(ctx context.Context, kind, name string, body json.RawMessage) error {
	return d.db.Write(ctx, func(tx *store.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM logs_documents WHERE kind = ? AND name <> ?`, kind, name).Scan(&n); err != nil {
			return err
		}
		if n >= maxDocuments {
			return problem.New(problem.Exhausted, "%d of %s are kept already", n, kind).WithMend("delete some")
		}
		_, err := tx.Exec(ctx, `INSERT INTO logs_documents (kind, name, body) VALUES (?, ?, ?) ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body`, kind, name, string(body))
		return err
	})
}

func (d documents) Get(ctx context.Context, kind, name string) (json.RawMessage, error) {
	var body string
	err := d.db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT body FROM logs_documents WHERE kind = ? AND name = ?`, kind, name).Scan(&body)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return json.RawMessage(body), err
}

func (d documents) List(ctx context.Context, kind string) (map[string]json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	err := d.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT name, body FROM logs_documents WHERE kind = ?`, kind)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name, body string
			if err := rows.Scan(&name, &body); err != nil {
				return err
			}
			all[name] = json.RawMessage(body)
		}
		return rows.Err()
	})
	return all, err
}

func (d documents) Delete(ctx context.Context, kind, name string) (known bool, err error) {
	err = d.db.Write(ctx, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM logs_documents WHERE kind = ? AND name = ?`, kind, name)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		known = n > 0
		return err
	})
	return known, err
}

package store

import (
	"context"
	"database/sql"
	"strings"
	"time"
)

// Tx is one transaction, valid until the function it was given to returns, and
// for one goroutine. Close (or read to the end) the rows of one query before
// the next: PostgreSQL demands it.
type Tx struct {
	dialect   Dialect
	sql       *sql.Tx
	ctx       context.Context // what Context answers
	statement context.Context // of a write: what its statements run under, see stmt
	hooks     []func()
	failed    error // of a write: its first failed statement
}

// Exec runs a statement that answers no rows. Placeholders are ? (not ?1); a bool
// is passed as 0 or 1 and a time.Time as Micros.
func (tx *Tx) Exec(ctx context.Context, q string, args ...any) (sql.Result, error) {
	res, err := tx.sql.ExecContext(tx.stmt(ctx), tx.rebind(q), values(args)...)
	return res, tx.note(err)
}

// Query runs a statement that answers rows.
func (tx *Tx) Query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	rows, err := tx.sql.QueryContext(tx.stmt(ctx), tx.rebind(q), values(args)...)
	return rows, tx.note(err)
}

// QueryRow runs a statement that answers at most one row; its errors, and
// sql.ErrNoRows, come from Scan.
func (tx *Tx) QueryRow(ctx context.Context, q string, args ...any) *sql.Row {
	return tx.sql.QueryRowContext(tx.stmt(ctx), tx.rebind(q), values(args)...)
}

// OnCommit has f called once the transaction is durable, before Write returns,
// in the order of the commits; never after a rollback. All later writes wait
// for f, so it must not block and must not call Write.
func (tx *Tx) OnCommit(f func()) { tx.hooks = append(tx.hooks, f) }

// Context is the context given to Write or Read. A Write with it inside a Write
// is refused rather than left to wait for itself.
func (tx *Tx) Context() context.Context { return tx.ctx }

// stmt gives the context a statement runs under. Interrupting a statement of a
// write would undo the whole batch it shares with others, so the caller's
// context is only looked at before the statement starts.
func (tx *Tx) stmt(ctx context.Context) context.Context {
	if tx.statement == nil || ctx.Err() != nil {
		return ctx
	}
	return tx.statement
}

// note remembers that a statement failed: such a transaction cannot commit, as
// in PostgreSQL, so that what works on SQLite works there too.
func (tx *Tx) note(err error) error {
	if err != nil && tx.failed == nil {
		tx.failed = err
	}
	return err
}

func (tx *Tx) rebind(q string) string {
	if tx.dialect == PostgreSQL {
		return rebind(q)
	}
	return q
}

// values turns the two Go types the drivers disagree about into integers.
func values(args []any) []any {
	for i, a := range args {
		switch v := a.(type) {
		case bool:
			args[i] = 0
			if v {
				args[i] = 1
			}
		case time.Time:
			args[i] = Micros(v)
		}
	}
	return args
}

// Text is s without what a TEXT column of PostgreSQL cannot hold: NUL and broken
// UTF-8 become U+FFFD.
func Text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// Micros is how times are stored: microseconds since 1970 UTC, as a BIGINT. The
// zero time, "never", is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// FromMicros reads back what Micros made, in UTC.
func FromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

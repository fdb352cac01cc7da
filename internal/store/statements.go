package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
)

// A connection keeps up to maxStatements prepared statements, each of at most
// maxStatement bytes of SQL: parsing and planning cost more than running what
// most transactions run. pgx does the same for PostgreSQL.
const (
	maxStatements = 256
	maxStatement  = 8 << 10
)

// preparing is a connector to SQLite whose connections keep their statements.
type preparing struct {
	driver driver.Driver
	name   string
}

func newPreparing(name string) (*preparing, error) {
	pool, err := sql.Open("sqlite", name) // the registered driver; nothing is opened
	if err != nil {
		return nil, err
	}
	return &preparing{driver: pool.Driver(), name: name}, pool.Close()
}

func (p *preparing) Driver() driver.Driver { return p.driver }

func (p *preparing) Connect(context.Context) (driver.Conn, error) {
	c, err := p.driver.Open(p.name)
	if err != nil {
		return nil, err
	}
	full, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("the SQLite driver lacks a method"), c.Close())
	}
	return &preparedConn{sqliteConn: full, kept: map[string]sqliteStmt{}}, nil
}

// sqliteConn and sqliteStmt are what database/sql makes use of.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// preparedConn is used by one goroutine at a time, as every driver.Conn.
type preparedConn struct {
	sqliteConn
	kept map[string]sqliteStmt // that nothing runs at the moment
}

func (c *preparedConn) ExecContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.take(ctx, q)
	if err != nil {
		return nil, err
	}
	res, err := s.ExecContext(ctx, args)
	if closing := c.giveBack(q, s, err); err == nil {
		err = closing
	}
	return res, err
}

func (c *preparedConn) QueryContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.take(ctx, q)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		_ = c.giveBack(q, s, err)
		return nil, err
	}
	return &preparedRows{Rows: rows, conn: c, q: q, stmt: s}, nil
}

// take answers a statement that nothing else runs: the same SQL may run inside
// the rows of its first use.
func (c *preparedConn) take(ctx context.Context, q string) (sqliteStmt, error) {
	if s, ok := c.kept[q]; ok {
		delete(c.kept, q)
		return s, nil
	}
	s, err := c.PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	return s.(sqliteStmt), nil
}

// giveBack keeps s for its next use, unless this one failed.
func (c *preparedConn) giveBack(q string, s sqliteStmt, err error) error {
	_, another := c.kept[q]
	if err != nil || another || len(q) > maxStatement {
		return s.Close()
	}
	if len(c.kept) == maxStatements {
		if err := c.forget(); err != nil {
			return errors.Join(err, s.Close())
		}
	}
	c.kept[q] = s
	return nil
}

// forget closes what is kept.
func (c *preparedConn) forget() error {
	var errs []error
	for _, s := range c.kept {
		errs = append(errs, s.Close())
	}
	clear(c.kept)
	return errors.Join(errs...)
}

func (c *preparedConn) Close() error {
	return errors.Join(c.forget(), c.sqliteConn.Close())
}

// preparedRows gives its statement back at its end.
type preparedRows struct {
	driver.Rows
	conn   *preparedConn
	q      string
	stmt   sqliteStmt
	failed error
}

func (r *preparedRows) Next(dest []driver.Value) error {
	err := r.Rows.Next(dest)
	if err != nil && !errors.Is(err, io.EOF) {
		r.failed = err
	}
	return err
}

func (r *preparedRows) Close() error {
	err := r.Rows.Close()
	if err != nil {
		r.failed = err
	}
	if closing := r.conn.giveBack(r.q, r.stmt, r.failed); err == nil {
		err = closing
	}
	return err
}

// Package db opens the small database that each service of the shop has for
// itself.
package db

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver

	"github.com/daytwo-dev/daytwo/service"
)

// Config says where the database lives.
type Config struct {
	DataDir string `env:"DATA_DIR,required" help:"directory for the database"`
}

// Open opens the service's database, made with schema if it is new, and
// attaches it to s.
func Open(ctx context.Context, s *service.Service, c Config, schema string) (*sql.DB, error) {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	path := filepath.Join(c.DataDir, s.Name()+".db")
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=busy_timeout(5000)"+
		"&_pragma=journal_mode(wal)&_pragma=synchronous(normal)&_pragma=cache_size(-512)")
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	db.SetMaxOpenConns(2)
	s.Attach("database", service.Resource{Check: db.PingContext, Close: db.Close})
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	return db, nil
}

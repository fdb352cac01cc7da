package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/pressly/goose/v3"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Migrate brings the tables of one domain up to date. fsys holds goose files
// NNN_name.sql in SQL both dialects share, or pairs NNN_name.sqlite.sql and
// NNN_name.postgres.sql; each runs once, in order, in a transaction. What has
// run is kept in the table <domain>_migrations. Data that a newer daytwo has
// migrated is refused rather than misread.
func (db *DB) Migrate(ctx context.Context, domain string, fsys fs.FS) error {
	if err := db.migrate(ctx, domain, fsys); err != nil {
		return fmt.Errorf("migrate %s: %w", domain, db.explain(ctx, err))
	}
	return nil
}

func (db *DB) migrate(ctx context.Context, domain string, fsys fs.FS) error {
	dialect, other := goose.DialectSQLite3, "."+string(PostgreSQL)+".sql"
	if db.dialect == PostgreSQL {
		dialect, other = goose.DialectPostgres, "."+string(SQLite)+".sql"
	}
	files, err := fs.Glob(fsys, "*"+other)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db.writes.pool, fsys,
		goose.WithTableName(domain+"_migrations"),
		goose.WithExcludeNames(files),
		goose.WithDisableGlobalRegistry(true),
		goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	have, known, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > known {
		return problem.New(problem.Conflict, "%s holds data of a newer daytwo (%s %d, this one knows %d)", db.name, domain, have, known).
			WithMend("run that newer daytwo, or restore a backup made before it ran")
	}
	if have == known {
		return nil
	}
	done, err := provider.Up(ctx)
	if p, ok := errors.AsType[*goose.PartialError](err); ok {
		return fmt.Errorf("%s: %w", path.Base(p.Failed.Source.Path), p.Err)
	} else if err != nil {
		return err
	}
	for _, m := range done {
		db.log.Debug("store: migrated", "domain", domain, "file", strings.TrimSuffix(path.Base(m.Source.Path), ".sql"))
	}
	return nil
}

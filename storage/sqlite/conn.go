package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"time"

	sqlite3 "modernc.org/sqlite"
	sqlite3lib "modernc.org/sqlite/lib"
)

// The page caches, in KiB. The operating system caches the file as well, so more would buy little.
const (
	writerCache = 2048
	readerCache = 1024
)

// busyTimeout is how long one process waits for another that writes.
const busyTimeout = 5 * time.Second

// conn is one connection, used by one goroutine at a time. It speaks to the driver directly: database/sql's pool,
// locks and conversions cost as much again as a read by key, and the pool here is fixed anyway.
type conn struct {
	c     driver.Conn
	stmts []driver.Stmt
}

// connect opens path, which exists.
func connect(path string, cacheKiB int) (*conn, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// As a URI, so that a question mark in the path is not taken for the start of parameters.
	uri := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(abs)}
	dc, err := (&sqlite3.Driver{}).Open(uri.String())
	if err != nil {
		return nil, err
	}
	c := &conn{c: dc}
	for _, pragma := range []string{
		fmt.Sprintf("PRAGMA busy_timeout = %d", busyTimeout.Milliseconds()),
		"PRAGMA synchronous = FULL",
		"PRAGMA journal_size_limit = 16777216",
		"PRAGMA temp_store = MEMORY",
		fmt.Sprintf("PRAGMA cache_size = -%d", cacheKiB),
	} {
		if err := c.exec(pragma); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", pragma, err), c.close())
		}
	}
	return c, nil
}

// useWAL puts the file into WAL mode, where it stays, for every connection. A connection that makes the switch reads
// first and then locks, and SQLite does not let such a one wait for another that does the same (neither might ever get
// on): it fails at once, whatever the busy timeout. So the waiting is done here, from the start each time.
func (c *conn) useWAL(ctx context.Context) error {
	const pragma = "PRAGMA journal_mode = WAL"
	until := time.Now().Add(busyTimeout)
	for {
		mode, err := c.value(pragma)
		switch {
		case err == nil && mode == "wal":
			return nil
		case err == nil:
			return fmt.Errorf("%s: it stays %v; is it on a network file system?", pragma, mode)
		case codeOf(err) != sqlite3lib.SQLITE_BUSY || time.Now().After(until):
			return fmt.Errorf("%s: %w", pragma, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", pragma, ctx.Err())
		case <-time.After(rand.N(10 * time.Millisecond)): //nolint:gosec // G404: nothing hangs on how long it waits.
		}
	}
}

// transaction runs f between begin and COMMIT, or, where f fails, ROLLBACK.
func (c *conn) transaction(begin string, f func() error) error {
	if err := c.exec(begin); err != nil {
		return err
	}
	if err := f(); err != nil {
		return errors.Join(err, c.exec("ROLLBACK"))
	}
	if err := c.exec("COMMIT"); err != nil {
		return errors.Join(err, c.exec("ROLLBACK"))
	}
	return nil
}

// exec runs SQL of our own that is needed once.
func (c *conn) exec(sql string) error {
	_, err := c.c.(driver.ExecerContext).ExecContext(context.Background(), sql, nil) //nolint:errcheck // modernc.org/sqlite implements it; another driver would panic at the first use.
	return err
}

// value reads the first column of the first row.
func (c *conn) value(sql string) (driver.Value, error) {
	rows, err := c.c.(driver.QueryerContext).QueryContext(context.Background(), sql, nil) //nolint:errcheck // modernc.org/sqlite implements it; another driver would panic at the first use.
	if err != nil {
		return nil, err
	}
	dest := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(dest); err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	return dest[0], rows.Close()
}

// number reads one integer.
func (c *conn) number(sql string) (int64, error) {
	v, err := c.value(sql)
	if err != nil {
		return 0, err
	}
	n, ok := v.(int64)
	if !ok {
		return 0, fmt.Errorf("%s: got %T, want an integer", sql, v)
	}
	return n, nil
}

func (c *conn) stmt(q *query) (driver.Stmt, error) {
	if q.n >= len(c.stmts) {
		c.stmts = append(c.stmts, make([]driver.Stmt, q.n+1-len(c.stmts))...)
	}
	if c.stmts[q.n] == nil {
		s, err := c.c.Prepare(q.sql)
		if err != nil {
			return nil, fmt.Errorf("preparing %q: %w", q.sql, err)
		}
		c.stmts[q.n] = s
	}
	return c.stmts[q.n], nil
}

// run runs a prepared write and tells how many rows it changed. A context would have the driver start a goroutine a
// statement; a write's wait is in writer.do, which does watch one.
func (c *conn) run(q *query, args []driver.NamedValue) (changed int64, err error) {
	s, err := c.stmt(q)
	if err != nil {
		return 0, err
	}
	r, err := s.(driver.StmtExecContext).ExecContext(context.Background(), args) //nolint:errcheck // modernc.org/sqlite implements it; another driver would panic at the first use.
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// read runs a prepared query and gives each row to f, until ctx ends. The values are f's to keep; the slice is not.
func (c *conn) read(ctx context.Context, q *query, args []driver.NamedValue, f func(row []driver.Value) error) (err error) {
	s, err := c.stmt(q)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), args) //nolint:errcheck // modernc.org/sqlite implements it; another driver would panic at the first use.
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var dest [4]driver.Value
	row := dest[:len(rows.Columns())]
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := f(row); err != nil {
			return err
		}
	}
}

func (c *conn) closeStatements() error {
	var errs []error
	for _, s := range c.stmts {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

func (c *conn) close() error { return errors.Join(c.closeStatements(), c.c.Close()) }

// args makes the driver's form of a statement's arguments.
func args(values ...driver.Value) []driver.NamedValue {
	named := make([]driver.NamedValue, len(values))
	for i, v := range values {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return named
}

package sqlite

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// applicationID marks a file as Sallyport's, as SQLite's application_id: "SLYP".
const applicationID = 0x534C5950

// errForeign: the file holds the tables of another program.
var errForeign = errors.New("it is the database of another program")

// errNewer: the file was written by a version that knows more migrations.
var errNewer = errors.New("it was written by a newer version of Sallyport")

// migrations are the steps from an empty file to today's schema, in order; a file's user_version counts how many it
// has had. One that was released is never changed, only followed by another.
func migrations() ([]string, error) {
	entries, err := fs.ReadDir(schemaFiles, "schema")
	if err != nil {
		return nil, err
	}
	steps := make([]string, len(entries))
	for i, e := range entries {
		if want := fmt.Sprintf("%04d.sql", i+1); e.Name() != want {
			return nil, fmt.Errorf("migration %q: want %q", e.Name(), want)
		}
		sql, err := fs.ReadFile(schemaFiles, path.Join("schema", e.Name()))
		if err != nil {
			return nil, err
		}
		steps[i] = string(sql)
	}
	return steps, nil
}

// migrate brings the schema up to date, in one transaction, so that a start that is broken off leaves the file as it
// was, and of two processes that start at once the second finds the work done.
func migrate(c *conn, steps []string) error {
	if version, err := schemaVersion(c, len(steps)); err != nil || version == len(steps) {
		return err
	}
	return c.transaction("BEGIN IMMEDIATE", func() error {
		version, err := checkSchema(c, len(steps))
		if err != nil {
			return err
		}
		for i, step := range steps[version:] {
			number := version + i + 1
			err := c.exec(step)
			if err == nil {
				err = afterStep(c, number)
			}
			if err != nil {
				return fmt.Errorf("migration %d: %w", number, err)
			}
		}
		if err := c.exec(fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return err
		}
		return c.exec(fmt.Sprintf("PRAGMA user_version = %d", len(steps)))
	})
}

// schemaVersion is checkSchema by itself.
func schemaVersion(c *conn, latest int) (version int, err error) {
	err = c.transaction("BEGIN", func() error {
		version, err = checkSchema(c, latest)
		return err
	})
	return version, err
}

// checkSchema tells how many migrations the file has had, and refuses files that must not be touched. It reads three
// things, in a transaction of the caller's: while another process makes the tables of a new file, the three from
// different moments would be those of another program's file.
func checkSchema(c *conn, latest int) (int, error) {
	version, err := c.number("PRAGMA user_version")
	if err != nil {
		return 0, err
	}
	id, err := c.number("PRAGMA application_id")
	if err != nil {
		return 0, err
	}
	tables, err := c.number("SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return 0, err
	}
	switch {
	case id != applicationID && (id != 0 || version != 0 || tables != 0), version < 0:
		return 0, errForeign
	case version > int64(latest):
		return 0, fmt.Errorf("%w: its schema is %d, and this one knows up to %d", errNewer, version, latest)
	}
	return int(version), nil
}

// createFile makes the file if there is none, readable by its owner only; SQLite gives its companions the same
// rights.
func createFile(path string, log *slog.Logger) error {
	if path == "" {
		return errors.New("storage/sqlite: no path given; name the database file, such as ./sallyport.db")
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return explain(path, err)
	}
	info, err := f.Stat()
	if err := errors.Join(err, f.Close()); err != nil {
		return explain(path, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("storage/sqlite: %s is not a regular file; name another path", path)
	}
	if loose := info.Mode().Perm() & 0o077; loose != 0 {
		log.Warn("the database can be read by other accounts of this machine; chmod 600 closes it",
			"path", filepath.Clean(path), "mode", info.Mode().Perm().String())
	}
	return nil
}

package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	sqlite3 "modernc.org/sqlite"
	sqlite3lib "modernc.org/sqlite/lib"
)

// codeOf is SQLite's primary result code, 0 where err is none of SQLite's.
func codeOf(err error) int {
	if e, ok := errors.AsType[*sqlite3.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// explain says of an error at opening what to do about it.
func explain(path string, err error) error {
	var todo string
	switch code := codeOf(err); {
	case errors.Is(err, errForeign):
		todo = "name another file"
	case errors.Is(err, errNewer):
		todo = "run that version, or restore the backup made before the update"
	case errors.Is(err, fs.ErrNotExist):
		todo = fmt.Sprintf("create the folder %s first, or name another path", filepath.Dir(path))
	case errors.Is(err, syscall.EISDIR):
		todo = "it is a folder; name a file in it"
	case errors.Is(err, fs.ErrPermission), code == sqlite3lib.SQLITE_PERM, code == sqlite3lib.SQLITE_READONLY,
		code == sqlite3lib.SQLITE_CANTOPEN:
		todo = "give this account the right to read and write it and its folder"
	case code == sqlite3lib.SQLITE_NOTADB:
		todo = "it is not a SQLite database; name another path, or move that file away"
	case code == sqlite3lib.SQLITE_CORRUPT:
		todo = "it is damaged; restore it from a backup"
	case code == sqlite3lib.SQLITE_BUSY:
		todo = "another process holds it; stop that one and try again"
	case code == sqlite3lib.SQLITE_FULL, errors.Is(err, syscall.ENOSPC):
		todo = "free some disk space and try again"
	default:
		return fmt.Errorf("storage/sqlite: opening %s: %w", path, err)
	}
	return fmt.Errorf("storage/sqlite: opening %s: %w; %s", path, err, todo)
}

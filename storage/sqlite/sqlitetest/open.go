package sqlitetest

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
)

// Open opens a store for as long as the test runs, and fails the test if it can't be opened or closed. Unless the
// options name a file, it is a new one in a folder of the test's own; unless they have a logger, nothing is logged.
func Open(tb testing.TB, o sqlite.Options) storage.Store {
	tb.Helper()
	if o.Path == "" {
		o.Path = filepath.Join(tb.TempDir(), "test.db")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	store, err := sqlite.Open(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Error("closing the store:", err)
		}
	})
	return store
}

package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/storagetest"
)

func TestConformance(t *testing.T) {
	storagetest.Run(t, func(t *testing.T, now func() time.Time) storage.Store {
		return open(t, sqlite.Options{Path: filepath.Join(t.TempDir(), "test.db"), Now: now})
	}, storagetest.Options{})
}

func TestKill(t *testing.T) {
	storagetest.Kill(t, filepath.Join(t.TempDir(), "test.db"), func(ctx context.Context, path string) (storage.Store, error) {
		return sqlite.Open(ctx, sqlite.Options{Path: path})
	})
}

func open(t testing.TB, o sqlite.Options) storage.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return st
}

package sqlitetest_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

// A store is the test's own, unless it names a file; and it is closed when the test ends.
func TestOpen(t *testing.T) {
	o := sqlite.Options{Path: filepath.Join(t.TempDir(), "named.db")}
	var ended storage.Store
	t.Run("a test", func(t *testing.T) {
		ended = sqlitetest.Open(t, o)
		n := storage.Tenant{Key: storage.Key{Tenant: storage.Global, ID: "acme"}}
		if err := ended.Tenants.Insert(t.Context(), &n); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlitetest.Open(t, sqlite.Options{}).Tenants.Get(t.Context(), storage.Global, "acme"); !errors.Is(err, storage.ErrNotFound) {
			t.Error("a store without a name has what is in another:", err)
		}
	})
	if _, err := ended.Tenants.Get(t.Context(), storage.Global, "acme"); err == nil {
		t.Error("the store of a test that has ended is open")
	}
	if _, err := sqlitetest.Open(t, o).Tenants.Get(t.Context(), storage.Global, "acme"); err != nil {
		t.Error("from the file that was named:", err)
	}
}

// The clock is the one that was given.
func TestOpenKeepsTheClock(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	store := sqlitetest.Open(t, sqlite.Options{Now: func() time.Time { return now }})
	n := storage.Tenant{Key: storage.Key{Tenant: storage.Global, ID: "acme"}, Name: "Acme"}
	n.Expires = now.Add(time.Hour)
	if err := store.Tenants.Insert(t.Context(), &n); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Tenants.Get(t.Context(), storage.Global, "acme"); err != nil {
		t.Error("before it expires:", err)
	}
	now = now.Add(time.Hour)
	if _, err := store.Tenants.Get(t.Context(), storage.Global, "acme"); !errors.Is(err, storage.ErrNotFound) {
		t.Error("it does not expire by the clock that was given:", err)
	}
}

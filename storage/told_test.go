package storage_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

// What one writes through a table that tells, a cache reads at once; what is written past it, when its time is over.
func TestTellingTableKeepsACacheFresh(t *testing.T) {
	now := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	plain := sqlitetest.Open(t, sqlite.Options{}).Tenants
	cache := &storage.Cached[storage.Tenant, *storage.Tenant]{Table: plain, Now: func() time.Time { return now }, Life: time.Minute}
	var told []string
	table := &storage.Telling[storage.Tenant, *storage.Tenant]{Table: plain, Wrote: func(tenant, id string) {
		told = append(told, tenant+"/"+id)
		cache.Forget(tenant, id)
	}}
	ctx := t.Context()
	named := func(want string) {
		t.Helper()
		if v, err := cache.Get(ctx, storage.Global, "acme"); err != nil || v.Name != want {
			t.Errorf("the cache has %q (%v), want %q", v.Name, err, want)
		}
	}
	change := func(table storage.Table[storage.Tenant], name string) {
		t.Helper()
		_, err := storage.Change(ctx, table, storage.Global, "acme", func(v *storage.Tenant) error { v.Name = name; return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Insert(ctx, &storage.Tenant{Key: storage.Key{Tenant: storage.Global, ID: "acme"}, Name: "one"}); err != nil {
		t.Fatal(err)
	}
	named("one")
	change(table, "two")
	named("two")
	change(plain, "three")
	named("two")
	now = now.Add(time.Minute)
	named("three")
	if err := table.Delete(ctx, storage.Global, "acme"); err != nil {
		t.Fatal(err)
	}
	if _, err := cache.Get(ctx, storage.Global, "acme"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a tenant that was deleted: %v", err)
	}
	series := []*storage.Tenant{{Key: storage.Key{Tenant: storage.Global, ID: "birch"}}, {Key: storage.Key{Tenant: storage.Global, ID: "cedar"}}}
	if n, err := storage.InsertSeries(ctx, table, series); err != nil || n != 2 {
		t.Errorf("%d inserted (%v)", n, err)
	}
	if n, err := storage.Count(ctx, table, storage.Query{Tenant: storage.Global}); err != nil || n != 2 {
		t.Errorf("%d counted (%v)", n, err)
	}
	if want := []string{"-/acme", "-/acme", "-/acme", "-/birch", "-/cedar"}; !slices.Equal(told, want) {
		t.Errorf("told of %q, want %q", told, want)
	}
}

// changedWhileRead is a table in which a record is changed after it was read and before the reader has it.
type changedWhileRead struct {
	storage.Table[storage.Tenant]
	change func()
}

func (t *changedWhileRead) Get(ctx context.Context, tenant, id string) (storage.Tenant, error) {
	v, err := t.Table.Get(ctx, tenant, id)
	if change := t.change; change != nil {
		t.change = nil
		change()
	}
	return v, err
}

// What was read before a change is not kept after it: the next who asks gets what is there now.
func TestCacheKeepsNothingThatWasForgottenWhileItWasRead(t *testing.T) {
	now := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	plain := &changedWhileRead{Table: sqlitetest.Open(t, sqlite.Options{}).Tenants}
	cache := &storage.Cached[storage.Tenant, *storage.Tenant]{Table: plain, Now: func() time.Time { return now }, Life: time.Minute}
	table := &storage.Telling[storage.Tenant, *storage.Tenant]{Table: plain, Wrote: cache.Forget}
	ctx := t.Context()
	if err := table.Insert(ctx, &storage.Tenant{Key: storage.Key{Tenant: storage.Global, ID: "acme"}, Name: "one"}); err != nil {
		t.Fatal(err)
	}
	rename := func(table storage.Table[storage.Tenant], name string) {
		t.Helper()
		_, err := storage.Change(ctx, table, storage.Global, "acme", func(v *storage.Tenant) error { v.Name = name; return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	named := func(read func(context.Context, string, string) (storage.Tenant, error), want string) {
		t.Helper()
		if v, err := read(ctx, storage.Global, "acme"); err != nil || v.Name != want {
			t.Errorf("the cache has %q (%v), want %q", v.Name, err, want)
		}
	}
	plain.change = func() { rename(table, "two") }
	named(cache.Get, "one")
	named(cache.Get, "two")

	// Who begins to read after the change keeps what is found, whoever is still at it.
	plain.change = func() {
		rename(table, "three")
		named(cache.Get, "three")
		rename(plain.Table, "four")
	}
	named(cache.Anew, "two")
	named(cache.Get, "three")

	// Where nothing was forgotten, what was read is kept.
	named(cache.Anew, "four")
	rename(plain.Table, "five")
	named(cache.Get, "four")
}

package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
)

func TestSeriesStopsAtTheFirstThatCannotBeInserted(t *testing.T) {
	s := open(t, sqlite.Options{Path: filepath.Join(t.TempDir(), "series.db")})
	series := func(from, to int) []*storage.Event {
		var all []*storage.Event
		for i := from; i < to; i++ {
			all = append(all, &storage.Event{Key: storage.Key{Tenant: "acme", ID: fmt.Sprintf("%04d", i)}, Action: "a"})
		}
		return all
	}
	first := series(500, 503)
	if n, err := storage.InsertSeries(t.Context(), s.Events, first); n != 3 || err != nil || first[2].Version != 1 {
		t.Fatal(n, err)
	}
	// More than one transaction of the writer holds; 0500 stands in the way.
	if n, err := storage.InsertSeries(t.Context(), s.Events, series(0, 600)); n != 500 || !errors.Is(err, storage.ErrExists) {
		t.Errorf("%d inserted, %v", n, err)
	}
	all, err := s.Events.List(t.Context(), storage.Query{Tenant: "acme", Limit: 1000})
	if err != nil || len(all) != 503 || all[502].ID != "0502" {
		t.Errorf("%d are there, %v", len(all), err)
	}
	bad := series(700, 702)
	bad[1].ID = ""
	if n, err := storage.InsertSeries(t.Context(), s.Events, bad); n != 0 || err == nil {
		t.Errorf("without an ID: %d, %v", n, err)
	}
	if n, err := storage.InsertSeries(t.Context(), s.Events, nil); n != 0 || err != nil {
		t.Errorf("nothing: %d, %v", n, err)
	}
}

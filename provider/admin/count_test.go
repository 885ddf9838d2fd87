package admin

import (
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// Numbers are kept of large tenants only, for a minute, and not where the tenant has a new type since.
func TestCountsAreKept(t *testing.T) {
	now := time.Date(2026, time.March, 4, 13, 0, 0, 0, time.UTC)
	tenant := func(id string, types ...string) *storage.Tenant {
		return &storage.Tenant{Key: storage.Key{Tenant: storage.Global, ID: id}, UserTypes: types}
	}
	many := map[string]storage.TypeTally{"staff": {Users: manyUsers - 1, TwoFactor: 7}, "client": {Users: 1}}
	var c counts
	c.keep("large", many, now)
	c.keep("small", map[string]storage.TypeTally{"staff": {Users: manyUsers - 1}}, now)
	for name, q := range map[string]struct {
		of   *storage.Tenant
		at   time.Duration
		want bool
	}{
		"at once":             {tenant("large", "staff", "client"), 0, true},
		"a type fewer":        {tenant("large", "staff"), 0, true},
		"just in time":        {tenant("large", "staff"), countLife - time.Millisecond, true},
		"too old":             {tenant("large", "staff"), countLife, false},
		"a new type":          {tenant("large", "staff", "contractor"), 0, false},
		"a small tenant":      {tenant("small", "staff"), 0, false},
		"one never looked at": {tenant("other", "staff"), 0, false},
	} {
		if got, ok := c.recall(q.of, now.Add(q.at)); ok != q.want || ok && got["staff"] != many["staff"] {
			t.Errorf("%s: %v, %t, want %t", name, got, ok, q.want)
		}
	}
	c.keep("small", map[string]storage.TypeTally{}, now.Add(countLife))
	if len(c.of) != 0 {
		t.Errorf("%d old numbers are kept on", len(c.of))
	}
}

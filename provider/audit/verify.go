package audit

import (
	"context"
	"fmt"

	"github.com/sallyport-id/sallyport/storage"
)

// What can be wrong with an entry.
const (
	// Changed: its contents are not those that were hashed; it was edited, or moved here from another place.
	Changed = "changed"
	// Missing: there is no entry in this place.
	Missing = "missing"
	// Unlinked: it is whole, but does not follow from the entry before it, which was put there instead of another.
	Unlinked = "unlinked"
)

// Fault is one thing that is wrong with a chain.
type Fault struct {
	// ID is the entry's place in the chain; of several missing in a row, the first.
	ID string `json:"id"`
	// Kind is Changed, Missing or Unlinked.
	Kind string `json:"kind"`
	// Count is how many entries in a row are missing, else 1.
	Count uint64 `json:"count"`
}

// Report is the result of reading a tenant's whole chain.
type Report struct {
	Tenant string `json:"tenant"`
	// Entries is how many were read.
	Entries uint64 `json:"entries"`
	// Last and Head are the ID and hash of the newest entry. A chain that was cut short at its end is whole in itself:
	// compare these with what an earlier report, or the line in the process's log, said.
	Last string `json:"last"`
	Head string `json:"head"`
	// Faults are the first MaxFaults that were found, in the chain's order; none means that the chain is whole.
	Faults []Fault `json:"faults,omitempty"`
	// More is how many faults were found beyond these.
	More int `json:"more,omitempty"`
}

// MaxFaults bounds how many faults a report lists.
const MaxFaults = 100

// OK tells whether no fault was found.
func (r Report) OK() bool { return len(r.Faults) == 0 }

func (r *Report) add(f Fault) {
	if len(r.Faults) == MaxFaults {
		r.More++
		return
	}
	r.Faults = append(r.Faults, f)
}

// Verify reads the chain of a tenant from its beginning ("" means storage.Global) and reports every entry that was
// changed, taken out or put in another place. An error means that the chain could not be read to its end.
func (l *Log) Verify(ctx context.Context, tenant string) (Report, error) {
	if tenant == "" {
		tenant = storage.Global
	}
	v := verifier{Report: Report{Tenant: tenant}}
	q := storage.Query{Tenant: tenant, Limit: 1000}
	for {
		page, err := l.events.List(ctx, q)
		if err != nil {
			return v.Report, fmt.Errorf("audit: verify: %w", err)
		}
		for _, e := range page {
			v.check(e)
		}
		if len(page) < q.PageSize() {
			return v.Report, nil
		}
		q.After = page[len(page)-1].ID
	}
}

// verifier is a Report under way.
type verifier struct {
	Report
	// last is the place of the entry before.
	last uint64
	// broken: the entry before was changed, so what follows can't be held against it.
	broken bool
}

func (v *verifier) check(e storage.Event) {
	n, err := number(e.ID)
	if err != nil || n <= v.last {
		// No entry of ours has such an ID.
		v.add(Fault{e.ID, Changed, 1})
		return
	}
	gap := n - v.last - 1
	if gap > 0 {
		v.add(Fault{place(v.last + 1), Missing, gap})
	}
	changed := sum(e) != e.Hash
	switch {
	case changed:
		v.add(Fault{e.ID, Changed, 1})
	case gap == 0 && !v.broken && e.Previous != v.Head:
		v.add(Fault{e.ID, Unlinked, 1})
	}
	v.last, v.broken = n, changed
	v.Entries++
	v.Last, v.Head = e.ID, e.Hash
}

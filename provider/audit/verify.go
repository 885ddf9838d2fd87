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
	r := Report{Tenant: tenant}
	q := storage.Query{Tenant: tenant, Limit: 1000}
	var last uint64
	for {
		page, err := l.events.List(ctx, q)
		if err != nil {
			return r, fmt.Errorf("audit: verify: %w", err)
		}
		for _, e := range page {
			n, err := number(e.ID)
			if err != nil || n <= last {
				// No entry of ours has such an ID.
				r.add(Fault{e.ID, Changed, 1})
				continue
			}
			r.check(e, n, last)
			last = n
		}
		if len(page) < q.PageSize() {
			return r, nil
		}
		q.After = page[len(page)-1].ID
	}
}

// check compares an entry with the one before it, whose place is last.
func (r *Report) check(e storage.Event, n, last uint64) {
	gap := n - last - 1
	if gap > 0 {
		r.add(Fault{place(last + 1), Missing, gap})
	}
	switch {
	case sum(e) != e.Hash:
		r.add(Fault{e.ID, Changed, 1})
	case gap == 0 && e.Previous != r.Head:
		r.add(Fault{e.ID, Unlinked, 1})
	}
	r.Entries++
	r.Last, r.Head = e.ID, e.Hash
}

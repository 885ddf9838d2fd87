package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sallyport-id/sallyport/storage"
)

// What can be wrong with an entry.
const (
	// Changed: its contents are not those that were hashed; it was edited, or moved here from another place.
	Changed = "changed"
	// Missing: there is no entry in this place, and none that attests its removal.
	Missing = "missing"
	// Unlinked: it is whole, but does not follow from the entry before it, which was put there instead of another; or it
	// attests the removal of entries that were others.
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
	// First is the ID of the oldest entry. Removed is how many before it were taken off by Retain, as the chain attests.
	First   string `json:"first"`
	Removed uint64 `json:"removed,omitempty"`
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

// Verify reads the chain of a tenant ("" means storage.Global) and reports every entry that was changed, taken out or put in
// another place. The chain may begin behind its first place only where an entry in it attests that the entries before were
// removed by Retain, and which was the last of them. An error means that the chain could not be read to its end.
//
// What a whole chain proves: whoever changed, took out or exchanged entries also wrote all that follow anew. Its hashes need
// no secret, so who may write to the database and knows this code can do just that, and can attest a removal of his own.
// What he can't do is make it end as it did: against him and against a cut at the end, keep Last and Head somewhere else, as
// the process's log does with every entry, and see that the chain still has that hash at that place. Nor does a chain prove
// that what it says was true.
func (l *Log) Verify(ctx context.Context, tenant string) (Report, error) {
	tenant = tenantOf(tenant)
	for first := ""; ; {
		r, err := l.verify(ctx, tenant)
		if err != nil {
			return r, fmt.Errorf("audit: verify: %w", err)
		}
		if r.OK() || r.First <= first {
			return r, nil
		}
		first = r.First
		// While Retain is at work, what it removes between two pages looks as if it were missing. It removes the oldest first,
		// so then the first is gone by now, and it is read again.
		switch _, err := l.events.Get(ctx, tenant, first); {
		case err == nil:
			return r, nil
		case !errors.Is(err, storage.ErrNotFound):
			return r, fmt.Errorf("audit: verify: %w", err)
		}
	}
}

func (l *Log) verify(ctx context.Context, tenant string) (Report, error) {
	v := verifier{Report: Report{Tenant: tenant}}
	err := storage.Each(ctx, l.events, storage.Query{Tenant: tenant, Limit: 1000}, func(e *storage.Event) error {
		if !v.check(*e) {
			return nil
		}
		a, ok := attested(*e)
		if !ok {
			return nil
		}
		next := storage.Event{Previous: v.before}
		if a.place < v.last && a.place >= v.first {
			var err error
			if next, err = l.events.Get(ctx, tenant, place(a.place+1)); errors.Is(err, storage.ErrNotFound) {
				// That it is missing is a fault of its own.
				return nil
			} else if err != nil {
				return err
			}
		}
		v.attest(*e, a, next.Previous)
		return nil
	})
	v.begin()
	return v.Report, err
}

// verifier is a Report under way.
type verifier struct {
	Report
	// first is the place of the first entry, and before the hash of what stood before it, as it says.
	first  uint64
	before string
	// last is the place of the entry before.
	last uint64
	// broken: the entry before was changed, so what follows can't be held against it.
	broken bool
	// removed is the last place of those whose removal is attested.
	removed uint64
}

// check holds an entry against the one before it, and tells whether it is sound.
func (v *verifier) check(e storage.Event) bool {
	n, err := number(e.ID)
	if err != nil || n <= v.last {
		// No entry of ours has such an ID.
		v.add(Fault{e.ID, Changed, 1})
		return false
	}
	gap := n - v.last - 1
	switch {
	case v.first == 0:
		// Whether the beginning may be missing is seen at the end.
		v.first, v.before, v.First = n, e.Previous, e.ID
	case gap > 0:
		v.add(Fault{place(v.last + 1), Missing, gap})
	}
	changed := sum(e) != e.Hash
	unlinked := !changed && gap == 0 && !v.broken && e.Previous != v.Head
	switch {
	case changed:
		v.add(Fault{e.ID, Changed, 1})
	case unlinked:
		v.add(Fault{e.ID, Unlinked, 1})
	}
	v.last, v.broken = n, changed
	v.Entries++
	v.Last, v.Head = e.ID, e.Hash
	return !changed && !unlinked
}

// attest takes an attestation for what it is worth. hash is that of the entry in the attested place, as the entry behind it
// says, if that is still there.
func (v *verifier) attest(e storage.Event, a attestation, hash string) {
	// Of places before the last that was removed nothing is left to hold it against.
	if a.place >= v.last || a.place+1 >= v.first && a.hash != hash {
		v.add(Fault{e.ID, Unlinked, 1})
		return
	}
	v.removed = max(v.removed, a.place)
}

// begin looks at what is missing at the beginning, once all attestations are known.
func (v *verifier) begin() {
	if v.first <= 1 {
		return
	}
	missing := v.first - 1
	v.Removed = min(v.removed, missing)
	missing -= v.Removed
	if missing == 0 {
		return
	}
	v.Faults = slices.Insert(v.Faults, 0, Fault{place(v.Removed + 1), Missing, missing})
	if len(v.Faults) > MaxFaults {
		v.Faults = v.Faults[:MaxFaults]
		v.More++
	}
}

package storagetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

type sweepFunc = func(ctx context.Context) (int, error)

// expiry: a record is there until Expires and not from then on, for every method, without any sweeping.
func (s *subject[N, P]) expiry() {
	ctx := s.Context()
	live := s.insert(s.record("live"))
	n := s.record("old")
	P(&n).Record().Expires = s.clock.now().Add(hour)
	n = s.insert(n)
	s.clock.advance(hour - millisecond)
	s.want(n)
	again := s.record("old")
	s.wantErr("Insert a millisecond before expiry", s.table.Insert(ctx, &again), storage.ErrExists)

	s.clock.advance(millisecond)
	s.absent(s.tenant, "old")
	s.want(live)
	for _, q := range append(s.queriesFor(n), storage.Query{Tenant: s.tenant, Desc: true, Limit: 1}) {
		for _, id := range s.pages(q) {
			if id == "old" {
				s.Errorf("List(%+v) shows an expired record", q)
			}
		}
	}
	// A page is full although expired records stand between its records.
	if got, err := s.table.List(ctx, storage.Query{Tenant: s.tenant, Limit: 1, Desc: true}); err != nil || len(got) != 1 {
		s.Errorf("List past an expired record: %d records, %v; want 1", len(got), err)
	}
	m := s.other(n, "too late")
	P(&m).Record().Expires = s.clock.now().Add(hour)
	s.wantErr("Replace of an expired record", s.table.Replace(ctx, &m), storage.ErrConflict)
	s.absent(s.tenant, "old")
	s.wantErr("Delete of an expired record", s.table.Delete(ctx, s.tenant, "old"), storage.ErrNotFound)

	next := s.record("old")
	P(&next).Record().Expires = s.clock.now().Add(hour)
	next = s.insert(s.other(next, "next"))
	if v := P(&next).Record().Version; v != 1 {
		s.Errorf("Version after Insert over an expired record: %d, want 1", v)
	}
	s.want(next)

	dead := s.record("dead")
	P(&dead).Record().Expires = s.clock.now().Add(-hour)
	s.insert(dead)
	s.absent(s.tenant, "dead")
}

// expiryMoves: Replace can put expiry off, bring it nearer and take it away.
func (s *subject[N, P]) expiryMoves() {
	ctx := s.Context()
	start := s.clock.now()
	set := func(n N, t time.Time) N {
		P(&n).Record().Expires = t
		if err := s.table.Replace(ctx, &n); err != nil {
			s.Fatalf("Replace: %v", err)
		}
		return n
	}
	keep := func(id string, t time.Time) N {
		n := s.record(id)
		P(&n).Record().Expires = t
		return s.insert(n)
	}
	later := set(keep("later", start.Add(hour)), start.Add(3*hour))
	never := set(keep("never", start.Add(hour)), time.Time{})
	set(keep("sooner", start.Add(3*hour)), start.Add(hour))
	set(keep("bounded", time.Time{}), start.Add(hour))
	s.clock.advance(2 * hour)
	if _, err := s.sweepAll(ctx); err != nil {
		s.Fatalf("Sweep: %v", err)
	}
	s.want(later)
	s.want(never)
	s.absent(s.tenant, "sooner")
	s.absent(s.tenant, "bounded")
}

// parallelInsertOverExpired: the place of an expired record is taken once.
func (s *subject[N, P]) parallelInsertOverExpired() {
	n := s.record("old")
	P(&n).Record().Expires = s.clock.now().Add(hour)
	s.insert(n)
	s.clock.advance(hour)
	mine := make([]N, s.o.parallel())
	errs := race(len(mine), func(i int) error {
		mine[i] = s.other(s.record("old"), numbered(i))
		return s.table.Insert(s.Context(), &mine[i])
	})
	s.want(mine[s.oneWinner("parallel Insert over an expired record", errs, storage.ErrExists)])
}

// sweep: it removes what has expired, all of it, and nothing else.
func (s *subject[N, P]) sweep() {
	if !s.kind.Expiring {
		return
	}
	ctx := s.Context()
	if _, err := s.sweepAll(ctx); err != nil {
		s.Fatalf("Sweep: %v", err)
	}
	old := make([]N, s.o.records())
	for i := range old {
		old[i] = s.record(numbered(i))
		P(&old[i]).Record().Expires = s.clock.now().Add(hour)
	}
	s.insertAll(old)
	var live []N
	for i, t := range []time.Time{{}, s.clock.now().Add(hour + millisecond), s.clock.now().Add(24 * hour)} {
		n := s.record(fmt.Sprint("live", i))
		P(&n).Record().Expires = t
		live = append(live, s.insert(n))
	}
	if removed, err := s.sweepAll(ctx); err != nil || removed != 0 {
		s.Errorf("Sweep before expiry: %d removed, %v; want none", removed, err)
	}
	s.clock.advance(hour)
	if removed, err := s.sweepAll(ctx); err != nil || removed != s.o.records() {
		s.Errorf("Sweep: %d removed, %v; want %d", removed, err, s.o.records())
	}
	if removed, err := s.sweepAll(ctx); err != nil || removed != 0 {
		s.Errorf("second Sweep: %d removed, %v; want none", removed, err)
	}
	for _, n := range live {
		s.want(n)
	}
	s.absent(s.tenant, numbered(0))
}

// cancelled: nothing is done for a caller who has gone.
func (s *subject[N, P]) cancelled() {
	kept := s.insert(s.record("kept"))
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	_, err := s.table.Get(ctx, s.tenant, "kept")
	s.wantOwnErr("Get", err)
	_, err = s.table.List(ctx, storage.Query{Tenant: s.tenant})
	s.wantOwnErr("List", err)
	n := s.record("new")
	s.wantOwnErr("Insert", s.table.Insert(ctx, &n))
	m := s.other(kept, "changed")
	s.wantOwnErr("Replace", s.table.Replace(ctx, &m))
	s.wantOwnErr("Delete", s.table.Delete(ctx, s.tenant, "kept"))
	s.absent(s.tenant, "new")
	s.want(kept)
}

// cancelledUnderWay: callers go while their writes are under way. Each write is then done or not done, the whole of
// it; one that returned nil is done; and the table serves the next caller as before.
func (s *subject[N, P]) cancelledUnderWay() {
	before := make([]N, s.o.parallel())
	for i := range before {
		before[i] = s.record(numbered(i))
	}
	s.insertAll(before)
	mine := make([]N, len(before))
	var cancels atomic.Int64
	errs := race(len(before), func(i int) error {
		ctx, cancel := context.WithCancel(s.Context())
		defer cancel()
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			for range i * 50 { // from at once to some microseconds later
				cancels.Add(1)
			}
			cancel()
		}()
		mine[i] = s.other(before[i], "changed")
		err := s.table.Replace(ctx, &mine[i])
		<-gone
		return err
	})
	for i, err := range errs {
		got, getErr := s.table.Get(s.Context(), s.tenant, numbered(i))
		if getErr != nil {
			s.Errorf("Get: %v", getErr)
			continue
		}
		if isSentinel(err) {
			s.Errorf("a cancelled Replace of the right version: %v", err)
		}
		wrote := mine[i]
		P(&wrote).Record().Version = 2
		isNew, isOld := diff(got, wrote), diff(got, before[i])
		if err == nil && isNew != "" {
			s.Errorf("Replace returned nil and was not done: %s", isNew)
		}
		if isNew != "" && isOld != "" {
			s.Errorf("a cancelled Replace is neither done (%s) nor left out (%s)", isNew, isOld)
		}
	}
	s.want(s.insert(s.record("next")))
}

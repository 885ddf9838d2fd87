package storagetest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/sallyport-id/sallyport/storage"
)

// parallelInsert: a claim made by many at once is had by one.
func (s *subject[N, P]) parallelInsert() {
	for round := range 3 {
		id := numbered(round)
		mine := make([]N, s.o.parallel())
		errs := race(len(mine), func(i int) error {
			mine[i] = s.other(s.record(id), fmt.Sprint(round, i))
			return s.table.Insert(s.Context(), &mine[i])
		})
		s.want(mine[s.oneWinner("parallel Insert of one key", errs, storage.ErrExists)])
	}
}

// parallelReplace: of many writers that hold the same version one wins, and what it wrote is what is kept.
func (s *subject[N, P]) parallelReplace() {
	n := s.insert(s.record("one"))
	for round := range 3 {
		mine := make([]N, s.o.parallel())
		errs := race(len(mine), func(i int) error {
			mine[i] = s.other(n, fmt.Sprint(round, i))
			return s.table.Replace(s.Context(), &mine[i])
		})
		n = mine[s.oneWinner("parallel Replace of one version", errs, storage.ErrConflict)]
		s.want(n)
	}
	if v := P(&n).Record().Version; v != 4 {
		s.Errorf("Version after 3 rounds: %d, want 4", v)
	}
}

// parallelDelete: what is spent by deleting is spent once.
func (s *subject[N, P]) parallelDelete() {
	for round := range 3 {
		id := numbered(round)
		s.insert(s.record(id))
		errs := race(s.o.parallel(), func(int) error { return s.table.Delete(s.Context(), s.tenant, id) })
		s.oneWinner("parallel Delete of one record", errs, storage.ErrNotFound)
		s.absent(s.tenant, id)
	}
}

// parallelMixed: one Delete among many Replaces; at most one Replace comes before it, and afterwards nothing is left.
// Neighbours that are written at the same time, failing and succeeding, do not disturb each other.
func (s *subject[N, P]) parallelMixed() {
	ctx := s.Context()
	n := s.insert(s.record("one"))
	taken := s.insert(s.record("taken"))
	errs := race(s.o.parallel(), func(i int) error {
		switch i % 4 {
		case 0:
			if err := s.table.Delete(ctx, s.tenant, "one"); err != nil && !errors.Is(err, storage.ErrNotFound) {
				return err
			}
		case 1:
			m := s.other(n, numbered(i))
			if err := s.table.Replace(ctx, &m); err != nil && !errors.Is(err, storage.ErrConflict) {
				return err
			}
		case 2:
			m := s.record(fmt.Sprint("neighbour", i))
			return s.table.Insert(ctx, &m)
		case 3:
			m := s.record("taken")
			if err := s.table.Insert(ctx, &m); !errors.Is(err, storage.ErrExists) {
				return fmt.Errorf("Insert over a record: %w", err)
			}
		}
		return nil
	})
	for i, err := range errs {
		if err != nil {
			s.Errorf("goroutine %d: %v", i, err)
		}
		if i%4 == 2 {
			m := s.record(fmt.Sprint("neighbour", i))
			P(&m).Record().Version = 1
			s.want(m)
		}
	}
	s.absent(s.tenant, "one")
	s.want(taken)
}

// readYourWrites: a read that starts when a write has returned sees it, whoever asks and however.
func (s *subject[N, P]) readYourWrites() {
	readers := min(4, s.o.parallel())
	ask := make([]chan N, readers)
	answer := make(chan string)
	var done sync.WaitGroup
	for i := range ask {
		ask[i] = make(chan N)
		done.Go(func() {
			for want := range ask[i] {
				answer <- s.sees(want)
			}
		})
	}
	n := s.insert(s.record("one"))
	for i := range min(50, s.o.records()) {
		n = s.other(n, numbered(i))
		if err := s.table.Replace(s.Context(), &n); err != nil {
			s.Errorf("Replace: %v", err)
			break
		}
		for _, c := range ask {
			c <- n
		}
		for range ask {
			if d := <-answer; d != "" {
				s.Errorf("after write %d: %s", i, d)
			}
		}
	}
	for _, c := range ask {
		close(c)
	}
	done.Wait()
}

// sees reads want by Get and by List and says what is wrong.
func (s *subject[N, P]) sees(want N) string {
	got, err := s.table.Get(s.Context(), s.tenant, P(&want).Record().ID)
	if err != nil {
		return fmt.Sprintf("Get: %v", err)
	}
	if d := diff(got, want); d != "" {
		return "Get: " + d
	}
	list, err := s.table.List(s.Context(), storage.Query{Tenant: s.tenant})
	if err != nil || len(list) != 1 {
		return fmt.Sprintf("List: %d records, %v", len(list), err)
	}
	if d := diff(list[0], want); d != "" {
		return "List: " + d
	}
	return ""
}

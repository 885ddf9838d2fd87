package webhook

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// pauses come after each failure; after one more, the delivery is given up. It has then been tried for 27 hours.
var pauses = [...]time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
}

const (
	// claimFor is how long a delivery is one process's to try. It is longer than trying takes, so that nobody else tries
	// it meanwhile; when the process dies, the delivery waits for so long.
	claimFor = 2 * time.Minute
	// orphanFor is how long a place in the queue waits for its delivery to be written as the place says.
	orphanFor = time.Minute
	// keepTime is how long it may take to note what came of a try.
	keepTime = 10 * time.Second
	// lookEvery is how often it looks for deliveries of other processes, and for those whose pause is over.
	lookEvery = 2 * time.Second

	// atOnce bounds the webhooks that are delivered to at the same time, inARow the deliveries to one of them before it is
	// another's turn, and lookAt the places in the queue that are read for that.
	atOnce, inARow, lookAt = 32, 50, 20_000
)

// place gives a delivery its place in the queue, at the time that it says.
func (s *Service) place(ctx context.Context, d *storage.Delivery) error {
	err := s.Store.DueDeliveries.Insert(ctx, &storage.DueDelivery{
		Key: storage.Key{Tenant: storage.Global, ID: placeID(d), Expires: d.Expires},
		At:  d.Next, Owner: d.Tenant, Webhook: d.Webhook, Delivery: d.ID,
	})
	if errors.Is(err, storage.ErrExists) {
		return nil // Another process claims the delivery in the same millisecond; one of the two will have it.
	}
	return err
}

func placeID(d *storage.Delivery) string { return fmt.Sprintf("%016x-%s", d.Next.UnixMilli(), d.ID) }

func (s *Service) leave(ctx context.Context, id string) error {
	err := s.Store.DueDeliveries.Delete(ctx, storage.Global, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

// round is work under way.
type round struct {
	tasks sync.WaitGroup
	taken atomic.Int64
}

// Run delivers what comes until ctx ends.
func (s *Service) Run(ctx context.Context) {
	var r round
	defer r.tasks.Wait()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := s.dispatch(ctx, &r); err != nil && ctx.Err() == nil {
			s.Logger.ErrorContext(ctx, "the queue of webhooks can't be read", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-s.wake:
		}
	}
}

// Deliver tries what is due now, and returns when it has: up to 50 deliveries to each webhook, and none after one that
// failed. n is how many were taken. The error is that the queue can't be read, and not that something can't be delivered.
func (s *Service) Deliver(ctx context.Context) (n int, err error) {
	var r round
	err = s.dispatch(ctx, &r)
	r.tasks.Wait()
	return int(r.taken.Load()), err
}

// dispatch sets off what is due. One webhook's deliveries follow each other: a receiver that is slow, or is not there,
// takes one place and not all.
func (s *Service) dispatch(ctx context.Context, r *round) error {
	due, err := s.due(ctx)
	if err != nil {
		return fmt.Errorf("webhook: queue: %w", err)
	}
	// A map's order is none, which is fair where there are more webhooks than places.
	for whose, its := range due {
		if !s.begin(whose) {
			continue
		}
		r.tasks.Go(func() {
			some := s.serve(ctx, r, its)
			s.end(whose)
			if some {
				s.rouse()
			}
		})
	}
	return nil
}

// due reads what is due, by webhook. Where there is more than is read at a time the next reading begins behind it, so that
// what piles up for one webhook hides no other's. That is at the next tick or event, and not at once, which paces it.
func (s *Service) due(ctx context.Context) (map[[2]string][]storage.DueDelivery, error) {
	now := s.now()
	s.mu.Lock()
	after := s.after
	s.mu.Unlock()
	due := map[[2]string][]storage.DueDelivery{}
	q := storage.Query{Tenant: storage.Global, After: after, Limit: min(1000, s.lookAt)}
	for read := 0; ; {
		page, err := s.Store.DueDeliveries.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, p := range page {
			if p.At.After(now) {
				s.goOn("")
				return due, nil
			}
			whose := [2]string{p.Owner, p.Webhook}
			if len(due[whose]) < inARow {
				due[whose] = append(due[whose], p)
			}
		}
		if len(page) < q.PageSize() {
			s.goOn("")
			return due, nil
		}
		q.After = page[len(page)-1].ID
		if read += len(page); read >= s.lookAt {
			s.goOn(q.After)
			return due, nil
		}
	}
}

// goOn has the next reading begin behind a place.
func (s *Service) goOn(after string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after = after
}

func (s *Service) begin(whose [2]string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[whose] || len(s.busy) >= atOnce {
		return false
	}
	s.busy[whose] = true
	return true
}

func (s *Service) end(whose [2]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, whose)
}

// serve tries deliveries to one webhook, up to the first that fails. some tells whether it tried any.
func (s *Service) serve(ctx context.Context, r *round, its []storage.DueDelivery) (some bool) {
	for i := range its {
		if ctx.Err() != nil {
			return false
		}
		came, err := s.attempt(ctx, &its[i])
		if err != nil && ctx.Err() == nil {
			s.Logger.ErrorContext(ctx, "a webhook's delivery can't be noted", "tenant", its[i].Owner, "webhook", its[i].Webhook,
				"delivery", its[i].Delivery, "error", err)
			return false
		}
		switch came {
		case taken:
			r.taken.Add(1)
			some = true
		case refused:
			return some // What else waits for it has time until the next tick.
		case elsewhere:
		}
	}
	return some
}

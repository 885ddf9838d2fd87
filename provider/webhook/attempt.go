package webhook

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// came is what came of an attempt.
type came int

const (
	// elsewhere: it was not this process's to try.
	elsewhere came = iota
	taken
	refused
)

// FailingFor is how long nothing but failures is put up with.
const FailingFor = 5 * 24 * time.Hour

// attempt claims the delivery of a place in the queue, tries it, and notes what came of it.
func (s *Service) attempt(ctx context.Context, due *storage.DueDelivery) (came, error) {
	d, err := s.Store.Deliveries.Get(ctx, due.Owner, due.Delivery)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return elsewhere, err
	}
	if err != nil || d.State != storage.DeliveryWaiting || !d.Next.Equal(due.At) {
		if s.now().Before(due.At.Add(orphanFor)) {
			return elsewhere, nil // The delivery is just being written, or put in again.
		}
		return elsewhere, s.leave(ctx, due.ID) // What is left of a process that died, or of a delivery that was put in again.
	}
	mine, err := s.claim(ctx, &d)
	if err != nil || !mine {
		return elsewhere, err
	}
	if err := s.leave(ctx, due.ID); err != nil {
		return elsewhere, err
	}
	w, err := s.Store.Webhooks.Get(ctx, d.Tenant, d.Webhook)
	if errors.Is(err, storage.ErrNotFound) {
		return elsewhere, s.drop(ctx, &d)
	}
	if err != nil {
		return elsewhere, err // It stays claimed, and is tried when that is over.
	}
	if w.Disabled {
		return elsewhere, s.note(ctx, &d, result{Reason: "the webhook is disabled", final: true})
	}
	r := s.send(ctx, &w, &d)
	if !r.ok() && ctx.Err() != nil {
		return refused, ctx.Err() // Whether it arrived is not known.
	}
	if r.gone() {
		r.final = true
	}
	if err := s.note(ctx, &d, r); err != nil {
		return refused, err
	}
	if err := s.health(ctx, &w, r); err != nil {
		return refused, err
	}
	if !r.ok() {
		s.Logger.WarnContext(ctx, "webhook not delivered", "tenant", d.Tenant, "webhook", w.ID, "delivery", d.ID, "tries", d.Tries,
			"status", r.Status, "reason", r.Reason, "state", d.State)
		return refused, nil
	}
	return taken, nil
}

// claim moves a delivery to the time at which it is tried again if this process dies. The new place comes before the move:
// there is at no time none that counts.
func (s *Service) claim(ctx context.Context, d *storage.Delivery) (mine bool, err error) {
	d.Tries++
	d.Tried = s.now()
	d.Next = d.Tried.Add(claimFor)
	if err := s.place(ctx, d); err != nil {
		return false, err
	}
	err = s.Store.Deliveries.Replace(ctx, d)
	if errors.Is(err, storage.ErrConflict) {
		// The place just made may be the winner's too, so it stays. If it is not, it is taken away when its time comes.
		return false, nil
	}
	return err == nil, err
}

// note writes what came of a try, even if ctx has ended since: what was delivered must not be delivered again.
func (s *Service) note(ctx context.Context, d *storage.Delivery, r result) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	claimed := placeID(d)
	d.Status, d.Reason = r.Status, r.Reason
	switch {
	case r.ok():
		d.State, d.Next = storage.DeliveryDone, time.Time{}
	case r.final || d.Tries > len(pauses):
		d.State, d.Next = storage.DeliveryFailed, time.Time{}
	default:
		d.Next = s.now().Add(pauses[d.Tries-1])
		if err := s.place(ctx, d); err != nil {
			return err
		}
	}
	err := s.Store.Deliveries.Replace(ctx, d)
	if err != nil && !errors.Is(err, storage.ErrConflict) {
		return err
	}
	// After a conflict it is in other hands: the claim ran out, or somebody put it into the queue again.
	return s.leave(ctx, claimed)
}

// drop removes a delivery to a webhook that is no more.
func (s *Service) drop(ctx context.Context, d *storage.Delivery) error {
	err := s.Store.Deliveries.Delete(ctx, d.Tenant, d.ID)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	return s.leave(ctx, placeID(d))
}

// health keeps since when a webhook fails, and disables one that is gone or has failed for too long.
func (s *Service) health(ctx context.Context, w *storage.Webhook, r result) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	now := s.now()
	switch {
	case r.ok() && w.Failing.IsZero():
		return nil
	case r.ok():
		return unlessMended(s.mark(ctx, w, func(w *storage.Webhook) { w.Failing = time.Time{} }))
	case r.gone():
		return s.disable(ctx, w, storage.WebhookGone)
	case w.Failing.IsZero():
		return unlessMended(s.mark(ctx, w, func(w *storage.Webhook) { w.Failing = now }))
	case !now.Before(w.Failing.Add(FailingFor)):
		return s.disable(ctx, w, storage.WebhookFailing)
	}
	return nil
}

// errMended says that what an answer was to change is not what was asked any more.
var errMended = errors.New("webhook: it was changed or removed meanwhile")

func unlessMended(err error) error {
	if errors.Is(err, errMended) {
		return nil
	}
	return err
}

// asked tells whether a webhook as it is kept is the one that answered: with a new address, or enabled anew, it has its
// time anew, and an answer that was on its way says nothing about it.
func asked(kept, w *storage.Webhook) bool { return kept.URL == w.URL && kept.Failing.Equal(w.Failing) }

// mark changes the webhook that answered. errMended.
func (s *Service) mark(ctx context.Context, w *storage.Webhook, change func(*storage.Webhook)) error {
	_, err := storage.Change(ctx, s.Store.Webhooks, w.Tenant, w.ID, func(kept *storage.Webhook) error {
		if !asked(kept, w) {
			return errMended
		}
		change(kept)
		return nil
	})
	if errors.Is(err, storage.ErrNotFound) {
		return errMended
	}
	return err
}

// disable stops a webhook by itself. Of several processes that find the same, mostly one puts it into the audit log. The
// log is also told where it was not stopped after all.
func (s *Service) disable(ctx context.Context, w *storage.Webhook, reason string) error {
	kept, err := s.Store.Webhooks.Get(ctx, w.Tenant, w.ID)
	if errors.Is(err, storage.ErrNotFound) || err == nil && (kept.Disabled || !asked(&kept, w)) {
		return nil
	}
	if err != nil {
		return err
	}
	e := event(&kept, "webhook.disable")
	e.Outcome, e.Reason = "ok", e.Reason+": "+reason
	if err := s.Record(ctx, e); err != nil {
		return err
	}
	err = s.mark(ctx, w, func(w *storage.Webhook) { w.Disabled, w.Reason = true, reason })
	s.forget(w.Tenant)
	if err == nil {
		return nil
	}
	e.Outcome = "failed"
	return errors.Join(unlessMended(err), s.Record(ctx, e))
}

// event is one about a webhook. Of the URL it has the host only: what comes behind may be a secret of the receiver's.
func event(w *storage.Webhook, action string) storage.Event {
	host := ""
	if u, err := url.Parse(w.URL); err == nil {
		host = " to " + u.Host
	}
	return storage.Event{Key: storage.Key{Tenant: w.Tenant}, Action: action, Reason: "webhook " + w.ID + host}
}

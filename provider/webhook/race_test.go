package webhook_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/webhook"
	"github.com/sallyport-id/sallyport/storage"
)

// A backlog that is longer than what is read at a time hides nothing behind it, however slow its receiver is.
func TestBacklogOfOneReceiverHidesNobody(t *testing.T) {
	o := newOffice(t)
	o.hooks.ReadAtMost(4)
	o.create("acme", "user.create")
	quick := newReceiver(t)
	if _, _, err := o.hooks.Create(t.Context(), operator, "birch", webhook.NewWebhook{URL: quick.URL, Events: []string{"user.create"}}); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		o.happens("acme", "user.create")
	}
	o.happens("birch", "user.create")
	begun, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	o.answers(func(http.ResponseWriter, *http.Request) {
		once.Do(func() { close(begun) })
		<-release
	})
	var slow sync.WaitGroup
	slow.Go(func() {
		if _, err := o.hooks.Deliver(t.Context()); err != nil {
			t.Error(err)
		}
	})
	<-begun
	// The first four were read; now come four more, and then the rest.
	o.deliver(0)
	o.deliver(1)
	if n := len(quick.requests()); n != 1 {
		t.Errorf("behind a backlog came %d requests, want 1", n)
	}
	close(release)
	slow.Wait()
	// From the end it begins anew, and nothing is left out.
	for range 10 {
		if _, err := o.hooks.Deliver(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if n := len(o.requests()); n != 10 || o.queued() != 0 {
		t.Errorf("%d requests, %d in the queue", n, o.queued())
	}
}

// Who refuses is not asked again at once for what else waits: that would read the queue over and over.
func TestRefusalRousesNobody(t *testing.T) {
	o := newOffice(t)
	o.create("acme", "user.create")
	for range 3 {
		o.happens("acme", "user.create")
	}
	o.hooks.Roused()
	o.answersStatus(http.StatusInternalServerError)
	o.deliver(0)
	if o.hooks.Roused() {
		t.Error("a refusal has the queue read again at once")
	}
	o.answers(func(w http.ResponseWriter, _ *http.Request) {
		if len(o.requests()) > 2 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	o.deliver(1)
	if n := len(o.requests()); n != 3 || !o.hooks.Roused() {
		t.Errorf("%d requests; after one that was taken the queue is not read again at once", n)
	}
}

// An answer says nothing about a webhook that was mended while it was on its way.
func TestStaleAnswersChangeNothing(t *testing.T) {
	enabled := false
	for name, c := range map[string]struct {
		status  int
		failing time.Duration // for how long it failed before
		mend    func(o *office) webhook.Update
	}{
		"gone, and the address is new": {http.StatusGone, 0, func(o *office) webhook.Update {
			target := o.URL + "/new"
			return webhook.Update{URL: &target}
		}},
		"failed, and the address is new": {http.StatusBadGateway, 0, func(o *office) webhook.Update {
			target := o.URL + "/new"
			return webhook.Update{URL: &target}
		}},
		"failed for too long, and enabled anew": {http.StatusBadGateway, webhook.FailingFor, func(*office) webhook.Update {
			return webhook.Update{Disabled: &enabled}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			w, _ := o.create("acme", "user.create")
			if c.failing > 0 {
				o.answersStatus(c.status)
				o.happens("acme", "user.create")
				o.deliver(0)
				o.forward(c.failing)
			}
			o.happens("acme", "user.create")
			o.answers(func(a http.ResponseWriter, _ *http.Request) {
				if _, err := o.hooks.Update(t.Context(), operator, "acme", w.ID, c.mend(o)); err != nil {
					t.Error(err)
				}
				a.WriteHeader(c.status)
			})
			o.deliver(0)
			if v := o.get(w); v.Disabled || !v.Failing.IsZero() {
				t.Errorf("%+v", v)
			}
			if e := o.events("acme", "webhook.disable"); len(e) != 0 {
				t.Errorf("%+v", e)
			}
		})
	}
}

// Between the record of the audit log and what it is about the webhook may be mended, too. The log tells both.
func TestMendedWhileItIsBeingDisabled(t *testing.T) {
	o := newOffice(t)
	w, _ := o.create("acme", "user.create")
	o.happens("acme", "user.create")
	o.answersStatus(http.StatusGone)
	target := o.URL + "/new"
	s := o.another(func(c *webhook.Config) {
		c.Record = func(ctx context.Context, e storage.Event) error {
			if e.Action == "webhook.disable" && e.Outcome == "ok" {
				if _, err := o.hooks.Update(ctx, operator, "acme", w.ID, webhook.Update{URL: &target}); err != nil {
					t.Error(err)
				}
			}
			return o.log.Record(ctx, e)
		}
	})
	if _, err := s.Deliver(t.Context()); err != nil {
		t.Error(err)
	}
	if v := o.get(w); v.Disabled || v.URL != target {
		t.Errorf("%+v", v)
	}
	e := o.events("acme", "webhook.disable")
	if len(e) != 2 || e[0].Outcome != "ok" || e[1].Outcome != "failed" {
		t.Errorf("%+v", e)
	}
}

// watched calls before each write and after each list of a table.
type watched[T any] struct {
	storage.Table[T]
	insert, replace func() error
	listed          func()
}

func (w watched[T]) Insert(ctx context.Context, v *T) error {
	if w.insert != nil {
		if err := w.insert(); err != nil {
			return err
		}
	}
	return w.Table.Insert(ctx, v)
}

func (w watched[T]) Replace(ctx context.Context, v *T) error {
	if w.replace != nil {
		if err := w.replace(); err != nil {
			return err
		}
	}
	return w.Table.Replace(ctx, v)
}

func (w watched[T]) List(ctx context.Context, q storage.Query) ([]T, error) {
	all, err := w.Table.List(ctx, q)
	if w.listed != nil {
		w.listed()
	}
	return all, err
}

// delivered makes a webhook and a delivery to it that was taken.
func (o *office) delivered() (webhook.Webhook, webhook.Delivery) {
	o.Helper()
	w, _ := o.create("acme", "user.create")
	o.happens("acme", "user.create")
	o.deliver(1)
	return w, o.deliveries(w)[0]
}

// Wherever a redelivery breaks off, nothing waits without a place in the queue.
func TestBrokenRedeliveryLeavesNothingWaiting(t *testing.T) {
	o := newOffice(t)
	w, d := o.delivered()
	broken := errors.New("no store")
	s := o.another(func(c *webhook.Config) {
		c.Store.DueDeliveries = watched[storage.DueDelivery]{Table: o.store.DueDeliveries, insert: func() error { return broken }}
	})
	if _, err := s.Redeliver(t.Context(), operator, "acme", w.ID, d.ID); !errors.Is(err, broken) {
		t.Error(err)
	}
	if left := o.deliveries(w)[0]; left.State != "delivered" {
		t.Errorf("%+v", left)
	}
	s = o.another(func(c *webhook.Config) {
		c.Store.Deliveries = watched[storage.Delivery]{Table: o.store.Deliveries, replace: func() error { return broken }}
	})
	if _, err := s.Redeliver(t.Context(), operator, "acme", w.ID, d.ID); !errors.Is(err, broken) {
		t.Error(err)
	}
	// The place that is left is cleared up, and sends nothing.
	o.forward(time.Hour)
	o.deliver(0)
	if left := o.deliveries(w)[0]; left.State != "delivered" || o.queued() != 0 || len(o.requests()) != 1 {
		t.Errorf("%+v, %d in the queue, %d requests", left, o.queued(), len(o.requests()))
	}
}

// Who meets the new place before the delivery is waiting leaves it where it is.
func TestPlaceOfARedeliveryIsNotTakenAwayTooSoon(t *testing.T) {
	o := newOffice(t)
	w, d := o.delivered()
	o.forward(time.Second)
	s := o.another(func(c *webhook.Config) {
		c.Store.Deliveries = watched[storage.Delivery]{Table: o.store.Deliveries, replace: func() error {
			_, err := o.hooks.Deliver(t.Context())
			return err
		}}
	})
	if _, err := s.Redeliver(t.Context(), operator, "acme", w.ID, d.ID); err != nil {
		t.Fatal(err)
	}
	o.deliver(1)
	if n := len(o.requests()); n != 2 || o.queued() != 0 {
		t.Errorf("%d requests, %d in the queue", n, o.queued())
	}
}

// What is put in again on its last day is tried for as long as anything else.
func TestRedeliveryIsKeptAnew(t *testing.T) {
	o := newOffice(t)
	w, d := o.delivered()
	o.forward(webhook.KeepFor - time.Minute)
	o.answersStatus(http.StatusInternalServerError)
	if _, err := o.hooks.Redeliver(t.Context(), operator, "acme", w.ID, d.ID); err != nil {
		t.Fatal(err)
	}
	o.deliver(0)
	o.answersStatus(http.StatusOK)
	o.forward(time.Hour)
	o.deliver(1)
	if all := o.deliveries(w); len(all) != 1 || all[0].State != "delivered" {
		t.Errorf("%+v", all)
	}
}

// A list that was begun before a change, and came back after it, is not taken for what there is.
func TestOldListIsNotPutBack(t *testing.T) {
	o := newOffice(t)
	o.create("acme", "user.create")
	var s *webhook.Service
	late := true
	s = o.another(func(c *webhook.Config) {
		c.Store.Webhooks = watched[storage.Webhook]{Table: o.store.Webhooks, listed: func() {
			if !late {
				return
			}
			late = false
			if _, _, err := s.Create(t.Context(), operator, "acme", webhook.NewWebhook{URL: o.URL, Events: []string{"user.delete"}}); err != nil {
				t.Error(err)
			}
		}}
	})
	e := storage.Event{Key: storage.Key{Tenant: "acme", ID: "1"}, Action: "user.create", Outcome: "ok", Time: o.clock()}
	s.Event(t.Context(), e)
	e.ID, e.Action = "2", "user.delete"
	s.Event(t.Context(), e)
	o.deliver(2)
}

package webhook

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

const (
	// MaxWebhooks is how many a tenant may have.
	MaxWebhooks    = 20
	maxPatterns    = 50
	maxDescription = 200
	testType       = "webhook.test"
)

// audited records an event and then does what it is about. Where that fails after all, the log is told too.
func (s *Service) audited(ctx context.Context, by *web.Actor, e storage.Event, do func() error) error {
	who := by.Event("", "")
	e.Actor, e.Client, e.Address, e.Agent, e.Request, e.Outcome = who.Actor, who.Client, who.Address, who.Agent, who.Request, "ok"
	if err := s.Record(ctx, e); err != nil {
		return fmt.Errorf("nothing was changed, because it could not be put into the audit log: %w", err)
	}
	err := do()
	s.forget(e.Tenant)
	if err == nil {
		return nil
	}
	e.Outcome = "failed"
	return errors.Join(err, s.Record(ctx, e))
}

// NewWebhook says what webhook is to be made.
type NewWebhook struct {
	// URL is an https address.
	URL string `json:"url" required:"true"`
	// Description is what it is for, up to 200 characters.
	Description string `json:"description,omitempty"`
	// Events are the actions to be told of: "user.create", "user.*", or "*", which is also what none means.
	Events []string `json:"events,omitempty"`
}

// Create makes a webhook. The secret can't be seen again. *web.Invalid.
func (s *Service) Create(ctx context.Context, by *web.Actor, tenant string, in NewWebhook) (_ Webhook, secret string, _ error) {
	w := storage.Webhook{
		Key: storage.Key{Tenant: tenant, ID: storage.NewID()}, URL: in.URL, Description: strings.TrimSpace(in.Description),
		Events: in.Events, Created: s.now(),
	}
	if len(w.Events) == 0 {
		w.Events = []string{"*"}
	}
	if err := s.check(&w); err != nil {
		return Webhook{}, "", err
	}
	all, err := s.list(ctx, tenant)
	if err != nil {
		return Webhook{}, "", err
	}
	if len(all) >= MaxWebhooks {
		return Webhook{}, "", invalid("webhook", fmt.Sprintf("the tenant has %d already", len(all)), "delete one, or let one address take more events")
	}
	kept, secret, err := s.newSecret(ctx, tenant, w.ID)
	if err != nil {
		return Webhook{}, "", err
	}
	w.Secrets = []storage.WebhookSecret{kept}
	err = s.audited(ctx, by, event(&w, "webhook.create"), func() error { return s.Store.Webhooks.Insert(ctx, &w) })
	if err != nil {
		return Webhook{}, "", err
	}
	return s.view(&w), secret, nil
}

var pattern = regexp.MustCompile(`^(\*|[a-z0-9_]{1,60}(\.[a-z0-9_]{1,60})*(\.\*)?)$`)

func (s *Service) check(w *storage.Webhook) error {
	if err := s.guard.check(w.URL); err != nil {
		return err
	}
	switch {
	case !utf8.ValidString(w.Description) || strings.ContainsFunc(w.Description, storage.Unprintable):
		return invalid("description", "it holds control characters or line breaks", "leave them out")
	case utf8.RuneCountInString(w.Description) > maxDescription:
		return invalid("description", "it is too long", fmt.Sprintf("shorten it to %d characters", maxDescription))
	case len(w.Events) == 0 || len(w.Events) > maxPatterns:
		return invalid("events", fmt.Sprintf("there are %d", len(w.Events)), fmt.Sprintf("give 1 to %d; * is all", maxPatterns))
	}
	for _, p := range w.Events {
		if !pattern.MatchString(p) {
			return invalid("events", fmt.Sprintf("%q is no event", p), "write it as user.create, user.* or *")
		}
	}
	return nil
}

// list reads a tenant's webhooks, and tells a tenant that has none from one that is not there.
func (s *Service) list(ctx context.Context, tenant string) ([]storage.Webhook, error) {
	if tenant == "" || tenant == storage.Global {
		return nil, web.Missing("tenant", tenant, "name a tenant")
	}
	if _, err := s.Store.Tenants.Get(ctx, storage.Global, tenant); errors.Is(err, storage.ErrNotFound) {
		return nil, web.Missing("tenant", tenant, "see the list of tenants")
	} else if err != nil {
		return nil, fmt.Errorf("tenant %s: %w", tenant, err)
	}
	all, err := s.Store.Webhooks.List(ctx, storage.Query{Tenant: tenant, Limit: MaxWebhooks})
	if err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	return all, nil
}

// List shows a tenant's webhooks. *web.Invalid.
func (s *Service) List(ctx context.Context, tenant string) ([]Webhook, error) {
	all, err := s.list(ctx, tenant)
	if err != nil {
		return nil, err
	}
	shown := make([]Webhook, 0, len(all))
	for i := range all {
		shown = append(shown, s.view(&all[i]))
	}
	return shown, nil
}

// Get shows one. *web.Invalid.
func (s *Service) Get(ctx context.Context, tenant, id string) (Webhook, error) {
	w, err := s.webhook(ctx, tenant, id)
	if err != nil {
		return Webhook{}, err
	}
	return s.view(&w), nil
}

func (s *Service) webhook(ctx context.Context, tenant, id string) (storage.Webhook, error) {
	none := web.Missing("webhook", id, "check the tenant and the spelling; the list shows them")
	if tenant == "" || tenant == storage.Global || id == "" {
		return storage.Webhook{}, none
	}
	w, err := s.Store.Webhooks.Get(ctx, tenant, id)
	if errors.Is(err, storage.ErrNotFound) {
		return w, none
	}
	if err != nil {
		return w, fmt.Errorf("webhook %s: %w", id, err)
	}
	return w, nil
}

// Update says what of a webhook is to be changed; nil leaves a field as it is.
type Update struct {
	// URL is an https address.
	URL *string `json:"url,omitempty"`
	// Description is what it is for, up to 200 characters.
	Description *string `json:"description,omitempty"`
	// Events are the actions to be told of: "user.create", "user.*", or "*".
	Events []string `json:"events,omitempty"`
	// Disabled: nothing is sent.
	Disabled *bool `json:"disabled,omitempty"`
}

func (u Update) apply(w *storage.Webhook) {
	if u.URL != nil {
		w.URL = *u.URL
	}
	if u.Description != nil {
		w.Description = strings.TrimSpace(*u.Description)
	}
	if u.Events != nil {
		w.Events = slices.Clone(u.Events)
	}
	if u.Disabled != nil {
		w.Disabled, w.Reason = *u.Disabled, ""
	}
	// An address that is new, or was mended, gets its time anew.
	if u.URL != nil || u.Disabled != nil {
		w.Failing = time.Time{}
	}
}

// Update changes a webhook. *web.Invalid.
func (s *Service) Update(ctx context.Context, by *web.Actor, tenant, id string, u Update) (Webhook, error) {
	return s.change(ctx, by, tenant, id, "webhook.change", func(w *storage.Webhook) error {
		u.apply(w)
		return s.check(w)
	})
}

func (s *Service) change(ctx context.Context, by *web.Actor, tenant, id, action string, change func(*storage.Webhook) error) (Webhook, error) {
	w, err := s.webhook(ctx, tenant, id)
	if err != nil {
		return Webhook{}, err
	}
	if err := change(&w); err != nil { // Before anything is in the audit log.
		return Webhook{}, err
	}
	err = s.audited(ctx, by, event(&w, action), func() error {
		w, err = storage.Change(ctx, s.Store.Webhooks, tenant, id, change)
		return err
	})
	if err != nil {
		return Webhook{}, err
	}
	return s.view(&w), nil
}

// RotateSecret gives a webhook a new secret, which can't be seen again. The one before signs beside it for Grace, and
// older ones stop at once. *web.Invalid.
func (s *Service) RotateSecret(ctx context.Context, by *web.Actor, tenant, id string) (_ Webhook, secret string, _ error) {
	if _, err := s.webhook(ctx, tenant, id); err != nil {
		return Webhook{}, "", err
	}
	fresh, secret, err := s.newSecret(ctx, tenant, id)
	if err != nil {
		return Webhook{}, "", err
	}
	v, err := s.change(ctx, by, tenant, id, "webhook.secret", func(w *storage.Webhook) error {
		now := s.now()
		secrets := []storage.WebhookSecret{fresh}
		if old := live(w.Secrets, now); len(old) > 0 {
			last := old[0]
			if end := now.Add(Grace); last.Until.IsZero() || end.Before(last.Until) {
				last.Until = end
			}
			secrets = append(secrets, last)
		}
		w.Secrets = secrets
		return nil
	})
	if err != nil {
		return Webhook{}, "", err
	}
	return v, secret, nil
}

// Delete removes a webhook. What waits for it is not delivered any more. *web.Invalid.
func (s *Service) Delete(ctx context.Context, by *web.Actor, tenant, id string) error {
	w, err := s.webhook(ctx, tenant, id)
	if err != nil {
		return err
	}
	return s.audited(ctx, by, event(&w, "webhook.delete"), func() error {
		err := s.Store.Webhooks.Delete(ctx, tenant, id)
		if errors.Is(err, storage.ErrNotFound) {
			return nil // Somebody else was first.
		}
		return err
	})
}

// Deliveries shows what was and will be sent to a webhook, newest first: at most limit (100 when 0, 1,000 at most) behind
// the ID after, which was the last of the page before. *web.Invalid.
func (s *Service) Deliveries(ctx context.Context, tenant, id, after string, limit int) ([]Delivery, error) {
	if _, err := s.webhook(ctx, tenant, id); err != nil {
		return nil, err
	}
	kept, err := s.Store.Deliveries.List(ctx, storage.Query{
		Tenant: tenant, Field: "webhook", Value: id, After: after, Limit: limit, Desc: true,
	})
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	shown := make([]Delivery, 0, len(kept))
	for i := range kept {
		shown = append(shown, viewDelivery(&kept[i]))
	}
	return shown, nil
}

// Redeliver puts a delivery into the queue again, as if it had not been tried. The receiver sees the same webhook-id.
// *web.Invalid.
func (s *Service) Redeliver(ctx context.Context, by *web.Actor, tenant, id, delivery string) (Delivery, error) {
	w, err := s.webhook(ctx, tenant, id)
	if err != nil {
		return Delivery{}, err
	}
	if w.Disabled {
		return Delivery{}, invalid("webhook", "it is disabled", "enable it first")
	}
	none := web.Missing("delivery", delivery, fmt.Sprintf("see the webhook's deliveries; they are kept for %d days", int(KeepFor.Hours())/24))
	if delivery == "" {
		return Delivery{}, none
	}
	d, err := s.Store.Deliveries.Get(ctx, tenant, delivery)
	if errors.Is(err, storage.ErrNotFound) || err == nil && d.Webhook != id {
		return Delivery{}, none
	}
	if err != nil {
		return Delivery{}, fmt.Errorf("delivery %s: %w", delivery, err)
	}
	err = s.audited(ctx, by, event(&w, "webhook.redeliver"), func() error {
		// The place comes first, as in enqueue: without one the delivery would wait for ever.
		now := s.now()
		d.Next, d.Expires = now, now.Add(KeepFor)
		if err := s.place(ctx, &d); err != nil {
			return err
		}
		d, err = storage.Change(ctx, s.Store.Deliveries, tenant, delivery, func(d *storage.Delivery) error {
			d.State, d.Tries, d.Next, d.Status, d.Reason = storage.DeliveryWaiting, 0, now, 0, ""
			d.Expires = now.Add(KeepFor)
			return nil
		})
		return err
	})
	if err != nil {
		return Delivery{}, err
	}
	s.rouse()
	return viewDelivery(&d), nil
}

// Test sends an event of the type webhook.test now, whether or not the webhook is enabled, and shows what came of it.
// It is tried once. *web.Invalid.
func (s *Service) Test(ctx context.Context, by *web.Actor, tenant, id string) (Delivery, error) {
	w, err := s.webhook(ctx, tenant, id)
	if err != nil {
		return Delivery{}, err
	}
	d, err := s.newDelivery(&w, &storage.Event{
		Key: storage.Key{Tenant: tenant}, Time: s.now(), Action: testType, Outcome: "ok", Actor: by.Event("", "").Actor,
	})
	if err != nil {
		return Delivery{}, err
	}
	r := s.send(ctx, &w, &d)
	d.Tries, d.Tried, d.Next, d.Status, d.Reason, d.State = 1, s.now(), time.Time{}, r.Status, r.Reason, storage.DeliveryFailed
	if r.ok() {
		d.State = storage.DeliveryDone
	}
	if err := s.Store.Deliveries.Insert(ctx, &d); err != nil {
		return Delivery{}, fmt.Errorf("delivery: %w", err)
	}
	return viewDelivery(&d), nil
}

package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/provider/webhook"
	"github.com/sallyport-id/sallyport/storage"
)

func TestWhatCannotBeAWebhookIsRefused(t *testing.T) {
	o := newOffice(t)
	long := make([]string, 51)
	for i := range long {
		long[i] = fmt.Sprintf("a.b%d", i)
	}
	for where, in := range map[string]webhook.NewWebhook{
		"description": {URL: o.URL, Description: "a\nb"},
		"events":      {URL: o.URL, Events: []string{"user.*", "User"}},
	} {
		refuse(t, where, func() error { _, _, err := o.hooks.Create(t.Context(), operator, "acme", in); return err })
	}
	for _, p := range []string{"", "*.create", "user*", "user.", ".user", "user..a", "user.*.a", "a b", "**", strings.Repeat("a", 61)} {
		refuse(t, "events", func() error {
			_, _, err := o.hooks.Create(t.Context(), operator, "acme", webhook.NewWebhook{URL: o.URL, Events: []string{p}})
			return err
		})
	}
	refuse(t, "events", func() error {
		_, _, err := o.hooks.Create(t.Context(), operator, "acme", webhook.NewWebhook{URL: o.URL, Events: long})
		return err
	})
	refuse(t, "description", func() error {
		_, _, err := o.hooks.Create(t.Context(), operator, "acme", webhook.NewWebhook{URL: o.URL, Description: strings.Repeat("ä", 201)})
		return err
	})
	for _, tenant := range []string{"", storage.Global, "nobody"} {
		refuse(t, "tenant", func() error {
			_, _, err := o.hooks.Create(t.Context(), operator, tenant, webhook.NewWebhook{URL: o.URL})
			return err
		})
		refuse(t, "tenant", func() error { _, err := o.hooks.List(t.Context(), tenant); return err })
	}
	if e := o.events("acme", "webhook.create"); len(e) != 0 {
		t.Errorf("what was refused is in the audit log: %+v", e)
	}
	for range webhook.MaxWebhooks {
		o.create("birch")
	}
	refuse(t, "webhook", func() error {
		_, _, err := o.hooks.Create(t.Context(), operator, "birch", webhook.NewWebhook{URL: o.URL})
		return err
	})
}

func refuse(t *testing.T, where string, do func() error) {
	t.Helper()
	var refused *web.Invalid
	if err := do(); !errors.As(err, &refused) || refused.Where != where || refused.What == "" || refused.Do == "" {
		t.Errorf("%s: %v", where, err)
	}
}

// Nobody sees or changes another tenant's webhook, or what was sent to it.
func TestWebhooksAreTheTenantsOwn(t *testing.T) {
	o := newOffice(t)
	w, _ := o.create("acme", "user.create")
	o.happens("acme", "user.create")
	other, _ := o.create("acme", "user.create")
	delivery := o.deliveries(w)[0].ID
	ctx := t.Context()
	for what, do := range map[string]func(tenant, id string) error{
		"get": func(tenant, id string) error { _, err := o.hooks.Get(ctx, tenant, id); return err },
		"update": func(tenant, id string) error {
			_, err := o.hooks.Update(ctx, operator, tenant, id, webhook.Update{})
			return err
		},
		"rotate": func(tenant, id string) error {
			_, _, err := o.hooks.RotateSecret(ctx, operator, tenant, id)
			return err
		},
		"delete":     func(tenant, id string) error { return o.hooks.Delete(ctx, operator, tenant, id) },
		"deliveries": func(tenant, id string) error { _, err := o.hooks.Deliveries(ctx, tenant, id, "", 0); return err },
		"redeliver": func(tenant, id string) error {
			_, err := o.hooks.Redeliver(ctx, operator, tenant, id, delivery)
			return err
		},
		"test": func(tenant, id string) error { _, err := o.hooks.Test(ctx, operator, tenant, id); return err },
	} {
		for _, k := range [][2]string{{"birch", w.ID}, {"", w.ID}, {storage.Global, w.ID}, {"acme", ""}, {"acme", "none"}} {
			if err := do(k[0], k[1]); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("%s of %q: %v", what, k, err)
			}
		}
	}
	for _, id := range []string{"", "none", delivery} {
		if _, err := o.hooks.Redeliver(ctx, operator, "acme", other.ID, id); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("redeliver %q to another: %v", id, err)
		}
	}
	if len(o.requests()) != 0 {
		t.Errorf("%d requests", len(o.requests()))
	}
}

func TestUpdateChangesWhatItNames(t *testing.T) {
	o := newOffice(t)
	w, _ := o.create("acme", "user.create")
	description, target := "  To the bookkeeping  ", o.URL+"/new"
	v, err := o.hooks.Update(t.Context(), operator, "acme", w.ID, webhook.Update{Description: &description})
	if err != nil || v.Description != "To the bookkeeping" || v.URL != w.URL || v.Events[0] != "user.create" {
		t.Errorf("%+v, %v", v, err)
	}
	v, err = o.hooks.Update(t.Context(), operator, "acme", w.ID, webhook.Update{URL: &target, Events: []string{"*"}})
	if err != nil || v.URL != target || v.Events[0] != "*" || v.Description != "To the bookkeeping" {
		t.Errorf("%+v, %v", v, err)
	}
	bad := "http://127.0.0.1/"
	refuse(t, "url", func() error {
		_, err := o.hooks.Update(t.Context(), operator, "acme", w.ID, webhook.Update{URL: &bad})
		return err
	})
	refuse(t, "events", func() error {
		_, err := o.hooks.Update(t.Context(), operator, "acme", w.ID, webhook.Update{Events: []string{}})
		return err
	})
	if e := o.events("acme", "webhook.change"); len(e) != 2 {
		t.Errorf("%+v", e)
	}
	disabled := true
	if _, err := o.hooks.Update(t.Context(), operator, "acme", w.ID, webhook.Update{Disabled: &disabled}); err != nil {
		t.Fatal(err)
	}
	refuse(t, "webhook", func() error { _, err := o.hooks.Redeliver(t.Context(), operator, "acme", w.ID, "any"); return err })
}

// What can't be put into the audit log does not happen.
func TestNothingHappensUnaudited(t *testing.T) {
	o := newOffice(t)
	w, _ := o.create("acme", "user.create")
	o.happens("acme", "user.create")
	broken := errors.New("no audit log")
	s := o.another(func(c *webhook.Config) {
		c.Record = func(context.Context, storage.Event) error { return broken }
	})
	disabled := true
	for what, do := range map[string]func() error{
		"create": func() error {
			_, _, err := s.Create(t.Context(), operator, "acme", webhook.NewWebhook{URL: o.URL})
			return err
		},
		"update": func() error {
			_, err := s.Update(t.Context(), operator, "acme", w.ID, webhook.Update{Disabled: &disabled})
			return err
		},
		"rotate": func() error { _, _, err := s.RotateSecret(t.Context(), operator, "acme", w.ID); return err },
		"delete": func() error { return s.Delete(t.Context(), operator, "acme", w.ID) },
		"redeliver": func() error {
			_, err := s.Redeliver(t.Context(), operator, "acme", w.ID, o.deliveries(w)[0].ID)
			return err
		},
	} {
		if err := do(); !errors.Is(err, broken) {
			t.Errorf("%s: %v", what, err)
		}
	}
	all, err := o.hooks.List(t.Context(), "acme")
	if err != nil || len(all) != 1 || all[0].Disabled || len(all[0].Secrets) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestDeliveriesArePaged(t *testing.T) {
	o := newOffice(t)
	w, _ := o.create("acme", "user.create")
	for range 5 {
		o.happens("acme", "user.create")
	}
	var events []string
	for after := ""; ; {
		page, err := o.hooks.Deliveries(t.Context(), "acme", w.ID, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page {
			events = append(events, strings.TrimLeft(d.Event, "0"))
		}
		if len(page) < 2 {
			break
		}
		after = page[1].ID
	}
	if got := strings.Join(events, " "); got != "6 5 4 3 2" {
		t.Errorf("%s", got)
	}
	// After a month nothing is left.
	o.forward(webhook.KeepFor)
	if left := o.deliveries(w); len(left) != 0 || o.queued() != 0 {
		t.Errorf("%+v", left)
	}
}

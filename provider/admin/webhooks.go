package admin

import (
	"context"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/provider/webhook"
)

// Webhooks lists a tenant's webhooks. Owners and admins see them; since they are told of all that is in the audit log, it
// is owners who make and change them.
func (s *Service) Webhooks(ctx context.Context, by *web.Actor, tenant string) ([]webhook.Webhook, error) {
	if _, err := s.admit(ctx, by, tenant, helping); err != nil {
		return nil, err
	}
	return s.WebhookService.List(ctx, tenant)
}

// Webhook shows one webhook.
func (s *Service) Webhook(ctx context.Context, by *web.Actor, tenant, id string) (webhook.Webhook, error) {
	if _, err := s.admit(ctx, by, tenant, helping); err != nil {
		return webhook.Webhook{}, err
	}
	return s.WebhookService.Get(ctx, tenant, id)
}

// CreateWebhook makes a webhook. The secret can't be seen again.
func (s *Service) CreateWebhook(ctx context.Context, by *web.Actor, tenant string, in webhook.NewWebhook) (_ webhook.Webhook, secret string, _ error) {
	if _, err := s.admit(ctx, by, tenant, owning); err != nil {
		return webhook.Webhook{}, "", err
	}
	return s.WebhookService.Create(ctx, by, tenant, in)
}

// ChangeWebhook changes what in names, all of it or nothing.
func (s *Service) ChangeWebhook(ctx context.Context, by *web.Actor, tenant, id string, in webhook.Update) (webhook.Webhook, error) {
	if _, err := s.admit(ctx, by, tenant, owning); err != nil {
		return webhook.Webhook{}, err
	}
	return s.WebhookService.Update(ctx, by, tenant, id, in)
}

// RotateWebhookSecret gives a webhook a new secret, which can't be seen again. The one before signs beside it for
// webhook.Grace.
func (s *Service) RotateWebhookSecret(ctx context.Context, by *web.Actor, tenant, id string) (_ webhook.Webhook, secret string, _ error) {
	if _, err := s.admit(ctx, by, tenant, owning); err != nil {
		return webhook.Webhook{}, "", err
	}
	return s.WebhookService.RotateSecret(ctx, by, tenant, id)
}

// DeleteWebhook removes a webhook, and what waits for it.
func (s *Service) DeleteWebhook(ctx context.Context, by *web.Actor, tenant, id string) error {
	if _, err := s.admit(ctx, by, tenant, owning); err != nil {
		return err
	}
	return s.WebhookService.Delete(ctx, by, tenant, id)
}

// Deliveries lists what was and will be sent to a webhook, newest first.
func (s *Service) Deliveries(ctx context.Context, by *web.Actor, tenant, id string, p Page) ([]webhook.Delivery, error) {
	if _, err := s.admit(ctx, by, tenant, helping); err != nil {
		return nil, err
	}
	return s.WebhookService.Deliveries(ctx, tenant, id, p.After, p.Limit)
}

// Redeliver puts a delivery into the queue again.
func (s *Service) Redeliver(ctx context.Context, by *web.Actor, tenant, id, delivery string) (webhook.Delivery, error) {
	if _, err := s.admit(ctx, by, tenant, owning); err != nil {
		return webhook.Delivery{}, err
	}
	return s.WebhookService.Redeliver(ctx, by, tenant, id, delivery)
}

// TestWebhook sends a test event now, and shows what came of it.
func (s *Service) TestWebhook(ctx context.Context, by *web.Actor, tenant, id string) (webhook.Delivery, error) {
	if _, err := s.admit(ctx, by, tenant, owning); err != nil {
		return webhook.Delivery{}, err
	}
	return s.WebhookService.Test(ctx, by, tenant, id)
}

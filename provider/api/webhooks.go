package api

import (
	"context"
	"net/http"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/provider/webhook"
)

func (s *Service) webhookRoutes() []web.Route {
	const (
		read, write = admin.ScopeWebhooksRead, admin.ScopeWebhooksWrite
		all         = v1 + "/tenants/:tenant/webhooks"
		one         = all + "/:webhook"
		tag         = "Webhooks"
	)
	return []web.Route{
		web.API(http.MethodGet, all, read, s.listWebhooks).About("listWebhooks", tag, "List a tenant's webhooks"),
		web.API(http.MethodPost, all, write, s.createWebhook).About("createWebhook", tag, "Have an address told of events"),
		web.API(http.MethodGet, one, read, s.getWebhook).About("getWebhook", tag, "Show a webhook"),
		web.API(http.MethodPatch, one, write, s.changeWebhook).About("changeWebhook", tag, "Change a webhook, disable it or enable it"),
		web.API(http.MethodDelete, one, write, s.deleteWebhook).About("deleteWebhook", tag, "Remove a webhook"),
		web.API(http.MethodPost, one+"/secrets", write, s.rotateWebhook).
			About("rotateWebhookSecret", tag, "Give a webhook a new secret; the one before signs beside it for 24 hours"),
		web.API(http.MethodPost, one+"/test", write, s.testWebhook).About("testWebhook", tag, "Send a test event now, and show what came of it"),
		web.API(http.MethodGet, one+"/deliveries", read, s.listDeliveries).
			About("listDeliveries", tag, "List what was and will be sent to a webhook, the newest first"),
		web.API(http.MethodPost, one+"/deliveries/:delivery/redeliver", write, s.redeliver).About("redeliver", tag, "Send something again"),
	}
}

func (s *Service) listWebhooks(ctx context.Context, by *web.Actor, in inTenant) (List[webhook.Webhook], error) {
	all, err := s.Admin.Webhooks(ctx, by, in.Tenant)
	return List[webhook.Webhook]{Items: all}, err
}

type createWebhook struct {
	inTenant
	webhook.NewWebhook
}

// WebhookWithSecret is a webhook with a secret that was just made.
type WebhookWithSecret struct {
	// Webhook is the webhook.
	Webhook webhook.Webhook `json:"webhook"`
	// Secret is what messages are signed with. It can't be seen again.
	Secret string `json:"secret"`
}

func (s *Service) createWebhook(ctx context.Context, by *web.Actor, in createWebhook) (web.Created[WebhookWithSecret], error) {
	w, secret, err := s.Admin.CreateWebhook(ctx, by, in.Tenant, in.NewWebhook)
	return web.Created[WebhookWithSecret]{Path: in.path("webhooks", w.ID), View: WebhookWithSecret{w, secret}}, err
}

// ofWebhook is embedded by the questions about a webhook.
type ofWebhook struct {
	inTenant
	// Webhook is the ID of the webhook.
	Webhook string `path:"webhook"`
}

func (s *Service) getWebhook(ctx context.Context, by *web.Actor, in ofWebhook) (webhook.Webhook, error) {
	return s.Admin.Webhook(ctx, by, in.Tenant, in.Webhook)
}

type changeWebhook struct {
	ofWebhook
	webhook.Update
}

func (s *Service) changeWebhook(ctx context.Context, by *web.Actor, in changeWebhook) (webhook.Webhook, error) {
	return s.Admin.ChangeWebhook(ctx, by, in.Tenant, in.Webhook, in.Update)
}

func (s *Service) deleteWebhook(ctx context.Context, by *web.Actor, in ofWebhook) (struct{}, error) {
	return struct{}{}, s.Admin.DeleteWebhook(ctx, by, in.Tenant, in.Webhook)
}

func (s *Service) rotateWebhook(ctx context.Context, by *web.Actor, in ofWebhook) (web.Created[WebhookWithSecret], error) {
	w, secret, err := s.Admin.RotateWebhookSecret(ctx, by, in.Tenant, in.Webhook)
	return web.Created[WebhookWithSecret]{View: WebhookWithSecret{w, secret}}, err
}

func (s *Service) testWebhook(ctx context.Context, by *web.Actor, in ofWebhook) (webhook.Delivery, error) {
	return s.Admin.TestWebhook(ctx, by, in.Tenant, in.Webhook)
}

type listDeliveries struct {
	ofWebhook
	Paged
}

func (s *Service) listDeliveries(ctx context.Context, by *web.Actor, in listDeliveries) (List[webhook.Delivery], error) {
	found, err := s.Admin.Deliveries(ctx, by, in.Tenant, in.Webhook, in.page())
	return listed(found, in.Paged, func(d *webhook.Delivery) string { return d.ID }), err
}

type redeliver struct {
	ofWebhook
	// Delivery is the ID of what was sent, its webhook-id.
	Delivery string `path:"delivery"`
}

func (s *Service) redeliver(ctx context.Context, by *web.Actor, in redeliver) (webhook.Delivery, error) {
	return s.Admin.Redeliver(ctx, by, in.Tenant, in.Webhook, in.Delivery)
}

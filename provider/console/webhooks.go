package console

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/provider/webhook"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

func (s *Service) webhookRoutes() []web.Route {
	const (
		all = ui.PathWebhooks
		one = ui.PathWebhooks + "/:id"
	)
	return []web.Route{
		web.Get(all, web.Self, s.webhooks),
		web.Get(all+"/new", web.Fresh, s.askWebhook),
		web.Post(all, web.Fresh, s.createWebhook),
		web.Get(one, web.Self, s.webhook),
		web.Get(one+"/edit", web.Fresh, s.askWebhookChange),
		web.Post(one+"/edit", web.Fresh, s.saveWebhook),
		web.Post(one+"/secret", web.Fresh, s.rotateWebhook),
		web.Post(one+"/test", web.Fresh, s.testWebhook),
		web.Post(one+"/deliveries/:delivery", web.Fresh, s.redeliver),
		web.Post(one+"/disable", web.Fresh, s.disableWebhook),
		web.Post(one+"/enable", web.Fresh, s.enableWebhook),
		web.Get(one+"/delete", web.Fresh, s.askDeleteWebhook),
		web.Post(one+"/delete", web.Fresh, s.deleteWebhook),
	}
}

// eventGroups are the events by what they are about, as they can be ticked.
func eventGroups() []ui.EventGroup {
	return []ui.EventGroup{
		{Group: "everything", Patterns: []string{"*"}},
		{Group: "sign_ins", Patterns: []string{"sign_in", "sign_in.*", "sign_out", "session.*"}},
		{Group: "factors", Patterns: []string{"factor.*", "two_factor.*", "codes.*", "device.*"}},
		{Group: "recovery", Patterns: []string{"recovery.*", "password.*", "email.*"}},
		{Group: "users", Patterns: []string{"user.*", "users.*"}},
		{Group: "policy", Patterns: []string{"policy.*", "tenant.*"}},
		{Group: "applications", Patterns: []string{"client.*", "integration.*", "application.*"}},
		{Group: "tokens", Patterns: []string{"token.*"}},
		{Group: "webhooks", Patterns: []string{"webhook.*"}},
	}
}

// grouped ticks the groups whose patterns are all there, and returns the patterns that are in none of these.
func grouped(patterns []string) (groups []ui.EventGroup, other []string) {
	left := slices.Clone(patterns)
	groups = eventGroups()
	for i := range groups {
		g := &groups[i]
		g.On = !slices.ContainsFunc(g.Patterns, func(p string) bool { return !slices.Contains(patterns, p) })
		if g.On {
			left = slices.DeleteFunc(left, func(p string) bool { return slices.Contains(g.Patterns, p) })
		}
	}
	return groups, left
}

// webhooks lists the addresses that are told what happens.
func (s *Service) webhooks(ctx context.Context, by *web.Actor, in listIn) (web.Result, error) {
	all, err := s.Admin.Webhooks(ctx, by, by.Tenant.ID)
	if err != nil {
		return web.Result{}, err
	}
	owns, err := s.owns(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	page := ui.Webhooks{Webhooks: []ui.WebhookRow{}, Full: owns && len(all) >= webhook.MaxWebhooks, Notice: s.said().Read(in.Notice)}
	if owns && !page.Full {
		page.New = ui.PathWebhooks + "/new"
	}
	for i := range all {
		page.Webhooks = append(page.Webhooks, webhookRow(&all[i]))
	}
	return web.Draw(page), nil
}

func webhookRow(w *webhook.Webhook) ui.WebhookRow {
	return ui.WebhookRow{
		ID: w.ID, URL: w.URL, Description: w.Description, Disabled: w.Disabled, Reason: w.Reason, Failing: ui.Stamp(w.Failing),
		Path: at(ui.PathWebhooks, w.ID),
	}
}

func (s *Service) askWebhook(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	if err := s.Admin.MayOwn(ctx, by, by.Tenant.ID); err != nil {
		return web.Result{}, err
	}
	groups, _ := grouped([]string{"*"})
	return web.Draw(ui.WebhookForm{Groups: groups, Action: ui.PathWebhooks, Cancel: ui.PathWebhooks}), nil
}

// webhookFormIn is what is typed into the form. The ID is empty for a new one.
type webhookFormIn struct {
	ID          string   `path:"id"`
	URL         string   `form:"url"`
	Description string   `form:"description"`
	Groups      []string `form:"groups"`
	Other       string   `form:"other_events"`
}

// events are the patterns that were ticked and typed. Whoever means everything says so.
func (in webhookFormIn) events() ([]string, error) {
	var events []string
	for _, g := range eventGroups() {
		if slices.Contains(in.Groups, g.Group) {
			events = append(events, g.Patterns...)
		}
	}
	for _, pattern := range strings.Fields(in.Other) {
		if !slices.Contains(events, pattern) {
			events = append(events, pattern)
		}
	}
	if len(events) == 0 {
		return nil, web.Refuse("events", "none", "there is none", "tick or name at least one")
	}
	return events, nil
}

// form is the form again as it was filled in, with what is wrong.
func (in webhookFormIn) form(err error) (ui.WebhookForm, bool) {
	f := ui.WebhookForm{
		URL: in.URL, Description: in.Description, Groups: eventGroups(), Other: in.Other, Action: ui.PathWebhooks, Cancel: ui.PathWebhooks,
		Problems: problems(err, "url", "description", "events"),
	}
	for i := range f.Groups {
		f.Groups[i].On = slices.Contains(in.Groups, f.Groups[i].Group)
	}
	return f, f.Problems != nil
}

// createWebhook makes a webhook, and shows its secret, this once.
func (s *Service) createWebhook(ctx context.Context, by *web.Actor, in webhookFormIn) (web.Result, error) {
	events, err := in.events()
	var w webhook.Webhook
	var secret string
	if err == nil {
		w, secret, err = s.Admin.CreateWebhook(ctx, by, by.Tenant.ID, webhook.NewWebhook{URL: in.URL, Description: in.Description, Events: events})
	} else if denied := s.Admin.MayOwn(ctx, by, by.Tenant.ID); denied != nil {
		return web.Result{}, denied
	}
	if err != nil {
		form, ok := in.form(err)
		if !ok {
			return web.Result{}, err
		}
		return web.Result{Page: form, Refused: true}, nil
	}
	row := webhookRow(&w)
	return web.Draw(ui.Secret{Webhook: true, Name: row.Name(), Secret: secret, First: true, Back: row.Path}), nil
}

// deliveriesPage is how many deliveries stand on a page.
const deliveriesPage = 25

// webhook shows one webhook, and what was sent to it.
func (s *Service) webhook(ctx context.Context, by *web.Actor, in webhookIn) (web.Result, error) {
	w, err := s.Admin.Webhook(ctx, by, by.Tenant.ID, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	sent, err := s.Admin.Deliveries(ctx, by, by.Tenant.ID, in.ID, admin.Page{After: in.After, Limit: deliveriesPage + 1})
	if err != nil {
		return web.Result{}, err
	}
	owns, err := s.owns(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	row := webhookRow(&w)
	page := ui.Webhook{
		Row: row, Created: ui.Stamp(w.Created), Secrets: []ui.SecretRow{}, Deliveries: []ui.DeliveryRow{}, Back: ui.PathWebhooks,
		KeepDays: int(webhook.KeepFor / (24 * time.Hour)), Notice: s.said().Read(in.Notice),
	}
	page.Groups, page.Other = grouped(w.Events)
	page.Groups = slices.DeleteFunc(page.Groups, func(g ui.EventGroup) bool { return !g.On })
	for _, secret := range w.Secrets {
		page.Secrets = append(page.Secrets, ui.SecretRow{Created: ui.Stamp(secret.Created), Until: ui.Stamp(secret.Until)})
	}
	if len(sent) > deliveriesPage {
		sent = sent[:deliveriesPage]
		page.Next = row.Path + "?" + url.Values{"after": {sent[deliveriesPage-1].ID}}.Encode()
	}
	if in.After != "" {
		page.First = row.Path
	}
	for i := range sent {
		page.Deliveries = append(page.Deliveries, deliveryRow(&sent[i], row.Path, owns && !w.Disabled))
	}
	if owns {
		offerWebhook(&page)
	}
	return web.Draw(page), nil
}

func deliveryRow(d *webhook.Delivery, path string, again bool) ui.DeliveryRow {
	row := ui.DeliveryRow{
		ID: d.ID, Type: d.Type, Created: ui.Stamp(d.Created), State: d.State, Tries: d.Tries, Next: ui.Stamp(d.Next), Status: d.Status, Reason: d.Reason,
	}
	if again {
		row.Again = at(path+"/deliveries", d.ID)
	}
	return row
}

// offerWebhook fills in what an owner can do.
func offerWebhook(page *ui.Webhook) {
	to := page.Row.Path
	page.Edit, page.Test, page.Rotate, page.Delete = to+"/edit", to+"/test", to+"/secret", to+"/delete"
	if page.Row.Disabled {
		page.Enable = to + "/enable"
	} else {
		page.Disable = to + "/disable"
	}
}

type webhookIn struct {
	ID     string `path:"id"`
	After  string `form:"after"`
	Notice string `form:"notice"`
}

// ownWebhook reads a webhook for an owner.
func (s *Service) ownWebhook(ctx context.Context, by *web.Actor, id string) (ui.WebhookRow, webhook.Webhook, error) {
	w, err := s.Admin.Webhook(ctx, by, by.Tenant.ID, id)
	if err == nil {
		err = s.Admin.MayOwn(ctx, by, by.Tenant.ID)
	}
	row := webhookRow(&w)
	return row, w, err
}

func (s *Service) askWebhookChange(ctx context.Context, by *web.Actor, in webhookIn) (web.Result, error) {
	row, w, err := s.ownWebhook(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	groups, other := grouped(w.Events)
	return web.Draw(ui.WebhookForm{
		Webhook: row.Name(), URL: w.URL, Description: w.Description, Groups: groups, Other: strings.Join(other, " "),
		Action: row.Path + "/edit", Cancel: row.Path,
	}), nil
}

func (s *Service) saveWebhook(ctx context.Context, by *web.Actor, in webhookFormIn) (web.Result, error) {
	row, w, err := s.ownWebhook(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	events, err := in.events()
	if err == nil {
		u := webhook.Update{Description: &in.Description, Events: events}
		// An address that is set anew is given time anew, so it is set only where it is another.
		if in.URL != w.URL {
			u.URL = &in.URL
		}
		w, err = s.Admin.ChangeWebhook(ctx, by, by.Tenant.ID, in.ID, u)
	}
	if err != nil {
		form, ok := in.form(err)
		if !ok {
			return web.Result{}, err
		}
		form.Webhook, form.Action, form.Cancel = row.Name(), row.Path+"/edit", row.Path
		return web.Result{Page: form, Refused: true}, nil
	}
	row = webhookRow(&w)
	return s.done(row.Path, ui.NoticeWebhookSaved, "name", row.Name())
}

// rotateWebhook makes a new secret, and shows it, this once.
func (s *Service) rotateWebhook(ctx context.Context, by *web.Actor, in webhookIn) (web.Result, error) {
	w, secret, err := s.Admin.RotateWebhookSecret(ctx, by, by.Tenant.ID, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	row := webhookRow(&w)
	page := ui.Secret{Webhook: true, Name: row.Name(), Secret: secret, Back: row.Path}
	if len(w.Secrets) > 1 {
		page.Until = ui.Stamp(w.Secrets[1].Until)
	}
	return web.Draw(page), nil
}

// testWebhook sends a test event, and says what came of it.
func (s *Service) testWebhook(ctx context.Context, by *web.Actor, in webhookIn) (web.Result, error) {
	d, err := s.Admin.TestWebhook(ctx, by, by.Tenant.ID, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	to := at(ui.PathWebhooks, in.ID)
	switch {
	case d.State == storage.DeliveryDone:
		return s.done(to, ui.NoticeWebhookTested, "status", strconv.Itoa(d.Status))
	case d.Status != 0:
		return s.done(to, ui.NoticeWebhookRefused, "status", strconv.Itoa(d.Status))
	default:
		return s.done(to, ui.NoticeWebhookUnreached, "reason", strings.TrimRight(d.Reason, ". "))
	}
}

type redeliverIn struct {
	ID       string `path:"id"`
	Delivery string `path:"delivery"`
}

func (s *Service) redeliver(ctx context.Context, by *web.Actor, in redeliverIn) (web.Result, error) {
	if _, err := s.Admin.Redeliver(ctx, by, by.Tenant.ID, in.ID, in.Delivery); err != nil {
		return web.Result{}, err
	}
	return s.done(at(ui.PathWebhooks, in.ID), ui.NoticeRedelivered)
}

func (s *Service) disableWebhook(ctx context.Context, by *web.Actor, in webhookIn) (web.Result, error) {
	return s.setWebhookDisabled(ctx, by, in.ID, true, ui.NoticeWebhookDisabled)
}

func (s *Service) enableWebhook(ctx context.Context, by *web.Actor, in webhookIn) (web.Result, error) {
	return s.setWebhookDisabled(ctx, by, in.ID, false, ui.NoticeWebhookEnabled)
}

func (s *Service) setWebhookDisabled(ctx context.Context, by *web.Actor, id string, disabled bool, notice string) (web.Result, error) {
	w, err := s.Admin.ChangeWebhook(ctx, by, by.Tenant.ID, id, webhook.Update{Disabled: &disabled})
	if err != nil {
		return web.Result{}, err
	}
	row := webhookRow(&w)
	return s.done(row.Path, notice, "name", row.Name())
}

func (s *Service) askDeleteWebhook(ctx context.Context, by *web.Actor, in webhookIn) (web.Result, error) {
	row, _, err := s.ownWebhook(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	return web.Draw(ui.AskDeleteWebhook.Page(row.Path+"/delete", row.Path, "name", row.Name())), nil
}

func (s *Service) deleteWebhook(ctx context.Context, by *web.Actor, in webhookIn) (web.Result, error) {
	row, _, err := s.ownWebhook(ctx, by, in.ID)
	if err == nil {
		err = s.Admin.DeleteWebhook(ctx, by, by.Tenant.ID, in.ID)
	}
	if err != nil {
		return web.Result{}, err
	}
	return s.done(ui.PathWebhooks, ui.NoticeWebhookDeleted, "name", row.Name())
}

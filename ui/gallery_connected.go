package ui

// connectedSamples are the pages of applications, integrations and webhooks.
func connectedSamples() []Sample {
	all := append(applicationSamples(), applicationFormSamples()...)
	all = append(all, webhookSamples()...)
	xero := IntegrationRow{
		ID: "xero", Name: "Xero", Kind: "financial", Application: "Ledger", Connected: "2026-02-20T08:00:00Z",
		Rule: "A connected financial integration makes two-factor authentication mandatory",
	}
	crm := IntegrationRow{
		ID: "crm", Name: "The customer relations programme of the whole company with all of its branches", Kind: "customer-relations",
		Connected: "2026-02-21T08:00:00Z",
	}
	return append(
		all,
		Sample{"integrations", inside(), Integrations{Integrations: []IntegrationRow{xero, crm}}},
		Sample{"integrations-empty", inside(), Integrations{Integrations: []IntegrationRow{}, New: PathApplications + "/new"}},
		Sample{"integrations-none", inside(), Integrations{Integrations: []IntegrationRow{}}},
	)
}

const (
	sampleClient = "k7fq2m9xvd4t8wzn5p3hc6j7ab"
	sampleApp    = PathApplications + "/" + sampleClient
	sampleHook   = PathWebhooks + "/h1"
)

func sampleRow(name, kind string) ApplicationRow {
	return ApplicationRow{ID: sampleClient, Name: name, Kind: kind, Path: sampleApp}
}

func applicationSamples() []Sample {
	off := sampleRow("Old time sheets, which nobody uses any more but which nobody dares to delete either", "native")
	off.Disabled = true
	page := Applications{
		Own: []ApplicationRow{
			sampleRow("Workshop", "web"), off, sampleRow("Board", "browser"), sampleRow("Nightly reports", "machine"), sampleRow("Odd", "telex"),
		},
		Shared: []string{"Ledger", "Time & Pay"}, New: PathApplications + "/new", Next: PathApplications + "?after=x", First: PathApplications,
		Notice: Say(NoticeApplicationDeleted, "name", "Desk"),
	}
	reader := Applications{Own: page.Own[:1], Shared: page.Shared}
	app := Application{
		Row: sampleRow("Workshop", "web"), Issuer: "https://id.example.com", RedirectURIs: []string{"https://app.example/callback"},
		PostLogoutRedirectURIs: []string{"https://app.example/"}, Scopes: []string{"openid", "profile", "users:read", "reports"},
		Tags: []string{"finance", "internal"}, Strength: "mfa", Created: "2026-02-20T08:00:00Z",
		Secrets: []SecretRow{
			{Created: "2026-03-04T14:03:22Z"}, {Created: "2026-02-20T08:00:00Z", Until: "2026-03-05T14:03:22Z"},
		},
		Edit: sampleApp + "/edit", Rotate: sampleApp + "/secret", Disable: sampleApp + "/disable", Delete: sampleApp + "/delete",
		Back: PathApplications, Notice: Say(NoticeApplicationSaved, "name", "Workshop"),
	}
	machine, native, read := app, app, app
	machine.Row, machine.RedirectURIs, machine.PostLogoutRedirectURIs = sampleRow("Nightly reports", "machine"), nil, nil
	machine.Scopes, machine.Tags, machine.Strength, machine.Notice, machine.Secrets = nil, nil, "", Text{}, nil
	native.Row, native.RedirectURIs, native.Secrets, native.Rotate = off, []string{"com.example.time-sheets:/callback"}, nil, ""
	native.Scopes, native.Strength, native.Enable, native.Disable = nil, "phr", sampleApp+"/enable", ""
	native.Notice = Say(NoticeApplicationDisabled, "name", off.Name)
	read.Edit, read.Rotate, read.Disable, read.Delete, read.Notice = "", "", "", "", Text{}
	secret := Secret{
		Name: "Workshop", ID: sampleClient, Secret: "Jm4XcK2vQb8sZ0tYpL6nRf3hWd9uGa5eTi7oMy1xCqA", Until: "2026-03-05T14:03:22Z", Back: sampleApp,
	}
	made, stopped := secret, secret
	made.First, made.Until, stopped.Until = true, "", ""
	return []Sample{
		{"applications", inside(), page},
		{"applications-read", inside(), reader},
		{"applications-empty", inside(), Applications{Own: []ApplicationRow{}, New: page.New}},
		{"application", inside(), app},
		{"application-machine", inside(), machine},
		{"application-native", inside(), native},
		{"application-read", inside(), read},
		{"secret", inside(), secret},
		{"secret-first", inside(), made},
		{"secret-stopped", inside(), stopped},
		{"secret-webhook", inside(), Secret{Webhook: true, Name: "https://hooks.example/sallyport", Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", First: true, Back: sampleHook}},
		{"application-disable", inside(), AskDisableApplication.Page(sampleApp+"/disable", sampleApp, "name", "Workshop")},
		{"application-delete", inside(), AskDeleteApplication.Page(sampleApp+"/delete", sampleApp, "name", "Workshop")},
	}
}

func applicationFormSamples() []Sample {
	scopes := []string{
		"tenant:read", "tenant:write", "users:read", "users:write", "recovery-codes:write", "policy:read", "policy:write", "clients:read",
		"clients:write", "integrations:read", "integrations:write", "audit:read", "webhooks:read", "webhooks:write",
	}
	fresh := ApplicationForm{
		Kind: "web", About: []ScopeChoice{{"profile", true}, {"email", true}}, Action: PathApplications, Cancel: PathApplications,
	}
	for _, s := range scopes {
		fresh.Scopes = append(fresh.Scopes, ScopeChoice{s, false})
	}
	machine, change, wrong := fresh, fresh, fresh
	machine.Kind, machine.About = "machine", nil
	change.Application, change.Name, change.Kind, change.Strength, change.Tags = "Time sheets", "Time sheets", "native", "phr", "finance, internal"
	change.RedirectURIs, change.PostLogoutRedirectURIs = "https://app.example/callback\ncom.example.app:/callback", "https://app.example/"
	change.Scopes, change.Other, change.Action, change.Cancel = []ScopeChoice{{"users:read", true}}, "reports", sampleApp+"/edit", sampleApp
	wrong.RedirectURIs, wrong.Tags, wrong.PostLogoutRedirectURIs = "http://app.example/", "Finance!", "ftp://app.example/"
	wrong.Problems = map[string]Text{
		"name": Invalid("name", ""), "redirect_uris": Invalid("redirect_uris", ""), "post_logout_redirect_uris": Invalid("post_logout_redirect_uris", ""),
		"scopes": Invalid("scopes", "operator"), "tags": Invalid("tags", ""), "": Invalid("other", ""),
	}
	choose := NewApplication{Back: PathApplications}
	for _, kind := range []string{"web", "native", "browser", "machine"} {
		choose.Kinds = append(choose.Kinds, ApplicationKind{kind, PathApplications + "/new/" + kind})
	}
	return []Sample{
		{"new-application", inside(), choose},
		{"application-form", inside(), fresh},
		{"application-form-machine", inside(), machine},
		{"application-form-change", inside(), change},
		{"application-form-wrong", inside(), wrong},
	}
}

func webhookSamples() []Sample {
	row := WebhookRow{ID: "h1", URL: "https://hooks.example/sallyport", Description: "Security team", Path: sampleHook}
	failing, gone, off := row, row, row
	failing.Failing, failing.Description = "2026-03-03T14:03:22Z", ""
	failing.URL = "https://hooks.a-rather-long-name-of-a-host.example/with/a/path/that/goes/on/and/on?token=0123456789012345678901234567890123456789"
	gone.Disabled, gone.Reason = true, "gone"
	off.Disabled, off.Reason = true, "failing"
	groups := []EventGroup{
		{"everything", []string{"*"}, false},
		{"sign_ins", []string{"sign_in", "sign_in.*", "sign_out"}, true},
		{"factors", []string{"factor.*", "codes.*", "two_factor.*", "device.*"}, true},
		{"recovery", []string{"recovery.*", "password.*"}, false},
		{"users", []string{"user.*"}, false},
		{"policy", []string{"policy.*"}, false},
		{"applications", []string{"client.*"}, false},
		{"tokens", []string{"token.*"}, false},
		{"webhooks", []string{"webhook.*"}, false},
	}
	page := Webhook{
		Row: row, Groups: groups[1:3], Other: []string{"user.create"}, Created: "2026-02-20T08:00:00Z", KeepDays: 30,
		Secrets: []SecretRow{{Created: "2026-03-04T14:03:22Z"}, {Created: "2026-02-20T08:00:00Z", Until: "2026-03-05T14:03:22Z"}},
		Deliveries: []DeliveryRow{
			{ID: "m3", Type: "sign_in.password", Created: "2026-03-04T14:03:22Z", State: "waiting", Tries: 2, Next: "2026-03-04T14:33:22Z", Status: 503, Again: sampleHook + "/deliveries/m3"},
			{ID: "m2", Type: "user.create", Created: "2026-03-04T13:03:22Z", State: "failed", Tries: 8, Reason: "dial tcp: connection refused", Again: sampleHook + "/deliveries/m2"},
			{ID: "m1", Type: "webhook.test", Created: "2026-03-04T12:03:22Z", State: "delivered", Tries: 1, Status: 204, Again: sampleHook + "/deliveries/m1"},
		},
		Next: sampleHook + "?after=m1", First: sampleHook,
		Edit: sampleHook + "/edit", Test: sampleHook + "/test", Rotate: sampleHook + "/secret", Disable: sampleHook + "/disable",
		Delete: sampleHook + "/delete", Back: PathWebhooks, Notice: Say(NoticeWebhookTested, "status", "204"),
	}
	read, down, quiet, ended := page, page, page, page
	read.Edit, read.Test, read.Rotate, read.Disable, read.Delete, read.Notice = "", "", "", "", "", Text{}
	read.Deliveries = []DeliveryRow{{ID: "m1", Type: "webhook.test", Created: "2026-03-04T12:03:22Z", State: "delivered", Tries: 1, Status: 204}}
	down.Row, down.Notice = failing, Say(NoticeWebhookRefused, "status", "503")
	quiet.Row, quiet.Deliveries, quiet.Next, quiet.First = gone, nil, "", ""
	quiet.Enable, quiet.Disable, quiet.Notice = sampleHook+"/enable", "", Say(NoticeWebhookUnreached, "reason", "connection refused")
	ended.Row, ended.Enable, ended.Disable, ended.Notice = off, sampleHook+"/enable", "", Say(NoticeRedelivered)
	form := WebhookForm{Groups: groups, Action: PathWebhooks, Cancel: PathWebhooks}
	change, wrong := form, form
	change.Webhook, change.URL, change.Description, change.Other, change.Action, change.Cancel = row.Name(), row.URL, row.Description, "user.create", sampleHook+"/edit", sampleHook
	wrong.URL, wrong.Description = "http://localhost/", "x\x01"
	wrong.Problems = map[string]Text{
		"url": Invalid("url", ""), "description": Invalid("description", ""), "events": Invalid("events", "none"), "": Invalid("webhook", ""),
	}
	return []Sample{
		{"webhooks", inside(), Webhooks{Webhooks: []WebhookRow{row, failing, gone}, New: PathWebhooks + "/new", Notice: Say(NoticeWebhookDeleted, "name", "Desk")}},
		{"webhooks-full", inside(), Webhooks{Webhooks: []WebhookRow{off}, Full: true}},
		{"webhooks-read", inside(), Webhooks{Webhooks: []WebhookRow{row}}},
		{"webhooks-empty", inside(), Webhooks{New: PathWebhooks + "/new"}},
		{"webhook", inside(), page},
		{"webhook-read", inside(), read},
		{"webhook-failing", inside(), down},
		{"webhook-gone", inside(), quiet},
		{"webhook-gave-up", inside(), ended},
		{"webhook-form", inside(), form},
		{"webhook-form-change", inside(), change},
		{"webhook-form-wrong", inside(), wrong},
		{"webhook-delete", inside(), AskDeleteWebhook.Page(sampleHook+"/delete", sampleHook, "name", row.Name())},
	}
}

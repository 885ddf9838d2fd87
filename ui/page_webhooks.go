package ui

// Webhooks lists the addresses that are told what happens in a tenant's audit log.
type Webhooks struct {
	Webhooks []WebhookRow `json:"webhooks"`
	// New leads to where one is made; empty: that is for others to do, or there are as many as there can be (Full).
	New    string `json:"new,omitempty"`
	Full   bool   `json:"full,omitempty"`
	Notice Text   `json:"notice,omitzero"`
}

// WebhookRow is one webhook in a list.
type WebhookRow struct {
	ID          string `json:"id"`
	URL         string `json:"url"`
	Description string `json:"description,omitempty"`
	Disabled    bool   `json:"disabled,omitempty"`
	// Reason is "gone" or "failing" where it was disabled by itself.
	Reason string `json:"reason,omitempty"`
	// Failing is since when nothing was taken, RFC 3339; empty: it is well.
	Failing string `json:"failing_since,omitempty"`
	// Path leads to the page of this webhook.
	Path string `json:"path"`
}

// Name is what a webhook is called.
func (r WebhookRow) Name() string {
	if r.Description != "" {
		return r.Description
	}
	return r.URL
}

// WebhookForm asks for all that can be said of a webhook, to make it or to change it.
type WebhookForm struct {
	// Webhook is the name of the one that is changed; empty: it is a new one.
	Webhook     string `json:"webhook,omitempty"`
	URL         string `json:"url"`
	Description string `json:"description"`
	// Groups are those of events; Other are the patterns that stand in no group.
	Groups []EventGroup `json:"groups"`
	Other  string       `json:"other_events"`
	Action string       `json:"action"`
	Cancel string       `json:"cancel"`
	// Problems are by field; one that no field has stands under the empty name.
	Problems map[string]Text `json:"problems,omitempty"`
}

// EventGroup is a group of events that can be ticked.
type EventGroup struct {
	Group string `json:"group"`
	// Patterns are the actions in it, as webhooks name them.
	Patterns []string `json:"patterns"`
	On       bool     `json:"on,omitempty"`
}

// Webhook is one webhook, and what was sent to it.
type Webhook struct {
	Row WebhookRow `json:"row"`
	// Groups are those of the events that it is told of, Other are patterns that stand in no group.
	Groups []EventGroup `json:"groups"`
	Other  []string     `json:"other_events"`
	// Created is RFC 3339.
	Created string      `json:"created"`
	Secrets []SecretRow `json:"secrets"`
	// Deliveries are the newest first; Next leads to older ones, First to the newest.
	Deliveries []DeliveryRow `json:"deliveries"`
	Next       string        `json:"next,omitempty"`
	First      string        `json:"first,omitempty"`
	// KeepDays is for how many days deliveries can be seen.
	KeepDays int `json:"keep_days"`
	// What can be done; empty where it can't: Edit leads to the form, Delete asks first, the others are POSTs.
	Edit    string `json:"edit,omitempty"`
	Test    string `json:"test,omitempty"`
	Rotate  string `json:"rotate,omitempty"`
	Disable string `json:"disable,omitempty"`
	Enable  string `json:"enable,omitempty"`
	Delete  string `json:"delete,omitempty"`
	// Back leads to the list.
	Back   string `json:"back"`
	Notice Text   `json:"notice,omitzero"`
}

// DeliveryRow is what was or will be sent. Times are RFC 3339.
type DeliveryRow struct {
	// ID is the webhook-id that the receiver got.
	ID      string `json:"id"`
	Type    string `json:"type"`
	Created string `json:"created"`
	// State is "waiting", "delivered" or "failed".
	State string `json:"state"`
	Tries int    `json:"tries"`
	// Next is when it is tried next; empty: not any more.
	Next string `json:"next,omitempty"`
	// Status is the HTTP status that was answered, 0 where none was; Reason says in English why it was not taken.
	Status int    `json:"status,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Again puts it into the queue once more, by POST.
	Again string `json:"again,omitempty"`
}

// Template names the page's template.
func (Webhooks) Template() string    { return "webhooks" }
func (WebhookForm) Template() string { return "webhook_form" }
func (Webhook) Template() string     { return "webhook" }

func (Webhooks) part() string    { return "webhooks" }
func (WebhookForm) part() string { return "webhooks" }
func (Webhook) part() string     { return "webhooks" }

func (p WebhookForm) problem() Text { return oneOf(p.Problems) }

// groups are the words for groups of events.
var groups = map[string]string{
	"everything": "events.everything", "sign_ins": "events.sign_ins", "factors": "events.factors", "recovery": "events.recovery",
	"users": "events.users", "policy": "events.policy", "applications": "events.applications", "tokens": "events.tokens",
	"webhooks": "events.webhooks",
}

// Name is what the group is called.
func (g EventGroup) Name() Text {
	if key, ok := groups[g.Group]; ok {
		return Say(key)
	}
	return Text{}
}

// StateName is the word for the state.
func (d DeliveryRow) StateName() Text {
	switch d.State {
	case "delivered":
		return Say("delivery.delivered")
	case "failed":
		return Say("delivery.failed")
	default:
		return Say("delivery.waiting")
	}
}

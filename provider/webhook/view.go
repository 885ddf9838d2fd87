package webhook

import (
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

func invalid(where, what, do string) error { return web.Refuse(where, "", what, do) }

// Webhook is what administrators see of one.
type Webhook struct {
	// ID is the webhook's.
	ID string `json:"id"`
	// Tenant is whose audit log it is told of.
	Tenant string `json:"tenant"`
	// URL is the address that is told.
	URL string `json:"url"`
	// Description is what it is for.
	Description string `json:"description,omitempty"`
	// Events are the actions that it is told of: "user.create", "user.*", or "*", which is all.
	Events []string `json:"events"`
	// Disabled: nothing is sent.
	Disabled bool `json:"disabled"`
	// Reason is "gone" or "failing" where it was disabled by itself.
	Reason string `json:"reason,omitempty"`
	// Failing is since when nothing was taken; it is left out where all is well.
	Failing time.Time `json:"failing_since,omitzero"`
	// Secrets are what messages are signed with, the newest first.
	Secrets []Secret `json:"secrets"`
	// Created is when it was made.
	Created time.Time `json:"created"`
}

// Secret tells of a secret without telling it.
type Secret struct {
	// Created is when it was made.
	Created time.Time `json:"created"`
	// Until is when it stops signing; it is left out where that is not before another takes its place.
	Until time.Time `json:"until,omitzero"`
}

// Delivery is what administrators see of one.
type Delivery struct {
	// ID is the webhook-id that the receiver got.
	ID string `json:"id"`
	// Webhook is the ID of the webhook.
	Webhook string `json:"webhook"`
	// Event is the ID of the entry in the audit log; a test has none.
	Event string `json:"event,omitempty"`
	// Type is the action, such as "user.create".
	Type string `json:"type"`
	// Created is when it happened.
	Created time.Time `json:"created"`
	// State is "waiting", "delivered" or "failed".
	State string `json:"state"`
	// Tries is how often it was tried.
	Tries int `json:"tries"`
	// Tried is when it was last.
	Tried time.Time `json:"tried,omitzero"`
	// Next is when it is tried next, while it waits.
	Next time.Time `json:"next,omitzero"`
	// Status is the HTTP status of the last answer, if there was one.
	Status int `json:"status,omitempty"`
	// Reason is why it was not taken.
	Reason string `json:"reason,omitempty"`
}

func (s *Service) view(w *storage.Webhook) Webhook {
	v := Webhook{
		ID: w.ID, Tenant: w.Tenant, URL: w.URL, Description: w.Description, Events: w.Events, Disabled: w.Disabled,
		Reason: w.Reason, Failing: w.Failing, Created: w.Created,
	}
	for _, one := range live(w.Secrets, s.now()) {
		v.Secrets = append(v.Secrets, Secret{Created: one.Created, Until: one.Until})
	}
	return v
}

func viewDelivery(d *storage.Delivery) Delivery {
	return Delivery{
		ID: d.ID, Webhook: d.Webhook, Event: d.Event, Type: d.Type, Created: d.Created, State: d.State, Tries: d.Tries,
		Tried: d.Tried, Next: d.Next, Status: d.Status, Reason: d.Reason,
	}
}

package webhook

import (
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

func invalid(where, what, do string) error { return web.Refuse(where, "", what, do) }

// Webhook is what administrators see of one.
type Webhook struct {
	ID          string   `json:"id"`
	Tenant      string   `json:"tenant"`
	URL         string   `json:"url"`
	Description string   `json:"description,omitempty"`
	Events      []string `json:"events"`
	Disabled    bool     `json:"disabled"`
	// Reason is "gone" or "failing" where it was disabled by itself.
	Reason  string    `json:"reason,omitempty"`
	Failing time.Time `json:"failing_since,omitzero"`
	Secrets []Secret  `json:"secrets"`
	Created time.Time `json:"created"`
}

// Secret tells of a secret without telling it.
type Secret struct {
	Created time.Time `json:"created"`
	Until   time.Time `json:"until,omitzero"`
}

// Delivery is what administrators see of one.
type Delivery struct {
	// ID is the webhook-id that the receiver got.
	ID      string    `json:"id"`
	Webhook string    `json:"webhook"`
	Event   string    `json:"event,omitempty"`
	Type    string    `json:"type"`
	Created time.Time `json:"created"`
	// State is "waiting", "delivered" or "failed".
	State  string    `json:"state"`
	Tries  int       `json:"tries"`
	Tried  time.Time `json:"tried,omitzero"`
	Next   time.Time `json:"next,omitzero"`
	Status int       `json:"status,omitempty"`
	Reason string    `json:"reason,omitempty"`
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

package storage

import "time"

// Webhook is an address of a tenant's that is told of the events in its audit log.
type Webhook struct {
	Key         `bson:",inline"`
	URL         string `json:"url"`
	Description string `json:"description,omitempty"`
	// Events are the actions it is told of, as "user.create", "user.*" or "*".
	Events []string `json:"events"`
	// Secrets sign what is sent, the newest first; two while one takes the other's place.
	Secrets  []WebhookSecret `json:"secrets"`
	Disabled bool            `json:"disabled,omitempty"`
	// Reason is why it was disabled, where nobody did that by hand: a Webhook… constant.
	Reason string `json:"reason,omitempty"`
	// Failing is since when nothing was delivered and something failed; zero where the last delivery went well.
	Failing time.Time `json:"failing,omitzero"`
	Created time.Time `json:"created"`
}

// The reasons for which a webhook is disabled by itself.
const (
	// WebhookGone: the receiver answered that there is no such address any more (410).
	WebhookGone = "gone"
	// WebhookFailing: nothing could be delivered for days.
	WebhookFailing = "failing"
)

// WebhookSecret is the key of a webhook's signatures.
type WebhookSecret struct {
	// Sealed is the key under the tenant's key.
	Sealed  []byte    `json:"sealed"`
	Created time.Time `json:"created"`
	// Until is when it stops signing; zero means that it goes on.
	Until time.Time `json:"until,omitzero"`
}

// Kind says how webhooks are kept.
func (Webhook) Kind() Kind { return Kind{Name: "webhooks"} }

// Delivery is one event on its way to one webhook, and later what became of it. Its ID, which is the webhook-id that the
// receiver sees, begins with the time, so that they are listed in its order.
type Delivery struct {
	Key     `bson:",inline"`
	Webhook string `json:"webhook"`
	// Event is the event's ID in the tenant's audit log, empty for a test; Type is its action.
	Event string `json:"event,omitempty"`
	Type  string `json:"type"`
	// Payload is what is sent: the event as JSON.
	Payload string    `json:"payload"`
	Created time.Time `json:"created"`
	// State is a Delivery… constant.
	State string `json:"state"`
	// Tries counts how often it was tried since it was put into the queue, Tried is when it was last, and Next is when
	// it is again; the DueDelivery of that time is the one that counts.
	Tries int       `json:"tries,omitempty"`
	Tried time.Time `json:"tried,omitzero"`
	Next  time.Time `json:"next,omitzero"`
	// Status is the HTTP status of the last answer, 0 where there was none; Reason is why the last try failed.
	Status int    `json:"status,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// The states of a delivery.
const (
	// DeliveryWaiting: it will be tried, for the first time or again.
	DeliveryWaiting = "waiting"
	// DeliveryDone: the receiver took it.
	DeliveryDone = "delivered"
	// DeliveryFailed: it was given up.
	DeliveryFailed = "failed"
)

// Kind says how deliveries are kept.
func (Delivery) Kind() Kind {
	return Kind{Name: "deliveries", Indexes: []string{"webhook"}, Expiring: true}
}

// DueDelivery is the place of a waiting delivery in the one queue of all tenants. It is kept under Global, and its ID
// begins with the time it is for, so that what is due is read without what is not.
type DueDelivery struct {
	Key      `bson:",inline"`
	At       time.Time `json:"at"`
	Owner    string    `json:"owner"`
	Webhook  string    `json:"webhook"`
	Delivery string    `json:"delivery"`
}

// Kind says how places in the queue are kept.
func (DueDelivery) Kind() Kind { return Kind{Name: "due_deliveries", Expiring: true} }

package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// message is the payload, in the structure that the specification recommends.
type message struct {
	Type string `json:"type"`
	// Timestamp is when it happened, not when it is sent.
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

// data are the fields of an audit event.
type data struct {
	// ID is the event's place in the tenant's audit log.
	ID      string `json:"id,omitempty"`
	Tenant  string `json:"tenant"`
	Outcome string `json:"outcome"`
	Actor   string `json:"actor,omitempty"`
	User    string `json:"user,omitempty"`
	Client  string `json:"client,omitempty"`
	Factor  string `json:"factor,omitempty"`
	Rule    string `json:"rule,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Address string `json:"address,omitempty"`
	Agent   string `json:"agent,omitempty"`
	Request string `json:"request,omitempty"`
}

func payload(e *storage.Event) (string, error) {
	b, err := json.Marshal(message{Type: e.Action, Timestamp: e.Time.UTC(), Data: data{
		ID: e.ID, Tenant: e.Tenant, Outcome: e.Outcome, Actor: e.Actor, User: e.User, Client: e.Client, Factor: e.Factor,
		Rule: e.Rule, Reason: e.Reason, Address: e.Address, Agent: e.Agent, Request: e.Request,
	}})
	return string(b), err
}

// wants tells whether one of the patterns is the action, "*", or its beginning followed by ".*".
func wants(patterns []string, action string) bool {
	for _, p := range patterns {
		if p == "*" || p == action {
			return true
		}
		if group, ok := strings.CutSuffix(p, "*"); ok && strings.HasSuffix(group, ".") && strings.HasPrefix(action, group) {
			return true
		}
	}
	return false
}

const (
	// enqueueTime bounds how long whoever caused an event waits for it to be in the queue.
	enqueueTime = 3 * time.Second
	// KeepFor is how long a delivery can be seen.
	KeepFor = 30 * 24 * time.Hour
)

// Event implements audit.Sink: when it returns, the deliveries to the tenant's webhooks that want the event are durable.
// It waits for no receiver. Where there is no webhook, it costs a look into memory.
func (s *Service) Event(ctx context.Context, e storage.Event) {
	if e.Tenant == "" || e.Tenant == storage.Global {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enqueueTime)
	defer cancel()
	all, err := s.webhooks(ctx, e.Tenant)
	if err != nil {
		s.Logger.ErrorContext(ctx, "no webhook is told of an event", "tenant", e.Tenant, "event", e.ID, "error", err)
		return
	}
	for i := range all {
		w := &all[i]
		if w.Disabled || !wants(w.Events, e.Action) {
			continue
		}
		if err := s.enqueue(ctx, w, &e); err != nil {
			s.Logger.ErrorContext(ctx, "a webhook is not told of an event", "tenant", e.Tenant, "webhook", w.ID, "event", e.ID, "error", err)
		}
	}
}

// newDelivery is an event for a webhook that was not tried yet.
func (s *Service) newDelivery(w *storage.Webhook, e *storage.Event) (storage.Delivery, error) {
	now := s.now()
	text, err := payload(e)
	return storage.Delivery{
		// The time comes first, in hexadecimal of one length. There is no full stop in it, which the signature could be
		// fooled by.
		Key:     storage.Key{Tenant: w.Tenant, ID: fmt.Sprintf("msg_%016x%s", s.Now().UnixNano(), storage.NewID()), Expires: now.Add(KeepFor)},
		Webhook: w.ID, Event: e.ID, Type: e.Action, Payload: text, Created: now, State: storage.DeliveryWaiting, Next: now,
	}, err
}

// enqueue makes a delivery. Its place in the queue comes first: of a place without delivery nothing is left after a
// while, and a delivery without place would wait for ever.
func (s *Service) enqueue(ctx context.Context, w *storage.Webhook, e *storage.Event) error {
	d, err := s.newDelivery(w, e)
	if err != nil {
		return err
	}
	if err := s.place(ctx, &d); err != nil {
		return err
	}
	if err := s.Store.Deliveries.Insert(ctx, &d); err != nil {
		return err
	}
	s.rouse()
	return nil
}

func (s *Service) rouse() {
	select {
	case s.wake <- struct{}{}:
	default: // It is awake already.
	}
}

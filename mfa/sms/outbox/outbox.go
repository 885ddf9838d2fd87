package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/sallyport-id/sallyport/mfa/sms"
	"github.com/sallyport-id/sallyport/storage"
)

// KeepFor is how long a message is kept.
const KeepFor = 24 * time.Hour

// Outbox is a sender that keeps messages, for demonstrations and tests. They are kept where those of mail.Outbox are,
// and in the same order, so that its List has both: under storage.Global, because an outbox is read by whoever runs the
// deployment, not by its tenants.
type Outbox struct {
	// Messages is where they are kept.
	Messages storage.Table[storage.Message]
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

var _ sms.Sender = (*Outbox)(nil)

// Send keeps the message. sms.ErrMessage.
func (o *Outbox) Send(ctx context.Context, m sms.Message) error {
	if err := m.Check(); err != nil {
		return err
	}
	now := time.Now()
	if o.Now != nil {
		now = o.Now()
	}
	err := o.Messages.Insert(ctx, &storage.Message{
		// The time comes first in the ID, so that messages are listed in its order.
		Key:     storage.Key{Tenant: storage.Global, ID: fmt.Sprintf("%020d-%s", now.UnixNano(), m.ID), Expires: now.Add(KeepFor)},
		Channel: "sms", To: m.To, Text: m.Text, Created: now,
	})
	if err != nil {
		return fmt.Errorf("sms: outbox: %w", err)
	}
	return nil
}

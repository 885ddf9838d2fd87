package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/sallyport-id/sallyport/mfa/sms"
	"github.com/sallyport-id/sallyport/storage"
)

// Outbox is a sender that keeps messages for storage.ShownFor, to be looked at in demonstrations and tests. They are where
// those of mail.Outbox are, and in the same order, so that its List has both: under storage.Global, because an outbox is
// read by whoever runs the deployment, not by its tenants.
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
	err := o.Messages.Insert(ctx, storage.Message{Channel: "sms", To: m.To, Text: m.Text}.Shown(m.ID, now))
	if err != nil {
		return fmt.Errorf("sms: outbox: %w", err)
	}
	return nil
}

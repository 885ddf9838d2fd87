package mail

import (
	"context"
	"fmt"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// Outbox is a Sender that keeps messages for storage.ShownFor, to be looked at in demonstrations and tests. They are kept
// under storage.Global: an outbox is read by whoever runs the deployment, not by its tenants.
type Outbox struct {
	// Messages is where they are kept.
	Messages storage.Table[storage.Message]
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

var _ Keeper = (*Outbox)(nil)

// Keeps implements Keeper.
func (*Outbox) Keeps() bool { return true }

// Send keeps the message. ErrMessage.
func (o *Outbox) Send(ctx context.Context, m Message) error {
	if err := m.Check(); err != nil {
		return err
	}
	now := time.Now()
	if o.Now != nil {
		now = o.Now()
	}
	kept := storage.Message{Channel: "mail", To: m.To, Subject: m.Subject, Text: m.Text, HTML: m.HTML}
	err := o.Messages.Insert(ctx, kept.Shown(storage.NewID(), now))
	if err != nil {
		return fmt.Errorf("mail: outbox: %w", err)
	}
	return nil
}

// List returns the newest messages of all channels, newest first, at most limit (0 means 100, and 1,000 at most).
func (o *Outbox) List(ctx context.Context, limit int) ([]storage.Message, error) {
	kept, err := o.Messages.List(ctx, storage.Query{Tenant: storage.Global, Desc: true, Limit: limit})
	if err != nil {
		return nil, fmt.Errorf("mail: outbox: %w", err)
	}
	return kept, nil
}

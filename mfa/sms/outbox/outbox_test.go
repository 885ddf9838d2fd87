package outbox_test

import (
	"errors"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/mfa/sms"
	"github.com/sallyport-id/sallyport/mfa/sms/outbox"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

// TestListedWithMail: one page shows what went out on all ways, newest first, for a day.
func TestListedWithMail(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	store := sqlitetest.Open(t, sqlite.Options{Now: clock})
	texts, mails := &outbox.Outbox{Messages: store.Messages, Now: clock}, &mail.Outbox{Messages: store.Messages, Now: clock}
	send := func(id string) {
		t.Helper()
		if err := texts.Send(t.Context(), sms.Message{ID: id, Tenant: "acme", User: "ada", To: "+4915123456789", Text: "Code\n\n@x #1"}); err != nil {
			t.Fatal(err)
		}
	}
	send("one")
	now = now.Add(time.Second)
	if err := mails.Send(t.Context(), mail.Message{Tenant: "acme", To: "ada@example.com", Subject: "Hello", Text: "text"}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	send("two")
	got, err := mails.List(t.Context(), 0)
	if err != nil || len(got) != 3 || got[0].Channel != "sms" || got[1].Channel != "mail" || got[2].Channel != "sms" {
		t.Fatalf("%+v, %v", got, err)
	}
	if m := got[0]; m.To != "+4915123456789" || m.Text != "Code\n\n@x #1" || m.Subject != "" || !m.Created.Equal(now) || m.Tenant != storage.Global {
		t.Errorf("%+v", m)
	}
	now = now.Add(storage.ShownFor - time.Second)
	if got, err := mails.List(t.Context(), 0); err != nil || len(got) != 1 {
		t.Errorf("a day later there are %d, %v", len(got), err)
	}
}

func TestNoMessage(t *testing.T) {
	o := &outbox.Outbox{Messages: sqlitetest.Open(t, sqlite.Options{}).Messages}
	good := sms.Message{ID: "one", To: "+4915123456789", Text: "Text"}
	for name, change := range map[string]func(*sms.Message){
		"no ID":     func(m *sms.Message) { m.ID = "" },
		"no number": func(m *sms.Message) { m.To = "015123456789" },
		"no text":   func(m *sms.Message) { m.Text = "" },
	} {
		m := good
		change(&m)
		if err := o.Send(t.Context(), m); !errors.Is(err, sms.ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := o.Send(t.Context(), good); err != nil {
		t.Error(err)
	}
}

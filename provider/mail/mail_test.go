package mail_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

func TestOutboxListsNewestFirstForADay(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	o := &mail.Outbox{Messages: sqlitetest.Open(t, sqlite.Options{Now: clock}).Messages, Now: clock}
	for i := range 3 {
		m := mail.Message{Tenant: "acme", To: "ada@example.com", Subject: fmt.Sprintf("Message %d", i), Text: "Hello,\n\n\tyours", HTML: "<p>Hello</p>"}
		if err := o.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		now = now.Add(8 * time.Hour)
	}
	// The first was sent 24 hours ago.
	got, err := o.List(t.Context(), 0)
	if err != nil || len(got) != 2 || got[0].Subject != "Message 2" || got[1].Subject != "Message 1" {
		t.Fatalf("%+v, %v", got, err)
	}
	if got[0].To != "ada@example.com" || got[0].Channel != "mail" || got[0].Text != "Hello,\n\n\tyours" || got[0].HTML != "<p>Hello</p>" {
		t.Errorf("%+v", got[0])
	}
	if got, err := o.List(t.Context(), 1); err != nil || len(got) != 1 || got[0].Subject != "Message 2" {
		t.Errorf("one only: %+v, %v", got, err)
	}
}

func TestMessageThatCouldAddHeadersIsRefused(t *testing.T) {
	o := &mail.Outbox{Messages: sqlitetest.Open(t, sqlite.Options{}).Messages}
	good := mail.Message{To: "ada@example.com", Subject: "Reset – Zurücksetzen", Text: "text"}
	for name, change := range map[string]func(m *mail.Message){
		"line feed in subject":       func(m *mail.Message) { m.Subject = "a\nBcc: eve@example.com" },
		"carriage return in subject": func(m *mail.Message) { m.Subject = "a\rBcc: eve@example.com" },
		"line separator in subject":  func(m *mail.Message) { m.Subject = "a\u2028b" },
		"turned subject":             func(m *mail.Message) { m.Subject = "a\u202eb" },
		"zero byte in subject":       func(m *mail.Message) { m.Subject = "a\x00b" },
		"no UTF-8 in subject":        func(m *mail.Message) { m.Subject = "a\xff" },
		"no subject":                 func(m *mail.Message) { m.Subject = "" },
		"long subject":               func(m *mail.Message) { m.Subject = strings.Repeat("a", 201) },
		"header after recipient":     func(m *mail.Message) { m.To = "ada@example.com\r\nBcc: eve@example.com" },
		"folded recipient":           func(m *mail.Message) { m.To = "ada@example.com\r\n " },
		"two recipients":             func(m *mail.Message) { m.To = "ada@example.com, eve@example.com" },
		"name and recipient":         func(m *mail.Message) { m.To = "Ada <ada@example.com>" },
		"angle brackets":             func(m *mail.Message) { m.To = "<ada@example.com>" },
		"comment":                    func(m *mail.Message) { m.To = "ada@example.com (Ada)" },
		"no recipient":               func(m *mail.Message) { m.To = "" },
		"long recipient":             func(m *mail.Message) { m.To = "a@" + strings.Repeat("a.", 130) + "example" },
		"bare carriage return":       func(m *mail.Message) { m.Text = "a\rb" },
		"no text":                    func(m *mail.Message) { m.Text = "" },
		"long text":                  func(m *mail.Message) { m.Text = strings.Repeat("a", 64<<10+1) },
		"bare carriage return, HTML": func(m *mail.Message) { m.HTML = "a\rb" },
		"zero byte in HTML":          func(m *mail.Message) { m.HTML = "a\x00b" },
		"long HTML":                  func(m *mail.Message) { m.HTML = strings.Repeat("a", 64<<10+1) },
		"header in the ID":           func(m *mail.Message) { m.ID = "a>\r\nBcc: <eve@example.com" },
		"dot in the ID":              func(m *mail.Message) { m.ID = "a.b" },
	} {
		m := good
		change(&m)
		if err := o.Send(t.Context(), m); !errors.Is(err, mail.ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := o.Send(t.Context(), good); err != nil {
		t.Errorf("%v", err)
	}
	if got, err := o.List(t.Context(), 0); err != nil || len(got) != 1 {
		t.Errorf("kept %d messages, %v", len(got), err)
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{"ada@example.com", "a\r\nb@c", "\"a b\"@c", "a@[127.0.0.1]", "ü@ü", "<a@b>"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, to, subject string) {
		m := mail.Message{To: to, Subject: subject, Text: "x"}
		if m.Check() == nil && strings.ContainsAny(to+subject, "\r\n\x00") {
			t.Errorf("accepted %q, %q", to, subject)
		}
	})
}

package mail_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// trusting is a sender of somebody else's that sends whatever it is given.
type trusting struct{ sent []mail.Message }

func (s *trusting) Send(_ context.Context, m mail.Message) error {
	s.sent = append(s.sent, m)
	return nil
}

// A sender that checks nothing is never given what could add headers.
func TestNoticeIsCheckedBeforeItIsSent(t *testing.T) {
	renderer, err := ui.New(ui.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		product, to string
		sent        int
	}{
		"good":                        {"Sallyport", "ada@example.com", 1},
		"line break in the product":   {"Sallyport\r\nBcc: eve@example.com", "ada@example.com", 0},
		"line break in the recipient": {"Sallyport", "ada@example.com\r\nBcc: eve@example.com", 0},
		"two recipients":              {"Sallyport", "ada@example.com, eve@example.com", 0},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			s := &trusting{}
			n := &mail.Notifier{
				Sender: s, UI: renderer, Product: c.product, NotMe: func(*storage.User) (string, error) { return "", nil }, Logger: slog.New(slog.NewTextHandler(&log, nil)), Now: time.Now,
			}
			n.Tell(t.Context(), mail.Notice{Kind: ui.MailCodesNew, User: &storage.User{
				Key: storage.Key{Tenant: "acme", ID: "ada"}, Email: c.to, EmailVerified: true,
			}})
			if len(s.sent) != c.sent {
				t.Fatalf("sent %d: %+v", len(s.sent), s.sent)
			}
			if told := strings.Contains(log.String(), "notice not sent"); told == (c.sent == 1) {
				t.Errorf("sent %d, logged %q", c.sent, log.String())
			}
		})
	}
}

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

// writer is a Notifier whose mails are kept.
func writer(t *testing.T) (*mail.Notifier, *trusting) {
	t.Helper()
	renderer, err := ui.New(ui.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &trusting{}
	return &mail.Notifier{
		Sender: s, UI: renderer, Product: "Sallyport", Logger: slog.New(slog.DiscardHandler),
		Now:   func() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) },
		NotMe: func(*storage.User) (string, error) { return "https://login.example/not-me/sealed", nil },
	}, s
}

// A mail speaks in the tenant's name and language, unless the user chose another, and says when and where from it was done.
func TestNoticeInTheTenantsName(t *testing.T) {
	n, s := writer(t)
	tenant := &storage.Tenant{
		Name: "Harbour & Sons", Settings: storage.Settings{Language: "de", Support: "help@harbour.example"},
		Brand: storage.Brand{Accent: "#8e24aa", Signature: "Harbour & Sons Ltd\nBristol"},
	}
	user := storage.User{Key: storage.Key{Tenant: "harbour", ID: "ada"}, Email: "ada@harbour.example", EmailVerified: true}
	notice := mail.Notice{
		Kind: ui.MailFactorAdded, Tenant: tenant, User: &user, Name: "iPhone", Address: "203.0.113.7",
		Agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
	}
	for _, c := range []struct {
		locale, lang string
		subject      string
		says         []string
	}{
		{"", "", "Für Ihr Konto bei Harbour & Sons wurde ein zweiter Schritt hinzugefügt", []string{
			"„iPhone“ wurde", "1. März 2026, 08:00 Uhr (UTC)", "203.0.113.7", "Firefox, Windows", "help@harbour.example", "Gesendet von Sallyport für Harbour & Sons.",
			"Harbour & Sons Ltd\nBristol", "https://login.example/not-me/sealed\n",
		}},
		{"en", "", "A second step was added to your Harbour & Sons account", []string{"“iPhone” was added"}},
		{"de", "en", "A second step was added to your Harbour & Sons account", []string{"“iPhone” was added"}},
	} {
		user.Locale, notice.Lang, s.sent = c.locale, c.lang, nil
		n.Tell(t.Context(), notice)
		if len(s.sent) != 1 || s.sent[0].Subject != c.subject {
			t.Fatalf("locale %q, asked %q: %+v", c.locale, c.lang, s.sent)
		}
		for _, want := range c.says {
			if !strings.Contains(s.sent[0].Text, want) {
				t.Errorf("locale %q, asked %q: no %q in\n%s", c.locale, c.lang, want, s.sent[0].Text)
			}
		}
		if !strings.Contains(s.sent[0].HTML, "Harbour &amp; Sons") || !strings.Contains(s.sent[0].HTML, "#8e24aa") {
			t.Errorf("the HTML does not look as the tenant's: %s", s.sent[0].HTML)
		}
	}
	n.Place = func(address, lang string) (string, bool) { return "Hamburg (" + lang + ")", address == "10.0.0.1" }
	for address, want := range map[string]string{"203.0.113.7": "Where:   Hamburg (en) (203.0.113.7)\n", "10.0.0.1": "Where:   a private network (10.0.0.1)\n", "": "When:    1 March 2026 at 08:00 UTC\nBrowser:"} {
		notice.Address, s.sent = address, nil
		if n.Tell(t.Context(), notice); len(s.sent) != 1 || !strings.Contains(s.sent[0].Text, want) {
			t.Errorf("from %q: no %q in %+v", address, want, s.sent)
		}
	}
	if got := n.SMS(tenant, "en", ui.SMSTwoFactorReset); !strings.Contains(got, "your Harbour & Sons account") {
		t.Errorf("text message: %s", got)
	}
}

// Whatever people, tenants and browsers call themselves, no kind of mail holds an address but ours, in either part.
func TestNoticesLeadToUsAlone(t *testing.T) {
	n, s := writer(t)
	for _, hostile := range []string{
		"https://evil.example/now", "Acme (www.evil.example)", "Win: evil.example", `"><a href="https://evil.example">`, "me@evil.example", "ＨＴＴＰＳ：／／evil。example",
		"Acme\r\nBcc: eve@evil.example", "\u202eelpmaxe.live//:sptth", "</style><script src=//evil.example></script>", "javascript:alert(1)",
	} {
		for _, kind := range ui.Mails() {
			s.sent = nil
			n.Tell(t.Context(), mail.Notice{
				Kind: kind, Name: hostile, Left: 3, Link: "https://login.example/link/x", Address: "203.0.113.7", Agent: hostile,
				Tenant: &storage.Tenant{Name: hostile, Settings: storage.Settings{Support: "https://evil.example/help"}, Brand: storage.Brand{Accent: hostile}},
				User:   &storage.User{Key: storage.Key{Tenant: "acme", ID: "ada"}, Email: "ada@acme.test", EmailVerified: true},
			})
			if len(s.sent) != 1 {
				t.Fatalf("%s %q: sent %d", kind, hostile, len(s.sent))
			}
			m := s.sent[0]
			if strings.ContainsAny(m.Subject, "\r\n") {
				t.Errorf("%s: the subject is %q", kind, m.Subject)
			}
			if strings.Contains(m.HTML, "<script") || strings.Count(m.HTML, "<a ") != strings.Count(m.HTML, `href="https://login.example/`) {
				t.Errorf("%s about %q: %s", kind, hostile, m.HTML)
			}
			for part, body := range map[string]string{"subject": m.Subject, "text": m.Text, "HTML": m.HTML} {
				ours := strings.NewReplacer("https://login.example/", "", "ada@acme.test", "").Replace(body)
				for _, address := range []string{"://", "evil.example", "evil。example", "www.", "@evil", "javascript:", "//evil"} {
					if strings.Contains(strings.ToLower(ours), address) {
						t.Errorf("%s: %q in the %s of one about %q:\n%s", kind, address, part, hostile, body)
					}
				}
			}
		}
	}
}

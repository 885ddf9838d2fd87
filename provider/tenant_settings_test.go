package provider

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/sms"
	"github.com/sallyport-id/sallyport/mfa/sms/outbox"
	"github.com/sallyport-id/sallyport/mfa/totp"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

const atSettings = "Settings"

// chosen is a form of settings as it comes from the page, with what was changed.
func chosen(pairs ...string) url.Values {
	v := url.Values{
		"totp_digits": {"6"}, "totp_algorithm": {"SHA1"}, "backup_codes": {"10"}, "session_idle": {"60"}, "email_reset": {"members"}, "support": {""},
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		v[pairs[i]] = strings.Fields(pairs[i+1])
	}
	return v
}

func (h *helper) choose(pairs ...string) *page {
	h.t.Helper()
	return h.follow(h.request(http.MethodPost, ui.PathSettings, chosen(pairs...)))
}

// 001-6: an owner chooses eight digits and SHA-256 on the page, and whoever sets an app up from then on gets them; one
// backup code, and a set has one; where to turn, and who is stuck reads it.
func TestSettingsPage(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	owner.get(ui.PathSettings).is(atSettings).says("many know nothing else", "SHA-256", "Plan None", "Audit log kept for good Change")
	owner.choose("totp_digits", "8", "totp_algorithm", "SHA256", "backup_codes", "1", "session_idle", "5", "email_reset", "off",
		"support", "help@acme.example").is(atSettings).says("The settings are saved")
	w.clock.forward(10 * time.Second) // caches run out

	w.user("acme", "robin@acme.example", "staff")
	b := w.browser()
	setUp := b.get("/account/security").signIn("robin@acme.example").is(atIntro).submit("/set-up/totp")
	if !strings.Contains(setUp.body, "algorithm=SHA256") || !strings.Contains(setUp.body, "digits=8") {
		t.Errorf("the next set-up does not have it:\n%s", setUp.body)
	}
	got, err := w.store.Tenants.Get(t.Context(), storage.Global, "acme")
	if err != nil {
		t.Fatal(err)
	}
	if s := got.Settings; s.TOTPDigits != 8 || s.TOTPAlgorithm != "SHA256" || s.BackupCodes != 1 || s.SessionIdle != 5*time.Minute ||
		s.EmailReset != "off" || s.Support != "help@acme.example" || s.SMSCountries != nil || s.AuditDays != 0 || s.SMSBudget != 0 {
		t.Errorf("kept: %+v", s)
	}
	// The page shows what holds, and a session that nobody uses ends.
	p := owner.get(ui.PathSettings).is(atSettings)
	var on []string
	p.walk(func(n *html.Node) {
		for _, a := range n.Attr {
			if a.Key == "checked" || a.Key == "selected" {
				on = append(on, attr(n, "value"))
			}
		}
	})
	if strings.Join(on, " ") != "8 SHA256 1 5 off" {
		t.Errorf("the page has chosen %v", on)
	}
	w.clock.forward(6 * time.Minute)
	owner.get(ui.PathSettings).is(atSignIn)
	// Nobody gets the second steps off by mail any more, and who is stuck reads where to turn.
	b = w.browser()
	p = b.get("/account/security").signIn(owner.Email).is(atCode)
	if ways := b.get(p.link("/ways")).says("Contact support"); !strings.Contains(ways.body, `href="mailto:help@acme.example"`) {
		t.Errorf("who is stuck is led elsewhere:\n%s", ways.body)
	}
}

// What is not offered is refused beside its field, whatever the page shows, and nothing of the form is kept.
func TestSettingsPageRefuses(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	for _, c := range []struct{ field, value, says string }{
		{"totp_digits", "7", "Choose 6 or 8"},
		{"totp_algorithm", "MD5", "Choose one of the two"},
		{"backup_codes", "100", "Choose 10 or 1"},
		{"session_idle", "4", "Choose a time from 5 minutes to 24 hours"},
		{"session_idle", "1441", "Choose a time from 5 minutes to 24 hours"},
		{"session_idle", "-60", "Choose a time from 5 minutes to 24 hours"},
		{"session_idle", "9223372036854775807", "Choose a time from 5 minutes to 24 hours"},
		{"email_reset", "always", "Choose one of the three"},
		{"support", "javascript:alert(1)", "Write an e-mail address"},
		{"support", "http://acme.example", "Write an e-mail address"},
	} {
		p := owner.choose("totp_digits", "8", c.field, c.value)
		if p.status != http.StatusUnprocessableEntity {
			t.Errorf("%s %s: %d", c.field, c.value, p.status)
			continue
		}
		p.is(atSettings).says(c.says)
	}
	// Plan, budget and audit log can't be set here, whoever sends them along.
	owner.choose("plan", "gold", "sms_budget", "100000", "audit_days", "30").says("The settings are saved")
	got, err := w.store.Tenants.Get(t.Context(), storage.Global, "acme")
	if err != nil || got.Plan != "" || got.Settings.SMSBudget != 0 || got.Settings.AuditDays != 0 || got.Settings.TOTPDigits == 8 {
		t.Errorf("kept: %q %+v, %v", got.Plan, got.Settings, err)
	}
	if i := slices.IndexFunc(w.events("acme"), func(e storage.Event) bool { return e.Action == "tenant.change" && e.Outcome != "ok" }); i >= 0 {
		t.Errorf("what was refused stands in the audit log: %+v", w.events("acme")[i])
	}
}

// Where text messages are sent is chosen among the deployment's countries; unticking the last is not the same as all.
func TestSettingsPageOfCountries(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		text := sms.Factor{Sender: &outbox.Outbox{Messages: c.Store.Messages, Now: c.Now}, Countries: []string{"DE", "AT", "CH"}}
		c.Factors = []mfa.Factor{totp.Factor{}, text}
	})
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	owner.get(ui.PathSettings).says("Germany", "Austria", "Switzerland", "Text messages a day")
	countries := func() string {
		t.Helper()
		got, err := w.store.Tenants.Get(t.Context(), storage.Global, "acme")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(got.Settings.SMSCountries, " ")
	}
	owner.choose("sms_to", "only", "sms_countries", "AT CH").says("The settings are saved")
	if got := countries(); got != "AT CH" {
		t.Errorf("only two: %q", got)
	}
	w.clock.forward(10 * time.Second)
	b := w.browser()
	w.user("acme", "robin@acme.example", "staff")
	intro := b.get("/account/security").signIn("robin@acme.example").is(atIntro)
	b.get(intro.url.Path+"/set-up/sms").submit("/set-up/sms", "input", "+49 151 23456789").says("Austria, Switzerland")

	if p := owner.choose("sms_to", "only"); p.status != http.StatusUnprocessableEntity || !strings.Contains(p.text(), "Tick at least one country") {
		t.Errorf("none: %d", p.status)
	}
	if p := owner.choose("sms_to", "only", "sms_countries", "XX"); p.status != http.StatusUnprocessableEntity {
		t.Errorf("no country: %d", p.status)
	}
	if got := countries(); got != "AT CH" {
		t.Errorf("after what was refused: %q", got)
	}
	owner.choose("sms_to", "all", "sms_countries", "AT").says("The settings are saved")
	if got := countries(); got != "" {
		t.Errorf("all: %q", got)
	}
}

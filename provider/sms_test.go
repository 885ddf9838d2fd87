package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/sms"
	"github.com/sallyport-id/sallyport/mfa/sms/outbox"
	"github.com/sallyport-id/sallyport/mfa/totp"
	"github.com/sallyport-id/sallyport/storage"
)

// gateway keeps messages as the outbox does, unless it is told to fail, and counts how often it was called.
type gateway struct {
	outbox sms.Sender

	mu    sync.Mutex
	fails error
	calls int
}

func (g *gateway) Send(ctx context.Context, m sms.Message) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls++
	if g.fails != nil {
		return g.fails
	}
	return g.outbox.Send(ctx, m)
}

func (g *gateway) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fails = err
}

func (g *gateway) called() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls
}

// texting is a world that sends codes by SMS too, to three countries.
type texting struct {
	*world
	gateway *gateway
}

func newTexting(t testing.TB, change ...func(*Config)) *texting {
	t.Helper()
	g := &gateway{}
	return &texting{gateway: g, world: newWorld(t, append([]func(*Config){func(c *Config) {
		g.outbox = &outbox.Outbox{Messages: c.Store.Messages, Now: c.Now}
		c.Factors = []mfa.Factor{totp.Factor{}, sms.Factor{Sender: g, Countries: []string{"DE", "GB", "AU"}}}
	}}, change...)...)}
}

// Numbers that are nobody's, as people write them and as gateways do.
const (
	german  = "+49 170 123 45 67"
	germanE = "+491701234567"
	british = "+44 7400 123456"
	britE   = "+447400123456"
)

var lastLine = regexp.MustCompile(`\n@127\.0\.0\.1 #(\d{6})$`)

// codes are the codes that were sent to a number, the newest first.
func (w *texting) codes(to string) []string {
	w.t.Helper()
	var codes []string
	for _, m := range w.mails(to) {
		if found := lastLine.FindStringSubmatch(m.Text); m.Channel == "sms" && found != nil {
			codes = append(codes, found[1])
		}
	}
	if len(codes) == 0 {
		w.t.Fatalf("no code was sent to %s", to)
	}
	return codes
}

// other is a code that was not sent to a number.
func (w *texting) other(to string) string {
	for i := 0; ; i += 111_111 {
		if code := fmt.Sprintf("%06d", i%1_000_000); !slices.Contains(w.codes(to), code) {
			return code
		}
	}
}

const (
	atNumber  = "Set up text messages (SMS)"
	atMessage = "Enter the code from the message"
)

// texted is a user of acme who has a number and backup codes; an hour has passed since.
func (w *texting) texted(email, number, e164 string) (storage.User, []string) {
	w.t.Helper()
	u := w.user("acme", email, "staff")
	p := w.browser().get("/account/security").signIn(email).is(atIntro).submit("/set-up/sms").is(atNumber)
	p = p.submit("/set-up/sms", "input", number).is(atNumber)
	p = p.submit("/set-up", "code", w.codes(e164)[0]).is(atCodes)
	codes := p.codes()
	p.submit("/codes", "saved", "yes").is(atSecurity)
	w.clock.forward(time.Hour)
	return u, codes
}

// 002-4, 002-5: number, Send code, code, Validate. What is no number is refused, and so are those of other countries, in
// words that say which are allowed. The number can be changed on the way (ui.md 9); 004-4: the app is the safer choice.
func TestSetUpSMS(t *testing.T) {
	w := newTexting(t)
	w.user("acme", "robin@acme.example", "staff")
	p := w.browser().get("/account/security").signIn("robin@acme.example").is(atIntro).says("Less safe than an app or a passkey")
	ask := p.submit("/set-up/sms").is(atNumber).says("Australia, Germany, United Kingdom", "Send code", "Less safe than an app")
	for typed, says := range map[string]string{
		"":                        "Type it in first.",
		"   ":                     "Type it in first.",
		"12":                      "That can’t be used",
		"my phone":                "That can’t be used",
		"+49 170":                 "That can’t be used",
		"+49 30 901820":           "That can’t be used", // a landline
		strings.Repeat("49", 500): "That can’t be used",
		"+33 6 12 34 56 78":       "Numbers of that country can’t be used. Use a number from here: Australia, Germany, United Kingdom.",
		"+1 650 253 0000":         "Numbers of that country can’t be used. Use a number from here: Australia, Germany, United Kingdom.",
	} {
		q := ask.submit("/set-up/sms", "input", typed).is(atNumber).says(says)
		if q.status != http.StatusUnprocessableEntity {
			t.Errorf("%q answers %d", typed, q.status)
		}
		if _, fields := q.form("/set-up/sms"); fields.Get("input") != typed {
			t.Errorf("%q is not there to be corrected, but %q", typed, fields.Get("input"))
		}
	}
	if n := w.gateway.called(); n != 0 {
		t.Fatalf("the gateway was called %d times", n)
	}

	setUp := ask.submit("/set-up/sms", "input", german).is(atNumber).says("We sent a 6-digit code to •••• 567")
	ask.submit("/set-up/sms", "input", german).is(atNumber) // a second click
	if n := w.gateway.called(); n != 1 {
		t.Fatalf("two clicks sent %d messages", n)
	}
	first := w.codes(germanE)[0]
	// The number was wrong: it is edited, and what went to the other one is of no use any more.
	w.clock.forward(30 * time.Second)
	edit := p.b.get(setUp.link("/set-up/sms")).is(atNumber)
	setUp = edit.submit("/set-up/sms", "input", british).is(atNumber).says("•••• 456")
	if first != w.codes(britE)[0] { // they are drawn by chance: one in a million times they are the same
		if q := setUp.submit("/set-up", "code", first); q.status != http.StatusUnprocessableEntity {
			t.Errorf("the code that went to another number answers %d", q.status)
		}
	}
	setUp.submit("/set-up", "code", w.other(britE)).is(atNumber).says("That code isn’t right")
	// ui.md 8: sent again, not at once, and the first stays good.
	second := w.codes(britE)[0]
	setUp.submit("/set-up/send-again").is(atNumber).says("No further code can be sent yet. Please wait 1 minute")
	w.clock.forward(30 * time.Second)
	setUp.submit("/set-up/send-again").is(atNumber)
	if n := len(w.codes(britE)); n != 2 {
		t.Fatalf("%d codes after sending again", n)
	}
	saved := setUp.submit("/set-up", "code", " "+second[:3]+"-"+second[3:]).is(atCodes)
	if n := len(saved.codes()); n != 10 {
		t.Errorf("%d backup codes", n)
	}
	security := saved.submit("/codes", "saved", "yes").is(atSecurity).says("Text message (SMS)", "•••• 456")
	for _, number := range []string{british, britE, german, germanE} {
		if strings.Contains(security.body, number) {
			t.Error("the whole number is on the page")
		}
	}
	if q := p.b.follow(p.b.request(http.MethodPost, setUp.url.String(), url.Values{"code": {second}})); q.heading() != atSecurity {
		t.Errorf("the code again: %q", q.heading())
	}
}

// 002-4: the same on the security page, and a number of one's own beside an app.
func TestSetUpSMSOnTheSecurityPage(t *testing.T) {
	w := newTexting(t)
	_, ph, _ := w.enrolled("birch", "kim@birch.example")
	b := w.browser()
	b.get("/account/security").signIn("kim@birch.example").submit("/with/totp", "code", ph.next()).is(atSecurity)
	p := b.get(b.get("/account/two-factor").submit("/account/set-up/sms").is(atNumber).url.Path)
	if q := p.submit("/set-up/sms", "input", "+33 6 12 34 56 78"); q.status != http.StatusUnprocessableEntity {
		t.Errorf("a French number answers %d", q.status)
	}
	p = p.submit("/set-up/sms", "input", "0170 1234567").is(atNumber) // of the first country, written as there
	w.clock.forward(30 * time.Second)
	p = p.submit("/set-up/send-again").is(atNumber)
	p.submit("/account/set-up", "code", w.codes(germanE)[1]).is(atSecurity).says("•••• 567", "Authenticator app")
}

// 004-5: the code goes out as soon as the password is right, once per sign-in, however often the page is loaded; it can
// be sent again after 30 s, and the first stays good until it expires (ui.md 8). ui.md 5: the last line of the message
// binds the code to our host. ui.md 9: at sign-in the number can't be edited.
func TestSignInBySMS(t *testing.T) {
	w := newTexting(t)
	w.texted("robin@acme.example", german, germanE)
	sent := w.gateway.called()
	at := w.app().attempt()
	b := w.browser()
	page := at.begin(b)
	page.submit("/signin", "login", "robin@acme.example", "password", "not the password").is(atSignIn)
	if w.gateway.called() != sent {
		t.Fatal("sent before the password was right")
	}
	p := page.signIn("robin@acme.example").is(atMessage).says("We sent a 6-digit code to •••• 567")
	b.get(p.url.Path)
	b.get(b.get(p.link("/ways")).link("/with/sms"))
	b.get(p.url.Path).is(atMessage)
	if n := w.gateway.called() - sent; n != 1 {
		t.Fatalf("%d messages for one sign-in, loaded again and again", n)
	}
	text := w.mails(germanE)[0].Text
	if !strings.Contains(text, "is your Acme Ltd code. It is good for 5 minutes. Don't give it to anyone.") || !lastLine.MatchString(text) {
		t.Errorf("the message reads %q", text)
	}
	p.walk(func(n *html.Node) {
		if attr(n, "name") == "input" || strings.HasSuffix(attr(n, "href"), "/set-up/sms") {
			t.Errorf("the number can be edited at sign-in: %s", n.Data)
		}
	})
	if q := b.follow(b.request(http.MethodPost, p.url.String()+"/set-up/sms", url.Values{"input": {british}})); q.heading() != atMessage || w.gateway.called()-sent != 1 {
		t.Errorf("another number posted at sign-in leads to %q, and %d messages", q.heading(), w.gateway.called()-sent)
	}

	first := w.codes(germanE)[0]
	early := p.submit("/send-again").is(atMessage).says("No further code can be sent yet. Please wait 1 minute")
	if early.status != http.StatusUnprocessableEntity || w.gateway.called()-sent != 1 {
		t.Errorf("sending again at once: %d, %d messages", early.status, w.gateway.called()-sent)
	}
	w.clock.forward(29 * time.Second)
	p.submit("/send-again").says("No further code can be sent yet")
	w.clock.forward(time.Second)
	p = p.submit("/send-again").is(atMessage).says("Another code is on its way. The one sent before stays good")
	if w.gateway.called()-sent != 2 || w.codes(germanE)[0] == first {
		t.Errorf("sending again: %d messages", w.gateway.called()-sent)
	}
	b.get(p.url.String()) // loaded again, with what the redirect put into its address
	if w.gateway.called()-sent != 2 {
		t.Error("loading the page again sends again")
	}
	p.submit("/with/sms", "code", w.other(germanE)).is(atMessage).says("That code isn’t right")
	w.clock.forward(4*time.Minute + 29*time.Second)
	c, _ := at.redeem(p.submit("/with/sms", "code", first))
	if !slices.Equal(c.AMR, []string{"pwd", "sms", "mfa"}) || c.ACR != "https://refeds.org/profile/mfa" {
		t.Errorf("acr %q, amr %v", c.ACR, c.AMR)
	}
}

// Numbers of security.md, SMS: 6 digits, 5 minutes, and a code of one's own for each request, bound to its sign-in.
func TestSMSCodeIsBoundAndExpires(t *testing.T) {
	w := newTexting(t)
	w.texted("robin@acme.example", german, germanE)
	one := w.browser().get("/account/security").signIn("robin@acme.example").is(atMessage)
	ofOne := w.codes(germanE)[0]
	w.clock.forward(30 * time.Second)
	two := w.browser().get("/account/security").signIn("robin@acme.example").is(atMessage)
	ofTwo := w.codes(germanE)[0]
	if ofOne != ofTwo { // they are drawn by chance: one in a million times they are the same
		two.submit("/with/sms", "code", ofOne).is(atMessage).says("That code isn’t right")
		one.submit("/with/sms", "code", ofTwo).is(atMessage).says("That code isn’t right")
	}
	w.clock.forward(5*time.Minute - 30*time.Second)
	one.submit("/with/sms", "code", ofOne).is(atMessage).says("That code has expired")
	two.submit("/with/sms", "code", ofTwo).is(atSecurity)

	// Another user's code is of no use either.
	w.clock.forward(time.Hour)
	w.texted("kim@acme.example", british, britE)
	kim := w.browser().get("/account/security").signIn("kim@acme.example").is(atMessage)
	w.browser().get("/account/security").signIn("robin@acme.example").is(atMessage)
	if robins := w.codes(germanE)[0]; robins != w.codes(britE)[0] {
		kim.submit("/with/sms", "code", robins).is(atMessage).says("That code isn’t right")
	}
	kim.submit("/with/sms", "code", w.codes(britE)[0]).is(atSecurity)
}

// 20 answers at once with one code: one success, and it is no wrong code.
func TestOneSMSCodeTwentyTimes(t *testing.T) {
	w := newTexting(t)
	w.texted("robin@acme.example", german, germanE)
	b := w.browser()
	p := b.get("/account/security").signIn("robin@acme.example").is(atMessage)
	before := len(w.events("acme"))
	code := w.codes(germanE)[0]
	requests := make([]*http.Request, 20)
	for i := range requests {
		requests[i] = p.request("/with/sms", "code", code)
	}
	together(t, len(requests), func(i int) error {
		_, err := b.once(requests[i])
		return err
	})
	completed := 0
	for _, e := range w.events("acme")[before:] {
		switch {
		case e.Action == "sign_in" && e.Outcome == "ok":
			completed++
		case e.Outcome == "refused":
			t.Errorf("refused: %s %s", e.Action, e.Reason)
		}
	}
	open, err := w.store.Sessions.List(t.Context(), storage.Query{Tenant: "acme"})
	if completed != 1 || err != nil || len(open) != 1 {
		t.Errorf("completed %d times, %d sessions (%v)", completed, len(open), err)
	}
	b.get("/account/security").is(atSecurity)
}

// ui.md 4: a message that could not be sent is no wrong code. It says what is the matter, other ways stay open, and it
// can be sent again. What nobody was asked for sends nothing.
func TestSMSNotSent(t *testing.T) {
	w := newTexting(t)
	_, codes := w.texted("robin@acme.example", german, germanE)
	for name, c := range map[string]struct {
		err          error
		says, reason string
	}{
		"gateway down":        {errors.New("connection refused"), "The message couldn’t be sent just now. Please try again in a moment, or choose another way.", "gateway"},
		"number is not taken": {fmt.Errorf("21211: %w", sms.ErrUndeliverable), "No message can be sent to that number", "undeliverable"},
	} {
		t.Run(name, func(t *testing.T) {
			w.clock.forward(time.Hour)
			w.gateway.fail(c.err)
			b := w.browser()
			p := b.get("/account/security").signIn("robin@acme.example").is(atMessage).says(c.says)
			if strings.Contains(p.text(), "isn’t right") || strings.Contains(p.text(), "We sent") {
				t.Errorf("reads like a wrong code:\n%s", p.text())
			}
			b.get(p.link("/ways")).says("Backup codes", "Use a recovery code")
			last := w.events("acme")[len(w.events("acme"))-1]
			if last.Action != "factor.sent" || last.Outcome != "refused" || last.Reason != c.reason || last.Factor != "sms" {
				t.Errorf("audited as %+v", last)
			}

			w.gateway.fail(nil)
			w.clock.forward(31 * time.Second)
			calls := w.gateway.called()
			// An answer to a question that was never put is none, and sends no message whose code nobody would know of.
			p.submit("/with/sms", "code", "123456").is(atMessage).says("We sent a 6-digit code")
			if n := w.gateway.called() - calls; n != 1 {
				t.Errorf("%d messages", n)
			}
			p.submit("/with/sms", "code", w.codes(germanE)[0]).is(atSecurity)
		})
	}

	// Sent again, once the gateway is back.
	w.clock.forward(time.Hour)
	w.gateway.fail(errors.New("connection refused"))
	p := w.browser().get("/account/security").signIn("robin@acme.example").is(atMessage)
	w.gateway.fail(nil)
	w.clock.forward(31 * time.Second)
	p = p.submit("/send-again").is(atMessage).says("We sent a 6-digit code")
	// It fails the second time: the code of the first is good all the same.
	w.gateway.fail(errors.New("connection refused"))
	w.clock.forward(31 * time.Second)
	p = p.submit("/send-again").is(atMessage).says("The message couldn’t be sent just now")
	p.submit("/with/sms", "code", w.codes(germanE)[0]).is(atSecurity)

	// However often it fails, nobody is locked out.
	for range 4 {
		w.clock.forward(20 * time.Minute)
		w.browser().get("/account/security").signIn("robin@acme.example").is(atMessage).says("couldn’t be sent")
	}
	q := w.browser().get("/account/security").signIn("robin@acme.example")
	q.b.get(q.b.get(q.link("/ways")).link("/with/backup")).submit("/with/backup", "code", codes[0]).is(atSecurity)

	// At set-up the page stays where the number is typed in.
	w.clock.forward(time.Hour)
	w.gateway.fail(sms.ErrUndeliverable)
	w.user("acme", "kim@acme.example", "staff")
	ask := w.browser().get("/account/security").signIn("kim@acme.example").submit("/set-up/sms")
	ask.submit("/set-up/sms", "input", british).is(atNumber).says("No message can be sent to that number", "Send code")
}

// Numbers of security.md, SMS: 5 an hour per account, however many sign-ins ask; refused before the gateway is called.
func TestFiveSMSAnHour(t *testing.T) {
	w := newTexting(t)
	_, codes := w.texted("robin@acme.example", german, germanE)
	sent := w.gateway.called()
	for range 5 {
		w.browser().get("/account/security").signIn("robin@acme.example").is(atMessage).says("We sent")
		w.clock.forward(11 * time.Minute) // three to a number in ten minutes is a limit of its own
	}
	for _, minutes := range []int{5, 5, 4} {
		b := w.browser()
		p := b.get("/account/security").signIn("robin@acme.example").is(atMessage)
		p.says(fmt.Sprintf("No further code can be sent yet. Please wait %d minutes, or try another way", minutes))
		b.get(b.get(p.link("/ways")).link("/with/backup")).is("Enter a backup code")
		w.clock.forward(31 * time.Second)
	}
	if n := w.gateway.called() - sent; n != 5 {
		t.Errorf("the gateway was called %d times", n)
	}
	refused := 0
	for _, e := range w.events("acme") {
		if e.Action == "factor.sent" && e.Outcome == "refused" && e.Reason == "often" {
			refused++
		}
	}
	if refused != 3 {
		t.Errorf("%d refusals audited", refused)
	}
	p := w.browser().get("/account/security").signIn("robin@acme.example")
	p.b.get(p.url.Path+"/with/backup").submit("/with/backup", "code", codes[0]).is(atSecurity)
	w.clock.forward(5 * time.Minute)
	w.browser().get("/account/security").signIn("robin@acme.example").is(atMessage).says("We sent")
}

// Numbers of security.md, SMS: 3 to one number in 10 minutes, over accounts and tenants.
func TestThreeSMSToOneNumber(t *testing.T) {
	w := newTexting(t)
	ask := func(tenant, email string) *page {
		w.user(tenant, email, "staff")
		p := w.browser().get("/account/security").signIn(email)
		if tenant == "birch" {
			return p.b.get("/account/two-factor").submit("/account/set-up/sms").is(atNumber)
		}
		return p.is(atIntro).submit("/set-up/sms").is(atNumber)
	}
	w.texted("owner@acme.example", german, germanE)
	before := w.gateway.called()
	for i, tenant := range []string{"acme", "birch"} {
		ask(tenant, fmt.Sprintf("user%d@%s.example", i, tenant)).submit("/set-up/sms", "input", german).says("We sent a 6-digit code")
		w.clock.forward(time.Minute)
	}
	// Two accounts have typed the number in; the third SMS is left for whose number it is.
	p := ask("birch", "third@birch.example").submit("/set-up/sms", "input", "0170/1234567")
	if p.says("No further code can be sent yet. Please wait 8 minutes"); p.status != http.StatusUnprocessableEntity || w.gateway.called() != before+2 {
		t.Errorf("the third that is typed in: %d, the gateway was called %d times", p.status, w.gateway.called()-before)
	}
	w.browser().get("/account/security").signIn("owner@acme.example").is(atMessage)
	if w.gateway.called() != before+3 {
		t.Error("others keep the owner of the number from signing in")
	}
	w.clock.forward(time.Minute)
	w.browser().get("/account/security").signIn("owner@acme.example").says("No further code can be sent yet")
	if w.gateway.called() != before+3 {
		t.Errorf("the gateway was called %d times in ten minutes for one number", w.gateway.called()-before)
	}
	p = p.submit("/set-up/sms", "input", british).says("We sent a 6-digit code") // another number
	w.clock.forward(8 * time.Minute)
	p.b.get(p.link("/set-up/sms")).submit("/set-up/sms", "input", german).says("We sent a 6-digit code")
}

// Numbers of security.md, SMS: a budget for each tenant and day, and the tenant's own countries; refused before the
// gateway is called, also where the number was set up before.
func TestSMSBudgetAndCountriesOfTheTenant(t *testing.T) {
	w := newTexting(t)
	set := func(change func(*storage.Settings)) {
		t.Helper()
		_, err := storage.Change(t.Context(), w.store.Tenants, storage.Global, "acme", func(o *storage.Tenant) error {
			change(&o.Settings)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.clock.forward(10 * time.Second)
	}
	set(func(s *storage.Settings) { s.SMSBudget = 3 })
	w.texted("robin@acme.example", german, germanE)
	w.texted("kim@acme.example", british, britE)
	w.browser().get("/account/security").signIn("robin@acme.example").is(atMessage).says("We sent")
	sent := w.gateway.called()
	for _, email := range []string{"robin@acme.example", "kim@acme.example"} {
		w.clock.forward(time.Minute)
		p := w.browser().get("/account/security").signIn(email).is(atMessage).says("Your organisation can send no more messages today")
		p.b.get(p.link("/ways")).says("Backup codes")
	}
	if n := w.gateway.called() - sent; n != 0 {
		t.Errorf("the gateway was called %d times beyond the budget", n)
	}
	// The other tenant has its own.
	w.user("birch", "lou@birch.example", "client")
	p := w.browser().get("/account/security").signIn("lou@birch.example").is(atSecurity)
	p.b.get("/account/two-factor").submit("/account/set-up/sms").submit("/account/set-up/sms", "input", "+61 412 345 678").says("We sent")
	w.clock.forward(24 * time.Hour)
	w.browser().get("/account/security").signIn("kim@acme.example").is(atMessage).says("We sent")

	w.clock.forward(time.Hour)
	set(func(s *storage.Settings) { s.SMSCountries = []string{"GB"} })
	sent = w.gateway.called()
	w.browser().get("/account/security").signIn("robin@acme.example").is(atMessage).says("Numbers of that country can’t be used", "United Kingdom")
	if w.gateway.called() != sent {
		t.Error("a number of a country that is off the list is sent to")
	}
	w.browser().get("/account/security").signIn("kim@acme.example").is(atMessage).says("We sent")
}

// 002-10: with several factors the user switches between them; the page that was used last comes first, backup codes
// never do, and no message goes out before the user chooses it.
func TestSwitchBetweenFactors(t *testing.T) {
	w := newTexting(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	b := w.browser()
	b.get("/account/security").signIn("robin@acme.example").is(atCode).submit("/with/totp", "code", ph.next()).is(atSecurity)
	p := b.get("/account/set-up/sms").submit("/set-up/sms", "input", german)
	p.submit("/account/set-up", "code", w.codes(germanE)[0]).is(atSecurity)
	w.clock.forward(time.Hour)
	sent := w.gateway.called()
	order := func(p *page) []string {
		var ways []string
		p.b.get(p.link("/ways")).is("Try another way").walk(func(n *html.Node) {
			if _, factor, ok := strings.Cut(attr(n, "href"), "/with/"); ok && n.Data == "a" {
				ways = append(ways, factor)
			}
		})
		return ways
	}

	b = w.browser()
	p = b.get("/account/security").signIn("robin@acme.example").is(atCode)
	if got, want := order(p), []string{"totp", "sms", "backup", "recovery"}; !slices.Equal(got, want) {
		t.Errorf("ways in the order %v, want %v", got, want)
	}
	if n := w.gateway.called() - sent; n != 0 {
		t.Errorf("%d messages although the app was used last", n)
	}
	ways := b.get(p.link("/ways")).says("•••• 567")
	message := b.get(ways.link("/with/sms")).is(atMessage)
	app := b.get(b.get(message.link("/ways")).link("/with/totp")).is(atCode)
	message = b.get(b.get(app.link("/ways")).link("/with/sms")).is(atMessage)
	if n := w.gateway.called() - sent; n != 1 {
		t.Errorf("%d messages for going back and forth", n)
	}
	message.submit("/with/sms", "code", w.codes(germanE)[0]).is(atSecurity)

	w.clock.forward(time.Hour)
	p = w.browser().get("/account/security").signIn("robin@acme.example").is(atMessage)
	if got, want := order(p), []string{"sms", "totp", "backup", "recovery"}; !slices.Equal(got, want) {
		t.Errorf("ways in the order %v, want %v", got, want)
	}
	p.b.get(p.b.get(p.link("/ways")).link("/with/totp")).submit("/with/totp", "code", ph.next()).is(atSecurity)
	w.browser().get("/account/security").signIn("robin@acme.example").is(atCode)
}

// Wrong codes: one count for messages and apps together, and it is not five for each sign-in's code.
func TestWrongSMSCodesCountTogether(t *testing.T) {
	w := newTexting(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	b := w.browser()
	b.get("/account/security").signIn("robin@acme.example").submit("/with/totp", "code", ph.next()).is(atSecurity)
	p := b.get("/account/set-up/sms").submit("/set-up/sms", "input", german)
	p.submit("/account/set-up", "code", w.codes(germanE)[0]).is(atSecurity)
	w.clock.forward(time.Hour)
	for i := range 2 {
		p = w.browser().get("/account/security").signIn("robin@acme.example").is(atCode)
		p.submit("/with/totp", "code", ph.wrong()).is(atCode)
		message := p.b.get(p.url.Path + "/with/sms").is(atMessage)
		message.submit("/with/sms", "code", w.other(germanE)).is(atMessage)
		if i == 1 {
			message.submit("/with/sms", "code", ph.wrong()).is(atMessage)
			q := message.submit("/with/sms", "code", w.codes(germanE)[0])
			if q.status != http.StatusTooManyRequests {
				t.Errorf("the right code after five wrong ones answers %d", q.status)
			}
		}
		w.clock.forward(time.Minute)
	}
}

// The audit log says what was sent, and what was not; neither code nor number stands in it.
func TestSMSIsAudited(t *testing.T) {
	w := newTexting(t)
	u, _ := w.texted("robin@acme.example", german, germanE)
	p := w.browser().get("/account/security").signIn("robin@acme.example").is(atMessage)
	p.submit("/send-again")
	p.submit("/with/sms", "code", w.other(germanE))
	p.submit("/with/sms", "code", w.codes(germanE)[0]).is(atSecurity)
	var told []string
	for _, e := range w.events("acme") {
		if e.Factor != "sms" {
			continue
		}
		if told = append(told, e.Action+" "+e.Outcome); e.User != u.ID || e.Actor != u.ID {
			t.Errorf("%s is about %q by %q", e.Action, e.User, e.Actor)
		}
		whole := fmt.Sprintf("%+v", e)
		for _, secret := range append(w.codes(germanE), germanE, "1701234567") {
			if strings.Contains(whole, secret) {
				t.Errorf("%s holds %q", e.Action, secret)
			}
		}
	}
	want := []string{
		"factor.sent ok", "factor.added ok", "sign_in.factor ok",
		"factor.sent ok", "factor.sent refused", "sign_in.factor refused", "sign_in ok",
	}
	if !slices.Equal(told, want) {
		t.Errorf("audited: %q, want %q", told, want)
	}
}

// ui.md 13: two clicks on Send code send one, and both lead on to where it is typed in.
func TestSendCodeClickedTwice(t *testing.T) {
	w := newTexting(t)
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	p := b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	ask := p.b.get("/account/two-factor").submit("/account/set-up/sms").is(atNumber)
	requests := make([]*http.Request, 5)
	for i := range requests {
		requests[i] = ask.request("/set-up/sms", "input", german)
	}
	together(t, len(requests), func(i int) error {
		p, err := b.once(requests[i])
		if err == nil && p.header.Get("Location") != "/account/set-up" {
			err = fmt.Errorf("click %d answers %d and leads to %q", i, p.status, p.header.Get("Location"))
		}
		return err
	})
	if n := w.gateway.called(); n != 1 {
		t.Errorf("%d SMS were sent", n)
	}
}

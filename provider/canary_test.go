package provider

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	virtual "github.com/descope/virtualwebauthn"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/sms"
	"github.com/sallyport-id/sallyport/mfa/totp"
	"github.com/sallyport-id/sallyport/mfa/webauthn"
	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// mailServer and smsGateway take messages away, so that the database need not hold them in clear as an outbox does.
type (
	mailServer struct {
		mu   sync.Mutex
		sent []mail.Message
	}
	smsGateway struct {
		mu   sync.Mutex
		sent []sms.Message
	}
)

func (s *mailServer) Send(_ context.Context, m mail.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, m)
	return nil
}

func (s *smsGateway) Send(_ context.Context, m sms.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, m)
	return nil
}

// answered is what a server told a browser, as far as it may be kept: where to go, and why it refused.
type answered struct{ asked, location, refusal string }

// witness sees all answers.
type witness struct {
	mu   sync.Mutex
	seen []answered
}

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	a := answered{asked: r.URL.String(), location: res.Header.Get("Location")}
	if res.StatusCode >= http.StatusBadRequest {
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return nil, err
		}
		if err := res.Body.Close(); err != nil {
			return nil, err
		}
		res.Body, a.refusal = io.NopCloser(bytes.NewReader(body)), string(body)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, a)
	return res, nil
}

// canary is a world whose secrets are known.
type canary struct {
	*world
	mails   mailServer
	texts   smsGateway
	witness witness
	secrets map[string]string
}

func newCanary(t *testing.T) *canary {
	t.Helper()
	c := &canary{secrets: map[string]string{}}
	c.world = newWorld(t, atLocalhost, func(o *Config) {
		o.Mail = &c.mails
		o.Factors = []mfa.Factor{webauthn.Factor{}, totp.Factor{}, sms.Factor{Sender: &c.texts, Countries: []string{"DE"}}}
	})
	return c
}

// watched is a browser whose answers are seen.
func (c *canary) watched() *browser {
	b := c.browser()
	b.client.Transport = &c.witness
	return b
}

// asJSON sends a form of a page as a program would read it.
func (p *page) asJSON(suffix string, pairs ...string) *page {
	p.b.t.Helper()
	r := p.request(suffix, pairs...)
	r.Header.Set("Accept", "application/json")
	got, err := p.b.once(r)
	if err != nil {
		p.b.t.Fatal(err)
	}
	return got
}

// secret remembers a secret under a name, and returns it.
func (c *canary) secret(name, value string) string {
	c.t.Helper()
	if len(value) < 6 {
		c.t.Fatalf("the %s is %q, too short to look for", name, value)
	}
	c.secrets[name] = value
	return value
}

// text is the newest message to a phone, and the code in it.
func (c *canary) text() (code string) {
	c.t.Helper()
	found := regexp.MustCompile(`\n@localhost #(\d{6})$`).FindStringSubmatch(c.texts.sent[len(c.texts.sent)-1].Text)
	if found == nil {
		c.t.Fatalf("no code in %q", c.texts.sent[len(c.texts.sent)-1].Text)
	}
	return found[1]
}

// link has the mails sent, and finds the newest link of a kind; what it holds is a secret.
func (c *canary) link(name, path string) string {
	c.t.Helper()
	c.p.rescue.Wait()
	// Before they are sent they wait in the database: sealed.
	c.inFilesNot("mails that wait", "Hello,")
	if _, err := c.p.queue.Deliver(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	for _, m := range slices.Backward(c.mails.sent) {
		for _, link := range mailedLink.FindAllString(m.Text, -1) {
			if strings.HasPrefix(link, c.issuer+path) {
				last := lastPart(link)
				c.secret(name, last[strings.LastIndex(last, ".")+1:])
				return link
			}
		}
	}
	c.t.Fatalf("no mail has a link to %s", path)
	return ""
}

func (c *canary) inFilesNot(name, s string) {
	c.t.Helper()
	t, ok := c.t.(*testing.T)
	if !ok {
		panic("not a test")
	}
	for _, hit := range inFiles(t, c.world, s) {
		c.t.Errorf("the database's file %s holds %s in clear", hit, name)
	}
}

// holds finds a secret: a short code of digits as a word of its own, everything else anywhere.
func holds(text, secret string) bool {
	if len(secret) > 8 || strings.Trim(secret, "0123456789") != "" {
		return strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret))
	}
	return regexp.MustCompile(`(^|[^0-9A-Za-z+/=_-])` + secret + `($|[^0-9A-Za-z+/=_-])`).MatchString(text)
}

// look looks for all secrets wherever they must not be.
func (c *canary) look() {
	c.t.Helper()
	var audit strings.Builder
	for _, tenant := range []string{"acme", "birch", storage.Global} {
		for _, e := range c.events(tenant) {
			fmt.Fprintf(&audit, "%+v\n", e)
		}
	}
	for name, secret := range c.secrets {
		if holds(c.log.String(), secret) {
			c.t.Errorf("the log holds the %s", name)
		}
		if holds(audit.String(), secret) {
			c.t.Errorf("the audit log holds the %s", name)
		}
		c.atRest(name, secret)
		for _, a := range c.witness.seen {
			if holds(a.location, secret) {
				c.t.Errorf("%s leads to an address with the %s: %s", a.asked, name, a.location)
			}
			// The page of a link, refused for what was typed in, leads to that link again.
			own := strings.Contains(a.asked, secret) && (strings.Contains(a.refusal, "<form") || strings.Contains(a.refusal, `"action":`))
			if holds(a.refusal, secret) && !own {
				c.t.Errorf("the refusal of %s holds the %s:\n%s", a.asked, name, a.refusal)
			}
		}
	}
}

// sees shows that the canary looks where things are: what is no secret it finds.
func (c *canary) sees(u storage.User) {
	c.t.Helper()
	var audit strings.Builder
	for _, e := range c.events("acme") {
		fmt.Fprintf(&audit, "%+v\n", e)
	}
	for _, where := range []string{
		"factor.sent", "recovery.made", "two_factor.lost", "device.remembered", "user.lock", "password.changed", "factor.changed", "email.changed",
	} {
		if !strings.Contains(audit.String(), where) || !strings.Contains(c.log.String(), where) {
			c.t.Errorf("%s is in the log or the audit log no longer", where)
		}
	}
	t, ok := c.t.(*testing.T)
	if !ok {
		panic("not a test")
	}
	if !holds(c.log.String(), u.ID) || !holds(audit.String(), u.ID) || len(inFiles(t, c.world, u.ID)) == 0 {
		c.t.Error("a user's ID is not found where it is")
	}
	pages, problems, led := 0, 0, 0
	for _, a := range c.witness.seen {
		switch {
		case strings.Contains(a.refusal, "<main"):
			pages++
		case strings.HasPrefix(a.refusal, "{"):
			problems++
		case a.location != "":
			led++
		}
	}
	if pages < 10 || problems < 10 || led < 10 {
		c.t.Errorf("the canary saw %d pages and %d JSON answers that refuse, and %d redirects", pages, problems, led)
	}
}

// atRest looks into the database's files, journals included, for a secret as it is and as bytes become in JSON.
func (c *canary) atRest(name, secret string) {
	c.t.Helper()
	if len(secret) <= 6 {
		// Six digits are found in any megabyte by chance, so where a number could stand they are looked for as text.
		for _, quoted := range []string{`"` + secret + `"`, "#" + secret, secret + " is your"} {
			c.inFilesNot("the "+name, quoted)
		}
		return
	}
	for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), url.QueryEscape(secret)} {
		c.inFilesNot("the "+name, form)
	}
}

// Canary: codes, links, device cookies and passkey challenges are neither in logs nor in the audit log, refusals as page
// or as JSON, addresses, or the database's files.
func TestSecretsOfRescueStaySecret(t *testing.T) {
	c := newCanary(t)
	remembering(c.world)
	owner := c.helper("acme", "olga@acme.example", storage.Owner)
	robin := c.byMessage()
	c.byDevice()
	c.byRecovery(owner, robin)
	c.byPasskey()
	c.byLinks()
	c.byDetails()
	for name, want := range map[string]int{"mail": len(c.mails.sent), "message": len(c.texts.sent)} {
		if want < 3 {
			t.Errorf("only %d %ss went out", want, name)
		}
	}
	c.sees(robin)
	c.look()
}

// byMessage sets a number up, and signs in with it, wrongly at first.
func (c *canary) byMessage() storage.User {
	c.t.Helper()
	c.secret("phone number", germanE)
	c.secret("phone number at home", "1701234567")
	robin := c.user("acme", "robin@acme.example", "staff")
	b := c.watched()
	p := b.get("/account/security").signIn("robin@acme.example").submit("/set-up/sms")
	p = p.submit("/set-up/sms", "input", germanE).is(atNumber)
	code := c.secret("SMS code of the set-up", c.text())
	p.submit("/set-up", "code", "not "+code)
	p.submit("/set-up/send-again")
	saved := p.submit("/set-up", "code", code).is(atCodes)
	backup := saved.codes()
	c.secret("backup code", backup[0])
	c.secret("backup code without hyphens", strings.ReplaceAll(backup[0], "-", ""))
	saved.submit("/codes", "saved", "yes").is(atSecurity)

	c.clock.forward(time.Hour)
	p = c.watched().get("/account/security").signIn("robin@acme.example").is(atMessage)
	code = c.secret("SMS code", c.text())
	p.asJSON("/with/sms", "code", code+"0")
	p.submit("/with/sms", "code", code[:5])
	p.submit("/send-again")
	p.b.get(p.url.Path+"/with/backup").submit("/with/backup", "code", backup[0]+"x")
	c.clock.forward(6 * time.Minute)
	p.submit("/with/sms", "code", code).is(atMessage) // expired
	p.asJSON("/with/sms", "code", code)
	p.b.get(p.url.Path+"/with/backup").submit("/with/backup", "code", backup[0]).is(atSecurity)
	p = c.watched().get("/account/security").signIn("robin@acme.example").is(atMessage)
	p.b.get(p.url.Path+"/with/backup").submit("/with/backup", "code", backup[0]) // used before
	return robin
}

// byDevice has a device remembered, and shows its cookie again from a copy.
func (c *canary) byDevice() {
	c.t.Helper()
	c.clock.forward(time.Hour)
	b := c.watched()
	p := b.get("/account/security").signIn("robin@acme.example").is(atMessage)
	p.submit("/with/sms", "code", c.text(), "remember", "yes").is(atSecurity)
	copied := c.watched()
	copied.client.Jar.SetCookies(b.root(), b.client.Jar.Cookies(b.root()))
	keep := func(when string) {
		for _, cookie := range b.client.Jar.Cookies(b.root()) {
			c.secret(cookie.Name+" cookie "+when, cookie.Value[strings.LastIndex(cookie.Value, ".")+1:])
		}
	}
	keep("at first")
	c.clock.forward(time.Minute)
	b.signOut()
	b.get("/account/security").signIn("robin@acme.example").is(atSecurity)
	keep("rotated")
	c.clock.forward(time.Minute)
	copied.signOut()
	copied.get("/account/security").signIn("robin@acme.example").is(atMessage)
}

// byRecovery uses an owner's code, wrongly at first and then twice.
func (c *canary) byRecovery(owner *helper, robin storage.User) {
	c.t.Helper()
	owner.client.Transport = &c.witness
	code, _ := owner.handOut(robin)
	c.secret("recovery code", code)
	c.secret("recovery code without hyphens", strings.ReplaceAll(code, "-", ""))
	c.secret("recovery code in small letters", strings.ToLower(strings.ReplaceAll(code, "-", "")))
	c.clock.forward(time.Hour - time.Minute)
	p := c.watched().get("/account/security").signIn("robin@acme.example")
	rec := p.recover()
	rec.asJSON("/with/recovery", "code", code+"AAAA")
	rec.submit("/with/recovery", "code", code).submit("/later").is(atSecurity)
	rec = c.watched().get("/account/security").signIn("robin@acme.example").recover()
	rec.submit("/with/recovery", "code", code).is(atRecovery)
	rec.asJSON("/with/recovery", "code", code)
}

// byPasskey puts a challenge to nobody in particular, and answers it wrongly, rightly and twice.
func (c *canary) byPasskey() {
	c.t.Helper()
	_, key, _ := c.keyed("kim@birch.example", true)
	p := c.watched().get("/account/security").is(atSignIn)
	d := p.discover()
	c.secret("passkey state", d.State)
	var asked struct{ PublicKey struct{ Challenge string } }
	if err := json.Unmarshal(d.Options, &asked); err != nil || asked.PublicKey.Challenge == "" {
		var flat struct{ Challenge string }
		if err := json.Unmarshal(d.Options, &flat); err != nil {
			c.t.Fatal(err)
		}
		asked.PublicKey.Challenge = flat.Challenge
	}
	c.secret("passkey challenge", asked.PublicKey.Challenge)
	answer := key.sign(string(d.Options))
	options, err := virtual.ParseAssertionOptions(string(d.Options))
	if err != nil {
		c.t.Fatal(err)
	}
	stranger := c.authenticator(true)
	wrong := virtual.CreateAssertionResponse(stranger.rp, stranger.device, stranger.passkey, *options)
	p.submit("/signin/passkey", "state", d.State, "answer", wrong).is(atSignIn)
	p.asJSON("/signin/passkey", "state", d.State, "answer", wrong)
	p.submit("/signin/passkey", "state", d.State, "answer", "not an answer")
	c.secret("passkey answer", answer)
	p.submit("/signin/passkey", "state", d.State, "answer", answer).is(atSecurity)
	q := c.watched()
	q.client.Jar.SetCookies(p.b.root(), p.b.client.Jar.Cookies(p.b.root()))
	p.submit("/signin/passkey", "state", d.State, "answer", answer)
	p.asJSON("/signin/passkey", "state", d.State, "answer", answer)
}

// byLinks goes through all kinds of mailed links, used rightly, wrongly and twice.
func (c *canary) byLinks() {
	c.t.Helper()
	dead := func(link string) {
		c.t.Helper()
		for _, accept := range []string{"text/html", "application/json"} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				b := c.watched()
				r := b.request(method, link, url.Values{"password": {newPassword}})
				r.Header.Set("Accept", accept)
				if p, err := b.once(r); err != nil || p.status != http.StatusGone {
					c.t.Errorf("a dead link answers %d (%v)", p.status, err)
				}
			}
		}
	}
	c.user("birch", "lou@birch.example", "client", func(u *storage.User) { u.EmailVerified = false })
	b := c.watched()
	b.get("/account").signIn("lou@birch.example").submit("/email/verify").is(atAccount)
	link := c.link("link to verify", "/verify/")
	c.watched().get(link).submit("/" + lastPart(link))
	dead(link)

	b = c.watched()
	b.forget("lou@birch.example").is(atMailed)
	link = c.link("link for a password", "/password/")
	p := c.watched().get(link).is(atNewPassword)
	p.submit("/"+lastPart(link), "password", "too short").is(atNewPassword)
	p.asJSON("/"+lastPart(link), "password", c.secret("refused password", "lou-birch-x"))
	p.submit("/"+lastPart(link), "password", c.secret("new password", newPassword)).is(atSignIn)
	dead(link)

	if _, err := c.p.admin.InviteUser(c.t.Context(), web.Operator(), "birch", admin.NewInvitation{Email: "nora@birch.example", Name: "Nora"}); err != nil {
		c.t.Fatal(err)
	}
	link = c.link("link of an invitation", "/invitation/")
	p = c.watched().get(link).is("Welcome to Birch Ltd")
	p.asJSON("/"+lastPart(link), "password", c.secret("refused first password", "nora-birch-x"))
	p.submit("/"+lastPart(link), "password", c.secret("first password", "no password that anybody has")).is(atSignIn)
	dead(link)

	p = c.watched().get("/account/security").signIn("robin@acme.example")
	p.b.get(p.url.Path + "/lost").submit("/lost").is(atMailed)
	link = c.link("link that takes factors off", "/lost/")
	p = c.watched().get(link).is(atTakeOff)
	p.asJSON("/"+lastPart(link), "password", c.secret("wrong password", "not quite the right one"))
	p.submit("/"+lastPart(link), "password", rightPassword).is(atTakenOff)
	dead(link)
	c.secret("password", rightPassword)

	link = c.link("link that says it was not me", "/not-me/")
	c.secret("link that says it was not me, its middle", lastPart(link)[20:60])
	if q := c.watched().get(c.issuer + "/not-me/" + lastPart(link)[:50]); q.status != http.StatusGone {
		c.t.Errorf("half of a link answers %d", q.status)
	}
	c.watched().get(link).submit("/" + lastPart(link)).is(atLocked)
}

// byDetails changes the password, the phone number and the address of an account, wrongly at first.
func (c *canary) byDetails() {
	c.t.Helper()
	const old, now = "+491707654321", "+491709998877"
	mia := c.user("acme", "mia@acme.example", "staff")
	b := c.watched()
	p := b.get("/account/security").signIn("mia@acme.example").submit("/set-up/sms").submit("/set-up/sms", "input", c.secret("old number", old))
	p.submit("/set-up", "code", c.text()).is(atCodes).submit("/codes", "saved", "yes").is(atSecurity)

	p = b.get(ui.PathPassword).is(atPassword)
	p.asJSON("/details/password", "current", c.secret("wrong current password", "what mia has elsewhere"), "password", newPassword)
	p.submit("/details/password", "current", rightPassword, "password", c.secret("refused change", "mia-acme-x")).is(atPassword)
	p.submit("/details/password", "current", rightPassword, "password", c.secret("changed password", "seven brisk herons juggle")).is(atDetails)

	c.clock.forward(31 * time.Second)
	held, err := c.store.Credentials.List(c.t.Context(), storage.Query{Tenant: "acme", Field: "user", Value: mia.ID})
	i := slices.IndexFunc(held, func(f storage.Credential) bool { return f.Factor == sms.ID })
	if err != nil || i < 0 {
		c.t.Fatalf("no number is kept: %v", err)
	}
	p = b.get(ui.PathDetails + "/phones/" + held[i].ID).is(atNewNumber)
	p = p.submit("/"+held[i].ID, "input", c.secret("new number", now)).is(atNewNumber)
	code := c.secret("SMS code of the new number", c.text())
	p.asJSON("/set-up", "code", code+"0")
	p.submit("/set-up", "code", code[:5]+"x")
	p.submit("/set-up", "code", code).is(atDetails)

	b.wants("mia@new.example").is(atDetails)
	toNew, toOld := c.link("link to a new address", "/email/new/"), c.link("link to the present address", "/email/old/")
	for _, link := range []string{toNew, toOld} {
		half := link[:strings.LastIndex(link, ".")+10]
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if q, err := b.once(b.request(method, half, url.Values{})); err != nil || q.status != http.StatusGone {
				c.t.Errorf("half of a link answers %d (%v)", q.status, err)
			}
		}
	}
	c.watched().agree(toNew).is(atOldMissing)
	c.watched().agree(toOld).is(atEmailChanged)
	for _, link := range []string{toNew, toOld} {
		if q := c.watched().get(link); q.status != http.StatusGone {
			c.t.Errorf("a link that was used answers %d", q.status)
		}
	}
}

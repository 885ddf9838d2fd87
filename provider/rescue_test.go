package provider

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// The pages of mailed links.
const (
	atForgot      = "Forgot your password?"
	atMailed      = "Look into your mail"
	atNewPassword = "Choose a new password"
	atTakeOff     = "Take off all second steps?"
	atTakenOff    = "Your second steps are off"
	atDeadLink    = "This link no longer works"
	atLocked      = "Your account is locked"
	newPassword   = "seven brisk otters juggle"
)

var mailedLink = regexp.MustCompile(`https?://\S+`)

// linkTo finds the link of a kind in the newest mail to an address that has one. It leads to our own issuer, or the test
// fails.
func (w *world) linkTo(to, path string) string {
	w.t.Helper()
	for _, m := range w.mails(to) {
		for _, link := range mailedLink.FindAllString(m.Text, -1) {
			u, err := url.Parse(link)
			if err != nil {
				w.t.Fatal(err)
			}
			if !strings.HasPrefix(u.Path, path) {
				continue
			}
			if !strings.HasPrefix(link, w.issuer+path) {
				w.t.Fatalf("a link that leads away: %s", link)
			}
			return link
		}
	}
	w.t.Fatalf("no mail to %s has a link to %s", to, path)
	return ""
}

// count is how many mails with a subject went to an address.
func (w *world) count(to, subject string) int {
	w.t.Helper()
	n := 0
	for _, m := range w.mails(to) {
		if strings.Contains(m.Subject, subject) {
			n++
		}
	}
	return n
}

// forget asks for a mail in the place of who forgot the password, and waits until it is sent.
func (b *browser) forget(name string, change ...func(*http.Request)) *page {
	b.t.Helper()
	ask := b.get(b.get("/account/security").is(atSignIn).link(ui.PathForgot)).is(atForgot)
	r := ask.request(ui.PathForgot, "login", name)
	for _, f := range change {
		f(r)
	}
	p := b.follow(r)
	b.w.p.rescue.Wait()
	b.w.clock.forward(time.Second)
	return p
}

// signedIn is everything that is signed in as a user: a browser, another whose device is remembered, and an application.
type signedIn struct {
	w       *world
	email   string
	here    *browser
	device  *browser
	app     *app
	refresh string
	access  *oauth2.Token
}

// everywhere signs a user of acme in everywhere.
func (w *world) everywhere(email string, ph *phone) *signedIn {
	w.t.Helper()
	in := &signedIn{w: w, email: email, here: w.browser(), device: w.remembered(email, ph), app: w.app()}
	at := in.app.attempt()
	p := at.begin(in.here).signIn(email).is(atCode)
	_, in.access = at.redeem(p.submit("/with/totp", "code", ph.next()))
	in.refresh = in.access.RefreshToken
	in.here.get("/account/security").is(atSecurity)
	return in
}

// ended fails the test unless nothing of it is left.
func (in *signedIn) ended() {
	in.w.t.Helper()
	for name, b := range map[string]*browser{"the session": in.here, "the session on the remembered device": in.device} {
		if p := b.get("/account/security"); p.heading() != atSignIn {
			in.w.t.Errorf("%s lives on: %q", name, p.heading())
		}
	}
	ctx := in.w.t.Context()
	if left, err := in.w.store.Devices.List(ctx, storage.Query{Tenant: "acme"}); err != nil || len(left) != 0 {
		in.w.t.Errorf("%d remembered devices are left (%v)", len(left), err)
	}
	if _, err := in.app.config.TokenSource(ctx, &oauth2.Token{RefreshToken: in.refresh}).Token(); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		in.w.t.Errorf("the refresh token: %v, want invalid_grant", err)
	}
	if _, err := in.app.provider.UserInfo(ctx, oauth2.StaticTokenSource(in.access)); err == nil {
		in.w.t.Error("the access token still opens userinfo")
	}
	// The log says from where tokens were ended, as of everything.
	if e := in.w.entry("acme", "token.revoke"); e.Address == "" || e.Agent == "" || e.Request == "" {
		in.w.t.Errorf("in the log: %+v", e)
	}
}

// E-mail link, password: it comes from the configured issuer whatever the request says of its host, works once, and ends
// everything that is signed in. It signs nobody in, and the second step is asked for as ever.
func TestForgottenPassword(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	remembering(w)
	in := w.everywhere("robin@acme.example", ph)
	b := w.browser()
	p := b.forget("Robin@Acme.example", func(r *http.Request) {
		r.Host = "evil.example"
		r.Header.Set("X-Forwarded-Host", "evil.example")
		r.Header.Set("Forwarded", "host=evil.example")
		// A browser that was led there is of that origin.
		r.Header.Del("Origin")
	})
	if p.is(atMailed); strings.Contains(p.body, "evil.example") {
		t.Error("the page leads to the host of the request")
	}
	m := w.mails("robin@acme.example")[0]
	if !strings.Contains(m.Subject, "A new password") || strings.Contains(m.Text, "evil.example") || !strings.Contains(m.Text, "within 30 minutes") {
		t.Errorf("the mail: %q\n%s", m.Subject, m.Text)
	}
	link := w.linkTo("robin@acme.example", "/password/")

	// Programs open every link in a mail: that changes nothing. It can be opened in any browser.
	phone := w.browser()
	for range 3 {
		w.browser().get(link).is(atNewPassword)
	}
	p = phone.get(link).is(atNewPassword).says("At least 8 characters")
	for bad, says := range map[string]string{
		"":                                 "too short. It needs at least 8 characters",
		"short7!":                          "too short. It needs at least 8 characters",
		"password":                         "on lists that attackers try first",
		"qwertyuiop":                       "on lists that attackers try first",
		"robin@acme.example":               "made of your name, your address or ours",
		"Robin Example":                    "made of your name, your address or ours",
		strings.Repeat("long enough ", 11): "too long: at most 128 characters",
	} {
		if q := p.submit("/"+lastPart(link), "password", bad).is(atNewPassword).says(says); q.status != http.StatusUnprocessableEntity {
			t.Errorf("%q answers %d", bad, q.status)
		}
	}
	in.here.get("/account/security").is(atSecurity) // nothing has changed so far
	p = p.submit("/"+lastPart(link), "password", newPassword).is(atSignIn).says("You have a new password. Sign in with it now.")
	phone.get("/account/security").is(atSignIn)
	in.ended()
	if m := w.mails("robin@acme.example")[0]; !strings.Contains(m.Subject, "was changed") {
		t.Errorf("the last mail is %q", m.Subject)
	}
	w.browser().get("/account/security").signIn("robin@acme.example").is(atSignIn) // with the old one
	p = p.submit("/signin", "login", "robin@acme.example", "password", newPassword).is(atCode)
	p.submit("/with/totp", "code", ph.next()).is(atAccount)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		q, err := phone.once(phone.request(method, link, url.Values{"password": {newPassword + "!"}}))
		if err != nil || q.status != http.StatusGone {
			t.Errorf("%s of the used link: %d (%v)", method, q.status, err)
		}
		q.is(atDeadLink)
	}
	var told []string
	for _, e := range w.events("acme") {
		if strings.HasPrefix(e.Action, "password.") {
			told = append(told, e.Action+" "+e.Outcome)
		}
	}
	if !slices.Equal(told, []string{"password.forgot sent", "password.changed ok"}) {
		t.Errorf("audited: %q", told)
	}
}

func lastPart(link string) string { return link[strings.LastIndex(link, "/")+1:] }

// Who asks for a new password goes on to the application afterwards, as far as the same browser is used.
func TestForgottenPasswordLeadsBack(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	at := w.app().attempt()
	b := w.browser()
	ask := b.get(at.begin(b).is(atSignIn).link(ui.PathForgot)).is(atForgot)
	ask.submit(ui.PathForgot, "login", "").is(atForgot).says("Enter your e-mail address or user name")
	p := ask.submit(ui.PathForgot, "login", "kim@birch.example").is(atMailed)
	w.p.rescue.Wait()
	link := w.linkTo("kim@birch.example", "/password/")
	w.browser().get(link).submit("/"+lastPart(link), "password", newPassword).is(atSignIn)
	at.redeem(b.get(p.link("/signin")).is(atSignIn).submit("/signin", "login", "kim@birch.example", "password", newPassword))
}

// Same answer: whether there is an account, and whether it gets a mail, is not to be told from "forgot".
func TestForgotSameAnswer(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	w.user("birch", "new@birch.example", "client", func(u *storage.User) { u.EmailVerified = false })
	w.user("birch", "off@birch.example", "client", func(u *storage.User) { u.Disabled = true })
	lock(t, w, w.user("birch", "locked@birch.example", "client"))
	w.enrolled("acme", "robin@acme.example")
	type answer struct {
		status       int
		text, header string
		cookies      int
	}
	var first answer
	for i, c := range []struct {
		name, login string
		mails       int
	}{
		{"known", "kim@birch.example", 1},
		{"known, with a second step", "robin@acme.example", 1},
		{"unknown", "nobody@birch.example", 0},
		{"unverified", "new@birch.example", 0},
		{"disabled", "off@birch.example", 0},
		{"locked", "locked@birch.example", 0},
		{"no name", "'; drop table users; --", 0},
	} {
		p := w.browser().forget(c.login)
		var names []string
		for name := range p.header {
			names = append(names, name)
		}
		slices.Sort(names)
		got := answer{p.status, p.text(), strings.Join(names, ","), len(p.header.Values("Set-Cookie"))}
		if i == 0 {
			first = got
			p.is(atMailed).says("If there is such an account")
		}
		if got != first {
			t.Errorf("%s: %+v\nwant %+v", c.name, got, first)
		}
		if n := w.count(c.login, "A new password"); n != c.mails {
			t.Errorf("%s: %d mails, want %d", c.name, n, c.mails)
		}
	}
}

// E-mail link: 256 bits, 30 minutes, once; a newer one ends the older, and so does any change. It is good for its purpose
// and user only.
func TestForgotLinkEnds(t *testing.T) {
	w := newWorld(t)
	kim := w.user("birch", "kim@birch.example", "client")
	lou := w.user("birch", "lou@birch.example", "client")
	mail := func() string {
		t.Helper()
		w.clock.forward(time.Hour) // three an hour
		w.browser().forget("kim@birch.example").is(atMailed)
		return w.linkTo("kim@birch.example", "/password/")
	}
	dead := func(link, why string) {
		t.Helper()
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			b := w.browser()
			p, err := b.once(b.request(method, link, url.Values{"password": {newPassword}}))
			if err != nil {
				t.Fatal(err)
			}
			if p.status != http.StatusGone || p.heading() != atDeadLink {
				t.Errorf("%s: %s answers %d %q", why, method, p.status, p.heading())
			}
		}
	}
	link := mail()
	parts := strings.Split(lastPart(link), ".")
	if len(parts) != 3 || len(parts[2]) < 52 { // base32 has 5 bits a letter
		t.Errorf("the link holds %q, want 256 bits", parts[len(parts)-1])
	}
	w.clock.forward(30*time.Minute - 2*time.Second)
	w.browser().get(link).is(atNewPassword)
	w.clock.forward(2 * time.Second)
	dead(link, "after 30 minutes")

	older := mail()
	w.browser().forget("kim@birch.example")
	newer := w.linkTo("kim@birch.example", "/password/")
	dead(older, "a newer one was sent")
	w.browser().get(newer).is(atNewPassword)
	for why, changed := range map[string]string{
		"another purpose":     strings.Replace(newer, "/password/", "/lost/", 1),
		"another purpose too": strings.Replace(newer, "/password/", "/verify/", 1),
		"another user":        strings.Replace(newer, kim.ID, lou.ID, 1),
		"another tenant":      strings.Replace(newer, "birch.", "acme.", 1),
		"another secret":      newer[:len(newer)-1] + string('A'+(newer[len(newer)-1]-'A'+1)%26),
		"cut short":           newer[:len(newer)-1],
		"nothing":             w.issuer + "/password/x",
		"only dots":           w.issuer + "/password/..",
	} {
		dead(changed, why)
	}
	w.browser().get(newer).is(atNewPassword)

	if _, err := w.p.Admin().SetPassword(t.Context(), web.Operator(), "birch", kim.ID, "an entirely different one 42"); err != nil {
		t.Fatal(err)
	}
	dead(newer, "the password was changed")
	link = mail()
	change := func(f func(*storage.User)) {
		t.Helper()
		if _, err := storage.Change(t.Context(), w.store.Users, "birch", kim.ID, func(u *storage.User) error { f(u); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	change(func(u *storage.User) { u.Email = "kim@elsewhere.example" })
	dead(link, "the address was changed")
	change(func(u *storage.User) { u.Email = "kim@birch.example" })
	link = mail()
	change(func(u *storage.User) { u.Disabled = true })
	dead(link, "the user is disabled")
}

// 20 at once with one link: one sets a password, and it is that one's.
func TestOneForgotLinkTwentyTimes(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	w.browser().forget("kim@birch.example")
	link := w.linkTo("kim@birch.example", "/password/")
	b := w.browser()
	var mu sync.Mutex
	var won []string
	together(t, 20, func(i int) error {
		password := fmt.Sprintf("%s %d", newPassword, i)
		p, err := b.once(b.request(http.MethodPost, link, url.Values{"password": {password}}))
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		switch p.status {
		case http.StatusSeeOther:
			won = append(won, password)
		case http.StatusGone:
		default:
			return fmt.Errorf("answers %d", p.status)
		}
		return nil
	})
	if len(won) != 1 {
		t.Fatalf("%d of 20 set a password", len(won))
	}
	w.browser().get("/account/security").is(atSignIn).submit("/signin", "login", "kim@birch.example", "password", won[0]).is(atSecurity)
}

// Passwords: 15 characters where the password is the only factor, 8 where a second step stands behind it.
func TestLeastPassword(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "alone@birch.example", "client")
	w.enrolled("birch", "two@birch.example")
	w.user("acme", "staff@acme.example", "staff") // who must set one up
	for email, least := range map[string]int{"alone@birch.example": 15, "two@birch.example": 8, "staff@acme.example": 8} {
		w.browser().forget(email)
		link := w.linkTo(email, "/password/")
		p := w.browser().get(link).is(atNewPassword).says(fmt.Sprintf("At least %d characters", least))
		const long = "vexed quokka plods on and on"
		p.submit("/"+lastPart(link), "password", long[:least-1]).is(atNewPassword).says(fmt.Sprintf("at least %d characters", least))
		p.submit("/"+lastPart(link), "password", long[:least]).is(atSignIn)
	}
	if directory.MinPassword != 8 {
		t.Errorf("the least anywhere is %d", directory.MinPassword)
	}
}

// Mails that strangers can ask for: 3 an hour for one user, and 20 from one address, over all users.
func TestForgotIsThrottled(t *testing.T) {
	w := newWorld(t, trusting)
	w.user("birch", "kim@birch.example", "client")
	from := func(address string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Forwarded-For", address) }
	}
	for i := range 6 {
		w.browser().forget("kim@birch.example", from(fmt.Sprintf("203.0.113.%d", i+1))).is(atMailed)
	}
	if n := w.count("kim@birch.example", "A new password"); n != 3 {
		t.Errorf("%d mails in an hour, want 3", n)
	}
	w.clock.forward(time.Hour)
	for i := range 20 {
		w.browser().forget(fmt.Sprintf("user%d@birch.example", i), from("198.51.100.7"))
	}
	w.browser().forget("kim@birch.example", from("198.51.100.7")).is(atMailed)
	if n := w.count("kim@birch.example", "A new password"); n != 3 {
		t.Errorf("the 21st mail from one address went out")
	}
	w.browser().forget("kim@birch.example", from("203.0.113.7"))
	if n := w.count("kim@birch.example", "A new password"); n != 4 {
		t.Errorf("%d mails; another address is throttled too", n)
	}
}

// lostLink goes from the password to the mail with the link that takes all factors off.
func (w *world) lostLink(email string) string {
	w.t.Helper()
	p := w.browser().get("/account/security").signIn(email)
	ways := p.b.get(p.link("/ways")).says("Lost everything? Get instructions by mail")
	sent := p.b.get(ways.link("/lost")).is("Lost every way to confirm that it’s you?").submit("/lost").is(atMailed)
	p.b.get(sent.link("/signin")).is(atSignIn)
	if strings.Contains(sent.text(), email) {
		w.t.Error("the page tells the address to somebody who has shown a password only")
	}
	link := w.linkTo(email, "/lost/")
	w.clock.forward(time.Second)
	return link
}

func (w *world) credentials(u storage.User) int {
	w.t.Helper()
	held, err := w.store.Credentials.List(w.t.Context(), storage.Query{Tenant: u.Tenant, Field: "user", Value: u.ID})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(held)
}

// 001-12, 001-13: instructions go to the verified address; the link removes the factors only after the password too,
// once, tells every channel, and where 2FA is required the next sign-in sets up again.
func TestLostDevice(t *testing.T) {
	w := newTexting(t)
	remembering(w.world)
	robin, ph, _ := w.enrolled("acme", "robin@acme.example")
	in := w.everywhere("robin@acme.example", ph)
	p := in.here.get("/account/set-up/sms").submit("/set-up/sms", "input", german)
	p.submit("/account/set-up", "code", w.codes(germanE)[0]).is(atSecurity)
	in = w.everywhereAgain(in, ph)
	had := w.credentials(robin)
	link := w.lostLink("robin@acme.example")

	// Whoever reads the mail has not got the password; programs open every link.
	for range 3 {
		w.browser().get(link).is(atTakeOff).says("At your next sign-in you set up a new second step")
	}
	b := w.browser()
	p = b.get(link)
	q := p.submit("/"+lastPart(link), "password", "not the password").is(atTakeOff).says("That password isn’t right")
	if q.status != http.StatusUnprocessableEntity || w.credentials(robin) != had {
		t.Fatalf("a wrong password answers %d, %d factors are left", q.status, w.credentials(robin))
	}
	in.here.get("/account/security").is(atSecurity)

	p.submit("/"+lastPart(link), "password", rightPassword).is(atTakenOff)
	if n := w.credentials(robin); n != 0 {
		t.Errorf("%d credentials are left", n)
	}
	in.ended()
	b.get("/account/security").is(atSignIn)
	if m := w.mails("robin@acme.example")[0]; !strings.Contains(m.Subject, "was turned off") {
		t.Errorf("the last mail is %q", m.Subject)
	}
	if m := w.mails(germanE)[0]; !strings.Contains(m.Text, "Two-factor authentication was turned off for your Acme Ltd account") {
		t.Errorf("the phone was told %q", m.Text)
	}
	for _, again := range []*page{b.get(link), b.follow(b.request(http.MethodPost, link, url.Values{"password": {rightPassword}}))} {
		if again.is(atDeadLink); again.status != http.StatusGone {
			t.Errorf("a second time: %d", again.status)
		}
	}
	w.browser().get("/account/security").signIn("robin@acme.example").is(atIntro).enrol()

	var told []string
	for _, e := range w.events("acme") {
		if e.User == robin.ID && strings.HasPrefix(e.Action, "two_factor.") {
			told = append(told, e.Action+" "+e.Outcome)
		}
	}
	if !slices.Equal(told, []string{"two_factor.lost sent", "two_factor.reset refused", "two_factor.reset ok"}) {
		t.Errorf("audited: %q", told)
	}
}

// everywhereAgain signs in once more what the change of a factor ended.
func (w *texting) everywhereAgain(in *signedIn, ph *phone) *signedIn {
	w.t.Helper()
	at := in.app.attempt()
	p := at.begin(in.here)
	if p.b == in.here && strings.HasPrefix(p.url.String(), w.issuer) {
		p = p.signIn(in.email)
		p = p.submit("/with/totp", "code", ph.next())
	}
	_, in.access = at.redeem(p)
	in.refresh = in.access.RefreshToken
	in.device = w.remembered(in.email, ph)
	w.clock.forward(time.Minute)
	return in
}

// 001-12, 001-13: where 2FA is not required, the password alone opens the account afterwards.
func TestLostDeviceWhereItIsOptional(t *testing.T) {
	w := newWorld(t)
	w.enrolled("birch", "kim@birch.example")
	link := w.lostLink("kim@birch.example")
	p := w.browser().get(link).is(atTakeOff).says("From then on your password alone opens your account")
	p.submit("/"+lastPart(link), "password", rightPassword).is(atTakenOff)
	w.browser().get("/account/security").signIn("kim@birch.example").is(atSecurity)
}

// 001-12, 001-13, per tenant: on, off, and by default for members only; the address must be verified, and the tenant may
// change its mind while a mail is under way.
func TestLostDeviceSettings(t *testing.T) {
	w := newWorld(t)
	set := func(to string) {
		t.Helper()
		_, err := storage.Change(t.Context(), w.store.Tenants, storage.Global, "acme", func(o *storage.Tenant) error {
			o.Settings.EmailReset = to
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.clock.forward(10 * time.Second)
	}
	var users []storage.User
	for _, role := range []storage.Role{storage.Owner, storage.Admin, storage.Member} {
		users = append(users, w.helper("acme", string(role)+"@acme.example", role).User)
	}
	unverified, _, _ := w.enrolled("acme", "new@acme.example")
	if _, err := storage.Change(t.Context(), w.store.Users, "acme", unverified.ID, func(u *storage.User) error { u.EmailVerified = false; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		setting string
		want    []bool // owner, admin, member
	}{{"", []bool{false, false, true}}, {"on", []bool{true, true, true}}, {"off", []bool{false, false, false}}, {"perhaps", []bool{false, false, false}}} {
		set(c.setting)
		for i, u := range append(slices.Clone(users), unverified) {
			want := i < len(users) && c.want[i]
			p := w.browser().get("/account/security").signIn(u.Email).is(atCode)
			if offered := strings.Contains(p.b.get(p.link("/ways")).text(), "Get instructions by mail"); offered != want {
				t.Errorf("setting %q, %s: offered %v", c.setting, u.Email, offered)
			}
			q, err := p.b.once(p.b.request(http.MethodPost, p.url.Path+"/lost", url.Values{}))
			if err != nil || want != (q.status == http.StatusOK) || !want && q.status != http.StatusNotFound {
				t.Errorf("setting %q, %s: asking for the mail answers %d (%v)", c.setting, u.Email, q.status, err)
			}
		}
	}
	if n := w.count("owner@acme.example", "Back into your"); n != 1 {
		t.Errorf("the owner got %d mails, want the one of “on”", n)
	}
	set("")
	w.clock.forward(time.Hour)
	link := w.lostLink("member@acme.example")
	w.browser().get(link).is(atTakeOff)
	set("off")
	w.browser().get(link).is(atDeadLink)
}

// Wrong passwords at the link are slowed as at sign-in, and count there too; mails are three an hour.
func TestLostDeviceIsThrottled(t *testing.T) {
	w := newWorld(t)
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	link := w.lostLink("robin@acme.example")
	p := w.browser().get(link)
	for i := range 5 {
		p.submit("/"+lastPart(link), "password", fmt.Sprint("guess ", i)).says("That password isn’t right")
	}
	p.submit("/"+lastPart(link), "password", rightPassword).is(atTakeOff).says("Too many tries. Please wait 1 minute")
	w.browser().get("/account/security").signIn("robin@acme.example").is(atSignIn).says("Too many tries")
	if w.credentials(robin) != 2 {
		t.Errorf("%d factors are left", w.credentials(robin))
	}
	w.clock.forward(time.Second)
	p.submit("/"+lastPart(link), "password", rightPassword).is(atTakenOff)

	kim, _, _ := w.enrolled("acme", "kim@acme.example")
	for range 3 {
		w.lostLink(kim.Email)
	}
	q := w.browser().get("/account/security").signIn(kim.Email)
	q, err := q.b.once(q.b.request(http.MethodPost, q.url.Path+"/lost", url.Values{}))
	if err != nil || q.status != http.StatusTooManyRequests || w.count(kim.Email, "Back into your") != 3 {
		t.Errorf("the fourth mail in an hour: %d, %d mails (%v)", q.status, w.count(kim.Email, "Back into your"), err)
	}
}

// 20 at once with one link: the factors are taken off once.
func TestOneLostLinkTwentyTimes(t *testing.T) {
	w := newWorld(t)
	w.enrolled("acme", "robin@acme.example")
	link := w.lostLink("robin@acme.example")
	b := w.browser()
	var mu sync.Mutex
	did := 0
	together(t, 20, func(int) error {
		p, err := b.once(b.request(http.MethodPost, link, url.Values{"password": {rightPassword}}))
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if p.status == http.StatusOK {
			did++
		}
		return nil
	})
	if did != 1 || w.count("robin@acme.example", "was turned off") != 1 {
		t.Errorf("%d of 20 took the factors off, %d mails", did, w.count("robin@acme.example", "was turned off"))
	}
}

// Verified addresses: the link goes to the address that is to be verified, and the one who holds it confirms.
func TestVerifyEmail(t *testing.T) {
	w := newWorld(t)
	kim := w.user("birch", "kim@birch.example", "client", func(u *storage.User) { u.EmailVerified = false })
	b := w.browser()
	p := b.get("/account").signIn("kim@birch.example").is(atAccount).says("kim@birch.example is not confirmed yet")
	p.submit("/email/verify").is(atAccount).says("A mail with a link is on its way to kim@birch.example")
	link := w.linkTo("kim@birch.example", "/verify/")
	verified := func() bool {
		t.Helper()
		u, err := w.store.Users.Get(t.Context(), "birch", kim.ID)
		if err != nil {
			t.Fatal(err)
		}
		return u.EmailVerified
	}
	q := w.browser().get(link).is("Is kim@birch.example your address?")
	if verified() {
		t.Fatal("opening the link is enough")
	}
	q.submit("/" + lastPart(link)).is("Your e-mail address is confirmed")
	if !verified() {
		t.Fatal("not verified")
	}
	q.submit("/" + lastPart(link)).is(atDeadLink)
	if p := b.get("/account").is(atAccount); strings.Contains(p.text(), "not confirmed") {
		t.Error("the page still asks")
	}
	if r, err := b.once(b.request(http.MethodPost, "/account/email/verify", url.Values{})); err != nil || r.status != http.StatusNotFound {
		t.Errorf("asking again: %d (%v)", r.status, err)
	}
}

// "This was not me": the link of a notice asks by GET and locks by POST. Sessions, devices and tokens end, nobody gets in
// until an owner unlocks, and then the old link is of no use.
func TestThisWasNotMe(t *testing.T) {
	w := newWorld(t)
	robin, ph, codes := w.enrolled("acme", "robin@acme.example")
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	remembering(w)
	in := w.everywhere("robin@acme.example", ph)
	thief := w.browser().get("/account/security").signIn("robin@acme.example").is(atCode)
	w.browser().forget("robin@acme.example")
	password := w.linkTo("robin@acme.example", "/password/")
	link := w.linkTo("robin@acme.example", "/not-me/") // of the device that was remembered

	for range 2 {
		w.browser().get(link).is("Lock robin@acme.example?").says("nobody can sign in, you neither, until an owner")
	}
	in.here.get("/account/security").is(atSecurity)
	w.clock.forward(time.Second)
	reader := w.browser()
	reader.get(link).submit("/" + lastPart(link)).is(atLocked)
	in.ended()
	if n := w.count("robin@acme.example", "is locked"); n != 1 {
		t.Errorf("%d mails tell of the lock", n)
	}
	// Saying it twice does no harm, and no second mail.
	reader.get(link).submit("/" + lastPart(link)).is(atLocked)
	if n := w.count("robin@acme.example", "is locked"); n != 1 {
		t.Errorf("%d mails tell of the lock", n)
	}

	// Every way in is shut: the password, a sign-in under way, and the mailed link.
	w.browser().get("/account/security").signIn("robin@acme.example").is(atSignIn).says("The name or the password isn’t right")
	if p := thief.submit("/with/totp", "code", ph.next()); strings.HasPrefix(p.url.Path, "/account") || p.heading() == atCode {
		t.Errorf("a sign-in under way goes on: %q", p.heading())
	}
	w.browser().get(password).is(atDeadLink)
	owner.get("/account/security").is(atSecurity)

	p := owner.get(ui.PathPeople).is(atPeople).says("No access")
	p.submit("/" + robin.ID + "/unlock").says("robin@acme.example can sign in again")
	w.clock.forward(time.Second)
	for _, old := range []*page{reader.get(link), reader.follow(reader.request(http.MethodPost, link, url.Values{}))} {
		if old.is(atDeadLink); old.status != http.StatusGone {
			t.Errorf("the old link after the unlock: %d", old.status)
		}
	}
	q := w.browser().get("/account/security").signIn("robin@acme.example").is(atCode)
	q.b.get(q.url.Path+"/with/backup").submit("/with/backup", "code", codes[0]).is(atSecurity)
	// A notice of what happens from now on locks again.
	fresh := w.linkTo("robin@acme.example", "/not-me/")
	w.clock.forward(7*24*time.Hour - time.Second)
	w.browser().get(fresh).is("Lock robin@acme.example?")
	w.clock.forward(time.Second)
	w.browser().get(fresh).is(atDeadLink)

	var told []string
	for _, e := range w.events("acme") {
		if e.User == robin.ID && strings.HasPrefix(e.Action, "user.") {
			told = append(told, e.Action+" "+e.Outcome)
		}
	}
	if !slices.Equal(told, []string{"user.lock ok", "user.unlock ok"}) {
		t.Errorf("audited: %q", told)
	}
}

// What is no link of a notice locks nobody.
func TestNotMeLinksAreOurs(t *testing.T) {
	w := newWorld(t)
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	link := w.linkTo("robin@acme.example", "/not-me/")
	sealed := lastPart(link)
	for name, bad := range map[string]string{
		"changed":       sealed[:len(sealed)/2] + "AAAA" + sealed[len(sealed)/2+4:],
		"cut short":     sealed[:len(sealed)-4],
		"made up":       robin.Tenant + "." + robin.ID,
		"of a password": "birch.x.y",
	} {
		b := w.browser()
		p, err := b.once(b.request(http.MethodPost, w.issuer+"/not-me/"+bad, url.Values{}))
		if err != nil || p.status != http.StatusGone {
			t.Errorf("%s: %d (%v)", name, p.status, err)
		}
	}
	w.browser().get("/account/security").signIn("robin@acme.example").is(atCode)
}

// from is a network that a browser is in: what it sends comes through a proxy that we trust.
type from string

func (f from) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", string(f))
	return http.DefaultTransport.RoundTrip(r)
}

// Throttling: a stranger can't lock a victim out. Whatever is guessed or asked for from another network, password,
// remembered device, second step and mailed link of the owner work. (TestWrongPasswords shows the numbers, and
// TestPasskeyWhileOthersGuess that passkeys stay usable in the very network that guesses.)
func TestStrangerDoesNotLockTheOwnerOut(t *testing.T) {
	w := newWorld(t, trusting)
	_, ph, codes := w.enrolled("acme", "robin@acme.example")
	remembering(w)
	at := func(network from) *browser {
		b := w.browser()
		b.client.Transport = network
		return b
	}
	owner := at("203.0.113.9")
	p := owner.get("/account/security").signIn("robin@acme.example").is(atCode)
	p.submit("/with/totp", "code", ph.next(), "remember", "yes").is(atSecurity)
	under := at("203.0.113.9").get("/account/security").signIn("robin@acme.example").is(atCode)

	for i := range 40 {
		b := at(from(fmt.Sprintf("198.51.%d.7", i%4)))
		b.get("/account/security").submit("/signin", "login", "robin@acme.example", "password", fmt.Sprint("guess ", i))
		q, err := b.once(b.request(http.MethodPost, under.url.Path+"/with/totp", url.Values{"code": {ph.wrong()}}))
		if err != nil || q.status != http.StatusForbidden {
			t.Fatalf("a code without the password: %d (%v)", q.status, err)
		}
	}
	if q := at("198.51.0.7").get("/account/security").signIn("robin@acme.example"); !strings.Contains(q.text(), "Too many tries") {
		t.Error("the stranger is not slowed")
	}
	for range 5 {
		at("198.51.100.7").forget("robin@acme.example").is(atMailed)
	}
	under.submit("/with/totp", "code", ph.next()).is(atSecurity)
	if !owner.passwordIsEnough("robin@acme.example") {
		t.Error("the remembered device is asked")
	}
	q := at("203.0.113.200").get("/account/security").signIn("robin@acme.example").is(atCode)
	q.b.get(q.url.Path+"/with/backup").submit("/with/backup", "code", codes[0]).is(atSecurity)
	// The mails that the stranger asked for are the owner's to use.
	link := w.linkTo("robin@acme.example", "/password/")
	owner.get(link).submit("/"+lastPart(link), "password", newPassword).is(atSignIn)
}

// A thief who is in as an owner can't end the links by "unlocking" who is not locked.
func TestUnlockingNobodyEndsNoLink(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	link := w.linkTo("olga@acme.example", "/not-me/")
	w.clock.forward(time.Second)
	for range 2 {
		p, err := owner.once(owner.request(http.MethodPost, ui.PathPeople+"/"+owner.ID+"/unlock", url.Values{}))
		if err != nil || p.status != http.StatusForbidden {
			t.Fatalf("unlocking oneself: %d (%v)", p.status, err)
		}
	}
	w.clock.forward(time.Second)
	w.browser().get(link).is("Lock olga@acme.example?")
	if slices.ContainsFunc(w.events("acme"), func(e storage.Event) bool { return e.Action == "user.unlock" }) {
		t.Error("audited an unlock that was none")
	}
}

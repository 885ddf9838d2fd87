package provider

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/provider/place"
	"github.com/sallyport-id/sallyport/provider/place/placetest"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// placed has a world know where some addresses of its browsers are.
func placed(c *Config) {
	c.TrustedProxies = loopbackNetworks
}

// somewhere is a world that knows where some addresses are.
func somewhere(t *testing.T) *world {
	t.Helper()
	f, err := place.Open(placetest.Write(t, "GeoLite2-City", placetest.Entry{
		Network: "203.0.113.0/24", City: map[string]string{"en": "Cologne", "de": "Köln"}, Country: map[string]string{"en": "Germany", "de": "Deutschland"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return newWorld(t, placed, func(c *Config) { c.Places = f })
}

// rows are the rows of a page's lists, as they read.
func (p *page) rows() []string {
	p.b.t.Helper()
	var rows []string
	p.walk(func(n *html.Node) {
		if n.Data == "li" && strings.Contains(attr(n, "class"), "row") {
			var b strings.Builder
			var read func(*html.Node)
			read = func(n *html.Node) {
				if n.Type == html.TextNode {
					b.WriteString(n.Data + " ")
				}
				for c := n.FirstChild; c != nil; c = c.NextSibling {
					read(c)
				}
			}
			read(n)
			rows = append(rows, plain.Replace(strings.Join(strings.Fields(b.String()), " ")))
		}
	})
	return rows
}

// signedInAt is a browser of a user's, signed in from an address.
func (w *world) signedInAt(address, email string, ph *phone) *browser {
	w.t.Helper()
	b := w.browserAt(address)
	p := b.get("/account").signIn(email)
	if ph != nil {
		p = p.is(atCode).submit("/with/totp", "code", ph.next())
	}
	p.is(atAccount)
	return b
}

// session is the one that a browser is signed in with.
func (b *browser) session() string {
	b.t.Helper()
	for _, c := range b.client.Jar.Cookies(b.root()) {
		if strings.HasSuffix(c.Name, "session") {
			return strings.Split(c.Value, ".")[1]
		}
	}
	b.t.Fatal("not signed in")
	return ""
}

// post sends a form without fields, and does not follow.
func (b *browser) post(path string) *page {
	b.t.Helper()
	p, err := b.once(b.request(http.MethodPost, path, url.Values{}))
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// dead fails the test unless an application's tokens are.
func (a *app) dead(what string, token *oauth2.Token) {
	a.t.Helper()
	ctx := context.Background()
	if _, err := a.config.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token(); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		a.t.Errorf("%s: the refresh token: %v, want invalid_grant", what, err)
	}
	if _, err := a.provider.UserInfo(ctx, oauth2.StaticTokenSource(token)); err == nil {
		a.t.Errorf("%s: the access token still opens userinfo", what)
	}
}

// alive fails the test unless an application's tokens are good, and returns the next.
func (a *app) alive(what string, token *oauth2.Token) *oauth2.Token {
	a.t.Helper()
	ctx := context.Background()
	next, err := a.config.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	if err != nil {
		a.t.Fatalf("%s: the refresh token: %v", what, err)
	}
	if _, err := a.provider.UserInfo(ctx, oauth2.StaticTokenSource(next)); err != nil {
		a.t.Errorf("%s: the access token: %v", what, err)
	}
	return next
}

// "+ Overview: factors, codes left, remembered devices, sessions, last sign-in, one recommended next step."
func TestOverview(t *testing.T) {
	w := somewhere(t)
	remembering(w)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	w.remembered("robin@acme.example", ph)
	w.signedInAt("203.0.113.7", "robin@acme.example", ph)
	at := w.clock.Now().UTC().Format("15:04")
	b := w.browser()
	p := b.get("/account").signIn("robin@acme.example").submit("/with/totp", "code", ph.next()).is(atAccount)
	p.says("Robin Example", "robin@acme.example", "Authenticator app", "10 of 10 left", "4 browsers signed in", "1 remembered", at, "Recommended next step")
	for _, to := range []string{"/account/security", "/account/devices", "/account/activity", "/account/applications"} {
		b.get(p.link(to))
	}
	if strings.Contains(p.body, ui.PathConsole) {
		t.Error("a member is led to the administration")
	}

	// As JSON too, as all pages.
	var got struct {
		On       bool
		Sessions int
		Devices  int
		Next     ui.Advice
		Factors  []ui.Held
	}
	_, answer := b.asJSON("/account", nil)
	raw, err := json.Marshal(answer)
	if err == nil {
		err = json.Unmarshal(raw, &got)
	}
	if err != nil || !got.On || got.Sessions != 4 || got.Devices != 1 || got.Next.Path == "" || len(got.Factors) != 1 {
		t.Errorf("as JSON: %+v (%v)", got, err)
	}
}

// Owners and admins find their way from the account to the administration and back.
func TestAcrossToTheAdministration(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	p := owner.get("/account").is(atAccount)
	owner.get(p.link(ui.PathPeople)).is(atPeople).says("Your account")
	owner.get(owner.get(ui.PathAudit).link("/account")).is(atAccount)
}

// 003-2, 002-1: the overview and the security page say why no second step can be had, and offer none.
func TestUnavailableOnEveryPage(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	_, err := storage.Change(t.Context(), w.store.Tenants, storage.Global, "birch", func(t *storage.Tenant) error { t.Plan = "free"; return nil })
	if err != nil {
		t.Fatal(err)
	}
	open := storage.Then{Access: "allow", TwoFactor: "unavailable", Strength: "any"}
	for says, rule := range map[string]storage.Rule{
		"accounts of your type": {Name: "Sub-accounts", When: storage.When{UserTypes: []string{"client"}}, Then: open},
		"paid plans":            {Name: "Free plan", When: storage.When{Plans: []string{"free"}}, Then: open},
	} {
		w.rules("birch", rule)
		b := w.browser()
		p := b.get("/account").signIn("kim@birch.example").is(atAccount).says("Not available", says)
		q := b.get("/account/security").is(atSecurity).says("Not available", says)
		for _, p := range []*page{p, q} {
			if strings.Contains(p.text(), "Turn on") {
				t.Errorf("%s offers what can't be had", p.url)
			}
		}
	}
}

// "+ Sessions: list with browser, system, place by IP, last used, this device; end one, end all others."
func TestSessionsListed(t *testing.T) {
	w := somewhere(t)
	_, ph, _ := w.enrolled("birch", "robin@birch.example")
	away := w.signedInAt("203.0.113.7", "robin@birch.example", ph)
	unknown := w.signedInAt("198.51.100.7", "robin@birch.example", ph)
	w.clock.forward(10 * time.Minute)
	away.get("/account").is(atAccount)
	b := w.signedInAt("192.168.7.7", "robin@birch.example", ph)
	p := b.get("/account/devices").is(atDevices)
	rows := p.rows()
	if len(rows) != 4 { // and the one that set the app up
		t.Fatalf("%d sessions: %q", len(rows), rows)
	}
	for i, want := range []string{"Firefox, Linux This device Private network 192.168.7.7", "Firefox, Linux Cologne, Germany 203.0.113.7", "Firefox, Linux 198.51.100.7"} {
		if !strings.HasPrefix(rows[i], want) {
			t.Errorf("row %d reads %q, want %q", i, rows[i], want)
		}
	}
	if strings.Contains(p.body, b.session()+"/end") {
		t.Error("the session that one looks from can be ended where nobody looks for that")
	}
	b.lang = "de"
	b.get("/account/devices").says("Köln, Deutschland", "Privates Netz", "Dieses Gerät")
	b.lang = "en"

	// One ends: that browser is out, the others are not, and it is in the log.
	p.submit("/sessions/" + away.session() + "/end").is(atDevices).says("The browser is signed out.")
	away.get("/account").is(atSignIn)
	unknown.get("/account").is(atAccount)
	if e := w.entry("birch", "session.ended"); e.Outcome != "ok" || e.Address != "192.168.7.7" {
		t.Errorf("in the log: %+v", e)
	}
	// From a page that is stale by now, or in the second of two tabs, it is gone, in words.
	gone := p.submit("/sessions/" + unknown.session() + "/end")
	if gone.is(atDevices); len(gone.rows()) != 2 {
		t.Errorf("left: %q", gone.rows())
	}
	if again := p.submit("/sessions/" + unknown.session() + "/end"); again.status != http.StatusNotFound {
		t.Errorf("ending it again answers %d", again.status)
	} else {
		b.get(again.link("/account")).is(atAccount)
	}
}

// A session that ends takes with it what applications got through it, offline access too: it may be somebody else's.
func TestEndedSessionsTokensAreDead(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("birch", "robin@birch.example")
	a := w.app()
	signIn := func() (*browser, *oauth2.Token) {
		t.Helper()
		b := w.browser()
		at := a.attempt()
		_, token := at.redeem(at.begin(b).signIn("robin@birch.example").submit("/with/totp", "code", ph.next()))
		return b, token
	}
	away, stolen := signIn()
	here, mine := signIn()
	third, other := signIn()
	p := here.get("/account/devices").is(atDevices)
	p.submit("/sessions/" + away.session() + "/end").is(atDevices)
	a.dead("the session that ended", stolen)
	mine = a.alive("this session", mine)
	other = a.alive("another session", other)

	// All others: asked once, and then only this one is left.
	ask := here.get(p.link("/end-others")).is("Sign out everywhere else?").says("remembered devices are forgotten", "lose their access")
	third.get("/account").is(atAccount)
	ask.submit("/end-others").is(atDevices).says("You are signed out everywhere else.", "You are signed in nowhere else.")
	third.get("/account").is(atSignIn)
	a.dead("all others", other)
	a.alive("this session", mine)
	here.get("/account").is(atAccount)
	if e := w.entry("birch", "session.ended_others"); e.Outcome != "ok" {
		t.Errorf("in the log: %+v", e)
	}
	// Again is no harm.
	here.get("/account/devices/end-others").submit("/end-others").is(atDevices)
}

// Sign-ins that were under way elsewhere end too, and remembered devices are asked again.
func TestEndOthersEndsWhatIsUnderWay(t *testing.T) {
	w := newWorld(t)
	remembering(w)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	device := w.remembered("robin@acme.example", ph)
	half := w.browser().get("/account").signIn("robin@acme.example").is(atCode)
	b := w.browser()
	b.get("/account").signIn("robin@acme.example").submit("/with/totp", "code", ph.next()).is(atAccount)
	b.get("/account/devices/end-others").submit("/end-others").is(atDevices).says("No device is remembered.")
	if p := half.submit("/with/totp", "code", ph.next()); p.heading() == atAccount {
		t.Error("a sign-in that was under way came to its end")
	}
	if device.passwordIsEnough("robin@acme.example") {
		t.Error("the device is still remembered")
	}
}

// "+ Connected applications and revoke."
func TestApplicationsListedAndRevoked(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("birch", "robin@birch.example")
	a := w.app()
	secret := w.client("ledger", "web", "https://ledger.example/callback", func(c *storage.Client) { c.Name = "Ledger <b>"; c.GrantTypes = []string{"authorization_code"} })
	ledger := w.connect("ledger", secret, "https://ledger.example/callback")
	ledger.config.Scopes = []string{"openid", "email"}

	b := w.browser()
	at := a.attempt()
	_, token := at.redeem(at.begin(b).signIn("robin@birch.example").submit("/with/totp", "code", ph.next()))
	at = ledger.attempt()
	_, short := at.redeem(at.begin(b))

	elsewhere := w.browser()
	elsewhere.get("/account").signIn("robin@birch.example").submit("/with/totp", "code", ph.next()).is(atAccount)
	p := b.get("/account/applications").is(atApps).says("Workshop", "Name and user name", "E-mail address", "Access also while you are not there", "Ledger <b>")
	b.get("/account").is(atAccount).says("2 with access to your account")
	ask := b.get(p.link("/workshop/revoke")).is("End the access of “Workshop”?")
	token = a.alive("before it is revoked", token)
	p = ask.submit("/workshop/revoke").is(atApps).says("“Workshop” has no access to your account any more.")
	a.dead("revoked", token)
	if strings.Contains(strings.Join(p.rows(), " "), "Workshop") {
		t.Errorf("still listed: %q", p.rows())
	}
	if _, err := ledger.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(short)); err != nil {
		t.Errorf("the other application lost its access: %v", err)
	}
	if e := w.entry("birch", "application.revoked"); e.Client != "workshop" || e.Outcome != "ok" {
		t.Errorf("in the log: %+v", e)
	}
	// From a stale page there is nothing to revoke; and signing in to it again begins anew.
	if again := ask.submit("/workshop/revoke"); again.status != http.StatusNotFound {
		t.Errorf("revoking again answers %d", again.status)
	}
	at = a.attempt(oauth2.SetAuthURLParam("prompt", "none"))
	if q := at.arrived(at.begin(b)); q.Get("error") != "login_required" {
		t.Errorf("what the application has a frame send is answered with %q", q)
	}
	for _, signedIn := range []*browser{elsewhere, b} {
		at = a.attempt()
		back := at.begin(signedIn).is(atSignIn).says("You have ended Workshop’s access. Sign in to give it access again.").signIn("robin@birch.example")
		if back.heading() == atCode {
			back = back.submit("/with/totp", "code", ph.next())
		}
		_, anew := at.redeem(back)
		a.alive("signed in anew", anew)
		at = a.attempt(oauth2.SetAuthURLParam("prompt", "none"))
		at.redeem(at.begin(signedIn)) // and is welcome from now on
	}

	// An application without offline access stays on the list as long as the session, from which it gets tokens unasked.
	w.clock.forward(20 * time.Minute)
	p = b.get("/account/applications").is(atApps).says("Ledger <b>", "E-mail address")
	b.get(p.link("/ledger/revoke")).submit("/ledger/revoke").is(atApps)
	if rows := b.get("/account/applications").rows(); len(rows) != 1 {
		t.Errorf("left: %q", rows)
	}
}

// "+ Recent security activity": the user's own, in words, with place, and what administrators did as theirs.
func TestActivity(t *testing.T) {
	w := somewhere(t)
	robin, ph, _ := w.enrolled("birch", "robin@birch.example")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	thief := w.browserAt("203.0.113.66")
	thief.get("/account").is(atSignIn).submit("/signin", "login", "robin@birch.example", "password", "wrong")
	thief.get("/account").signIn("robin@birch.example").is(atCode).submit("/with/totp", "code", ph.wrong())
	owner.get(ui.PathPeople+"/"+robin.ID).submit("/"+robin.ID, "role", "member", "type", "client")
	b := w.signedInAt("203.0.113.7", "robin@birch.example", ph)
	p := b.get("/account/activity").is(atActivity)
	rows := p.rows()
	for i, want := range []string{
		"You signed in with a code from your app ",
		"Olga Owner changed your account ",
		"The second step failed, after your password: Authenticator app ",
		"A wrong password was typed in for your account ",
	} {
		if i >= len(rows) || !strings.HasPrefix(rows[i], want) {
			t.Fatalf("row %d is not %q: %q", i, want, rows)
		}
	}
	for i, from := range map[int]string{0: "Firefox, Linux Cologne, Germany 203.0.113.7", 3: "Cologne, Germany 203.0.113.66"} {
		if !strings.Contains(rows[i], from) {
			t.Errorf("row %d does not say %q: %q", i, from, rows[i])
		}
	}
	all := strings.Join(rows, "\n")
	if !strings.Contains(all, "You set up a second step: Authenticator app") {
		t.Errorf("the set-up is missing:\n%s", all)
	}
	for _, quiet := range []string{"gave the right password", "passed a step", "olga@"} {
		if strings.Contains(all, quiet) {
			t.Errorf("it says %q:\n%s", quiet, all)
		}
	}
	// Where it was not the user, there is something to do.
	b.get(p.says("Was something here not you?").link("/end-others")).is("Sign out everywhere else?")
	// What the owner did to others is none of the owner's own activity.
	if own := strings.Join(owner.get("/account/activity").rows(), "\n"); strings.Contains(own, "changed") || strings.Contains(own, "203.0.113") {
		t.Errorf("the owner's own activity holds others':\n%s", own)
	}
}

// The activity comes a page at a time, whatever stands between; a place that is none is refused.
func TestActivityPages(t *testing.T) {
	w := newWorld(t)
	u := w.user("birch", "robin@birch.example", "client")
	other := w.user("birch", "kim@birch.example", "client")
	for i := range 60 {
		for _, e := range []storage.Event{
			{Action: "factor.renamed", Outcome: "ok", User: u.ID, Actor: u.ID, Address: "192.0.2." + string(rune('0'+i%10))},
			{Action: "sign_in.password", Outcome: "ok", User: u.ID, Actor: u.ID},
			{Action: "factor.removed", Outcome: "ok", User: other.ID, Actor: u.ID},
		} {
			e.Tenant = "birch"
			if err := w.p.audit.Record(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	}
	b := w.browser()
	p := b.get("/account").signIn("robin@birch.example").is(atAccount).b.get("/account/activity").is(atActivity)
	var sizes []int
	renamed := 0
	for {
		rows := p.rows()
		sizes = append(sizes, len(rows))
		for _, r := range rows {
			if strings.HasPrefix(r, "You renamed a second step") {
				renamed++
			}
			if strings.Contains(r, "removed") {
				t.Errorf("what was done to another: %q", r)
			}
		}
		if !strings.Contains(p.body, "after=") {
			break
		}
		var next string
		p.walk(func(n *html.Node) {
			if n.Data == "a" && strings.Contains(attr(n, "href"), "after=") {
				next = attr(n, "href")
			}
		})
		p = b.get(next).is(atActivity)
	}
	if renamed != 60 || !slices.Equal(sizes, []int{25, 25, 11}) {
		t.Errorf("%d events on pages of %v", renamed, sizes)
	}
	b.get(p.link("/account/activity")).is(atActivity)
	for _, bad := range []string{"x", "-1", "99999999999999999999999"} {
		if p := b.get("/account/activity?after=" + bad); p.status != http.StatusBadRequest {
			t.Errorf("after %q answers %d", bad, p.status)
		}
	}
}

// Whoever has the password alone sees nothing of it and changes nothing; other users', other tenants' and made-up sessions,
// devices and applications are not there.
func TestAccountIsNobodyElses(t *testing.T) {
	w := newWorld(t)
	remembering(w)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	in := w.everywhere("robin@acme.example", ph)
	device, err := w.store.Devices.List(t.Context(), storage.Query{Tenant: "acme"})
	if err != nil || len(device) != 1 {
		t.Fatalf("%d devices (%v)", len(device), err)
	}
	forms := []string{
		"/account/devices/sessions/" + in.here.session() + "/end",
		"/account/devices/" + device[0].ID + "/forget",
		"/account/applications/workshop/revoke",
	}

	thief := w.browser()
	thief.get("/account").signIn("robin@acme.example").is(atCode)
	for _, path := range []string{"/account", "/account/security", "/account/devices", "/account/activity", "/account/applications", "/account/devices/end-others", "/account/applications/workshop/revoke"} {
		if p := thief.get(path); p.heading() != atCode && p.heading() != atSignIn {
			t.Errorf("with the password alone %s shows %q", path, p.heading())
		}
	}
	for _, path := range append(slices.Clone(forms), "/account/devices/end-others", "/account/devices/forget") {
		if p := thief.post(path); p.status != http.StatusSeeOther || !strings.HasPrefix(p.header.Get("Location"), "/signin") {
			t.Errorf("with the password alone POST %s answers %d to %q", path, p.status, p.header.Get("Location"))
		}
	}

	_, kims, _ := w.enrolled("acme", "kim@acme.example")
	_, leas, _ := w.enrolled("birch", "lea@birch.example")
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	kim, lea := w.browser(), w.browser()
	kim.get("/account").signIn("kim@acme.example").submit("/with/totp", "code", kims.next()).is(atAccount)
	lea.get("/account").signIn("lea@birch.example").submit("/with/totp", "code", leas.next()).is(atAccount)
	for who, b := range map[string]*browser{"another user": kim, "a user of another tenant": lea, "the owner": owner.browser} {
		for _, path := range forms {
			if p := b.post(path); p.status != http.StatusNotFound {
				t.Errorf("%s: POST %s answers %d", who, path, p.status)
			}
		}
		if p := b.get("/account/applications/workshop/revoke"); p.status != http.StatusNotFound {
			t.Errorf("%s is asked about another's application: %d", who, p.status)
		}
		for _, path := range []string{"/account/devices", "/account/activity", "/account/applications"} {
			if p := b.get(path); strings.Contains(p.body, in.here.session()) || strings.Contains(p.body, device[0].ID) || strings.Contains(p.body, "Workshop") {
				t.Errorf("%s sees another's on %s", who, path)
			}
		}
		b.get("/account/devices/end-others").submit("/end-others").is(atDevices)
	}
	for _, none := range []string{"/account/devices/sessions/none/end", "/account/devices/sessions/%2e%2e/end", "/account/applications/none/revoke", "/account/devices/none/forget"} {
		if p := kim.post(none); p.status != http.StatusNotFound {
			t.Errorf("POST %s answers %d", none, p.status)
		}
	}
	// All of that has left robin alone.
	in.here.get("/account").is(atAccount)
	in.app.alive("robin's", in.access)
	if left, err := w.store.Devices.List(t.Context(), storage.Query{Tenant: "acme"}); err != nil || len(left) != 1 {
		t.Errorf("%d devices are left (%v)", len(left), err)
	}
}

// What is asked of somebody who was kept from a change leads back to where it begins.
func TestChallengeLeadsBackToTheTab(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("birch", "robin@birch.example")
	for path, want := range map[string]string{
		"/account/devices/forget": atDevices, "/account/applications/x/revoke": atApps, "/account/set-up/totp": atSecurity, "/account/email/verify": atSecurity,
	} {
		b := w.browser()
		b.get("/signin").is(atSignIn) // gives the browser its cookie
		p := b.follow(b.request(http.MethodPost, path, url.Values{})).signIn("robin@birch.example")
		p.submit("/with/totp", "code", ph.next()).is(want)
	}
}

// A mail says where something was done from, as far as the file of places knows, in the language of the mail.
func TestMailsNameThePlace(t *testing.T) {
	w := somewhere(t)
	for address, want := range map[string]string{"203.0.113.7": "Cologne, Germany", "192.168.7.7": "rivate network"} {
		email := "robin" + address[:3] + "@birch.example"
		_, ph, _ := w.enrolled("birch", email)
		b := w.signedInAt(address, email, ph)
		b.get("/account/codes/new").submit("/account/codes/new").is(atCodes)
		if text := w.mails(email)[0].Text; !strings.Contains(text, want) || !strings.Contains(text, address) {
			t.Errorf("from %s: %s", address, text)
		}
	}
}

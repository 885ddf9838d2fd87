package provider

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/sallyport-id/sallyport/storage"
)

// 001-14, 003-4, 003-5, 003-7, 003-8, 003-9, 002-7: a user turns two-factor authentication on, makes new codes, and
// turns it off again.
func TestTurnOnAndOff(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	p := b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	intro := b.get(p.link("/account/two-factor")).is(atIntro).says("At every sign-in you will be asked")
	setUp := intro.submit("/account/set-up/totp").says("free", "Google Authenticator")
	ph := w.scan(setUp)
	if p := b.get("/account/security"); strings.Contains(p.text(), "Authenticator app") && strings.Contains(p.text(), "Remove") {
		t.Error("active before a right code")
	}
	wrong := setUp.submit("/account/set-up", "code", ph.wrong())
	if wrong.status != 422 {
		t.Fatalf("a wrong first code answers %d", wrong.status)
	}
	if again := w.scan(wrong); again.secret != ph.secret {
		t.Error("a wrong code threw the scanned key away")
	}
	saved := wrong.submit("/account/set-up", "code", ph.code()).is(atCodes)
	old := saved.codes()
	saved.submit("/account/codes").is(atCodes).submit("/account/codes", "saved", "yes").is(atSecurity)
	if p := b.get("/account/codes"); p.heading() == atCodes {
		t.Error("the codes are shown a second time")
	}
	if p := b.get("/account/set-up/qr.png"); p.status != http.StatusNotFound {
		t.Errorf("the QR code can be fetched after confirmation: %d", p.status)
	}

	p = b.get(b.get("/account/security").link("/account/codes/new"))
	fresh := p.submit("/account/codes/new").is(atCodes)
	now := fresh.codes()
	if slices.ContainsFunc(now, func(c string) bool { return slices.Contains(old, c) }) || len(now) != 10 {
		t.Errorf("new codes %v, old ones %v", now, old)
	}
	fresh.submit("/account/codes", "saved", "yes").is(atSecurity)
	other := w.browser()
	q := other.get("/account/security").signIn("kim@birch.example").is(atCode)
	if q = other.get(q.url.Path+"/with/backup").submit("/with/backup", "code", old[0]); q.status != 422 {
		t.Errorf("a code of the old set answers %d", q.status)
	}
	q.submit("/with/backup", "code", now[0]).is(atSecurity)

	off := b.get("/account/security")
	b.get(off.link("/account/two-factor/off")).submit("/account/two-factor/off").is(atSecurity)
	w.browser().get("/account/security").signIn("kim@birch.example").is(atSecurity)
	left, err := w.store.Credentials.List(t.Context(), storage.Query{Tenant: "birch"})
	if err != nil || len(left) != 0 {
		t.Errorf("%d credentials left after turning off (%v)", len(left), err)
	}
	var kinds []string
	for _, m := range w.mails("kim@birch.example") {
		kinds = append(kinds, m.Subject)
	}
	if len(kinds) != 4 { // off, code used, new codes, factor added
		t.Errorf("mails: %q", kinds)
	}
}

// 001-14: off is refused while policy requires it, naming the rule.
func TestOffIsRefusedWhileRequired(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	b := w.browser()
	p := b.get("/account/security").signIn("robin@acme.example").submit("/with/totp", "code", ph.next()).is(atSecurity)
	p.says("Staff must use two-factor authentication", "Your only factor can’t be removed")
	remove := strings.TrimSuffix(p.link("/rename"), "/rename") + "/remove"
	if strings.Contains(p.body, remove) {
		t.Error("the page offers to remove the last factor, which is refused")
	}
	for _, path := range []string{"/account/two-factor/off", remove} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			p, err := b.once(b.request(method, path, url.Values{}))
			if err != nil {
				t.Fatal(err)
			}
			if p.status != http.StatusForbidden {
				t.Errorf("%s %s answers %d", method, path, p.status)
			}
			p.is("Two-factor authentication is required here").says("Staff must use two-factor authentication")
			b.get(p.link("/account")).is(atAccount)
		}
	}
	w.clock.forward(time.Second)
	setUp := b.get("/account/two-factor").submit("/account/set-up/totp")
	setUp.submit("/account/set-up", "code", w.scan(setUp).code()).is(atSecurity)
	b.get(remove).submit("/remove").is(atSecurity).says("Your only factor can’t be removed")
}

// A refusal leads on where there is a place to go.
func TestRefusalsLeadOn(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	gone := b.get("/account/credentials/none/rename")
	if gone.status != http.StatusNotFound {
		t.Errorf("a credential that is not there answers %d", gone.status)
	}
	b.get(gone.link("/account")).is(atAccount)
	unknown := b.get("/authorize?client_id=none&response_type=code")
	unknown.is("We don’t know this application").walk(func(n *html.Node) {
		if n.Data == "a" && attr(n, "class") == "button" {
			t.Errorf("an unknown application leads to %q", attr(n, "href"))
		}
	})
}

// Changes need a second step within ten minutes; without a factor, a password within ten minutes.
func TestFreshSecondStep(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("birch", "kim@birch.example")
	b := w.browser()
	b.get("/account/security").signIn("kim@birch.example").submit("/with/totp", "code", ph.next()).is(atSecurity)
	w.clock.forward(9 * time.Minute)
	b.get("/account/codes/new").is("Make new backup codes?")
	w.clock.forward(2 * time.Minute)
	b.get("/account/security").is(atSecurity)
	p := b.get("/account/codes/new").is(atCode)
	post, err := b.once(b.request(http.MethodPost, "/account/two-factor/off", url.Values{}))
	if err != nil || !strings.HasPrefix(post.header.Get("Location"), "/signin") {
		t.Errorf("turning off with a stale second step: %d to %q (%v)", post.status, post.header.Get("Location"), err)
	}
	p.submit("/with/totp", "code", ph.next()).is("Make new backup codes?")

	w.user("birch", "new@birch.example", "client")
	b = w.browser()
	b.get("/account/security").signIn("new@birch.example").is(atSecurity)
	w.clock.forward(11 * time.Minute)
	b.get("/account/two-factor").signIn("new@birch.example").is(atIntro)
}

// A password alone never enrols past an existing factor: not at sign-in, not on the account page.
func TestPasswordAloneNeverEnrols(t *testing.T) {
	w := newWorld(t)
	_, _, _ = w.enrolled("acme", "robin@acme.example")
	thief := w.browser()
	p := thief.get("/account/security").signIn("robin@acme.example").is(atCode)
	for _, path := range []string{p.url.Path + "/set-up/totp", p.url.Path + "/set-up", "/account/set-up/totp", "/account/set-up", p.url.Path + "/codes"} {
		q := thief.follow(thief.request(http.MethodPost, path, url.Values{"code": {"123456"}, "saved": {"yes"}}))
		if strings.Contains(q.body, "otpauth://") || q.status == 200 && q.heading() == atSecurity {
			t.Errorf("POST %s leads to %q", path, q.heading())
		}
	}
	if q := thief.get(p.url.Path + "/set-up/qr.png"); q.status != http.StatusNotFound {
		t.Errorf("a QR code for a thief: %d", q.status)
	}
	held, err := w.store.Credentials.List(t.Context(), storage.Query{Tenant: "acme"})
	if err != nil || len(held) != 2 {
		t.Errorf("%d credentials, want the two from before (%v)", len(held), err)
	}
}

// A policy that becomes stricter while somebody without a factor is signed in: a fresh sign-in sets up, and the one
// who has a factor proves it before adding another.
func TestChangeEndsOtherSessions(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("birch", "kim@birch.example")
	one, two := w.browser(), w.browser()
	one.get("/account/security").signIn("kim@birch.example").submit("/with/totp", "code", ph.next()).is(atSecurity)
	two.get("/account/security").signIn("kim@birch.example").submit("/with/totp", "code", ph.next()).is(atSecurity)
	one.get("/account/codes/new").submit("/account/codes/new").is(atCodes)
	two.get("/account/security").is(atSignIn)
	one.get("/account/codes").is(atCodes)
}

// Several factors of one kind, each with a name; rename and remove.
func TestSeveralAuthenticators(t *testing.T) {
	w := newWorld(t)
	_, first, _ := w.enrolled("birch", "kim@birch.example")
	b := w.browser()
	p := b.get("/account/security").signIn("kim@birch.example").submit("/with/totp", "code", first.next()).is(atSecurity)
	setUp := p.b.get("/account/two-factor").submit("/account/set-up/totp")
	second := w.scan(setUp)
	p = setUp.submit("/account/set-up", "code", second.code()).is(atSecurity)
	rename := b.get(p.link("/rename"))
	for _, bad := range []string{"", "   ", strings.Repeat("n", 61), "left\u202eright", "bell\u0007"} {
		if q := rename.submit("/rename", "name", bad); q.status != 422 {
			t.Errorf("the name %q answers %d", bad, q.status)
		} else {
			q.is("Rename “Authenticator app”")
		}
	}
	p = rename.submit("/rename", "name", `Work <b>phone</b> & "co"`).is(atSecurity).says(`Work <b>phone</b> & "co"`)
	for _, ph := range []*phone{first, second} {
		w.browser().get("/account/security").signIn("kim@birch.example").submit("/with/totp", "code", ph.next()).is(atSecurity)
	}
	p = b.get(p.link("/remove")).submit("/remove").is(atSecurity)
	works := 0
	for _, ph := range []*phone{first, second} {
		if q := w.browser().get("/account/security").signIn("kim@birch.example").submit("/with/totp", "code", ph.next()); q.status == 200 {
			works++
		}
	}
	if works != 1 {
		t.Errorf("%d authenticators work after one was removed, want 1", works)
	}
	// The last one takes the backup codes with it.
	b.get(p.link("/remove")).says("two-factor authentication").submit("/remove").is(atSecurity)
	w.browser().get("/account/security").signIn("kim@birch.example").is(atSecurity)
}

// 003-2, 002-1: a second step that is unavailable can't be set up, and the page says why.
func TestUnavailable(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	open := storage.Then{Access: "allow", TwoFactor: "unavailable", Strength: "any"}
	for _, c := range []struct {
		rule storage.Rule
		says string
	}{
		{storage.Rule{Name: "Sub-accounts", When: storage.When{UserTypes: []string{"client"}}, Then: open}, "not available"},
		{storage.Rule{Name: "Free plan", When: storage.When{Plans: []string{"free"}}, Then: open}, "paid plans"},
	} {
		if _, err := storage.Change(t.Context(), w.store.Tenants, storage.Global, "birch", func(t *storage.Tenant) error { t.Plan = "free"; return nil }); err != nil {
			t.Fatal(err)
		}
		w.rules("birch", c.rule)
		b := w.browser()
		b.get("/account/security").signIn("kim@birch.example").is(atSecurity).says(c.says)
		if p := b.follow(b.request(http.MethodPost, "/account/set-up/totp", url.Values{})); p.status != http.StatusForbidden {
			t.Errorf("%s: setting up answers %d", c.rule.Name, p.status)
		}
	}
}

// Signing out ends the session at the server too, and asks when a link led there.
func TestSignOut(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	issuer, err := url.Parse(w.issuer)
	if err != nil {
		t.Fatal(err)
	}
	stolen := b.client.Jar.Cookies(issuer)
	b.get("/account/security").is(atSecurity)
	b.get("/signout").submit("/signout").is("You are signed out")
	b.get("/account/security").is(atSignIn)
	thief := w.browser()
	thief.client.Jar.SetCookies(issuer, stolen)
	thief.get("/account/security").is(atSignIn)
}

// The overview tells when the sign-in before this one was, so that a stranger's is noticed.
func TestLastSignInBefore(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	first := w.browser().get("/account").signIn("kim@birch.example").is(atAccount)
	if strings.Contains(first.text(), "Last sign-in before") {
		t.Error("the first sign-in tells of one before it")
	}
	at := w.clock.Now().UTC().Format("15:04")
	w.clock.forward(2 * time.Hour)
	w.browser().get("/account").signIn("kim@birch.example").is(atAccount).says("Last sign-in before this one", at)
}

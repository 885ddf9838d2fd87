package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// These tell of ways in that were open once. Each names the way and shows that it is shut.

// guess tries a password from an address.
func (b *browser) guess(from, name, password string) *page {
	b.t.Helper()
	r := b.get("/signin").request("/signin", "login", name, "password", password)
	r.Header.Set("X-Forwarded-For", from)
	return b.follow(r)
}

func trusting(c *Config) { c.TrustedProxies = loopbackNetworks }

// Throttling counts the account, however its name is spelt, and the network, whichever of its addresses is used.
func TestGuessesCountHoweverTheyAreSpelt(t *testing.T) {
	w := newWorld(t, trusting)
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	wide := func(mask int) string {
		var out strings.Builder
		for i, r := range "kim" {
			if mask>>i&1 == 1 {
				r += 0xFF41 - 'a'
			}
			out.WriteRune(r)
		}
		return out.String() + "@birch.example"
	}
	slowed := 0
	for i := range 12 {
		p := b.guess(fmt.Sprintf("2001:db8::%x", i+1), wide(i%8), "not the password")
		if strings.Contains(p.text(), "Too many") {
			slowed++
		}
	}
	if slowed < 6 {
		t.Errorf("%d of 12 guesses were refused, want those from the sixth on", slowed)
	}
	// Many names from one IPv6 network are one guesser.
	refused := 0
	for i := range 60 {
		if p := b.guess(fmt.Sprintf("2001:db8:1::%x", i+1), fmt.Sprintf("user%d@birch.example", i), "x"); strings.Contains(p.text(), "Too many") {
			refused++
		}
	}
	if refused == 0 {
		t.Error("60 names from one network were tried without a pause")
	}
}

// Who knows the password of a namesake in another tenant can't clear the victim's count with it.
func TestNamesakeDoesNotClearTheCount(t *testing.T) {
	w := newWorld(t, trusting)
	w.user("birch", "kim@both.example", "client")
	mine := storage.User{Key: storage.Key{Tenant: "acme"}, Email: "kim@both.example", Name: "Kim", Role: storage.Member, Type: "client"}
	const minePassword = "an entirely different secret"
	if err := w.p.local.Create(t.Context(), &mine, minePassword); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for range 4 {
			w.browser().guess("198.51.100.7", "kim@both.example", "not the password")
		}
		w.browser().guess("198.51.100.7", "kim@both.example", minePassword)
	}
	if p := w.browser().guess("198.51.100.7", "kim@both.example", "not the password"); !strings.Contains(p.text(), "Too many") {
		t.Error("12 wrong passwords, and no pause")
	}
}

// A first factor needs the password within ten minutes, on whichever way to set-up: an application that insists on a
// second factor is no way around, nor is a set-up that lay open while its session was ended.
func TestFirstFactorNeedsAFreshPassword(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	a := w.app()
	b := w.browser()
	b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	w.clock.forward(11 * time.Minute)
	at := a.attempt(essential(login.ACRTwoFactor))
	intro := at.begin(b).signIn("kim@birch.example").is(atIntro)

	setUp := intro.submit("/set-up/totp")
	b.get("/signout").submit("/signout")
	setUp.submit("/set-up", "code", w.scan(setUp).code()).is(atSignIn)
	held, err := w.store.Credentials.List(t.Context(), storage.Query{Tenant: "birch"})
	if err != nil || len(held) != 0 {
		t.Errorf("%d credentials (%v)", len(held), err)
	}
}

// A password that was changed ends what was begun with the old one: sign-ins under way, and sessions, however many.
func TestChangedPasswordEndsEverything(t *testing.T) {
	w := newWorld(t)
	u := w.user("acme", "robin@acme.example", "staff")
	w.user("birch", "kim@birch.example", "client")
	thief := w.browser()
	setUp := thief.get("/account/security").signIn("robin@acme.example").is(atIntro).submit("/set-up/totp")
	var sessions []*browser
	for range 120 {
		b := w.browser()
		b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
		sessions = append(sessions, b)
	}
	at := w.app().attempt()
	_, token := at.redeem(at.begin(sessions[0]))

	w.clock.forward(time.Minute)
	for _, who := range [][2]string{{"acme", "robin@acme.example"}, {"birch", "kim@birch.example"}} {
		if _, err := w.p.Admin().SetPassword(t.Context(), web.Operator(), who[0], who[1], "an entirely different one 42"); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.forward(10 * time.Second)
	setUp.submit("/set-up", "code", w.scan(setUp).code()).is(atSignIn)
	if held, err := w.store.Credentials.List(t.Context(), storage.Query{Tenant: "acme", Field: "user", Value: u.ID}); err != nil || len(held) != 0 {
		t.Errorf("the thief set up %d credentials (%v)", len(held), err)
	}
	for i, b := range sessions {
		if p := b.get("/account/security"); p.heading() != atSignIn {
			t.Fatalf("session %d of %d outlives the change", i+1, len(sessions))
		}
	}
	if left, err := w.store.Sessions.List(t.Context(), storage.Query{Tenant: "birch"}); err != nil || len(left) != 0 {
		t.Errorf("%d sessions are left in the store (%v)", len(left), err)
	}
	if _, err := at.a.config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token(); err == nil {
		t.Error("a refresh token outlives the change")
	}
}

// A second step that was set up puts out who was in with the password alone: other sessions, copies of the cookie, and
// renewed tokens.
func TestSecondStepPutsOthersOut(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	thief, copied, owner := w.browser(), w.browser(), w.browser()
	thief.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	a := w.app()
	weak := a.attempt()
	_, token := weak.redeem(weak.begin(thief))
	owner.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	issuer, err := url.Parse(w.issuer)
	if err != nil {
		t.Fatal(err)
	}
	copied.client.Jar.SetCookies(issuer, owner.client.Jar.Cookies(issuer))
	setUp := owner.get("/account/two-factor").submit("/account/set-up/totp")
	setUp.submit("/account/set-up", "code", w.scan(setUp).code()).is(atCodes)
	for name, b := range map[string]*browser{"another session": thief, "a copy of the cookie": copied} {
		if p := b.get("/account/security"); p.heading() != atSignIn {
			t.Errorf("%s is still in: %q", name, p.heading())
		}
	}
	if _, err := a.config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token(); err == nil {
		t.Error("tokens got with the password alone are renewed")
	}

	// The same where the sign-in leads through set-up.
	w.user("birch", "lou@birch.example", "client")
	thief, owner = w.browser(), w.browser()
	thief.get("/account/security").signIn("lou@birch.example").is(atSecurity)
	at := a.attempt(essential(login.ACRTwoFactor))
	at.begin(owner).signIn("lou@birch.example").enrol()
	thief.get("/account/security").is(atSignIn)
}

// Changes of one user's factors at the same time: the last factor that is required stays, a password alone adds none
// beside another, and there is one set of backup codes or none.
func TestFactorChangesAtOnce(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	b := w.browser()
	b.get("/account/security").signIn("robin@acme.example").submit("/with/totp", "code", ph.next()).is(atSecurity)
	w.clock.forward(time.Second)
	setUp := b.get("/account/two-factor").submit("/account/set-up/totp")
	setUp.submit("/account/set-up", "code", w.scan(setUp).code()).is(atSecurity)
	var paths []string
	held, err := w.store.Credentials.List(t.Context(), storage.Query{Tenant: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range held {
		if c.Factor == "totp" {
			paths = append(paths, "/account/credentials/"+c.ID+"/remove")
		}
	}
	if len(paths) != 2 {
		t.Fatalf("%d authenticators", len(paths))
	}
	together(t, 2, func(i int) error {
		_, err := b.once(b.request(http.MethodPost, paths[i], url.Values{"x": {"y"}}))
		return err
	})
	together(t, 8, func(int) error {
		_, err := b.once(b.request(http.MethodPost, "/account/codes/new", url.Values{"x": {"y"}}))
		return err
	})
	count := map[string]int{}
	if held, err = w.store.Credentials.List(t.Context(), storage.Query{Tenant: "acme"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range held {
		count[c.Factor]++
	}
	if count["totp"] != 1 || count["backup"] != 1 {
		t.Errorf("left after two removals and eight new sets at once: %v", count)
	}

	// Two sign-ins with one password, each before the first factor.
	w.user("acme", "kim@acme.example", "staff")
	var setUps []*page
	for range 2 {
		setUps = append(setUps, w.browser().get("/account/security").signIn("kim@acme.example").is(atIntro).submit("/set-up/totp"))
		w.clock.forward(time.Second)
	}
	added := 0
	for _, s := range setUps {
		if q := s.submit("/set-up", "code", w.scan(s).code()); q.heading() == atCodes {
			added++
		}
	}
	if added != 1 {
		t.Errorf("%d of two sign-ins with the password alone added a first factor", added)
	}
}

// Strangers can't fill the audit log: refusals that cost nothing are noted once a minute, and a tenant's log holds
// nothing of names that are not its own.
func TestStrangersDoNotFillTheAuditLog(t *testing.T) {
	w := newWorld(t)
	w.user("acme", "robin@acme.example", "staff")
	a := w.app()
	page := a.attempt(with("tenant", "acme")).begin(w.browser())
	for i := range 60 {
		page.submit("/signin", "login", "nobody", "password", fmt.Sprint(i))
	}
	a.attempt(with("tenant", "no\u202esuch\ntenant")).begin(w.browser())
	if n := len(w.events("acme")); n != 0 {
		t.Errorf("%d events in the tenant's log", n)
	}
	if n := len(w.events(storage.Global)); n > 8 {
		t.Errorf("%d events for 60 guesses, most of them refused unseen", n)
	}
}

// The choice between several accounts is made once, for the request that it was offered for.
func TestChoiceIsMadeOnce(t *testing.T) {
	w := newWorld(t)
	for _, tenant := range []string{"acme", "birch"} {
		w.user(tenant, "kim@both.example", "client")
	}
	b := w.browser()
	pick := b.get("/account/security").signIn("kim@both.example")
	pick.submit("/signin/tenant", "tenant", "birch").is(atSecurity)
	b.get("/signout").submit("/signout")
	if p := pick.submit("/signin/tenant", "tenant", "birch"); p.status != http.StatusGone {
		t.Errorf("the choice is taken a second time: %d", p.status)
	}
	pick = b.get("/account/security").signIn("kim@both.example")
	_, other := b.get("/signin").form("/signin")
	if p := pick.submit("/signin/tenant", "tenant", "birch", "request", other.Get("request")); p.status != http.StatusBadRequest {
		t.Errorf("the choice is taken for another request: %d", p.status)
	}
}

// Whom the policy denies by now is out of the account pages too, but can sign out.
func TestDeniedSessionChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	w.rules("birch", storage.Rule{Name: "Closed for the holidays"})
	if p := b.get("/account/two-factor").says("Closed for the holidays"); p.status != http.StatusForbidden {
		t.Errorf("set-up answers %d", p.status)
	}
	b.get("/signout").submit("/signout").is("You are signed out")
}

// Backup codes that were not confirmed as saved are shown again to who has just shown a second step, not to whoever
// finds the browser hours later.
func TestUnsavedCodesNeedAFreshStep(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("birch", "kim@birch.example")
	b := w.browser()
	b.get("/account/security").signIn("kim@birch.example").submit("/with/totp", "code", ph.next()).is(atSecurity)
	b.get("/account/codes/new").submit("/account/codes/new").is(atCodes)
	w.clock.forward(11 * time.Minute)
	b.get("/account/codes").is(atCode)
	b.get("/account/codes.txt").is(atCode)
}

// A fresh second step is asked also where the policy asks for none, or for none that the user has.
func TestFreshStepUnderAPolicyThatAsksNone(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("birch", "kim@birch.example")
	for _, then := range []storage.Then{
		{Access: "allow", TwoFactor: "off", Strength: "any"},
		{Access: "allow", TwoFactor: "off", Strength: "any", Factors: []string{"webauthn"}},
		{Access: "allow", TwoFactor: "off"},
	} {
		w.rules("birch", storage.Rule{Name: "None", Then: then})
		b := w.browser()
		b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
		b.get("/account/two-factor/off").is(atCode).submit("/with/totp", "code", ph.next()).says("off")
	}
}

// A browser that hangs up while the password is checked has guessed all the same.
func TestHangingUpIsNoWayToGuess(t *testing.T) {
	w := newWorld(t, trusting)
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	e := echo.New()
	if err := w.p.Mount(e); err != nil {
		t.Fatal(err)
	}
	for range 12 {
		r := b.get("/signin").request("/signin", "login", "kim@birch.example", "password", "not the password")
		r.Header.Set("X-Forwarded-For", "198.51.100.7")
		r.RequestURI, r.RemoteAddr = "", "127.0.0.1:1"
		for _, c := range b.client.Jar.Cookies(r.URL) {
			r.AddCookie(c)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		e.ServeHTTP(httptest.NewRecorder(), r.WithContext(ctx))
	}
	if p := b.guess("198.51.100.7", "kim@birch.example", rightPassword); !strings.Contains(p.text(), "Too many") {
		t.Errorf("12 guesses went uncounted: %d\n%s", p.status, p.text())
	}
}

// What caches may keep sets no cookie, and needs no database that a cookie would have to be looked up in.
func TestNoCookieOnWhatCachesKeep(t *testing.T) {
	w := newWorld(t)
	public := 0
	for _, r := range w.p.Routes() {
		if r.Method != http.MethodGet || strings.Contains(r.Path, ":") {
			continue
		}
		p, err := w.browser().once(w.browser().request(http.MethodGet, r.Path, nil))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(p.header.Get("Cache-Control"), "public") {
			public++
			if p.header.Get("Set-Cookie") != "" {
				t.Errorf("%s is public and sets %q", r.Path, p.header.Get("Set-Cookie"))
			}
		}
	}
	if public < 3 {
		t.Errorf("%d public routes, want discovery (twice) and keys", public)
	}
}

// A program signs in by JSON alone, from the first request on; until then it is told so, and is not answered like one
// that succeeded.
func TestSigningInByJSON(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	ask := func(method, path, body string) (int, map[string]any) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, w.issuer+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "application/json")
		if method == http.MethodPost {
			r.Header.Set("Content-Type", "application/json")
		}
		p, err := b.once(r)
		if err != nil {
			t.Fatal(err)
		}
		var v map[string]any
		if err := json.Unmarshal([]byte(p.body), &v); err != nil {
			t.Fatalf("%s %s: %d %s", method, path, p.status, p.body)
		}
		return p.status, v
	}
	status, v := ask(http.MethodGet, "/account", "")
	next, _ := v["next"].(string)
	if status != http.StatusUnauthorized || !strings.HasPrefix(next, "/signin") {
		t.Fatalf("as a stranger: %d %v", status, v)
	}
	if status, v = ask(http.MethodGet, next, ""); status != http.StatusOK {
		t.Fatalf("the sign-in page: %d %v", status, v)
	}
	body, err := json.Marshal(map[string]any{"request": v["request"], "login": "kim@birch.example", "password": rightPassword})
	if err != nil {
		t.Fatal(err)
	}
	if status, v = ask(http.MethodPost, "/signin", string(body)); status != http.StatusOK || v["next"] != "/account" {
		t.Fatalf("the password: %d %v", status, v)
	}
	if status, v = ask(http.MethodGet, "/account", ""); status != http.StatusOK || v["account"] != "kim@birch.example" {
		t.Errorf("signed in: %d %v", status, v)
	}
}

// What is sealed for one credential opens nowhere else: not in another user's record, nor in another of one's own.
func TestSealedFactorsStayInTheirPlace(t *testing.T) {
	w := newWorld(t)
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	kim, ph, _ := w.enrolled("acme", "kim@acme.example")
	find := func(user string) storage.Credential {
		held, err := w.store.Credentials.List(t.Context(), storage.Query{Tenant: "acme", Field: "user", Value: user})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range held {
			if c.Factor == "totp" {
				return c
			}
		}
		t.Fatal("no authenticator")
		return storage.Credential{}
	}
	moved := find(robin.ID)
	moved.Data = find(kim.ID).Data
	if err := w.store.Credentials.Replace(t.Context(), &moved); err != nil {
		t.Fatal(err)
	}
	p := w.browser().get("/account/security").signIn("robin@acme.example")
	if p.status != http.StatusServiceUnavailable {
		p = p.submit("/with/totp", "code", ph.next())
	}
	if p.status != http.StatusServiceUnavailable && p.status != http.StatusInternalServerError {
		t.Errorf("kim's authenticator in robin's record answers %d", p.status)
	}
}

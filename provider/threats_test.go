package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/storage"
)

// enrolled is a user with an authenticator app and backup codes.
func (w *world) enrolled(tenant, email string) (storage.User, *phone, []string) {
	w.t.Helper()
	u := w.user(tenant, email, "staff")
	b := w.browser()
	p := b.get("/account/security").signIn(email)
	if tenant != "acme" {
		p = b.get(b.get("/account/security").is(atSecurity).link("/account/two-factor"))
		setUp := p.is(atIntro).submit("/account/set-up/totp")
		ph := w.scan(setUp)
		p = setUp.submit("/account/set-up", "code", ph.code()).is(atCodes)
		codes := p.codes()
		p.submit("/account/codes", "saved", "yes").is(atSecurity)
		return u, ph, codes
	}
	ph, saved := p.enrol()
	codes := saved.codes()
	saved.submit("/codes", "saved", "yes").is(atSecurity)
	return u, ph, codes
}

// together sends requests at the same time, from one browser.
func together(t *testing.T, n int, send func(i int) error) {
	t.Helper()
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			if err := send(i); err != nil {
				t.Error(err)
			}
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

// TOTP: one code, one success, also 20 at once, over 20 sign-ins of their own.
func TestOneCodeTwentySignInsAtOnce(t *testing.T) {
	w := newWorld(t)
	_, ph, codes := w.enrolled("acme", "robin@acme.example")
	for _, name := range []string{"totp", "backup"} {
		t.Run(name, func(t *testing.T) {
			const n = 20
			code := codes[0]
			if name == "totp" {
				code = ph.next()
			}
			requests := make([]*http.Request, n)
			browsers := make([]*browser, n)
			for i := range n {
				browsers[i] = w.browser()
				p := browsers[i].get("/account/security").signIn("robin@acme.example").is(atCode)
				p = browsers[i].get(strings.Replace(p.url.Path+"/with/"+name, "//", "/", 1))
				requests[i] = p.request("/with/"+name, "code", code)
			}
			var mu sync.Mutex
			in := 0
			together(t, n, func(i int) error {
				p, err := browsers[i].once(requests[i])
				if err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				if p.header.Get("Location") == "/account/security" {
					in++
				} else if p.status != 422 && p.status != 429 {
					return fmt.Errorf("a second use answers %d with Location %q", p.status, p.header.Get("Location"))
				}
				return nil
			})
			if in != 1 {
				t.Errorf("%d of %d got in with one code, want 1", in, n)
			}
			// The losers counted as wrong; that is over once the pause is.
			w.clock.forward(time.Hour)
			p := w.browser().get("/account/security").signIn("robin@acme.example")
			p.submit("/with/totp", "code", ph.next()).is(atSecurity)
		})
	}
}

// One answer sent 20 times at once by one browser (a nervous double click) gets in, and is no lock-out.
func TestOneAnswerSentTwentyTimes(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	b := w.browser()
	p := b.get("/account/security").signIn("robin@acme.example").is(atCode)
	request := p.request("/with/totp", "code", ph.next())
	before := len(w.events("acme"))
	var mu sync.Mutex
	in := 0
	together(t, 20, func(int) error {
		r := request.Clone(context.Background())
		var err error
		if r.Body, err = request.GetBody(); err != nil {
			return err
		}
		p, err := b.once(r)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if p.header.Get("Location") == "/account/security" {
			in++
		}
		return nil
	})
	if in == 0 {
		t.Error("no answer completed the sign-in")
	}
	completed := 0
	for _, e := range w.events("acme")[before:] {
		if e.Action == "sign_in" && e.Outcome == "ok" {
			completed++
		}
	}
	if completed != 1 {
		t.Errorf("the sign-in was completed %d times, want 1", completed)
	}
	b.get(p.url.String()).is(atSecurity)
}

// Authorization codes: redeemed 20 times at once, one gives a set of tokens, and the others revoke it.
func TestAuthorizationCodeRedeemedTwentyTimes(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	a := w.app()
	at := a.attempt()
	code := at.code(at.begin(w.browser()).signIn("kim@birch.example"))
	var mu sync.Mutex
	var got []*oauth2.Token
	together(t, 20, func(int) error {
		token, err := a.config.Exchange(context.Background(), code, oauth2.VerifierOption(at.verifier))
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			got = append(got, token)
		}
		return nil
	})
	if len(got) != 1 {
		t.Fatalf("%d sets of tokens for one code, want 1", len(got))
	}
	got[0].Expiry = w.clock.Now().Add(-time.Hour)
	if _, err := a.config.TokenSource(context.Background(), got[0]).Token(); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("the refresh token of a code that was used twice: %v, want invalid_grant", err)
	}
	if _, err := a.provider.UserInfo(context.Background(), oauth2.StaticTokenSource(got[0])); err == nil {
		t.Error("the access token of a code that was used twice still opens userinfo")
	}
}

// A sign-in begun in one browser can't be finished in another, at any of its stages.
func TestOtherBrowser(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	a := w.app()

	mine, thief := w.browser(), w.browser()
	thief.get("/account/security") // so that it has a cookie of its own
	at := a.attempt()
	p := at.begin(mine).is(atSignIn)
	if stolen := thief.get(p.url.String()); stolen.status != http.StatusForbidden {
		t.Errorf("the sign-in page opens in another browser: %d", stolen.status)
	}
	post := p.request("/signin", "login", "robin@acme.example", "password", rightPassword)
	if stolen := thief.follow(post); stolen.status != http.StatusForbidden {
		t.Errorf("the password is taken from another browser: %d", stolen.status)
	}
	p = p.signIn("robin@acme.example").is(atCode)
	if stolen := thief.get(p.url.String()); stolen.status != http.StatusForbidden {
		t.Errorf("the code page opens in another browser: %d", stolen.status)
	}
	if stolen := thief.follow(p.request("/with/totp", "code", ph.next())); stolen.status != http.StatusForbidden {
		t.Errorf("the code is taken from another browser: %d", stolen.status)
	}
	at.redeem(p.submit("/with/totp", "code", ph.code()))
}

// One gate: every route of the server, as a browser gets it that has proven nothing, and as one that has proven the
// password only. Whatever is not listed must lead to the sign-in.
func TestOneGate(t *testing.T) {
	w := newWorld(t)
	_, _, _ = w.enrolled("acme", "robin@acme.example")
	half := w.browser()
	at := half.get("/account/security").signIn("robin@acme.example").is(atCode)
	flow := strings.TrimPrefix(at.url.Path, "/signin/")

	// What strangers may open. Pages of a sign-in under way are open too; what they answer is checked below.
	open := map[string]bool{
		"GET /": true, "GET /signin": true, "POST /signin": true, "POST /signin/tenant": true,
		"GET /signout": true, "POST /signout": true, "GET /healthz": true, "GET /readyz": true,
		"GET /authorize": true, "POST /authorize": true, "POST /token": true, "GET /userinfo": true, "POST /userinfo": true,
		"POST /introspect": true, "POST /revoke": true, "GET /keys": true, "GET /logout": true, "POST /logout": true,
		"POST /logout/confirm": true, "GET /.well-known/openid-configuration": true,
		"GET /.well-known/oauth-authorization-server": true,
		"GET /forgot": true, "POST /forgot": true, "POST /language": true, "GET /help": true, "GET /help/:topic": true,
		"GET /api/v1": true, "GET /api/v1/openapi.json": true,
		// It leads to a page that asks for a sign-in, and to nothing else.
		"GET /.well-known/change-password": true,
	}
	// What takes a sealed request or a mailed link refuses whoever has none, and tells nobody why.
	sealed := map[string]int{
		"POST /signin/passkey": 400, "POST /signin/passkey/options": 400,
		"GET /password/:link": 410, "POST /password/:link": 410, "GET /lost/:link": 410, "POST /lost/:link": 410,
		"GET /invitation/:link": 410, "POST /invitation/:link": 410,
		// The look of pages is shown to whoever knows its name.
		"GET /brand/:name": 404, "GET /brand/:tenant/:name": 404,
		"GET /verify/:link": 410, "POST /verify/:link": 410, "GET /not-me/:link": 410, "POST /not-me/:link": 410,
		"GET /email/new/:link": 410, "POST /email/new/:link": 410, "GET /email/old/:link": 410, "POST /email/old/:link": 410,
	}
	for _, r := range w.p.Routes() {
		name := r.Method + " " + r.Path
		if r.Method == http.MethodOptions || open[name] {
			continue
		}
		path := strings.NewReplacer(":flow", flow, ":factor", "totp", ":id", "any").Replace(r.Path)
		inFlow := strings.HasPrefix(r.Path, "/signin/:flow")
		for who, b := range map[string]*browser{"nothing proven": w.browser(), "password only": half} {
			var form url.Values
			if r.Method == http.MethodPost {
				form = url.Values{"code": {"123456"}, "saved": {"yes"}}
			}
			p, err := b.once(b.request(r.Method, path, form))
			if err != nil {
				t.Fatal(err)
			}
			to := p.header.Get("Location")
			toSignIn := p.status == http.StatusSeeOther && strings.HasPrefix(to, "/signin")
			switch {
			case r.API != nil:
				if p.status != http.StatusUnauthorized {
					t.Errorf("%s with %s: %d, want 401: it takes access tokens only", name, who, p.status)
				}
			case inFlow && who == "nothing proven":
				if p.status != http.StatusForbidden {
					t.Errorf("%s with %s: %d, want 403", name, who, p.status)
				}
			case inFlow:
				// The page of the step at which the sign-in stands, or the way back to it; never the end of it.
				if !(toSignIn || slices.Contains([]int{200, 404, 422}, p.status)) {
					t.Errorf("%s with %s: %d to %q", name, who, p.status, to)
				}
				if strings.Contains(p.header.Get("Set-Cookie"), "session") {
					t.Errorf("%s with %s sets a session", name, who)
				}
				if strings.Contains(p.body, "otpauth://") {
					t.Errorf("%s with %s shows a key to enrol past an existing factor", name, who)
				}
			case sealed[name] != 0:
				if p.status != sealed[name] || p.header.Get("Set-Cookie") != "" && strings.Contains(p.header.Get("Set-Cookie"), "session") {
					t.Errorf("%s with %s: %d, want %d", name, who, p.status, sealed[name])
				}
			default:
				if !toSignIn {
					t.Errorf("%s with %s: %d to %q, want the sign-in", name, who, p.status, to)
				}
			}
		}
	}
}

// Wrong codes: 5 over all sign-ins and factors together, then 15 minutes, and the sign-in is dropped; a right code in
// the meantime does not get in; nothing but a right code clears the count.
func TestFiveWrongCodes(t *testing.T) {
	w := newWorld(t)
	_, ph, codes := w.enrolled("acme", "robin@acme.example")
	b := w.browser()
	open := func() *page { return b.get("/account/security").signIn("robin@acme.example").is(atCode) }

	p := open()
	for i := range 2 {
		if p = p.submit("/with/totp", "code", ph.wrong()); p.status != 422 {
			t.Fatalf("wrong code %d answers %d", i+1, p.status)
		}
	}
	// A new sign-in, another browser, another factor: it is one count.
	b = w.browser()
	p = open()
	p = b.get(p.url.Path + "/with/backup")
	for _, guess := range []string{"a", "b"} {
		if p = p.submit("/with/backup", "code", strings.Repeat(guess, 24)); p.status != 422 {
			t.Fatalf("wrong backup code answers %d:\n%s", p.status, p.text())
		}
	}
	// What no code looks like costs nothing.
	for _, slip := range []string{"", "12", "12345678", "abcdef", "１２３４５６"} {
		q := b.get(p.url.Path[:strings.Index(p.url.Path, "/with/")]).submit("/with/totp", "code", slip)
		if q.status != 422 {
			t.Fatalf("%q answers %d", slip, q.status)
		}
	}
	w.clock.forward(10 * time.Minute)
	at := p.url.Path[:strings.Index(p.url.Path, "/with/")]
	if p = b.get(at).submit("/with/totp", "code", ph.wrong()); p.status != 422 {
		t.Fatalf("the fifth wrong code answers %d", p.status)
	}
	p = b.get(at).submit("/with/totp", "code", ph.code())
	if p.status != http.StatusTooManyRequests || p.header.Get("Retry-After") != "900" {
		t.Fatalf("a right code after five wrong ones answers %d, Retry-After %q", p.status, p.header.Get("Retry-After"))
	}
	// The sign-in is dropped, and a new one is refused as well.
	b.get(at).is(atSignIn)
	if p = b.get(open().url.Path+"/with/backup").submit("/with/backup", "code", codes[0]); p.status != http.StatusTooManyRequests {
		t.Fatalf("a right backup code in the pause answers %d", p.status)
	}
	w.clock.forward(15 * time.Minute)
	open().submit("/with/totp", "code", ph.next()).is(atSecurity)
	// The right code cleared the count: four more are free.
	b = w.browser()
	p = open()
	for range 4 {
		p = p.submit("/with/totp", "code", ph.wrong())
	}
	p.submit("/with/totp", "code", ph.next()).is(atSecurity)
}

// 40 guesses at once can't pass the limit of five.
func TestParallelGuesses(t *testing.T) {
	w := newWorld(t)
	w.enrolled("acme", "robin@acme.example")
	b := w.browser()
	p := b.get("/account/security").signIn("robin@acme.example").is(atCode)
	var mu sync.Mutex
	looked := 0
	together(t, 40, func(i int) error {
		r := p.request("/with/totp", "code", fmt.Sprintf("%06d", 100000+i))
		p, err := b.once(r)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if p.status == 422 {
			looked++
		}
		return nil
	})
	if looked > 5 {
		t.Errorf("%d of 40 guesses at once were looked at, want 5 at most", looked)
	}
}

// 20 wrong codes in a row switch the factor off until another one was used.
func TestTwentyWrongCodesSwitchTheFactorOff(t *testing.T) {
	w := newWorld(t)
	_, ph, codes := w.enrolled("acme", "robin@acme.example")
	for range 4 {
		b := w.browser()
		p := b.get("/account/security").signIn("robin@acme.example").is(atCode)
		for range 5 {
			p = p.submit("/with/totp", "code", ph.wrong())
		}
		w.clock.forward(15 * time.Minute)
	}
	b := w.browser()
	p := b.get("/account/security").signIn("robin@acme.example")
	if strings.Contains(p.text(), "Enter the code from your app") {
		t.Fatalf("the factor is still asked for:\n%s", p.text())
	}
	p.submit("/with/backup", "code", codes[0]).is(atSecurity)
	w.browser().get("/account/security").signIn("robin@acme.example").is(atCode).submit("/with/totp", "code", ph.next()).is(atSecurity)
}

// Wrong passwords: slowed from the 5th, refused for a minute from the 10th, up to 15 minutes; the owner, who comes
// from another network, is not locked out.
func TestWrongPasswords(t *testing.T) {
	trust := func(c *Config) { c.TrustedProxies = loopbackNetworks }
	w := newWorld(t, trust)
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	try := func(address, password string) *page {
		r := b.get("/signin").request("/signin", "login", "kim@birch.example", "password", password)
		r.Header.Set("X-Forwarded-For", address)
		p, err := b.once(r)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	var waits []int
	for range 15 {
		wait := 0
		for strings.Contains(try("198.51.100.7", "not the password").text(), "Too many") {
			w.clock.forward(time.Second)
			wait++
		}
		waits = append(waits, wait)
	}
	want := []int{0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 60, 120, 240, 480, 900}
	if !slices.Equal(waits, want) {
		t.Errorf("seconds to wait before the n-th try: %v, want %v", waits, want)
	}
	if p := try("198.51.100.99", rightPassword); !strings.Contains(p.text(), "Too many") {
		t.Errorf("the right password is looked at during the pause, from the same network: %d", p.status)
	}
	r := b.get("/signin").request("/signin", "login", "kim@birch.example", "password", rightPassword)
	r.Header.Set("X-Forwarded-For", "203.0.113.5")
	if p := b.follow(r); p.url.Path != "/account" {
		t.Errorf("the owner, from another network, is locked out: %d\n%s", p.status, p.text())
	}
}

// Same answer: an unknown user, a wrong password and a disabled user can't be told apart.
func TestSameAnswer(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	w.user("birch", "gone@birch.example", "client", func(u *storage.User) { u.Disabled = true })
	w.user("acme", "staff@acme.example", "staff")
	type answer struct {
		status  int
		text    string
		cookies int
		headers string
	}
	var first answer
	for i, c := range []struct{ name, login, password string }{
		{"wrong password", "kim@birch.example", "not the password"},
		{"unknown user", "nobody@birch.example", "not the password"},
		{"disabled user, right password", "gone@birch.example", rightPassword},
		{"disabled user, wrong password", "gone@birch.example", "not the password"},
		{"no factor yet", "staff@acme.example", "not the password"},
		{"not even a login", "'; drop table users; --", "not the password"},
		{"empty password", "kim@birch.example", ""},
		{"very long password", "kim@birch.example", strings.Repeat("x", 5000)},
	} {
		b := w.browser()
		p := b.get("/signin").submit("/signin", "login", c.login, "password", c.password)
		var headers []string
		for name := range p.header {
			if name != "Date" && name != "Content-Length" {
				headers = append(headers, name)
			}
		}
		slices.Sort(headers)
		a := answer{p.status, strings.ReplaceAll(p.text(), c.login, "LOGIN"), len(p.header.Values("Set-Cookie")), strings.Join(headers, ",")}
		if i == 0 {
			first = a
		}
		if a != first {
			t.Errorf("%s: got %+v\nwant as for a wrong password: %+v", c.name, a, first)
		}
	}
	// The work is the same too: the hash is computed either way, which provider/directory shows.
}

// Tenants: what belongs to one tenant is not there for another.
func TestOtherTenant(t *testing.T) {
	w := newWorld(t)
	u, _, _ := w.enrolled("acme", "robin@acme.example")
	w.user("birch", "kim@birch.example", "client")
	held, err := w.store.Credentials.List(t.Context(), storage.Query{Tenant: "acme", Field: "user", Value: u.ID})
	if err != nil || len(held) != 2 {
		t.Fatalf("%d credentials, %v", len(held), err)
	}
	b := w.browser()
	b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	for _, c := range held {
		for _, path := range []string{"/rename", "/remove"} {
			if p := b.get("/account/credentials/" + c.ID + path); p.status != http.StatusNotFound {
				t.Errorf("another tenant's credential answers %d on GET", p.status)
			}
			p, err := b.once(b.request(http.MethodPost, "/account/credentials/"+c.ID+path, url.Values{"name": {"mine"}}))
			if err != nil || p.status != http.StatusNotFound {
				t.Errorf("another tenant's credential answers %d on POST (%v)", p.status, err)
			}
		}
	}
	// An application of one tenant is not for users of another.
	const redirect = "https://birch.example/callback"
	a := w.connect("birch-app", w.client("birch-app", "web", redirect, func(c *storage.Client) { c.Owner = "birch" }), redirect)
	at := a.attempt()
	if p := at.begin(w.browser()).signIn("robin@acme.example"); p.status != 422 {
		t.Errorf("a user of another tenant signs in to the application: %d at %s", p.status, p.url)
	}
}

// State changes by POST only, and not by another site's.
func TestCrossSitePosts(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	for _, r := range w.p.Routes() {
		if r.Method != http.MethodPost || r.CrossOrigin || r.Path == "/introspect" {
			continue
		}
		path := strings.NewReplacer(":flow", "acme.x", ":factor", "totp", ":id", "any").Replace(r.Path)
		req := b.request(http.MethodPost, path, url.Values{"name": {"x"}})
		req.Header.Set("Origin", "https://evil.example")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		p, err := b.once(req)
		if err != nil {
			t.Fatal(err)
		}
		if p.status != http.StatusForbidden {
			t.Errorf("POST %s from another site answers %d, want 403", path, p.status)
		}
	}
	b.get("/account/security").is(atSecurity) // still signed in
}

// Bodies: 64 KiB, plain values only, each once, and JSON only under its own name.
func TestHostileBodies(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	_, fields := b.get("/signin").form("/signin")
	sealed := fields.Get("request")
	for name, c := range map[string]struct {
		kind, body string
		want       int
	}{
		"object for a string":  {"application/json", `{"request":"` + sealed + `","login":{"$gt":""},"password":"x"}`, 400},
		"list for a string":    {"application/json", `{"request":"` + sealed + `","login":["a","b"],"password":"x"}`, 400},
		"null for a string":    {"application/json", `{"request":"` + sealed + `","login":null,"password":"x"}`, 400},
		"deep nesting":         {"application/json", strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), 400},
		"two JSON values":      {"application/json", `{"request":"` + sealed + `"} {}`, 400},
		"not JSON":             {"application/json", `login=kim`, 400},
		"JSON as plain text":   {"text/plain", `{"request":"` + sealed + `","login":"kim@birch.example","password":"x"}`, 400},
		"multipart":            {"multipart/form-data; boundary=x", "--x\r\n", 400},
		"repeated value":       {"application/x-www-form-urlencoded", "request=" + sealed + "&login=a&login=b&password=x", 400},
		"broken escape":        {"application/x-www-form-urlencoded", "login=%zz", 400},
		"not UTF-8":            {"application/x-www-form-urlencoded", "request=" + sealed + "&login=%ff%fe&password=x", 400},
		"NUL":                  {"application/x-www-form-urlencoded", "request=" + sealed + "&login=kim%00&password=x", 400},
		"empty":                {"application/x-www-form-urlencoded", "", 400},
		"sealed for something": {"application/x-www-form-urlencoded", "request=" + sealed[:len(sealed)-3] + "AAA&login=kim&password=x", 400},
		"too large":            {"application/x-www-form-urlencoded", "request=" + sealed + "&login=" + strings.Repeat("a", 65<<10), 413},
		"one value too long":   {"application/x-www-form-urlencoded", "request=" + sealed + "&login=" + strings.Repeat("a", 17<<10), 400},
	} {
		t.Run(name, func(t *testing.T) {
			r := b.request(http.MethodPost, "/signin", url.Values{})
			r.Body = http.NoBody
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL.String(), strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", c.kind)
			p, err := b.once(r)
			if err != nil {
				t.Fatal(err)
			}
			if p.status != c.want {
				t.Errorf("answers %d, want %d: %s", p.status, c.want, p.text())
			}
		})
	}
}

// Headers on every page, and cookies that scripts and other sites don't get.
func TestHeadersAndCookies(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	p := b.get("/account/security")
	pages := []*page{p, p.signIn("kim@birch.example"), b.get("/nowhere"), b.get("/account/credentials/none/rename")}
	for _, p := range pages[:2] {
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		} {
			if got := p.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", p.url.Path, name, got, want)
			}
		}
		csp := p.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %q", p.url.Path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", p.url.Path, csp)
		}
		if strings.Contains(p.body, "<style") || strings.Contains(p.body, " style=") || strings.Contains(p.body, "onclick") {
			t.Errorf("%s has inline style or script", p.url.Path)
		}
	}
	b = w.browser()
	first, err := b.once(b.request(http.MethodGet, "/account", nil))
	if err != nil {
		t.Fatal(err)
	}
	signIn := b.follow(b.request(http.MethodGet, "/account", nil))
	second, err := b.once(signIn.request("/signin", "login", "kim@birch.example", "password", rightPassword))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range append(first.header.Values("Set-Cookie"), second.header.Values("Set-Cookie")...) {
		if !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") || !strings.Contains(c, "Path=/") {
			t.Errorf("cookie %q", c)
		}
	}
	if len(second.header.Values("Set-Cookie")) != 1 {
		t.Errorf("signing in sets %d cookies", len(second.header.Values("Set-Cookie")))
	}
}

// On TLS, cookies have the __Host- prefix and are Secure, and browsers are told to stay with TLS.
func TestCookiesOnTLS(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Issuer = "https://login.example" })
	// The server is asked where it listens: the issuer is a name that only a proxy would answer to.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.address+"/account", nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.browser().once(r)
	if err != nil {
		t.Fatal(err)
	}
	cookie := p.header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-") || !strings.Contains(cookie, "; Secure") || strings.Contains(cookie, "Domain") {
		t.Errorf("cookie %q", cookie)
	}
	if p.header.Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security")
	}
}

// Sessions: idle 1 h, absolute 24 h.
func TestSessionEnds(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	for range 25 {
		w.clock.forward(55 * time.Minute)
		b.get("/account/security").is(atSecurity)
	}
	w.clock.forward(65 * time.Minute)
	b.get("/account/security").is(atSignIn)

	b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	for range 26 {
		w.clock.forward(55 * time.Minute)
		b.get("/account/security").is(atSecurity)
	}
	w.clock.forward(11 * time.Minute) // 24 h 1 min after the sign-in
	b.get("/account/security").is(atSignIn)
}

// Canary: neither logs, nor the audit log, nor errors, nor addresses hold secrets, and at rest they are sealed.
func TestSecretsStaySecret(t *testing.T) {
	w := newWorld(t)
	_, ph, codes := w.enrolled("acme", "robin@acme.example")
	a := w.app()
	b := w.browser()
	at := a.attempt()
	p := at.begin(b).signIn("robin@acme.example").is(atCode)
	p.submit("/with/totp", "code", ph.wrong())
	right := ph.next()
	p = p.submit("/with/totp", "code", right)
	code := at.code(p)
	_, token := at.redeem(p)
	secrets := map[string]string{
		"password": rightPassword, "TOTP secret": ph.secret, "TOTP code": right, "backup code": codes[0],
		"backup code without hyphens": strings.ReplaceAll(codes[0], "-", ""), "authorization code": code,
		"refresh token": token.RefreshToken, "access token": token.AccessToken,
		"client secret": a.config.ClientSecret,
	}
	u, err := url.Parse(w.issuer)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(u) {
		secrets["cookie "+c.Name] = c.Value[strings.LastIndex(c.Value, ".")+1:]
	}
	var audit strings.Builder
	for _, e := range slices.Concat(w.events("acme"), w.events(storage.Global)) {
		fmt.Fprintf(&audit, "%+v\n", e)
	}
	for name, s := range secrets {
		if s == "" {
			t.Fatalf("no %s to look for", name)
		}
		if strings.Contains(w.log.String(), s) {
			t.Errorf("the log holds the %s", name)
		}
		if strings.Contains(audit.String(), s) {
			t.Errorf("the audit log holds the %s", name)
		}
		if hits := inFiles(t, w, s); len(hits) > 0 {
			t.Errorf("the database holds the %s in clear: %v", name, hits)
		}
	}
	if !strings.Contains(w.log.String(), "sign_in.factor") || !strings.Contains(audit.String(), "sign_in.factor") {
		t.Error("the canary did not look where events are")
	}
}

// inFiles looks for a string in the database's files.
func inFiles(t *testing.T, w *world, s string) []string {
	t.Helper()
	var hits []string
	files, err := filepath.Glob(w.path + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no database files at %s (%v)", w.path, err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), s) {
			hits = append(hits, filepath.Base(f))
		}
	}
	return hits
}

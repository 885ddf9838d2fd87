package provider

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

const atHooked = "You can’t do this right now"

// doorman is a hook that is told what to do at each point, and remembers what it was asked.
type doorman struct {
	mu    sync.Mutex
	at    map[hook.Point]hook.Func
	asked []hook.Event
}

func (d *doorman) Hook(ctx context.Context, e hook.Event) error {
	d.mu.Lock()
	d.asked = append(d.asked, e)
	do := d.at[e.Point]
	d.mu.Unlock()
	if do == nil {
		return nil
	}
	return do(ctx, e)
}

// told tells the doorman what to do at a point from now on; nil is to let everybody pass.
func (d *doorman) told(at hook.Point, do hook.Func) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at[at] = do
}

// points are where it was asked since the last time.
func (d *doorman) points() []hook.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := d.asked
	d.asked = nil
	return asked
}

func newHooked(t *testing.T, change ...func(*Config)) (*world, *doorman) {
	t.Helper()
	d := &doorman{at: map[hook.Point]hook.Func{}}
	w := newWorld(t, append(change, func(c *Config) { c.Hooks = []hook.Hook{d} })...)
	w.p.hooks.Timeout = 50 * time.Millisecond
	return w, d
}

const closed = "The office is closed on Sundays."

// refusals are the ways in which a hook refuses, and what the user reads and the tenant's audit log holds of each.
var refusals = map[string]struct {
	do             hook.Func
	reads, audited string
}{
	"denies": {func(context.Context, hook.Event) error { return hook.Deny(closed) }, closed, closed},
	"fails": {
		func(context.Context, hook.Event) error { return errors.New("dial tcp 10.1.2.3: refused") },
		"Your organisation doesn’t allow it", "hook failed",
	},
	"panics": {
		func(context.Context, hook.Event) error { panic("secret of the doorman") },
		"Your organisation doesn’t allow it", "hook panicked",
	},
	"times out": {
		func(ctx context.Context, _ hook.Event) error { <-ctx.Done(); return nil },
		"Your organisation doesn’t allow it", "hook timed out",
	},
}

// audited fails the test unless acme's last event of a hook is this one.
func (w *world) audited(action, outcome, reason string) {
	w.t.Helper()
	events := w.events("acme")
	i := len(events) - 1
	for i >= 0 && !strings.HasPrefix(events[i].Action, "hook.") {
		i--
	}
	if i < 0 || events[i].Action != action || events[i].Outcome != outcome || events[i].Reason != reason {
		w.t.Errorf("no event %s %s %q; the last are %+v", action, outcome, reason, events[max(0, len(events)-3):])
	}
}

// refusedByHook fails the test unless the page refuses for the hook's reason and tells nothing of the inside.
func (p *page) refusedByHook(reads string) {
	p.b.t.Helper()
	if p.is(atHooked).says(reads); p.status != http.StatusForbidden {
		p.b.t.Errorf("the refusal answers %d", p.status)
	}
	for _, inside := range []string{"10.1.2.3", "doorman", "goroutine", "timed out"} {
		if strings.Contains(p.body, inside) {
			p.b.t.Errorf("the page tells %q", inside)
		}
	}
}

// Hooks are asked before and told after set-up, sign-in, recovery and tokens, each time of whom and what.
func TestHooksAreAsked(t *testing.T) {
	w, d := newHooked(t)
	robin, ph, _ := w.enrolled("acme", "robin@acme.example")
	told := func(what string, want ...string) {
		t.Helper()
		var got []string
		for _, e := range d.points() {
			got = append(got, string(e.Point)+" "+e.Factor)
			if e.Tenant != "acme" || e.User != robin.ID || e.Account != "robin@acme.example" || e.UserType != "staff" || e.Role != storage.Member ||
				!strings.Contains(e.Agent, "Firefox") && e.Client == "" || e.Address.String() != "127.0.0.1" || e.Request == "" || w.clock.Now().Sub(e.Time) > time.Minute {
				t.Errorf("%s: told of %+v", what, e)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: asked %q, want %q", what, got, want)
		}
	}
	told("set-up at sign-in", "set_up.before totp", "set_up.after totp", "sign_in.before ", "sign_in.after ")

	a := w.app()
	at := a.attempt()
	b := w.browser()
	p := at.begin(b).signIn("robin@acme.example").is(atCode)
	told("the password")
	p.submit("/with/totp", "code", ph.wrong())
	told("a wrong code")
	p = p.submit("/with/totp", "code", ph.next())
	asked := d.points()
	if len(asked) != 2 || asked[0].Client != "workshop" || !slices.Equal(asked[0].Factors, []string{"totp"}) {
		t.Errorf("at sign-in: %+v", asked)
	}
	_, token := at.redeem(p)
	asked = d.points()
	if len(asked) != 2 || asked[0].Point != hook.BeforeToken || asked[1].Point != hook.AfterToken || asked[0].Client != "workshop" ||
		!slices.Contains(asked[0].Scopes, "offline_access") || asked[0].User != robin.ID {
		t.Errorf("for tokens: %+v", asked)
	}
	if _, err := a.config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token(); err != nil {
		t.Fatal(err)
	}
	told("renewed tokens", "token.before ", "token.after ")
	again := a.attempt()
	again.code(again.begin(b))
	told("single sign-on", "sign_in.before ")
	p = b.get("/account/two-factor").submit("/account/set-up/totp")
	w.clock.forward(time.Second)
	told2 := d.points()
	if len(told2) != 1 || told2[0].Point != hook.BeforeSetUp {
		t.Errorf("set-up on the security page: %+v", told2)
	}
	p.submit("/account/set-up", "code", w.scan(p).code()).is(atSecurity)
	told("its end", "set_up.after totp")

	made, err := w.p.Admin().MakeRecoveryCode(t.Context(), web.Operator(), "acme", robin.ID)
	if err != nil {
		t.Fatal(err)
	}
	rec := w.browser().get("/account/security").signIn("robin@acme.example").recover()
	told("the page of the recovery code")
	rec.submit("/with/recovery", "code", made.Code).is(atIntro).submit("/later").is(atSecurity)
	told("recovery", "recovery.before recovery", "recovery.after recovery", "sign_in.before ", "sign_in.after ")
	link := w.lostLink("robin@acme.example")
	told("the mail", "recovery.before ")
	w.browser().get(link).submit("/"+lastPart(link), "password", rightPassword).is(atTakenOff)
	told("factors taken off", "recovery.before ", "recovery.after ")
}

// A hook refuses a sign-in for a reason that the user reads; one that fails, panics or takes too long refuses too.
// Nobody is signed in, and nothing is remembered.
func TestHookRefusesSignIn(t *testing.T) {
	w, d := newHooked(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	remembering(w)
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			d.told(hook.BeforeSignIn, c.do)
			sessions := func() int {
				t.Helper()
				all, err := w.store.Sessions.List(t.Context(), storage.Query{Tenant: "acme"})
				if err != nil {
					t.Fatal(err)
				}
				return len(all)
			}
			before := sessions()
			b := w.browser()
			at := w.connectAgain().attempt()
			p := at.begin(b).signIn("robin@acme.example").is(atCode)
			q := p.submit("/with/totp", "code", ph.next(), "remember", "yes")
			q.refusedByHook(c.reads)
			w.audited("hook.sign_in.before", "refused", c.audited)
			if len(q.header.Values("Set-Cookie")) != 0 || sessions() != before {
				t.Errorf("cookies %v, %d sessions more", q.header.Values("Set-Cookie"), sessions()-before)
			}
			if kept, err := w.store.Devices.List(t.Context(), storage.Query{Tenant: "acme"}); err != nil || len(kept) != 0 {
				t.Errorf("%d devices are remembered (%v)", len(kept), err)
			}
			w.clock.forward(3 * time.Second)
			b.get("/account/security").is(atSignIn)
			p.submit("/with/totp", "code", ph.next()).is(atSignIn) // the sign-in is over
			d.told(hook.BeforeSignIn, nil)
			at.redeem(at.begin(b).signIn("robin@acme.example").submit("/with/totp", "code", ph.next()))
		})
	}
}

// connectAgain is the application of app, which is registered once.
func (w *world) connectAgain() *app {
	w.t.Helper()
	const redirect = "https://app.example/callback"
	if _, err := w.store.Clients.Get(w.t.Context(), storage.Global, "workshop"); err != nil {
		return w.app()
	}
	return w.connect("workshop", "the-secret-of-an-application-in-a-test", redirect)
}

// No way in is past the hook: not a session that goes on, nor a remembered device, nor a password alone.
func TestHookIsAskedOnEveryWayIn(t *testing.T) {
	w, d := newHooked(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	w.user("birch", "kim@birch.example", "client")
	remembering(w)
	device := w.remembered("robin@acme.example", ph)
	alone := w.browser()
	alone.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	a := w.app()
	d.told(hook.BeforeSignIn, refusals["denies"].do)
	a.attempt().begin(alone).refusedByHook(closed)
	a.attempt().begin(device).refusedByHook(closed)
	silent := a.attempt(with("prompt", "none"))
	if q := silent.arrived(silent.begin(alone)); q.Get("error") != "access_denied" || q.Get("error_description") != closed {
		t.Errorf("prompt=none: %v", q)
	}
	device.signOut()
	device.get("/account/security").signIn("robin@acme.example").refusedByHook(closed)
	w.browser().get("/account/security").signIn("kim@birch.example").refusedByHook(closed)
	// What was refused has shown the device's secret, which is another now: the browser is no copy of itself.
	d.told(hook.BeforeSignIn, nil)
	w.clock.forward(time.Hour)
	if !device.passwordIsEnough("robin@acme.example") {
		t.Error("the device is not recognised after a hook refused it")
	}
	if slices.ContainsFunc(w.events("acme"), func(e storage.Event) bool { return e.Action == "device.copied" }) {
		t.Error("taken for a copy")
	}
}

// A hook refuses a set-up before a secret is made, at sign-in and on the security page.
func TestHookRefusesSetUp(t *testing.T) {
	w, d := newHooked(t)
	w.user("acme", "robin@acme.example", "staff")
	w.user("acme", "kim@acme.example", "client")
	atAccount := w.browser()
	atAccount.get("/account/security").signIn("kim@acme.example").is(atSecurity)
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			d.told(hook.BeforeSetUp, c.do)
			intro := w.browser().get("/account/security").signIn("robin@acme.example").is(atIntro)
			for _, p := range []*page{intro.submit("/set-up/totp"), atAccount.get("/account/two-factor").submit("/account/set-up/totp")} {
				p.refusedByHook(c.reads)
				w.audited("hook.set_up.before", "refused", c.audited)
			}
			if p := intro.b.get(intro.url.Path + "/set-up/qr.png"); p.status != http.StatusNotFound {
				t.Errorf("a QR code all the same: %d", p.status)
			}
		})
	}
	if held, err := w.store.Credentials.List(t.Context(), storage.Query{Tenant: "acme"}); err != nil || len(held) != 0 {
		t.Errorf("%d credentials (%v)", len(held), err)
	}
	d.told(hook.BeforeSetUp, nil)
	w.browser().get("/account/security").signIn("robin@acme.example").enrol()
}

// A hook refuses a recovery, by code and by mail; neither code nor link is spent by that, and no attempt is counted.
func TestHookRefusesRecovery(t *testing.T) {
	w, d := newHooked(t)
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	made, err := w.p.Admin().MakeRecoveryCode(t.Context(), web.Operator(), "acme", robin.ID)
	if err != nil {
		t.Fatal(err)
	}
	link := w.lostLink("robin@acme.example")
	off := w.browser().get(link).is(atTakeOff)
	rec := w.browser().get("/account/security").signIn("robin@acme.example").recover()
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			d.told(hook.BeforeRecovery, c.do)
			for range 2 {
				rec.submit("/with/recovery", "code", made.Code).refusedByHook(c.reads)
			}
			w.audited("hook.recovery.before", "refused", c.audited)
			off.submit("/"+lastPart(link), "password", rightPassword).refusedByHook(c.reads)
			p := w.browser().get("/account/security").signIn("robin@acme.example").is(atCode)
			p.b.get(p.url.Path + "/lost").submit("/lost").refusedByHook(c.reads)
		})
	}
	if n := w.credentials(robin); n != 3 {
		t.Errorf("%d credentials are left", n)
	}
	d.told(hook.BeforeRecovery, nil)
	rec.submit("/with/recovery", "code", made.Code).is(atIntro)
	off.submit("/"+lastPart(link), "password", rightPassword).is(atTakenOff)
}

// A hook refuses tokens with an OAuth error (RFC 6749, section 5.2) whose description is the reason; neither code nor
// refresh token is spent by that.
func TestHookRefusesTokens(t *testing.T) {
	w, d := newHooked(t)
	w.enrolled("acme", "olga@acme.example")
	w.user("acme", "robin@acme.example", "client")
	a := w.app()
	machine := clientcredentials.Config{
		ClientID: "robot", TokenURL: a.config.Endpoint.TokenURL,
		ClientSecret: w.client("robot", "machine", "", func(c *storage.Client) {
			c.Owner, c.RedirectURIs, c.GrantTypes, c.Scopes = "acme", nil, []string{"client_credentials"}, []string{"jobs"}
		}),
	}
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			refused := func(what string, err error) {
				t.Helper()
				var oauth *oauth2.RetrieveError
				if !errors.As(err, &oauth) {
					t.Fatalf("%s: %v", what, err)
				}
				want := "refused by the deployment"
				if c.reads == closed {
					want = closed
				}
				if oauth.ErrorCode != "invalid_grant" || oauth.ErrorDescription != want || oauth.Response.StatusCode != http.StatusBadRequest {
					t.Errorf("%s: %d %q %q", what, oauth.Response.StatusCode, oauth.ErrorCode, oauth.ErrorDescription)
				}
				w.audited("hook.token.before", "refused", c.audited)
			}
			at := a.attempt()
			p := at.begin(w.browser()).signIn("robin@acme.example")
			d.told(hook.BeforeToken, c.do)
			for range 2 {
				_, err := a.config.Exchange(t.Context(), at.code(p), oauth2.VerifierOption(at.verifier))
				refused("the code", err)
			}
			_, err := machine.Token(t.Context())
			refused("the machine", err)
			d.told(hook.BeforeToken, nil)
			_, token := at.redeem(p)
			d.told(hook.BeforeToken, c.do)
			renew := func() (*oauth2.Token, error) {
				return a.config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
			}
			for range 2 {
				_, err = renew()
				refused("the refresh token", err)
			}
			d.told(hook.BeforeToken, nil)
			if _, err = renew(); err != nil {
				t.Error("the refresh token was spent by a refusal:", err)
			}
			if _, err = machine.Token(t.Context()); err != nil {
				t.Error("the machine:", err)
			}
		})
	}
}

// After something happened a hook is only told: it can't refuse any more, whatever it does, and that is audited.
func TestHooksAfterCannotRefuse(t *testing.T) {
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			w, d := newHooked(t)
			for _, at := range []hook.Point{hook.AfterSetUp, hook.AfterSignIn, hook.AfterRecovery, hook.AfterToken} {
				d.told(at, c.do)
			}
			robin, _, _ := w.enrolled("acme", "robin@acme.example")
			made, err := w.p.Admin().MakeRecoveryCode(t.Context(), web.Operator(), "acme", robin.ID)
			if err != nil {
				t.Fatal(err)
			}
			at := w.app().attempt()
			p := at.begin(w.browser()).signIn("robin@acme.example").recover().submit("/with/recovery", "code", made.Code)
			at.redeem(p.is(atIntro).submit("/later"))
			failed := map[string]int{}
			for _, e := range w.events("acme") {
				if strings.HasPrefix(e.Action, "hook.") {
					failed[e.Action+" "+e.Outcome]++
					if e.Reason != c.audited {
						t.Errorf("%s: %q", e.Action, e.Reason)
					}
				}
			}
			for _, want := range []string{"hook.set_up.after failed", "hook.sign_in.after failed", "hook.recovery.after failed", "hook.token.after failed"} {
				if failed[want] == 0 {
					t.Errorf("no event %s: %v", want, failed)
				}
				delete(failed, want)
			}
			if len(failed) != 0 {
				t.Errorf("also audited: %v", failed)
			}
		})
	}
}

// What a hook gives as its reason is text for people: no markup, and on the page as JSON (RFC 9457) too.
func TestHookReasonIsText(t *testing.T) {
	w, d := newHooked(t)
	w.user("birch", "kim@birch.example", "client")
	d.told(hook.BeforeSignIn, func(context.Context, hook.Event) error {
		return hook.Deny("Closed.\n<b>Call</b> 110\u202e now\x00")
	})
	p := w.browser().get("/account/security").signIn("kim@birch.example")
	p.refusedByHook("Closed. <b>Call</b> 110 now")
	p.walk(func(n *html.Node) {
		if n.Data == "b" {
			t.Error("the reason is markup")
		}
	})
	b := w.browser()
	_, fields := b.get("/account/security").form("/signin")
	r := b.request(http.MethodPost, "/signin", url.Values{"request": fields["request"], "login": {"kim@birch.example"}, "password": {rightPassword}})
	r.Header.Set("Accept", "application/json")
	q, err := b.once(r)
	if err != nil {
		t.Fatal(err)
	}
	var problem map[string]any
	if err := json.Unmarshal([]byte(q.body), &problem); err != nil || q.status != http.StatusForbidden {
		t.Fatalf("%d %s (%v)", q.status, q.body, err)
	}
	if detail, _ := problem["detail"].(string); detail != "Closed. <b>Call</b> 110 now" {
		t.Errorf("as JSON: %v", problem)
	}
}

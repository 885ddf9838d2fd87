package provider

import (
	"slices"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/storage"
)

// user reads a user as it is stored.
func (w *world) stored(u storage.User) storage.User {
	w.t.Helper()
	got, err := w.store.Users.Get(w.t.Context(), u.Tenant, u.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

// browserAt is a browser behind a proxy that forwards for an address.
func (w *world) browserAt(address string) *browser {
	w.t.Helper()
	b := w.browser()
	b.client.Transport = from(address)
	return b
}

// A user's record says whence the last sign-in came, in the one way of writing an address.
func TestLastAddress(t *testing.T) {
	w := newWorld(t, trusting)
	u := w.user("birch", "kim@birch.example", "client")
	if got := w.stored(u).LastAddress; got != "" {
		t.Errorf("before the first sign-in: %q", got)
	}
	for _, c := range []struct{ from, want string }{
		{"192.0.2.7", "192.0.2.7"},
		{"::ffff:192.0.2.8", "192.0.2.8"},
		{"2001:DB8:0:0::9", "2001:db8::9"},
		{"fe80::1%eth0", "fe80::1"},
		{"unknown", ""},
	} {
		w.browserAt(c.from).get("/account/security").signIn("kim@birch.example").is(atSecurity)
		if got := w.stored(u); got.LastAddress != c.want || !got.LastSignIn.Equal(w.clock.Now()) {
			t.Errorf("from %s: %q at %v, want %q", c.from, got.LastAddress, got.LastSignIn, c.want)
		}
		w.clock.forward(time.Minute)
	}
}

// A user's record says which factors are set up: set-up at the sign-in and on the security page, removal, reset, and
// without backup and recovery codes.
func TestFactorsOfAUser(t *testing.T) {
	w := newWorld(t, atLocalhost)
	has := func(u storage.User, when string, want ...string) storage.User {
		t.Helper()
		got := w.stored(u)
		if !slices.Equal(got.Factors, want) {
			t.Errorf("%s: %v, want %v", when, got.Factors, want)
		}
		return got
	}
	u, ph, _ := w.enrolled("acme", "robin@acme.example")
	has(u, "set up at the sign-in", "totp")
	// Once more to the one write of each sign-in, and nothing beside it.
	before := has(u, "before another sign-in", "totp").Version
	b := w.browser()
	b.get("/account/security").signIn("robin@acme.example").submit("/with/totp", "code", ph.next()).is(atSecurity)
	if after := has(u, "after it", "totp").Version; after != before+1 {
		t.Errorf("a sign-in that changes nothing writes its user %d times, want once", after-before)
	}
	b.addPasskey(w.authenticator(false)).is(atSecurity)
	has(u, "set up on the security page", "totp", "webauthn")

	// One that was lost on its way is made up for by the next sign-in.
	if _, err := storage.Change(t.Context(), w.store.Users, u.Tenant, u.ID, func(o *storage.User) error {
		o.Factors = []string{"sms"}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.browser().get("/account/security").signIn("robin@acme.example")
	has(u, "the password alone", "sms")
	p := w.browser().get("/account/security").signIn("robin@acme.example")
	p.b.get(p.b.get(p.link("/ways")).link("/with/totp")).submit("/with/totp", "code", ph.next()).is(atSecurity)
	has(u, "healed", "totp", "webauthn")

	kim, _, _ := w.keyed("kim@birch.example", false)
	has(kim, "a passkey", "webauthn")
	person := credential.Person{Tenant: &storage.Tenant{Key: storage.Key{ID: "birch"}}, User: &kim}
	keeper := w.p.login.Credentials
	if _, _, err := keeper.HandOut(t.Context(), person, nil); err != nil {
		t.Fatal(err)
	}
	has(kim, "a recovery code is no factor", "webauthn")
	if err := keeper.RemoveAll(t.Context(), person, nil); err != nil {
		t.Fatal(err)
	}
	has(kim, "all removed")
}

// What rules would have done that are only tried out stands in the audit log, with each sign-in, by a session too.
func TestReportsInTheAuditLog(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	may := storage.Rule{ID: "default", Name: "All may", Then: storage.Then{Access: "allow", TwoFactor: "optional", Strength: "any"}}
	w.rules("birch",
		storage.Rule{ID: "trial-1", Name: "Out with all", ReportOnly: true},
		storage.Rule{ID: "trial-staff", Name: "Staff", ReportOnly: true, When: storage.When{UserTypes: []string{"staff"}}},
		storage.Rule{ID: "trial-2", Name: "Two steps for all", ReportOnly: true, Then: storage.Then{Access: "allow"}},
		may,
	)
	a := w.app()
	b := w.browser()
	for _, action := range []string{"sign_in", "sign_in.session"} {
		at := a.attempt()
		if p := at.begin(b); action == "sign_in" {
			at.redeem(p.signIn("kim@birch.example"))
		} else {
			at.redeem(p)
		}
		if e, ok := w.has("birch", action, "ok"); !ok || e.Reports != "trial-1 trial-2" || e.Rule != "All may" {
			t.Errorf("%s: %+v", action, e)
		}
	}
	w.rules("birch", storage.Rule{ID: "trial-1", Name: "Two steps", ReportOnly: true}, storage.Rule{ID: "shut", Name: "Shut"}, may)
	w.browser().get("/account/security").signIn("kim@birch.example").says("Shut")
	if e, ok := w.has("birch", "sign_in", "refused"); !ok || e.Reports != "trial-1" || e.Rule != "Shut" {
		t.Errorf("refused: %+v", e)
	}
	if e, _ := w.has("birch", "sign_in.password", "ok"); e.Reports != "" {
		t.Errorf("a step on the way reports too: %+v", e)
	}
}

// Explaining and previewing say what a sign-in then asks for.
func TestAskedIsWhatASignInAsks(t *testing.T) {
	w := newWorld(t)
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	kim := w.user("acme", "kim@acme.example", "client")
	locked := w.user("acme", "out@acme.example", "client", func(u *storage.User) { u.Locked = w.clock.Now() })
	then := storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login"}
	change := func(f func(*storage.Then)) storage.Rule {
		r := storage.Rule{ID: "rule", Name: "Rule", Then: then}
		f(&r.Then)
		return r
	}
	required := change(func(*storage.Then) {})
	optional := change(func(t *storage.Then) { t.TwoFactor = "optional" })
	const redirect = "https://vault.example/callback"
	w.client("vault", "web", redirect, strong("mfa"))
	w.client("safe", "web", redirect, strong("phr"))
	client := func(id string) *storage.Client {
		c, err := w.store.Clients.Get(t.Context(), storage.Global, id)
		if err != nil {
			t.Fatal(err)
		}
		return &c
	}
	for _, c := range []struct {
		name    string
		user    storage.User
		rule    storage.Rule
		client  *storage.Client
		kind    policy.Ask
		factors []string
		then    policy.Ask
		// heading is what the user then sees; empty where it is not tried.
		heading string
	}{
		{"required, has one", robin, required, nil, policy.AskPrompt, []string{"totp", "backup"}, "", atCode},
		{"required, none", kim, required, nil, policy.AskEnrol, []string{"totp"}, "", atIntro},
		{"optional, none", kim, optional, nil, policy.AskNothing, nil, "", atSecurity},
		{"denied", kim, storage.Rule{Name: "Rule"}, nil, policy.AskDenied, nil, "", ""},
		{"locked", locked, optional, nil, policy.AskDenied, nil, "", ""},
		{"by recovery code", kim, change(func(t *storage.Then) { t.Unenrolled = "" }), nil, policy.AskRecoveryCode, nil, "", atRecovery},
		{"a factor that nobody here has", kim, change(func(t *storage.Then) { t.Factors = []string{"webauthn"} }), nil, policy.AskRecoveryCode, nil, "", atRecovery},
		{"an application that insists on two factors", kim, optional, client("vault"), policy.AskEnrol, []string{"totp"}, "", ""},
		{"an application that insists on more than there is", robin, optional, client("safe"), policy.AskPrompt, []string{"totp", "backup"}, policy.AskUnmet, ""},
		{"too weak a factor, and no better one", robin, change(func(t *storage.Then) { t.Strength = "" }), nil, policy.AskPrompt, []string{"totp", "backup"}, policy.AskRecoveryCode, atCode},
	} {
		w.rules("acme", c.rule)
		u := w.stored(c.user)
		p := credential.Person{Tenant: &storage.Tenant{Key: storage.Key{ID: "acme"}, Rules: []storage.Rule{c.rule}}, User: &u}
		d := policy.Decide(p.Tenant.Rules, policy.FactsOf(p.Tenant, &u, c.client, loopbackNetworks[0].Addr(), w.clock.Now()))
		got, err := w.p.login.Asked(t.Context(), p, d, c.client)
		if err != nil || got.Kind != c.kind || got.Then != c.then || !slices.Equal(got.Factors, c.factors) {
			t.Errorf("%s: %+v (%v), want %s %v %s", c.name, got, err, c.kind, c.factors, c.then)
		}
		// Foreseen without a read: the backup codes are not known of.
		known := slices.DeleteFunc(slices.Clone(c.factors), func(id string) bool { return id == "backup" })
		seen, err := w.p.login.Foresee(&u, d, c.client)
		if err != nil || seen.Kind != c.kind || seen.Then != c.then || !slices.Equal(seen.Factors, known) {
			t.Errorf("%s, foreseen: %+v (%v), want %s %v %s", c.name, seen, err, c.kind, known, c.then)
		}
		if c.heading != "" {
			w.browser().get("/account/security").signIn(u.Email).is(c.heading)
		}
	}
}

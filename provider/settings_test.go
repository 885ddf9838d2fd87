package provider

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/sallyport-id/sallyport/mfa"
	mfatotp "github.com/sallyport-id/sallyport/mfa/totp"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/storage"
)

// settings changes what a tenant chose, and lets the caches run out.
func (w *world) settings(tenant string, change func(*storage.Settings)) {
	w.t.Helper()
	_, err := storage.Change(context.Background(), w.store.Tenants, storage.Global, tenant, func(t *storage.Tenant) error {
		change(&t.Settings)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.clock.forward(10 * time.Second)
}

// A store with a hole is refused at the start, by the name of what is missing.
func TestSettingsOfAnIncompleteStore(t *testing.T) {
	w := newWorld(t)
	c := w.p.config
	c.Store.Sweep, c.Store.Devices = nil, nil
	if _, err := New(t.Context(), c); err == nil || !strings.Contains(err.Error(), "lacks Devices, Sweep") {
		t.Errorf("a store without two ports: %v", err)
	}
	c.Store = storage.Store{}
	if _, err := New(t.Context(), c); err == nil || !strings.Contains(err.Error(), "Config.Store") || !strings.Contains(err.Error(), "Users") {
		t.Errorf("no store: %v", err)
	}
}

// The product's name is the first thing that somebody guesses.
func TestSettingsProductIsNoPassword(t *testing.T) {
	const password = "gatehouse-24"
	create := func(w *world) error {
		return w.p.local.Create(t.Context(), &storage.User{
			Key: storage.Key{Tenant: "birch"}, Email: "kim@birch.example", Name: "Kim Example", Role: storage.Member, Type: "client",
		}, password)
	}
	var bad *directory.PasswordError
	if err := create(newWorld(t, func(c *Config) { c.Product = "Gatehouse" })); !errors.As(err, &bad) || bad.Reason != directory.Personal {
		t.Errorf("the product's name as password: %v", err)
	}
	if err := create(newWorld(t)); err != nil {
		t.Errorf("the name of another product: %v", err)
	}
}

// 001-6: a tenant chooses eight digits and SHA-256; who set up before stays with what the phone has.
func TestSettingsOfCodes(t *testing.T) {
	w := newWorld(t)
	_, before, _ := w.enrolled("acme", "old@acme.example")
	w.settings("acme", func(s *storage.Settings) { s.TOTPDigits, s.TOTPAlgorithm = 8, "SHA256" })
	w.user("acme", "robin@acme.example", "staff")
	b := w.browser()
	setUp := b.get("/account/security").signIn("robin@acme.example").is(atIntro).submit("/set-up/totp")
	ph := w.scan(setUp)
	if !strings.Contains(setUp.body, "algorithm=SHA256") || !strings.Contains(setUp.body, "digits=8") {
		t.Fatalf("the key does not tell the app of it:\n%s", setUp.body)
	}
	code := func() string {
		w.clock.forward(30 * time.Second)
		c, err := totp.GenerateCodeCustom(ph.secret, w.clock.Now(), totp.ValidateOpts{
			Period: 30, Digits: otp.DigitsEight, Algorithm: otp.AlgorithmSHA256,
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if setUp = setUp.submit("/set-up", "code", ph.code()); setUp.status != 422 {
		t.Fatalf("six digits set up: %d", setUp.status)
	}
	setUp.says("8").submit("/set-up", "code", code()).is(atCodes).submit("/codes", "saved", "yes").is(atSecurity)

	p := w.browser().get("/account/security").signIn("robin@acme.example").is(atCode)
	if p = p.submit("/with/totp", "code", ph.next()); p.status != 422 {
		t.Fatalf("six digits signed in: %d", p.status)
	}
	sha1, err := totp.GenerateCodeCustom(ph.secret, w.clock.Now(), totp.ValidateOpts{Period: 30, Digits: otp.DigitsEight})
	if err != nil {
		t.Fatal(err)
	}
	if p = p.submit("/with/totp", "code", sha1); p.status != 422 {
		t.Fatalf("eight digits of SHA-1 signed in: %d", p.status)
	}
	p.submit("/with/totp", "code", code()).is(atSecurity)
	w.browser().get("/account/security").signIn("old@acme.example").is(atCode).submit("/with/totp", "code", before.next()).is(atSecurity)
}

// 002-6: a tenant chooses one backup code instead of ten.
func TestSettingsOfBackupCodes(t *testing.T) {
	w := newWorld(t)
	w.settings("acme", func(s *storage.Settings) { s.BackupCodes = 1 })
	w.user("acme", "robin@acme.example", "staff")
	_, saved := w.browser().get("/account/security").signIn("robin@acme.example").enrol()
	codes := saved.codes()
	if len(codes) != 1 {
		t.Fatalf("%d backup codes, want 1", len(codes))
	}
	saved.submit("/codes", "saved", "yes").is(atSecurity)
	with := func() *page {
		b := w.browser()
		p := b.get("/account/security").signIn("robin@acme.example").is(atCode)
		return b.get(p.url.Path+"/with/backup").submit("/with/backup", "code", codes[0])
	}
	with().is(atSecurity)
	b := w.browser()
	p := b.get("/account/security").signIn("robin@acme.example").is(atCode)
	// There is no code left, so there is no page for one either, and what is sent to it leads back.
	b.follow(b.request(http.MethodPost, p.url.Path+"/with/backup", url.Values{"code": codes})).is(atCode)
	b.get("/account/security").is(atSignIn)
}

// A tenant chooses how long an unused session lasts; other tenants stay with theirs.
func TestSettingsOfSessions(t *testing.T) {
	w := newWorld(t)
	w.tenant("cedar")
	w.settings("birch", func(s *storage.Settings) { s.SessionIdle = 5 * time.Minute })
	w.user("birch", "kim@birch.example", "client")
	w.user("cedar", "sam@cedar.example", "client")
	b, other := w.browser(), w.browser()
	b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	other.get("/account/security").signIn("sam@cedar.example").is(atSecurity)
	for range 5 {
		w.clock.forward(4 * time.Minute)
		b.get("/account/security").is(atSecurity)
	}
	w.clock.forward(6 * time.Minute)
	b.get("/account/security").is(atSignIn)
	other.get("/account/security").is(atSecurity)
}

// 002-10: of several factors, the sign-in opens with the one used last; backup codes never come first.
func TestSettingsLastUsedFactorFirst(t *testing.T) {
	pg := &pager{}
	w := newWorld(t, func(c *Config) {
		pg.now = c.Now
		c.Factors = []mfa.Factor{mfatotp.Factor{Now: c.Now}, pg}
	})
	_, ph, codes := w.enrolled("acme", "robin@acme.example")
	b := w.browser()
	b.get("/account/security").signIn("robin@acme.example").is(atCode).submit("/with/totp", "code", ph.next()).is(atSecurity)
	setUp := b.get("/account/two-factor").submit("/account/set-up/pager")
	setUp.submit("/account/set-up", "code", pg.last()).is(atSecurity).says("Pager 42")

	next := func() (*browser, *page) {
		w.clock.forward(time.Minute)
		b := w.browser()
		return b, b.get("/account/security").signIn("robin@acme.example")
	}
	b, p := next()
	b.get(p.is(atCode).url.Path+"/with/pager").submit("/with/pager", "code", pg.last()).is(atSecurity)
	b, p = next()
	b.get(p.says("•••• 42").url.Path+"/with/backup").submit("/with/backup", "code", codes[0]).is(atSecurity)
	sent := pg.count() // a backup code doesn't count as the factor used last: the pager is still first
	b, p = next()
	b.get(p.says("•••• 42").url.Path+"/with/totp").submit("/with/totp", "code", ph.code()).is(atSecurity)
	if pg.count() != sent+1 {
		t.Errorf("%d pages sent, want 1", pg.count()-sent)
	}
	_, p = next()
	p.is(atCode)
	if pg.count() != sent+1 {
		t.Error("a page was sent to somebody who used the app last")
	}
}

// 001-9: a code of a phone whose clock is wrong says how far it is off; it signs nobody in.
func TestSettingsPhoneClockIsOff(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	w.clock.forward(20 * time.Minute)
	b := w.browser()
	p := b.get("/account/security").signIn("robin@acme.example").is(atCode)
	for _, c := range []struct {
		off  time.Duration
		says string
	}{
		{-5 * time.Minute, "Your phone’s clock is about 5 minutes behind."},
		{5 * time.Minute, "Your phone’s clock is about 5 minutes ahead."},
	} {
		if p = p.submit("/with/totp", "code", ph.code(c.off)); p.status != 422 {
			t.Fatalf("a code of %v from now: %d", c.off, p.status)
		}
		p.says(c.says, "Set its date and time to automatic. Our clock shows")
	}
	if p = p.submit("/with/totp", "code", ph.wrong()); p.status != 422 || strings.Contains(p.text(), "Your phone’s clock is about") {
		t.Errorf("a code of no time near by: %d\n%s", p.status, p.text())
	}
	p.submit("/with/totp", "code", ph.code()).is(atSecurity)
}

// crowded is a directory that has its hands full with other passwords.
type crowded struct {
	directory.Directory
	busy bool
}

func (c *crowded) Check(ctx context.Context, users []storage.User, password string) ([]storage.User, error) {
	if c.busy {
		return nil, directory.ErrBusy
	}
	return c.Directory.Check(ctx, users, password)
}

// Too many passwords at once: 503 with Retry-After, nobody is in, and it counts as no wrong password.
func TestSettingsHashingIsBusy(t *testing.T) {
	w := newWorld(t)
	full := &crowded{Directory: w.p.local, busy: true}
	w.p.login.Directory = full
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	p := b.get("/account/security").is(atSignIn)
	for range 12 {
		got := p.submit("/signin", "login", "kim@birch.example", "password", rightPassword)
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "2" {
			t.Fatalf("answers %d with Retry-After %q", got.status, got.header.Get("Retry-After"))
		}
		got.is("Please try again in a moment").says("Nothing was changed")
	}
	tried := func() bool {
		return slices.ContainsFunc(w.events("birch"), func(e storage.Event) bool { return strings.HasPrefix(e.Action, "sign_in") })
	}
	if tried() {
		t.Errorf("events of a password that nobody looked at: %+v", w.events("birch"))
	}
	full.busy = false
	p.submit("/signin", "login", "kim@birch.example", "password", rightPassword).is(atSecurity)
	if !tried() {
		t.Errorf("no event of the password that was right: %+v", w.events("birch"))
	}
}

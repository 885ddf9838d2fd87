package oidc

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
	"github.com/sallyport-id/sallyport/ui"
)

// world is a deployment with a real store, keys, audit log and skin. Only who signs in is decided by the test.
type world struct {
	testing.TB
	*httptest.Server
	issuer string
	p      *Provider
	store  storage.Store
	keys   *keys.Keys
	login  *standIn
	log    *lockedBuffer

	mu  sync.Mutex
	now time.Time
}

const (
	secret   = "s3cret-of-app"
	verifier = "a-verifier-that-is-long-enough-for-RFC-7636-43"
	callback = "https://app.example/cb"
)

// standIn takes the place of the sign-in pages: whoever the test put into user has just passed them all.
type standIn struct {
	w    *world
	mu   sync.Mutex
	user *storage.User
	err  error
	last login.Request
	// deny is what Admit answers.
	deny error
}

func (s *standIn) Begin(ctx context.Context, by *web.Actor, r login.Request) (web.Result, error) {
	s.mu.Lock()
	s.last = r
	user, err := s.user, s.err
	s.mu.Unlock()
	if err != nil {
		return web.Result{}, err
	}
	if user == nil {
		return web.Go("/signin"), nil
	}
	return s.w.p.Finish(ctx, by, s.w.outcome(r, user))
}

func (s *standIn) EndSession(ctx context.Context, tenant, sid string) error {
	err := s.w.store.Sessions.Delete(ctx, tenant, sid)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

func (s *standIn) Admit(_ context.Context, _ *web.Actor, _ Admission) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deny
}

func (s *standIn) set(change func(s *standIn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *standIn) request() login.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newWorld starts a deployment whose issuer has the path.
func newWorld(t testing.TB, path string) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{TB: t, now: time.Now(), log: &lockedBuffer{}}
	logger := slog.New(slog.NewTextHandler(w.log, nil))
	w.store = sqlitetest.Open(t, sqlite.Options{Now: w.clock, Logger: logger})
	var err error
	for _, k := range made() {
		w.must(w.store.SigningKeys.Insert(ctx, &k))
	}
	w.keys, err = keys.New(ctx, w.store, keys.Options{Master: master(), Now: w.clock})
	w.must(err)
	w.must(w.keys.Ensure(ctx))
	e := echo.New()
	w.Server = httptest.NewServer(e)
	t.Cleanup(w.Server.Close)
	issuer, err := url.Parse(w.URL + path)
	w.must(err)
	w.issuer = issuer.String()
	renderer, err := ui.New(ui.Options{})
	w.must(err)
	skin := &web.Server{Issuer: issuer, Product: "Test", UI: renderer, Logger: logger, Identify: w.identify}
	w.login = &standIn{w: w}
	w.p, err = New(Config{
		Issuer: issuer, Store: w.store, Keys: w.keys, Login: w.login, Web: skin, Logger: logger, Now: w.clock,
		Audit: audit.New(w.store.Events, audit.Options{Now: w.clock}),
		ACRs:  []string{login.ACRPassword, login.ACRTwoFactor}, Locales: []string{"en", "de"}, APIScopes: []string{"things:read", "things:write"},
		CacheFor: time.Millisecond,
	})
	w.must(err)
	w.must(skin.Mount(e, w.p.Routes()))
	w.people()
	return w
}

func master() []byte { return bytes.Repeat([]byte{7}, keys.MasterSize) }

// made are the signing keys of all worlds: finding the primes of an RSA key takes longer than most tests.
var made = sync.OnceValue(func() []storage.SigningKey {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "oidc")
	if err != nil {
		return nil
	}
	defer os.RemoveAll(dir)
	store, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(dir, "keys.db")})
	if err != nil {
		return nil
	}
	defer store.Close()
	k, err := keys.New(ctx, store, keys.Options{Master: master()})
	if err == nil {
		err = k.Ensure(ctx)
	}
	if err != nil {
		return nil
	}
	list, err := store.SigningKeys.List(ctx, storage.Query{Tenant: storage.Global})
	if err != nil {
		return nil
	}
	return list
})

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// pass lets time go by; caches forget.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) people() {
	ctx := w.Context()
	for _, tenant := range []string{"acme", "other"} {
		w.must(w.store.Tenants.Insert(ctx, &storage.Tenant{Key: storage.Key{Tenant: storage.Global, ID: tenant}, Name: tenant}))
		w.must(w.store.Users.Insert(ctx, &storage.User{
			Key: storage.Key{Tenant: tenant, ID: "ann-" + tenant}, Login: "ann", Email: "ann@" + tenant + ".example", Name: "Ann", Locale: "de",
		}))
	}
	hash := w.keys.Hash(SecretPurpose, secret)
	code, refresh, own := string(oidc.GrantTypeCode), string(oidc.GrantTypeRefreshToken), string(oidc.GrantTypeClientCredentials)
	for _, c := range []storage.Client{
		{Key: storage.Key{ID: "app"}, Name: "The App", Type: "web", RedirectURIs: []string{callback, callback + "?x=1", w.URL + "/cb"}, GrantTypes: []string{code, refresh}},
		{Key: storage.Key{ID: "es"}, Type: "web", RedirectURIs: []string{callback}, GrantTypes: []string{code, refresh}, IDTokenAlg: "ES256"},
		{Key: storage.Key{ID: "plain"}, Type: "web", RedirectURIs: []string{callback}, GrantTypes: []string{code}, NoPKCE: true},
		{Key: storage.Key{ID: "limited"}, Type: "web", RedirectURIs: []string{callback}, GrantTypes: []string{code}, Scopes: []string{"profile"}},
		{Key: storage.Key{ID: "owned"}, Type: "web", Owner: "acme", RedirectURIs: []string{callback}, GrantTypes: []string{code}},
		{Key: storage.Key{ID: "off"}, Type: "web", Disabled: true, RedirectURIs: []string{callback}, GrantTypes: []string{code}},
		{Key: storage.Key{ID: "spa"}, Type: "browser", RedirectURIs: []string{"https://spa.example/cb"}, GrantTypes: []string{code, refresh, own}, NoPKCE: true},
		{
			Key: storage.Key{ID: "native"}, Type: "native", GrantTypes: []string{code},
			RedirectURIs: []string{"http://127.0.0.1/cb", "http://[::1]:1234/cb", "http://localhost/cb", "com.example.app:/cb"},
		},
		{Key: storage.Key{ID: "machine"}, Type: "machine", Owner: "acme", RedirectURIs: []string{callback}, Scopes: []string{"read", "write"}, GrantTypes: []string{own, code}},
		{Key: storage.Key{ID: "machine-es"}, Type: "machine", Scopes: []string{"read"}, GrantTypes: []string{own}, IDTokenAlg: "ES256"},
		{Key: storage.Key{ID: "api"}, Type: "machine", Owner: "other", GrantTypes: []string{own}},
	} {
		c.Tenant = storage.Global
		c.PostLogoutRedirectURIs = []string{"https://app.example/bye"}
		if confidential(&c) {
			c.Secrets = []storage.ClientSecret{{Hash: hash}}
		}
		w.must(w.store.Clients.Insert(ctx, &c))
	}
}

func (w *world) user(tenant string) *storage.User {
	w.Helper()
	u, err := w.store.Users.Get(w.Context(), tenant, "ann-"+tenant)
	w.must(err)
	return &u
}

// as makes ann of a tenant pass all sign-ins from now on.
func (w *world) as(tenant string) {
	u := w.user(tenant)
	w.login.set(func(s *standIn) { s.user = u })
}

func (w *world) outcome(r login.Request, u *storage.User) login.Outcome {
	w.open(u)
	return login.Outcome{
		Request: r, User: *u, Tenant: storage.Tenant{Key: storage.Key{Tenant: storage.Global, ID: u.Tenant}},
		Session: storage.Session{Key: storage.Key{Tenant: u.Tenant, ID: "sid-" + u.ID}, User: u.ID},
		ACR:     login.ACRTwoFactor, AMR: []string{"pwd", "otp", "mfa"}, AuthTime: w.clock().Add(-time.Minute),
	}
}

// session signs ann in with the browser whose session cookie is her sid.
func (w *world) session(tenant string) string {
	w.Helper()
	w.open(w.user(tenant))
	return "sid-ann-" + tenant
}

// open sees to it that the user's session is there.
func (w *world) open(u *storage.User) {
	_, err := storage.Put(context.WithoutCancel(w.Context()), w.store.Sessions, u.Tenant, "sid-"+u.ID, func(o *storage.Session) error {
		o.User, o.Expires = u.ID, w.clock().Add(time.Hour)
		return nil
	})
	w.must(err)
}

func (w *world) identify(ctx context.Context, by *web.Actor, cookie string) error {
	for _, tenant := range []string{"acme", "other"} {
		s, err := w.store.Sessions.Get(ctx, tenant, cookie)
		if err != nil {
			continue
		}
		u, err := w.store.Users.Get(ctx, tenant, s.User)
		if err != nil {
			return err
		}
		t, err := w.store.Tenants.Get(ctx, storage.Global, tenant)
		if err != nil {
			return err
		}
		by.Session, by.User, by.Tenant = &s, &u, &t
	}
	return nil
}

package oidc

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

func (s *standIn) EndSession(ctx context.Context, _ *web.Actor, tenant, sid string) error {
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
	var err error
	w.store, err = sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(t.TempDir(), "test.db"), Now: w.clock, Logger: logger})
	w.must(err)
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
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
		ACRs:  []string{login.ACRPassword, login.ACRTwoFactor}, Locales: []string{"en", "de"},
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
	return login.Outcome{
		Request: r, User: *u, Tenant: storage.Tenant{Key: storage.Key{Tenant: storage.Global, ID: u.Tenant}},
		Session: storage.Session{Key: storage.Key{Tenant: u.Tenant, ID: "sid-" + u.ID}, User: u.ID},
		ACR:     login.ACRTwoFactor, AMR: []string{"pwd", "otp", "mfa"}, AuthTime: w.clock().Add(-time.Minute),
	}
}

// session signs ann in with the browser whose session cookie is her sid.
func (w *world) session(tenant string) string {
	w.Helper()
	w.must(w.store.Sessions.Insert(w.Context(), &storage.Session{
		Key: storage.Key{Tenant: tenant, ID: "sid-ann-" + tenant, Expires: w.clock().Add(time.Hour)}, User: "ann-" + tenant,
	}))
	return "sid-ann-" + tenant
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

// reply is an answer that was read to its end.
type reply struct {
	*http.Response
	body string
}

func (r reply) json(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%d %q: %v", r.StatusCode, r.body, err)
	}
	return v
}

// to is where a redirect leads.
func (r reply) to(t testing.TB) *url.URL {
	t.Helper()
	u, err := r.Location()
	if err != nil || r.StatusCode != http.StatusSeeOther {
		t.Fatalf("no redirect: %d %v\n%s", r.StatusCode, err, r.body)
	}
	return u
}

// do sends a request and follows nothing.
func (w *world) do(r *http.Request) reply {
	w.Helper()
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(r)
	w.must(err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	w.must(err)
	return reply{res, string(data)}
}

func (w *world) get(path string, q url.Values, header ...string) reply {
	w.Helper()
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return w.send(http.MethodGet, path, "", header...)
}

func (w *world) post(path string, form url.Values, header ...string) reply {
	w.Helper()
	return w.send(http.MethodPost, path, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
}

func (w *world) send(method, path, body string, header ...string) reply {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, w.issuer+path, strings.NewReader(body))
	w.must(err)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return w.do(r)
}

// ask is an authorization request that is right, with changes: a name and its value, an empty value to leave it out.
func ask(client string, changes ...string) url.Values {
	q := url.Values{
		"client_id": {client}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid profile email offline_access"},
		"state": {"st"}, "nonce": {"no"}, "code_challenge": {oidc.NewSHACodeChallenge(verifier)}, "code_challenge_method": {"S256"},
	}
	return with(q, changes...)
}

func with(q url.Values, changes ...string) url.Values {
	for i := 0; i+1 < len(changes); i += 2 {
		q.Del(changes[i])
		if changes[i+1] != "" {
			q.Set(changes[i], changes[i+1])
		}
	}
	return q
}

// code has ann of acme sign in to a client, and returns what its code is redeemed with.
func (w *world) code(client string, changes ...string) url.Values {
	w.Helper()
	w.as("acme")
	q := ask(client, changes...)
	code := w.get(pathAuthorize, q).to(w).Query().Get("code")
	if code == "" {
		w.Fatal("no code")
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {q.Get("redirect_uri")},
		"code_verifier": {verifier}, "client_id": {client},
	}
	if client != "spa" && client != "native" {
		form.Set("client_secret", secret)
	}
	return form
}

// tokens redeems a code.
func (w *world) tokens(client string, changes ...string) map[string]any {
	w.Helper()
	res := w.post(pathToken, w.code(client, changes...))
	if res.StatusCode != http.StatusOK {
		w.Fatalf("token endpoint: %d %s", res.StatusCode, res.body)
	}
	return res.json(w)
}

func (w *world) refresh(client, token string, changes ...string) reply {
	w.Helper()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {client}}
	if client != "spa" {
		form.Set("client_secret", secret)
	}
	return w.post(pathToken, with(form, changes...))
}

func (w *world) userInfo(token any) reply {
	w.Helper()
	return w.get(pathUserInfo, nil, "Authorization", "Bearer "+token.(string))
}

// active asks an API's question.
func (w *world) active(client string, token any) bool {
	w.Helper()
	res := w.post(pathIntrospect, url.Values{"token": {token.(string)}, "client_id": {client}, "client_secret": {secret}})
	if res.StatusCode != http.StatusOK {
		w.Fatalf("introspection: %d %s", res.StatusCode, res.body)
	}
	return res.json(w)["active"].(bool)
}

func (w *world) wantError(res reply, status int, code string) {
	w.Helper()
	if res.StatusCode != status || res.json(w)["error"] != code {
		w.Errorf("got %d %s, want %d %s", res.StatusCode, res.body, status, code)
	}
	if res.Header.Get("Cache-Control") != "no-store" {
		w.Errorf("Cache-Control is %q", res.Header.Get("Cache-Control"))
	}
}

// events are the actions in a tenant's audit log.
func (w *world) events(tenant string) []string {
	w.Helper()
	events, err := w.store.Events.List(w.Context(), storage.Query{Tenant: tenant})
	w.must(err)
	var actions []string
	for _, e := range events {
		actions = append(actions, e.Action+" "+e.Outcome)
	}
	return actions
}

func (w *world) wantEvent(tenant, event string) {
	w.Helper()
	if events := w.events(tenant); !slices.Contains(events, event) {
		w.Errorf("no event %q among %q", event, events)
	}
}

// peek reads a JWT's header and claims without checking it.
func peek(t testing.TB, token any) (head, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token.(string), ".")
	for i, v := range []*map[string]any{&head, &claims} {
		data, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(data, v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return head, claims
}

// change rewrites a record behind the provider's back, and lets the caches forget it.
func change[T any, P storage.Row[T]](w *world, table storage.Table[T], tenant, id string, f func(*T)) {
	w.Helper()
	_, err := storage.Change[T, P](w.Context(), table, tenant, id, func(v *T) error { f(v); return nil })
	w.must(err)
	w.pass(time.Second)
}

func basic(client, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(client)+":"+url.QueryEscape(secret)))
}

func randomText() string { return rand.Text() }

package provider

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/directory/directorytest"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/oidc"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

// The protocol engine writes to the default logger; what the tests look at is the provider's own.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// world is a whole deployment for a test: the real server with the real store on loopback, and a clock that stands
// still until it is moved.
type world struct {
	t      testing.TB
	clock  *clock
	store  storage.Store
	p      *Provider
	outbox *mail.Outbox
	issuer string
	// address is where it listens.
	address string
	log     *safeBuffer
	// path is the database's file.
	path string
}

var loopbackNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// safeBuffer keeps the log.
type safeBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// The password of all the users of a world.
const rightPassword = "correct horse battery staple"

const masterKey = "0123456789abcdef0123456789abcdef"

// newWorld starts a deployment with two tenants: acme, where staff must use two-factor authentication, and birch,
// where it is everybody's choice.
func newWorld(t testing.TB, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: time.Now().Truncate(time.Second)}, log: &safeBuffer{}}
	w.path = filepath.Join(t.TempDir(), "test.db")
	w.open()
	w.outbox = &mail.Outbox{Messages: w.store.Messages, Now: w.clock.Now}
	e := echo.New()
	e.HideBanner = true
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := Config{
		Issuer: "http://" + listener.Addr().String(), Store: w.store, MasterKey: []byte(masterKey), Mail: w.outbox,
		Logger: slog.New(slog.NewTextHandler(io.MultiWriter(w.log), &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:    w.clock.Now, Hasher: directorytest.Fast{},
	}
	for _, f := range change {
		f(&c)
	}
	w.address, w.issuer = "http://"+listener.Addr().String(), c.Issuer
	w.signs(c)
	if w.p, err = New(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := w.p.Mount(e); err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: e}}
	server.Start()
	t.Cleanup(server.Close)
	w.tenant("acme", storage.Rule{
		Name: "Staff must use two-factor authentication", When: storage.When{UserTypes: []string{"staff"}},
		Then: storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login"},
	})
	w.tenant("birch")
	return w
}

// seed is what all worlds begin with. Making it anew was the half of a small test's work.
type seed struct {
	// database is the file of an empty store.
	database []byte
	// keys are the signing keys under masterKey.
	keys []storage.SigningKey
}

var sown = sync.OnceValues(sow)

func sow() (s seed, err error) {
	dir, err := os.MkdirTemp("", "seed-")
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, o := context.Background(), sqlite.Options{Path: filepath.Join(dir, "test.db")}
	store, err := sqlite.Open(ctx, o)
	if err != nil {
		return s, err
	}
	// All of it is in the one file once the store is closed.
	if err := store.Close(); err != nil {
		return s, err
	}
	if s.database, err = os.ReadFile(o.Path); err != nil {
		return s, err
	}
	if store, err = sqlite.Open(ctx, o); err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	k, err := keys.New(ctx, store, keys.Options{Master: []byte(masterKey)})
	if err != nil {
		return s, err
	}
	if err := k.Ensure(ctx); err != nil {
		return s, err
	}
	s.keys, err = store.SigningKeys.List(ctx, storage.Query{Tenant: storage.Global})
	return s, err
}

// open opens the world's store.
func (w *world) open() {
	w.t.Helper()
	s, err := sown()
	if err == nil {
		err = os.WriteFile(w.path, s.database, 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.store = sqlitetest.Open(w.t, sqlite.Options{Path: w.path, Now: w.clock.Now})
}

// signs gives the world its signing keys, unless the test has a master key of its own.
func (w *world) signs(c Config) {
	w.t.Helper()
	if string(c.MasterKey) != masterKey {
		return
	}
	s, err := sown()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, k := range s.keys {
		k.Created, k.SignFrom = w.clock.Now(), w.clock.Now()
		// Another server of the same deployment has them.
		if err := c.Store.SigningKeys.Insert(context.Background(), &k); err != nil && !errors.Is(err, storage.ErrExists) {
			w.t.Fatal(err)
		}
	}
}

// tenant adds a tenant with rules before the last one, which lets everybody in and leaves two-factor authentication
// to them.
func (w *world) tenant(id string, rules ...storage.Rule) {
	w.t.Helper()
	key, err := w.p.keys.NewDataKey()
	if err != nil {
		w.t.Fatal(err)
	}
	err = w.store.Tenants.Insert(context.Background(), &storage.Tenant{
		Key: storage.Key{Tenant: storage.Global, ID: id}, Name: strings.ToUpper(id[:1]) + id[1:] + " Ltd",
		UserTypes: []string{"staff", "client", "contractor"}, DataKey: key, Created: w.clock.Now(),
		Rules: append(rules, storage.Rule{
			Name: "Everyone may sign in",
			Then: storage.Then{Access: "allow", TwoFactor: "optional", Strength: "any", Unenrolled: "enrol_at_login"},
		}),
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// user adds a user with the right password.
func (w *world) user(tenant, email, userType string, change ...func(*storage.User)) storage.User {
	w.t.Helper()
	u := storage.User{
		Key: storage.Key{Tenant: tenant}, Email: email, EmailVerified: true, Name: "Robin Example", Role: storage.Member, Type: userType,
	}
	for _, f := range change {
		f(&u)
	}
	if err := w.p.local.Create(context.Background(), &u, rightPassword); err != nil {
		w.t.Fatal(err)
	}
	return u
}

// rules replaces a tenant's rules, and lets the caches run out.
func (w *world) rules(tenant string, rules ...storage.Rule) {
	w.t.Helper()
	_, err := storage.Change(context.Background(), w.store.Tenants, storage.Global, tenant, func(t *storage.Tenant) error {
		t.Rules = rules
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.clock.forward(10 * time.Second)
}

// client registers an application.
func (w *world) client(id, kind, redirectURI string, change ...func(*storage.Client)) string {
	w.t.Helper()
	const secret = "the-secret-of-an-application-in-a-test"
	c := storage.Client{
		Key: storage.Key{Tenant: storage.Global, ID: id}, Name: "Workshop", Type: kind, RedirectURIs: []string{redirectURI},
		GrantTypes: []string{"authorization_code", "refresh_token"}, IDTokenAlg: "ES256", Created: w.clock.Now(),
	}
	if kind == "web" || kind == "machine" {
		c.Secrets = []storage.ClientSecret{{Hash: w.p.keys.Hash(oidc.SecretPurpose, secret), Created: w.clock.Now()}}
	}
	for _, f := range change {
		f(&c)
	}
	if err := w.store.Clients.Insert(context.Background(), &c); err != nil {
		w.t.Fatal(err)
	}
	return secret
}

// mails returns what was sent to an address, newest first.
func (w *world) mails(to string) []storage.Message {
	w.t.Helper()
	all, err := w.outbox.List(context.Background(), 0)
	if err != nil {
		w.t.Fatal(err)
	}
	var its []storage.Message
	for _, m := range all {
		if m.To == to {
			its = append(its, m)
		}
	}
	return its
}

// events returns a tenant's audit log, oldest first.
func (w *world) events(tenant string) []storage.Event {
	w.t.Helper()
	all, err := w.store.Events.List(context.Background(), storage.Query{Tenant: tenant, Limit: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// atLocalhost gives the world a name, which passkeys need.
func atLocalhost(c *Config) { c.Issuer = strings.Replace(c.Issuer, "127.0.0.1", "localhost", 1) }

// realHash is for the tests that are about argon2id.
func realHash(c *Config) { c.Hasher = directory.Argon2id{} }

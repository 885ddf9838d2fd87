package admin_test

import (
	"context"
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

	"github.com/sallyport-id/sallyport/provider"
	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/directory/directorytest"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// world is a deployment on the real store, whose operator is being tested, with a clock that is moved by hand.
type world struct {
	t     *testing.T
	store storage.Store
	*admin.Service
	issuer string

	mu  sync.Mutex
	now time.Time
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) forward(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Now().Truncate(time.Second)}
	logger := slog.New(slog.DiscardHandler)
	var err error
	w.store, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "x.db"), Now: w.clock, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	e := echo.New()
	srv := httptest.NewServer(e)
	t.Cleanup(srv.Close)
	w.issuer = srv.URL
	p, err := provider.New(t.Context(), provider.Config{
		Issuer: srv.URL, Store: w.store, MasterKey: make([]byte, 32), Logger: logger, Now: w.clock, Hasher: directorytest.Fast{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Mount(e); err != nil {
		t.Fatal(err)
	}
	w.Service = p.Admin()
	return w
}

func (w *world) tenant(id string, require ...string) admin.Tenant {
	w.t.Helper()
	t, err := w.CreateTenant(w.t.Context(), id, admin.TenantFields{Require2FA: &require})
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

func (w *world) user(tenant string, in admin.NewUser) admin.User {
	w.t.Helper()
	u, _, err := w.CreateUser(w.t.Context(), tenant, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// refused holds an error to be one for an operator: of that cause, about that place, and with a way out.
func refused(t *testing.T, err, cause error, where string) {
	t.Helper()
	var e *admin.Error
	if !errors.As(err, &e) || !errors.Is(err, cause) || e.Where != where || e.What == "" || e.Do == "" {
		t.Errorf("got %#v (%v), want %v at %s", e, err, cause, where)
	}
}

func (w *world) events(tenant string) []string {
	w.t.Helper()
	all, err := w.store.Events.List(w.t.Context(), storage.Query{Tenant: tenant, Limit: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	actions := make([]string, 0, len(all))
	for _, e := range all {
		if e.Actor != "operator" {
			w.t.Errorf("%s was done by %q", e.Action, e.Actor)
		}
		actions = append(actions, e.Action+" "+e.Outcome)
	}
	return actions
}

func (w *world) wantEvents(tenant string, want ...string) {
	w.t.Helper()
	if got := w.events(tenant); !slices.Equal(got, want) {
		w.t.Errorf("audit log of %s: %q, want %q", tenant, got, want)
	}
	if _, err := audit.New(w.store.Events, audit.Options{}).Verify(w.t.Context(), tenant); err != nil {
		w.t.Errorf("audit log of %s: %v", tenant, err)
	}
}

func ptr[T any](v T) *T { return &v }

func TestNewTenantLetsEveryoneInAndAsksTwoFactorsOfThoseItNames(t *testing.T) {
	w := newWorld(t)
	w.tenant("northwind", "staff")
	kept, err := w.store.Tenants.Get(t.Context(), storage.Global, "northwind")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		facts policy.Facts
		want  policy.TwoFactor
		rule  string
	}{
		{"staff", policy.Facts{UserType: "staff"}, policy.Required, "Staff must use two-factor authentication"},
		{"client", policy.Facts{UserType: "client"}, policy.Optional, "Everyone may use two-factor authentication"},
		{"no type", policy.Facts{}, policy.Optional, "Everyone may use two-factor authentication"},
		{"ticked client", policy.Facts{UserType: "client", Ticked: true}, policy.Required, "This user must use two-factor authentication"},
	} {
		d := policy.Decide(kept.Rules, c.facts)
		if !d.Allow || d.TwoFactor != c.want || d.Rule != c.rule || !d.AnyStrength || !d.EnrolAtLogin {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
}

func TestSwitchesAreRulesBehindThoseWithConditions(t *testing.T) {
	w := newWorld(t)
	w.tenant("northwind")
	_, err := storage.Change(t.Context(), w.store.Tenants, storage.Global, "northwind", func(t *storage.Tenant) error {
		closed := storage.Rule{Name: "Closed to contractors from outside", When: storage.When{UserTypes: []string{"contractor"}, NotNetworks: []string{"10.0.0.0/8"}}}
		report := storage.Rule{Name: "What if", ReportOnly: true}
		t.Rules = slices.Concat([]storage.Rule{report}, t.Rules[:1], []storage.Rule{closed}, t.Rules[1:])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	names := func(on ...string) []string {
		t.Helper()
		v, err := w.ChangeTenant(t.Context(), "northwind", admin.TenantFields{Require2FA: &on})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := slices.Sorted(slices.Values(v.Require2FA)), slices.Sorted(slices.Values(on)); !slices.Equal(got, want) {
			t.Errorf("switches %q, want %q", got, want)
		}
		all := make([]string, 0, len(v.Rules))
		for _, r := range v.Rules {
			all = append(all, r.Name)
		}
		return all
	}
	before := []string{"What if", "This user must use two-factor authentication", "Closed to contractors from outside"}
	last := "Everyone may use two-factor authentication"
	for _, step := range [][]string{{"contractor"}, {"contractor", "staff"}, {"staff", "everyone"}, {"client", "contractor", "everyone", "staff"}, {}} {
		got := names(step...)
		if !slices.Equal(got[:3], before) || got[len(got)-1] != last || len(got) != len(step)+4 {
			t.Errorf("switches %q give rules %q", step, got)
		}
	}
	if got := names("everyone"); !slices.Contains(got, "Everyone must use two-factor authentication") {
		t.Errorf("%q", got)
	}
}

func TestTenantFieldsAreChecked(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	for _, id := range []string{"", "a", "ab", "-ab", "ab-", "aB1", "a_b", "-", "a b", "ä12", strings.Repeat("a", 41), "abc\n"} {
		_, err := w.CreateTenant(ctx, id, admin.TenantFields{})
		refused(t, err, admin.ErrInvalid, "id")
	}
	for _, id := range []string{"abc", "0-9", strings.Repeat("a", 40)} {
		w.tenant(id)
	}
	_, err := w.CreateTenant(ctx, "abc", admin.TenantFields{})
	refused(t, err, storage.ErrExists, "id")
	for where, in := range map[string]admin.TenantFields{
		"name":           {Name: ptr("two\nlines")},
		"plan":           {Plan: ptr("a\u202eb")},
		"user_types":     {UserTypes: &[]string{"everyone"}},
		"require_2fa":    {Require2FA: &[]string{"wizard"}},
		"totp_digits":    {TOTPDigits: ptr(7)},
		"totp_algorithm": {TOTPAlgorithm: ptr("MD5")},
		"backup_codes":   {BackupCodes: ptr(0)},
		"session_idle":   {SessionIdle: ptr(time.Minute)},
		"support":        {Support: ptr("javascript:alert(1)")},
	} {
		// Nothing of it is done, not even what would have been right.
		if in.Name == nil {
			in.Name = ptr("New name")
		}
		_, err := w.ChangeTenant(ctx, "abc", in)
		refused(t, err, admin.ErrInvalid, where)
	}
	for _, types := range [][]string{{}, {"a", "a"}, {"A"}, {"a b"}, {""}} {
		_, err := w.ChangeTenant(ctx, "abc", admin.TenantFields{UserTypes: &types})
		refused(t, err, admin.ErrInvalid, "user_types")
	}
	v, err := w.Tenant(ctx, "abc")
	if err != nil || v.Name != "abc" {
		t.Errorf("%+v, %v", v, err)
	}
	w.wantEvents("abc", "tenant.create ok")
	_, err = w.ChangeTenant(ctx, "nowhere", admin.TenantFields{})
	refused(t, err, storage.ErrNotFound, "tenant")
	v, err = w.ChangeTenant(ctx, "abc", admin.TenantFields{
		Name: ptr(" Abc & Co. "), Plan: ptr("paid"), TOTPDigits: ptr(8), SessionIdle: ptr(2 * time.Hour), Support: ptr("help@abc.example"),
	})
	if err != nil || v.Name != "Abc & Co." || v.Plan != "paid" || v.Settings.TOTPDigits != 8 || v.Settings.SessionIdle != "2h0m0s" ||
		v.Settings.BackupCodes != 10 {
		t.Errorf("%+v, %v", v, err)
	}
	if all, err := w.Tenants(ctx, admin.Page{After: "0-9", Limit: 1}); err != nil || len(all) != 1 || all[0].ID != strings.Repeat("a", 40) {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestUserTypeInUseStays(t *testing.T) {
	w := newWorld(t)
	w.tenant("northwind", "client")
	w.user("northwind", admin.NewUser{Login: "sam", Name: "Sam", Type: "staff"})
	change := func(types ...string) error {
		_, err := w.ChangeTenant(t.Context(), "northwind", admin.TenantFields{UserTypes: &types})
		return err
	}
	refused(t, change("client", "contractor"), admin.ErrInvalid, "user_types")
	refused(t, change("staff", "contractor"), admin.ErrInvalid, "user_types") // A rule is about clients.
	if err := change("staff", "client", "sub-account"); err != nil {
		t.Error(err)
	}
}

func TestUserFromCreationToDeletion(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.tenant("northwind")
	w.tenant("harbour")
	u, password, err := w.CreateUser(ctx, "northwind", admin.NewUser{Email: "Olga@Northwind.Example", Name: "Olga", Role: storage.Owner})
	if err != nil {
		t.Fatal(err)
	}
	if len(password) != 24 || u.Email != "olga@northwind.example" || u.Type != "staff" || u.EmailVerified {
		t.Errorf("%+v, %q", u, password)
	}
	kept, err := w.store.Users.Get(ctx, "northwind", u.ID)
	if err != nil || strings.Contains(kept.Password, password) {
		t.Errorf("%+v, %v", kept, err)
	}
	if right, err := w.Directory.Check(ctx, []storage.User{kept}, password); err != nil || len(right) != 1 {
		t.Errorf("the password does not fit: %v", err)
	}
	for where, in := range map[string]admin.NewUser{
		"email":    {Email: "olga@northwind.example", Name: "Other"},
		"login":    {Login: "no spaces", Name: "A"},
		"role":     {Login: "tim", Role: "king"},
		"type":     {Login: "tim", Type: "wizard"},
		"password": {Login: "tim", Password: "password1"},
		"name":     {Login: "tim", Name: "a\x00b"},
	} {
		cause := admin.ErrInvalid
		if where == "email" {
			cause = storage.ErrExists
		}
		_, _, err := w.CreateUser(ctx, "northwind", in)
		refused(t, err, cause, where)
	}
	if all, err := w.Users(ctx, "northwind", "", admin.Page{}); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	// The other tenant neither sees nor touches her, by name or by ID.
	for _, name := range []string{"olga@northwind.example", u.ID} {
		_, err := w.User(ctx, "harbour", name)
		refused(t, err, storage.ErrNotFound, "user")
		refused(t, w.DeleteUser(ctx, "harbour", name), storage.ErrNotFound, "user")
	}
	v, err := w.ChangeUser(ctx, "northwind", "OLGA@northwind.example", admin.UserFields{Role: ptr(storage.Admin), Require2FA: ptr(true)})
	if err != nil || v.Role != storage.Admin || !v.Require2FA || v.Name != "Olga" {
		t.Errorf("%+v, %v", v, err)
	}
	_, err = w.ChangeUser(ctx, "northwind", u.ID, admin.UserFields{Name: ptr("New"), Type: ptr("wizard")})
	refused(t, err, admin.ErrInvalid, "type")
	if v, err = w.User(ctx, "northwind", u.ID); err != nil || v.Name != "Olga" || v.TwoFactor == nil || *v.TwoFactor {
		t.Errorf("%+v, %v", v, err)
	}
	if err := w.DeleteUser(ctx, "northwind", u.ID); err != nil {
		t.Fatal(err)
	}
	// Her address is free again.
	w.user("northwind", admin.NewUser{Email: "olga@northwind.example", Name: "Olga the second"})
	w.wantEvents("northwind", "tenant.create ok", "user.create ok", "user.change ok", "user.delete ok", "user.create ok")
}

// enrolled gives a user everything that hangs on a user.
func (w *world) enrolled(u admin.User) {
	w.t.Helper()
	ctx := w.t.Context()
	key := func() storage.Key { return storage.Key{Tenant: u.Tenant, ID: storage.NewID()} }
	later := w.clock().Add(time.Hour)
	live := func() storage.Key { k := key(); k.Expires = later; return k }
	if err := errors.Join(
		w.store.Credentials.Insert(ctx, &storage.Credential{Key: key(), User: u.ID, Factor: "totp", Data: []byte("x"), Left: -1}),
		w.store.Credentials.Insert(ctx, &storage.Credential{Key: key(), User: u.ID, Factor: "backup", Data: []byte("x"), Left: 7}),
		w.store.Sessions.Insert(ctx, &storage.Session{Key: live(), User: u.ID}),
		w.store.Devices.Insert(ctx, &storage.Device{Key: live(), User: u.ID}),
		w.store.Grants.Insert(ctx, &storage.Grant{Key: live(), User: u.ID}),
		w.store.Flows.Insert(ctx, &storage.Flow{Key: live(), User: u.ID}),
		w.store.Counters.Insert(ctx, &storage.Counter{
			Key: storage.Key{Tenant: u.Tenant, ID: "codes/" + u.ID, Expires: later}, Count: 3, Rows: map[string]int{"totp": 20},
		}),
	); err != nil {
		w.t.Fatal(err)
	}
}

func count[T any](w *world, table storage.Table[T], u admin.User) int {
	w.t.Helper()
	all, err := table.List(w.t.Context(), storage.Query{Tenant: u.Tenant, Field: "user", Value: u.ID})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(all)
}

func (w *world) left(u admin.User) [5]int {
	w.t.Helper()
	return [5]int{
		count(w, w.store.Credentials, u), count(w, w.store.Sessions, u), count(w, w.store.Devices, u),
		count(w, w.store.Grants, u), count(w, w.store.Flows, u),
	}
}

func TestWhatEndsWithAChangeOfAUser(t *testing.T) {
	w := newWorld(t)
	w.tenant("northwind")
	other := w.user("northwind", admin.NewUser{Login: "other", Name: "Other"})
	w.enrolled(other)
	for _, c := range []struct {
		name string
		do   func(ctx context.Context, id string) error
		left [5]int
	}{
		{"password", func(ctx context.Context, id string) error {
			_, err := w.SetPassword(ctx, "northwind", id, "tangled-hedgehog-4471")
			return err
		}, [5]int{2, 0, 0, 1, 1}},
		{"reset", func(ctx context.Context, id string) error {
			u, err := w.ResetTwoFactor(ctx, "northwind", id)
			if u.TwoFactor == nil || *u.TwoFactor {
				t.Errorf("after a reset: %+v", u)
			}
			return err
		}, [5]int{0, 0, 0, 1, 1}},
		{"disable", func(ctx context.Context, id string) error {
			_, err := w.SetUserDisabled(ctx, "northwind", id, true)
			return err
		}, [5]int{2, 0, 0, 1, 1}},
		{"delete", func(ctx context.Context, id string) error { return w.DeleteUser(ctx, "northwind", id) }, [5]int{}},
	} {
		u := w.user("northwind", admin.NewUser{Login: c.name, Name: "U"})
		w.enrolled(u)
		if err := c.do(t.Context(), u.ID); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := w.left(u); got != c.left {
			t.Errorf("%s leaves %v of credentials, sessions, devices, grants and flows, want %v", c.name, got, c.left)
		}
		_, err := w.store.Counters.Get(t.Context(), "northwind", "codes/"+u.ID)
		if gone := errors.Is(err, storage.ErrNotFound); gone != (c.name == "reset" || c.name == "delete") {
			t.Errorf("%s: wrong codes counted: %v", c.name, err)
		}
	}
	if got := w.left(other); got != [5]int{2, 1, 1, 1, 1} {
		t.Errorf("somebody else lost something: %v", got)
	}
}

func TestRedirectURIs(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		uri   string
		types string
	}{
		{"https://app.example/cb", "web native browser"},
		{"https://app.example/cb?x=1", "web native browser"},
		{"http://127.0.0.1:4711/cb", "web native browser"},
		{"http://[::1]/cb", "web native browser"},
		{"http://localhost:3000/cb", "web native browser"},
		{"com.example.app:/cb", "native"},
		{"com.example.app://host/cb", ""},
		{"myapp:/cb", ""},
		{"http://app.example/cb", ""},
		{"http://127.0.0.1.evil.example/cb", ""},
		{"https://app.example/cb#", ""},
		{"https://app.example/cb#x", ""},
		{"https://user@app.example/cb", ""},
		{"https://*.example/cb", ""},
		{"https:///cb", ""},
		{"https://app.example/ cb", ""},
		{"https://app.example/\x00", ""},
		{"https://äpp.example/", ""},
		{"/cb", ""},
		{"", ""},
		{"javascript:alert(1)", ""},
		{"data:text/html,x", ""},
		{"https://app.example/" + strings.Repeat("a", 2048), ""},
	} {
		for _, kind := range []string{admin.Web, admin.Native, admin.Browser} {
			_, _, err := w.CreateClient(t.Context(), admin.NewClient{Name: "App", Type: kind, RedirectURIs: []string{c.uri}})
			if slices.Contains(strings.Fields(c.types), kind) {
				if err != nil {
					t.Errorf("%s %q: %v", kind, c.uri, err)
				}
				continue
			}
			refused(t, err, admin.ErrInvalid, "redirect_uris")
			_, _, err = w.CreateClient(t.Context(), admin.NewClient{
				Name: "App", Type: kind, RedirectURIs: []string{"https://app.example/"}, PostLogoutRedirectURIs: []string{c.uri},
			})
			refused(t, err, admin.ErrInvalid, "post_logout_redirect_uris")
		}
	}
}

func TestClientFieldsAreChecked(t *testing.T) {
	w := newWorld(t)
	good := admin.NewClient{Name: "App", Type: admin.Web, RedirectURIs: []string{"https://app.example/"}}
	for where, change := range map[string]func(*admin.NewClient){
		"name":                         func(c *admin.NewClient) { c.Name = " " },
		"type":                         func(c *admin.NewClient) { c.Type = "" },
		"tenant":                       func(c *admin.NewClient) { c.Tenant = "nowhere" },
		"redirect_uris":                func(c *admin.NewClient) { c.Type = admin.Machine },
		"id_token_signed_response_alg": func(c *admin.NewClient) { c.IDTokenAlg = "none" },
		"scopes":                       func(c *admin.NewClient) { c.Scopes = []string{"a b"} },
		"tags":                         func(c *admin.NewClient) { c.Tags = []string{"A"} },
		"no_pkce":                      func(c *admin.NewClient) { c.Type, c.NoPKCE = admin.Browser, true },
	} {
		in := good
		change(&in)
		cause := admin.ErrInvalid
		if where == "tenant" {
			cause = storage.ErrNotFound
		}
		_, _, err := w.CreateClient(t.Context(), in)
		refused(t, err, cause, where)
	}
	if all, err := w.Clients(t.Context(), "", admin.Page{}); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	for _, kind := range []string{admin.Native, admin.Browser} {
		in := good
		in.Type = kind
		c, secret, err := w.CreateClient(t.Context(), in)
		if err != nil || secret != "" || len(c.Secrets) != 0 {
			t.Errorf("%s: %+v, %q, %v", kind, c, secret, err)
		}
		_, _, err = w.RotateSecret(t.Context(), c.ID, 0)
		refused(t, err, admin.ErrInvalid, "client")
	}
}

// token asks for a token as a machine does (RFC 6749, section 4.4) and returns the status.
func (w *world) token(client, secret string) int {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.issuer+"/token",
		strings.NewReader(url.Values{"grant_type": {"client_credentials"}, "scope": {"reports"}}.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(client), url.QueryEscape(secret))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode
}

// cacheTime is more than the protocol goes on with a client that it has read.
const cacheTime = 10 * time.Second

func TestSecretsWorkWhileTheyAreRotatedAndNoLonger(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	c, first, err := w.CreateClient(ctx, admin.NewClient{Name: "Reports", Type: admin.Machine, Scopes: []string{"reports"}})
	if err != nil {
		t.Fatal(err)
	}
	check := func(when string, works ...string) {
		t.Helper()
		w.forward(cacheTime)
		for _, secret := range works {
			want := http.StatusOK
			if s, no := strings.CutPrefix(secret, "not "); no {
				secret, want = s, http.StatusUnauthorized
			}
			if got := w.token(c.ID, secret); got != want {
				t.Errorf("%s: status %d, want %d", when, got, want)
			}
		}
	}
	check("at first", first, "not x", "not ")
	rotate := func(grace time.Duration) string {
		t.Helper()
		v, secret, err := w.RotateSecret(ctx, c.ID, grace)
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Secrets) > 2 {
			t.Errorf("%d secrets", len(v.Secrets))
		}
		return secret
	}
	second := rotate(time.Hour)
	check("while rotating", first, second)
	third := rotate(time.Hour)
	check("rotated again", "not "+first, second, third)
	w.forward(time.Hour)
	check("after the grace", "not "+second, third)
	fourth := rotate(0)
	check("without grace", "not "+third, fourth)
	if _, err := w.SetClientDisabled(ctx, c.ID, true); err != nil {
		t.Fatal(err)
	}
	check("disabled", "not "+fourth)
	if _, err := w.SetClientDisabled(ctx, c.ID, false); err != nil {
		t.Fatal(err)
	}
	check("enabled", fourth)
	if err := w.DeleteClient(ctx, c.ID); err != nil {
		t.Fatal(err)
	}
	check("deleted", "not "+fourth)
	kept, err := w.store.Events.List(ctx, storage.Query{Tenant: storage.Global})
	if err != nil {
		t.Fatal(err)
	}
	log, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{first, second, third, fourth} {
		if strings.Contains(string(log), secret) {
			t.Error("a secret is in the audit log")
		}
	}
	for _, grace := range []time.Duration{-1, admin.MaxGrace + 1} {
		_, _, err := w.RotateSecret(ctx, c.ID, grace)
		refused(t, err, admin.ErrInvalid, "grace")
	}
}

func TestRotatedKeyWaitsThenSigns(t *testing.T) {
	w := newWorld(t)
	states := func(all []admin.SigningKey, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, k := range all {
			b.WriteString(k.Alg + " " + k.State + ", ")
		}
		return b.String()
	}
	if got := states(w.SigningKeys(t.Context())); got != "ES256 signing, RS256 signing, " {
		t.Error(got)
	}
	if got := states(w.RotateKey(t.Context(), "ES256")); got != "ES256 signing, ES256 waiting, RS256 signing, " {
		t.Error(got)
	}
	w.forward(2 * time.Hour)
	if got := states(w.SigningKeys(t.Context())); got != "ES256 retired, ES256 signing, RS256 signing, " {
		t.Error(got)
	}
	_, err := w.RotateKey(t.Context(), "HS256")
	refused(t, err, admin.ErrInvalid, "alg")
	if n, err := w.Reseal(t.Context()); n != 0 || err != nil {
		t.Errorf("%d resealed without a new master key, %v", n, err)
	}
	w.wantEvents(storage.Global, "key.rotate ok", "key.reseal ok")
}

// deafAudit keeps no events.
type deafAudit struct{}

func (deafAudit) Record(context.Context, storage.Event) error { return errors.New("the disk is full") }

func TestNothingHappensThatCannotBeRecorded(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.tenant("northwind")
	u := w.user("northwind", admin.NewUser{Login: "sam", Name: "Sam"})
	c := w.Config
	c.Audit = deafAudit{}
	s, err := admin.New(c)
	if err != nil {
		t.Fatal(err)
	}
	fails := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = s.CreateTenant(ctx, "harbour", admin.TenantFields{})
	fails("create tenant", err)
	_, err = s.SetTenantDisabled(ctx, "northwind", true)
	fails("disable tenant", err)
	_, _, err = s.CreateUser(ctx, "northwind", admin.NewUser{Login: "tim", Name: "Tim"})
	fails("create user", err)
	fails("delete user", s.DeleteUser(ctx, "northwind", u.ID))
	_, _, err = s.CreateClient(ctx, admin.NewClient{Name: "M", Type: admin.Machine})
	fails("create client", err)
	tenants, errT := w.Tenants(ctx, admin.Page{})
	users, errU := w.Users(ctx, "northwind", "", admin.Page{})
	clients, errC := w.Clients(ctx, "", admin.Page{})
	if errors.Join(errT, errU, errC) != nil || len(tenants) != 1 || tenants[0].Disabled || len(users) != 1 || len(clients) != 0 {
		t.Errorf("%+v %+v %+v", tenants, users, clients)
	}
}

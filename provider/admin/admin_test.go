package admin_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
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
	"github.com/sallyport-id/sallyport/provider/web"
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
	t, err := w.CreateTenant(w.t.Context(), web.Operator(), id, admin.TenantFields{Require2FA: &require})
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

func (w *world) user(tenant string, in admin.NewUser) admin.User {
	w.t.Helper()
	u, _, err := w.CreateUser(w.t.Context(), web.Operator(), tenant, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// refused holds an error to be one for an operator: of that cause, about that place, and with a way out.
func refused(t *testing.T, err, cause error, where string) {
	t.Helper()
	var e *web.Invalid
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
	if got := states(w.SigningKeys(t.Context(), web.Operator())); got != "ES256 signing, RS256 signing, " {
		t.Error(got)
	}
	if got := states(w.RotateKey(t.Context(), web.Operator(), "ES256")); got != "ES256 signing, ES256 waiting, RS256 signing, " {
		t.Error(got)
	}
	w.forward(2 * time.Hour)
	if got := states(w.SigningKeys(t.Context(), web.Operator())); got != "ES256 retired, ES256 signing, RS256 signing, " {
		t.Error(got)
	}
	_, err := w.RotateKey(t.Context(), web.Operator(), "HS256")
	refused(t, err, web.ErrInvalid, "alg")
	if n, err := w.Reseal(t.Context(), web.Operator()); n != 0 || err != nil {
		t.Errorf("%d resealed without a new master key, %v", n, err)
	}
	w.wantEvents(storage.Global, "key.rotate ok", "key.reseal ok")
}

// deafAudit keeps no events.
type deafAudit struct{ *audit.Log }

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
	_, err = s.CreateTenant(ctx, web.Operator(), "harbour", admin.TenantFields{})
	fails("create tenant", err)
	_, err = s.SetTenantDisabled(ctx, web.Operator(), "northwind", true)
	fails("disable tenant", err)
	_, _, err = s.CreateUser(ctx, web.Operator(), "northwind", admin.NewUser{Login: "tim", Name: "Tim"})
	fails("create user", err)
	fails("delete user", s.DeleteUser(ctx, web.Operator(), "northwind", u.ID))
	_, _, err = s.CreateClient(ctx, web.Operator(), "", admin.NewClient{Name: "M", Type: admin.Machine})
	fails("create client", err)
	tenants, errT := w.Tenants(ctx, web.Operator(), admin.Page{})
	users, errU := w.FindUsers(ctx, web.Operator(), "northwind", admin.Filter{}, admin.Page{})
	clients, errC := w.Clients(ctx, web.Operator(), "", admin.Page{})
	if errors.Join(errT, errU, errC) != nil || len(tenants) != 1 || tenants[0].Disabled || len(users.Items) != 1 || len(clients) != 0 {
		t.Errorf("%+v %+v %+v", tenants, users, clients)
	}
}

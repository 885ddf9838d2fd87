package transfer_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider"
	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/transfer"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// world is a deployment on the real store with the tenants acme and birch.
type world struct {
	*transfer.Service
	t     testing.TB
	store storage.Store
	admin *admin.Service
	log   *bytes.Buffer
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, log: &bytes.Buffer{}}
	logger := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	w.store = sqlitetest.Open(t, sqlite.Options{Logger: logger})
	p, err := provider.New(t.Context(), provider.Config{
		Issuer: "https://id.example", Store: w.store, MasterKey: make([]byte, 32), Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.admin = p.Admin()
	w.Service = p.Transfer()
	for _, id := range []string{"acme", "birch"} {
		if _, err := w.admin.CreateTenant(t.Context(), web.Operator(), id, admin.TenantFields{}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// bring imports a file into acme and returns what was told of each line.
func (w *world) bring(file string, o transfer.Options) (transfer.Totals, []transfer.Line) {
	w.t.Helper()
	totals, told, err := w.try(w.t.Context(), file, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return totals, told
}

func (w *world) try(ctx context.Context, file string, o transfer.Options) (transfer.Totals, []transfer.Line, error) {
	w.t.Helper()
	if o.Format == "" {
		o.Format = transfer.CSV
	}
	var told []transfer.Line
	o.Line = func(l transfer.Line) error {
		told = append(told, l)
		return nil
	}
	totals, err := w.Import(ctx, web.Operator(), "acme", strings.NewReader(file), o)
	return totals, told, err
}

// users are all of a tenant, by e-mail address or user name.
func (w *world) users(tenant string) map[string]storage.User {
	w.t.Helper()
	all, err := w.store.Users.List(w.t.Context(), storage.Query{Tenant: tenant, Limit: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	by := map[string]storage.User{}
	for _, u := range all {
		name := u.Email
		if name == "" {
			name = u.Login
		}
		by[name] = u
	}
	return by
}

// events are a tenant's audit log, after what set the world up.
func (w *world) events(tenant string) []storage.Event {
	w.t.Helper()
	all, err := w.store.Events.List(w.t.Context(), storage.Query{Tenant: tenant, Limit: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	for len(all) > 0 && strings.HasPrefix(all[0].Action, "tenant.") {
		all = all[1:]
	}
	if r, err := w.admin.VerifyAudit(w.t.Context(), web.Operator(), tenant); err != nil || !r.OK() {
		w.t.Errorf("audit log of %s: %+v, %v", tenant, r, err)
	}
	return all
}

const hash = "$2b$04$abcdefghijklmnopqrstuuMlCKfyiGmbTF5HMLtFTC6uvWPvbGAZe"

var day = time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)

package webhook_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/provider/webhook"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

var (
	loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	operator = &web.Actor{Operator: true, Address: netip.MustParseAddr("192.0.2.7")}
)

// got is a request that a receiver got.
type got struct {
	header http.Header
	body   string
}

// receiver is an https server that remembers what it got, and answers as it is told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	all    []got
	answer http.HandlerFunc
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.all = append(r.all, got{req.Header.Clone(), string(body)})
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w, req)
		}
	}))
	r.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(f http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

func (r *receiver) answersStatus(status int) {
	r.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

func (r *receiver) requests() []got {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// office is a service with a store of its own and a clock that stands still.
type office struct {
	*testing.T
	*receiver
	path  string
	store storage.Store
	keys  *keys.Keys
	log   *audit.Log
	hooks *webhook.Service
	lines *safeBuffer

	mu  sync.Mutex
	now time.Time
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) forward(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

func newOffice(t *testing.T, change ...func(*webhook.Config)) *office {
	t.Helper()
	o := &office{T: t, receiver: newReceiver(t), path: filepath.Join(t.TempDir(), "hooks.db"), lines: &safeBuffer{}, now: time.Now().UTC().Truncate(time.Second)}
	o.store = sqlitetest.Open(t, sqlite.Options{Path: o.path, Now: o.clock})
	var err error
	if o.keys, err = keys.New(t.Context(), o.store, keys.Options{Master: bytes.Repeat([]byte{7}, keys.MasterSize), Now: o.clock}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"acme", "birch"} {
		key, err := o.keys.NewDataKey()
		if err != nil {
			t.Fatal(err)
		}
		tenant := storage.Tenant{Key: storage.Key{Tenant: storage.Global, ID: id}, Name: id, DataKey: key}
		if err := o.store.Tenants.Insert(t.Context(), &tenant); err != nil {
			t.Fatal(err)
		}
	}
	o.hooks = o.another(change...)
	o.log = audit.New(o.store.Events, audit.Options{Now: o.clock, Sinks: []audit.Sink{o.hooks}})
	return o
}

// another is the service as another process has it.
func (o *office) another(change ...func(*webhook.Config)) *webhook.Service {
	o.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(o.Certificate())
	c := webhook.Config{
		Store: o.store, Seal: o.keys, AllowPrivate: loopback, RootCAs: roots, Now: o.clock,
		Record: func(ctx context.Context, e storage.Event) error { return o.log.Record(ctx, e) },
		Logger: slog.New(slog.NewTextHandler(o.lines, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&c)
	}
	s, err := webhook.New(c)
	if err != nil {
		o.Fatal(err)
	}
	return s
}

// create makes a webhook to the receiver.
func (o *office) create(tenant string, events ...string) (w webhook.Webhook, secret string) {
	o.Helper()
	w, secret, err := o.hooks.Create(o.Context(), operator, tenant, webhook.NewWebhook{URL: o.URL + "/hooks?token=behind-the-host", Events: events})
	if err != nil {
		o.Fatal(err)
	}
	return w, secret
}

// happens puts an event into a tenant's audit log, a millisecond after whatever was before.
func (o *office) happens(tenant, action string) {
	o.Helper()
	o.forward(time.Millisecond) // Nothing happens twice at a time, so that what is listed has an order.
	err := o.log.Record(o.Context(), storage.Event{
		Key: storage.Key{Tenant: tenant}, Action: action, Outcome: "ok", User: "ada", Factor: "totp", Address: "192.0.2.1", Agent: "Firefox <140>",
	})
	if err != nil {
		o.Fatal(err)
	}
}

// deliver wants n deliveries to be taken now.
func (o *office) deliver(n int) {
	o.Helper()
	if got, err := o.hooks.Deliver(o.Context()); err != nil || got != n {
		o.Errorf("at %v: %d taken, %v; want %d; log: %s", o.clock(), got, err, n, o.lines)
	}
}

func (o *office) deliveries(w webhook.Webhook) []webhook.Delivery {
	o.Helper()
	all, err := o.hooks.Deliveries(o.Context(), w.Tenant, w.ID, "", 0)
	if err != nil {
		o.Fatal(err)
	}
	return all
}

func (o *office) get(w webhook.Webhook) webhook.Webhook {
	o.Helper()
	v, err := o.hooks.Get(o.Context(), w.Tenant, w.ID)
	if err != nil {
		o.Fatal(err)
	}
	return v
}

// queued is how many places there are in the queue.
func (o *office) queued() int {
	o.Helper()
	all, err := o.store.DueDeliveries.List(o.Context(), storage.Query{Tenant: storage.Global, Limit: 1000})
	if err != nil {
		o.Fatal(err)
	}
	return len(all)
}

// events are those of a tenant's audit log with an action.
func (o *office) events(tenant, action string) []storage.Event {
	o.Helper()
	all, err := o.store.Events.List(o.Context(), storage.Query{Tenant: tenant, Limit: 1000})
	if err != nil {
		o.Fatal(err)
	}
	return slices.DeleteFunc(all, func(e storage.Event) bool { return e.Action != action })
}

// verified holds a request against a secret, by the published library, and reads it.
func (o *office) verified(g got, secret string) map[string]any {
	o.Helper()
	v, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		o.Fatal(err)
	}
	if err := v.VerifyIgnoringTimestamp([]byte(g.body), g.header); err != nil {
		o.Errorf("%v: %v", err, g)
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(g.body), &m); err != nil {
		o.Error(err)
	}
	return m
}

package webhook

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/storage"
)

// Sealer encrypts under a tenant's key, for a purpose; keys.Keys is one.
type Sealer interface {
	SealFor(ctx context.Context, tenant, purpose string, plain []byte) ([]byte, error)
	OpenFor(ctx context.Context, tenant, purpose string, sealed []byte) ([]byte, error)
}

// Config is what a Service works with. Store, Seal and Record are needed.
type Config struct {
	Store storage.Store
	Seal  Sealer
	// Record puts an event into the audit log. After an error, what the event is about does not happen.
	Record func(ctx context.Context, e storage.Event) error
	// AllowPrivate are networks that webhooks may lead into although they are not public.
	AllowPrivate []netip.Prefix
	// AllowHTTP lets webhooks do without TLS.
	AllowHTTP bool
	// RootCAs are who receivers' certificates are checked by; nil is the system's.
	RootCAs *x509.CertPool
	// Resolver looks names up; nil is net.DefaultResolver.
	Resolver *net.Resolver
	// Logger is told of failures; nil discards them.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Service keeps webhooks, puts events into their durable queue, and delivers them. It is safe for concurrent use. Any
// number of processes may work on one store: a delivery is tried by one of them at a time. A receiver may all the same
// get one twice, where the process ended before it could note the answer; it tells them by their webhook-id.
type Service struct {
	Config
	guard  guard
	client *http.Client
	// wake has room for one: there is something to deliver.
	wake chan struct{}

	// lookAt bounds the places in the queue that are read at a time.
	lookAt int

	mu sync.Mutex
	// known are tenants' webhooks for a moment, since every event asks for them. changes counts what was forgotten of it: a
	// list that was begun before is old.
	known   map[string]known
	changes uint64
	// after is the place up to which the queue was read, where that was not its end.
	after string
	// busy are the webhooks, by tenant and ID, that this process delivers to just now.
	busy map[[2]string]bool
}

var _ audit.Sink = (*Service)(nil)

type known struct {
	webhooks []storage.Webhook
	until    time.Time
}

const (
	// knownFor is how late a change made by another process is noticed at most.
	knownFor = 5 * time.Second
	// maxKnown bounds the memory; when it is reached, all is forgotten at once.
	maxKnown = 10_000
)

// New checks the configuration.
func New(c Config) (*Service, error) {
	if c.Store.Webhooks == nil || c.Store.Deliveries == nil || c.Store.DueDeliveries == nil || c.Store.Tenants == nil ||
		c.Seal == nil || c.Record == nil {
		return nil, errors.New("webhook: Config lacks a part")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	g, err := newGuard(c.AllowPrivate, c.AllowHTTP)
	if err != nil {
		return nil, err
	}
	return &Service{
		Config: c, guard: g, client: newClient(g, c.RootCAs, c.Resolver), wake: make(chan struct{}, 1),
		lookAt: lookAt,
		known:  map[string]known{}, busy: map[[2]string]bool{},
	}, nil
}

// now is in milliseconds, as stores keep times.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// webhooks are all of a tenant's, as they were a moment ago.
func (s *Service) webhooks(ctx context.Context, tenant string) ([]storage.Webhook, error) {
	now := s.now()
	s.mu.Lock()
	k, ok := s.known[tenant]
	changes := s.changes
	s.mu.Unlock()
	if ok && now.Before(k.until) {
		return k.webhooks, nil
	}
	all, err := s.Store.Webhooks.List(ctx, storage.Query{Tenant: tenant, Limit: MaxWebhooks})
	if err != nil {
		return nil, fmt.Errorf("webhook: list: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes != changes {
		return all, nil
	}
	if len(s.known) >= maxKnown {
		clear(s.known)
	}
	s.known[tenant] = known{webhooks: all, until: now.Add(knownFor)}
	return all, nil
}

// forget makes a change count at once in this process.
func (s *Service) forget(tenant string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, tenant)
	s.changes++
}

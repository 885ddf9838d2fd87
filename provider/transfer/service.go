package transfer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Audit keeps events. After an error, what the event is about must not happen.
type Audit interface {
	Record(ctx context.Context, e storage.Event) error
	// RecordSeries is Record for several events of one tenant.
	RecordSeries(ctx context.Context, tenant string, events []storage.Event) error
}

// Config is what a Service works with. Every field is needed unless it says otherwise.
type Config struct {
	Store       storage.Store
	Directory   *directory.Local
	Credentials *credential.Keeper
	Audit       Audit
	// Admit refuses actors who may neither import nor export in a tenant. operator tells whether one runs the deployment, and
	// empowers whether one may make owners and admins. It looks at the actor as stored now.
	Admit func(ctx context.Context, by *web.Actor, tenant string) (operator, empowers bool, err error)
	// EndAll ends everything that is signed in as a user: sessions, remembered devices, mailed links, and what applications
	// got, offline access included; all but what goes by the session keep, where there is one.
	EndAll func(ctx context.Context, tenant, user, keep string) error
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Service imports and exports users. It is safe for concurrent use.
type Service struct {
	c Config

	mu sync.Mutex
	// busy are the tenants into which users are being imported.
	busy map[string]bool
}

// New checks the configuration.
func New(c Config) (*Service, error) {
	if c.Store.Users == nil || c.Directory == nil || c.Credentials == nil || c.Audit == nil || c.Admit == nil || c.EndAll == nil {
		return nil, errors.New("transfer: Config lacks a part")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{c: c, busy: map[string]bool{}}, nil
}

// Format is how a file is written.
type Format string

// The formats. Either way a user takes one line.
const (
	// CSV is RFC 4180, with a header of field names. Comma, semicolon or tab part the cells, whichever the header has.
	CSV Format = "csv"
	// JSONLines is one JSON object a line.
	JSONLines Format = "jsonl"
)

// Media is the media type of the format.
func (f Format) Media() string {
	if f == JSONLines {
		return "application/jsonl"
	}
	return "text/csv"
}

func noFormat(f Format) error {
	return web.Refuse("format", "", fmt.Sprintf("there is no format %q", f), "choose csv or jsonl")
}

// allowed is what an actor may do in a tenant.
type allowed struct {
	tenant *storage.Tenant
	// trusted: the actor runs the deployment. empowers: the actor may make owners and admins.
	trusted, empowers bool
}

// admit reads the tenant, if the actor may import or export there.
func (s *Service) admit(ctx context.Context, by *web.Actor, id string) (allowed, error) {
	operator, empowers, err := s.c.Admit(ctx, by, id)
	if err != nil {
		return allowed{}, err
	}
	t, err := s.c.Store.Tenants.Get(ctx, storage.Global, id)
	return allowed{&t, operator, empowers}, web.Unavailable("tenant", err)
}

// begin lets one import at a time into a tenant, so that no customer takes all workers; operators' commands know what they
// do. web.ErrBusy.
func (s *Service) begin(by *web.Actor, tenant string) (end func(), err error) {
	if by.Operator {
		return func() {}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[tenant] {
		return nil, web.ErrBusy
	}
	s.busy[tenant] = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.busy, tenant)
	}, nil
}

// about begins an event of what an actor does in a tenant.
func about(by *web.Actor, tenant, action string) storage.Event {
	e := by.Event(action, "ok")
	e.Tenant, e.User = tenant, ""
	return e
}

package transfer

import (
	"context"
	"errors"
	"fmt"
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
	// EndOthers ends the sessions and remembered devices of a user, all but the session keep.
	EndOthers func(ctx context.Context, tenant, user, keep string) error
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Service imports and exports users. It is safe for concurrent use.
type Service struct{ c Config }

// New checks the configuration.
func New(c Config) (*Service, error) {
	if c.Store.Users == nil || c.Directory == nil || c.Credentials == nil || c.Audit == nil || c.EndOthers == nil {
		return nil, errors.New("transfer: Config lacks a part")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{c}, nil
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

// tenant reads a tenant that there must be.
func (s *Service) tenant(ctx context.Context, id string) (*storage.Tenant, error) {
	if id == "" {
		return nil, &web.Invalid{What: "no tenant was named", Where: "tenant", Do: "name one; “tenants list” shows them"}
	}
	t, err := s.c.Store.Tenants.Get(ctx, storage.Global, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, &web.Invalid{
			What: fmt.Sprintf("there is no tenant %q", id), Where: "tenant", Do: "check the spelling; “tenants list” shows them",
		}
	}
	if err != nil {
		return nil, fmt.Errorf("tenant: %w", err)
	}
	return &t, nil
}

// actor is who did it where the caller names nobody: whoever can run commands against the database.
func actor(named string) string {
	if named == "" {
		return "operator"
	}
	return named
}

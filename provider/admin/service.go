package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Audit keeps events. After an error, what the event is about must not happen.
type Audit interface {
	Record(ctx context.Context, e storage.Event) error
	// RecordSeries is Record for several events of one tenant.
	RecordSeries(ctx context.Context, tenant string, events []storage.Event) error
	// Verify reads a tenant's whole log.
	Verify(ctx context.Context, tenant string) (audit.Report, error)
}

// Config is what a Service works with. Every field is needed unless it says otherwise.
type Config struct {
	Store       storage.Store
	Keys        *keys.Keys
	Audit       Audit
	Directory   *directory.Local
	Credentials *credential.Keeper
	// Notices tell users of changes to their accounts.
	Notices *mail.Notifier
	// Decision says what the tenant's policy asks of an actor.
	Decision func(ctx context.Context, by *web.Actor) (policy.Decision, error)
	// EndOthers ends the sessions and remembered devices of a user, all but the session keep.
	EndOthers func(ctx context.Context, tenant, user, keep string) error
	// SecretPurpose is the purpose that client secrets are hashed for, as the protocol checks them.
	SecretPurpose string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Service does what operators ask for. Every operation checks all of what it was given before it changes anything,
// and leaves an event in the audit log. It is safe for concurrent use.
type Service struct{ Config }

// New checks the configuration.
func New(c Config) (*Service, error) {
	if c.Store.Tenants == nil || c.Keys == nil || c.Audit == nil || c.Directory == nil || c.Credentials == nil ||
		c.Notices == nil || c.Decision == nil || c.EndOthers == nil || c.SecretPurpose == "" {
		return nil, errors.New("admin: Config lacks a part")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{c}, nil
}

// ErrInvalid: what was asked for can't be done as it was asked. It comes within an *Error.
var ErrInvalid = errors.New("admin: invalid")

// Error refuses an operation in words for an operator. Within it is ErrInvalid, storage.ErrNotFound or
// storage.ErrExists.
type Error struct {
	// What is wrong, Where it stands (the JSON name of a field, or a kind of record) and what to Do about it.
	What, Where, Do string
	Err             error
}

// Error implements error.
func (e *Error) Error() string { return e.Where + ": " + e.What + "; " + e.Do }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func invalid(where, what, do string) error {
	return &Error{What: what, Where: where, Do: do, Err: ErrInvalid}
}

func missing(kind, id, do string) error {
	return &Error{What: fmt.Sprintf("there is no %s %q", kind, id), Where: kind, Do: do, Err: storage.ErrNotFound}
}

// operator is the actor of all events: whoever can run commands against the database.
const operator = "operator"

// audited records an event and then does what it is about. Where that fails after all, the log is told too.
func (s *Service) audited(ctx context.Context, e storage.Event, do func() error) error {
	e.Actor, e.Outcome = operator, "ok"
	if err := s.Audit.Record(ctx, e); err != nil {
		return fmt.Errorf("nothing was changed, because it could not be put into the audit log: %w", err)
	}
	err := do()
	if err == nil {
		return nil
	}
	e.Outcome, e.Reason = "failed", "storage"
	if refused := (*Error)(nil); errors.As(err, &refused) {
		e.Reason = refused.What
	}
	return errors.Join(err, s.Audit.Record(ctx, e))
}

// Page is which part of a list is asked for.
type Page struct {
	// After is the ID of the last record of the page before.
	After string
	// Limit is the largest number of records: 100 when 0, 1,000 at most.
	Limit int
}

func (p Page) query(tenant string) storage.Query {
	return storage.Query{Tenant: tenant, After: p.After, Limit: p.Limit}
}

// views turns records into what is shown of them.
func views[T, V any](records []T, view func(*T) V) []V {
	shown := make([]V, 0, len(records))
	for i := range records {
		shown = append(shown, view(&records[i]))
	}
	return shown
}

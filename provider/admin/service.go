package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/provider/webhook"
	"github.com/sallyport-id/sallyport/storage"
)

// Audit keeps events. After an error, what the event is about must not happen.
type Audit interface {
	Record(ctx context.Context, e storage.Event) error
	// RecordSeries is Record for several events of one tenant.
	RecordSeries(ctx context.Context, tenant string, events []storage.Event) error
	// Find reads entries, the newest first; see audit.Log.Find.
	Find(ctx context.Context, tenant string, f audit.Filter) (audit.Found, error)
	AuditReader
}

// AuditReader is what is done with events that are kept.
type AuditReader interface {
	// Find returns a page of a tenant's events, Export writes all that meet the filter.
	Find(ctx context.Context, tenant string, f audit.Filter) (audit.Found, error)
	Export(ctx context.Context, tenant string, f audit.Filter, w io.Writer, format audit.Format) (int, error)
	// Verify reads a tenant's whole log.
	Verify(ctx context.Context, tenant string) (audit.Report, error)
	// Retain removes the entries that are older than before.
	Retain(ctx context.Context, tenant string, before time.Time) (removed int, err error)
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
	// Inviter mails invitations.
	Inviter Inviter
	// Addresses does what hangs on users' e-mail addresses.
	Addresses Addresses
	// Foreign: another directory keeps users' names and passwords, which are not ours to give then.
	Foreign bool
	// SecurityPage is the URL of users' own security page, which reminders lead to.
	SecurityPage string
	// WebhookService keeps and tests webhooks; it asks nobody for permission.
	WebhookService *webhook.Service
	// Decision says what the tenant's policy asks of an actor.
	Decision func(ctx context.Context, by *web.Actor) (policy.Decision, error)
	// Asked says what a sign-in would be asked for under a decision, and Foresee does by what is kept with the user alone.
	Asked   func(ctx context.Context, p credential.Person, d policy.Decision, c *storage.Client) (policy.Asked, error)
	Foresee func(u *storage.User, d policy.Decision, c *storage.Client) (policy.Asked, error)
	// EndAll ends everything that is signed in as a user: sessions, remembered devices, mailed links, and what applications
	// got, offline access included; all but what goes by the session keep, where there is one.
	EndAll func(ctx context.Context, tenant, user, keep string) error
	// SecretPurpose is the purpose that client secrets are hashed for, as the protocol checks them.
	SecretPurpose string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Service does what owners, admins, API clients and operators ask for. Every operation asks first whether the actor may,
// checks all of what it was given before it changes anything, and leaves an event in the audit log. What it refuses in
// words is a *web.Invalid; beside it there are web.ErrForbidden, *web.Denied, web.ErrBusy and web.ErrUnavailable.
// It is safe for concurrent use.
type Service struct {
	Config
	counts counts
	// drawing holds a token while a picture is drawn.
	drawing chan struct{}
}

// New checks the configuration.
func New(c Config) (*Service, error) {
	if c.Store.Tenants == nil || c.Store.Logos == nil || c.Keys == nil || c.Audit == nil || c.Directory == nil || c.Credentials == nil ||
		c.Notices == nil || c.Inviter == nil || c.Addresses == nil || c.SecurityPage == "" || c.WebhookService == nil || c.Decision == nil || c.Asked == nil || c.Foresee == nil || c.EndAll == nil || c.SecretPurpose == "" {
		return nil, errors.New("admin: Config lacks a part")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{Config: c, drawing: make(chan struct{}, 1)}, nil
}

func invalid(where, what, do string) error { return web.Refuse(where, "", what, do) }

// invalidAs is invalid with a code, for pages that have words of their own for it.
func invalidAs(where, code, what, do string) error { return web.Refuse(where, code, what, do) }

// audited records an event and then does what it is about. Where that fails after all, the log is told too.
func (s *Service) audited(ctx context.Context, e storage.Event, do func() error) error {
	if err := s.Audit.Record(ctx, e); err != nil {
		return fmt.Errorf("nothing was changed: %w", web.Unavailable("audit log", err))
	}
	err := do()
	if err == nil {
		return nil
	}
	e.Outcome, e.Reason = "failed", "storage"
	if refused := (*web.Invalid)(nil); errors.As(err, &refused) {
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

package provider

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/totp"
	"github.com/sallyport-id/sallyport/mfa/webauthn"
	"github.com/sallyport-id/sallyport/provider/account"
	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/api"
	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/console"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/oidc"
	"github.com/sallyport-id/sallyport/provider/place"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/rescue"
	"github.com/sallyport-id/sallyport/provider/transfer"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/provider/webhook"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Config says what the provider works with. Issuer, Store and MasterKey are needed; everything else has a default.
type Config struct {
	// Issuer is the public URL (OpenID Connect Discovery, section 3). It is https, but for loopback hosts; a path in it
	// is where the provider is mounted.
	Issuer string
	// Store is the database. The provider does not close it.
	Store storage.Store
	// MasterKey seals all secrets in the database: 32 bytes from a random source, kept elsewhere. PreviousKeys are
	// master keys of before, as long as something is still sealed under them.
	MasterKey    []byte
	PreviousKeys [][]byte

	// Product is the name that pages, mails and authenticator apps show: "Sallyport" when empty.
	Product string
	// Factors are the second steps on offer, the best first. nil is passkeys, where browsers make them for the issuer, and
	// TOTP. Backup codes come with them unless a factor of Enrolment Automatic is among them, and recovery codes unless
	// one of Enrolment ByOwner is.
	Factors []mfa.Factor
	// Directory is who the users are; nil is the users in Store.
	Directory directory.Directory
	// Mail sends mails. They wait for it in a durable queue, which Run empties, unless it keeps them by itself; see
	// mail.Keeper. nil keeps them in the store's outbox for a day, where nobody but the operator sees them.
	Mail mail.Sender
	// Hooks are asked, in their order, before and told after sign-ins, set-ups, recoveries and tokens.
	Hooks []hook.Hook
	// Sinks get every audit event once it is stored.
	Sinks []audit.Sink
	// Webhooks says where tenants' webhooks may lead.
	Webhooks Webhooks
	// Theme replaces templates, catalogues and static files of package ui, one at a time.
	Theme fs.FS
	// Places says where addresses are, for the pages and mails that tell users where something came from; see place.Open. nil:
	// nothing is known.
	Places place.Finder
	// TrustedProxies are the networks of our own proxies, whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// Logger gets everything; nil is slog.Default.
	Logger *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Hasher replaces argon2id in the built-in directory. It is there for tests of everything but the hash.
	Hasher directory.Hasher
}

// Webhooks says where tenants' webhooks may lead: to public addresses by https, unless it says more.
type Webhooks struct {
	// AllowPrivate are networks that they may lead into although they are not public.
	AllowPrivate []netip.Prefix
	// AllowHTTP lets them do without TLS.
	AllowHTTP bool
	// RootCAs are who receivers' certificates are checked by; nil is the system's.
	RootCAs *x509.CertPool
}

// Provider is an identity provider. It is safe for concurrent use; any number of processes may share one store.
type Provider struct {
	config  Config
	issuer  *url.URL
	server  *web.Server
	keys    *keys.Keys
	audit   *audit.Log
	local   *directory.Local
	queue   *mail.Queue
	factors []mfa.Factor
	hooks   *hook.Runner
	rescue  *rescue.Service
	login   *login.Service
	account *account.Service
	oidc    *oidc.Provider
	admin   *admin.Service
	api     *api.Service
	console *console.Service
	// transfer asks admin who may.
	transfer *transfer.Service
	// webhooks is one of the audit log's sinks, and puts what happens to webhooks into that log.
	webhooks *webhook.Service
}

// New checks the configuration, and at the first start with an empty store makes the keys.
func New(ctx context.Context, c Config) (*Provider, error) {
	p := &Provider{config: c}
	if err := p.defaults(); err != nil {
		return nil, err
	}
	if err := p.foundation(ctx); err != nil {
		return nil, err
	}
	if err := p.services(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Provider) defaults() error {
	c := &p.config
	var err error
	if p.issuer, err = parseIssuer(c.Issuer); err != nil {
		return err
	}
	if err := c.Store.Check(); err != nil {
		return fmt.Errorf("provider: Config.Store is not one that storage/sqlite or storage/mongo opened: %w", err)
	}
	if c.Product == "" {
		c.Product = "Sallyport"
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Factors == nil {
		c.Factors = []mfa.Factor{totp.Factor{}}
		if webauthn.Possible(p.issuer) {
			c.Factors = []mfa.Factor{webauthn.Factor{}, totp.Factor{}}
		}
	}
	if c.Mail == nil {
		c.Mail = &mail.Outbox{Messages: c.Store.Messages, Now: c.Now}
	}
	p.tellCaches()
	return nil
}

// tellCaches has the caches of this process hear of what it writes, so that a rule which was saved here holds here at once.
// Other processes notice within the few seconds that they keep what they have read.
func (p *Provider) tellCaches() {
	s := &p.config.Store
	s.Tenants = &storage.Telling[storage.Tenant, *storage.Tenant]{Table: s.Tenants, Wrote: func(tenant, id string) {
		p.login.ForgetTenant(tenant, id)
		p.oidc.ForgetTenant(tenant, id)
	}}
	s.Clients = &storage.Telling[storage.Client, *storage.Client]{Table: s.Clients, Wrote: func(tenant, id string) {
		p.login.ForgetClient(tenant, id)
		p.oidc.ForgetClient(tenant, id)
	}}
	s.Users = &storage.Telling[storage.User, *storage.User]{Table: s.Users, Wrote: func(tenant, id string) {
		p.oidc.ForgetUser(tenant, id)
	}}
}

func parseIssuer(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case s == "":
		return nil, errors.New("provider: Config.Issuer is missing: the https URL that users and applications reach the provider at")
	case err != nil:
		return nil, fmt.Errorf("provider: issuer: %w", err)
	case u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return nil, fmt.Errorf("provider: issuer %q must be an absolute URL without user, query and fragment", s)
	case u.Scheme == "https":
		return u, nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	default:
		return nil, fmt.Errorf("provider: issuer %q must be https (plain http is for loopback addresses only)", s)
	}
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// foundation makes what the services stand on.
func (p *Provider) foundation(ctx context.Context) error {
	c := p.config
	var err error
	p.keys, err = keys.New(ctx, c.Store, keys.Options{Master: c.MasterKey, Previous: c.PreviousKeys, Now: c.Now, Logger: c.Logger})
	if err != nil {
		return fmt.Errorf("provider: %w", err)
	}
	if err := p.keys.Ensure(ctx); err != nil {
		return fmt.Errorf("provider: signing keys: %w", err)
	}
	p.webhooks, err = webhook.New(webhook.Config{
		Store: c.Store, Seal: p.keys, Record: func(ctx context.Context, e storage.Event) error { return p.audit.Record(ctx, e) },
		AllowPrivate: c.Webhooks.AllowPrivate, AllowHTTP: c.Webhooks.AllowHTTP, RootCAs: c.Webhooks.RootCAs, Logger: c.Logger, Now: c.Now,
	})
	if err != nil {
		return fmt.Errorf("provider: %w", err)
	}
	p.audit = audit.New(c.Store.Events, audit.Options{
		Now: c.Now, Logger: c.Logger, Sinks: append(slices.Clone(c.Sinks), p.webhooks),
	})
	p.local, err = directory.New(c.Store, p.keys.Derive("password salts", 32), directory.Options{
		Now: c.Now, Logger: c.Logger, Hasher: c.Hasher, Product: c.Product,
	})
	if err != nil {
		return fmt.Errorf("provider: %w", err)
	}
	if c.Directory == nil {
		p.config.Directory = p.local
	}
	renderer, err := ui.New(ui.Options{Override: c.Theme, Now: c.Now})
	if err != nil {
		return fmt.Errorf("provider: theme: %w", err)
	}
	p.server = &web.Server{
		Issuer: p.issuer, Product: c.Product, UI: renderer, Trusted: c.TrustedProxies, Logger: c.Logger, Logos: c.Store.Logos,
	}
	return nil
}

// Admin does what owners, admins and operators ask for, in this process or in one beside those that serve.
func (p *Provider) Admin() *admin.Service { return p.admin }

// UI draws the pages and mails.
func (p *Provider) UI() *ui.Renderer { return p.server.UI }

// proceed answers a complete sign-in: the application, or the page of ours that asked.
func (p *Provider) proceed(ctx context.Context, by *web.Actor, out login.Outcome) (web.Result, error) {
	if out.Request.Client != "" {
		return p.oidc.Finish(ctx, by, out)
	}
	// Paths of ours begin with one slash; a second would make it another host's address.
	if to := out.Request.Return; strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && !strings.Contains(to, `\`) {
		if out.Request.Undone {
			return web.Said{Keys: p.keys}.Go(to, ui.Say(ui.NoticeUndone))
		}
		return web.Go(to), nil
	}
	return web.Go(ui.PathAccount), nil
}

// endAll ends a user's sessions and devices but one session, and everything that applications got for the user through
// others, offline access included: somebody else may have had it from there.
func (p *Provider) endAll(ctx context.Context, tenant, user, keep string) error {
	if err := p.login.EndOthers(ctx, tenant, user, keep); err != nil {
		return err
	}
	return p.oidc.EndUser(ctx, tenant, user, keep)
}

func (p *Provider) ended(ctx context.Context, tenant, session string) error {
	return p.oidc.EndSession(ctx, tenant, session)
}

func (p *Provider) stolen(ctx context.Context, tenant, user string) error {
	return p.oidc.EndUser(ctx, tenant, user, "")
}

// gate is the sign-in as the protocol sees it: it decides on renewed tokens too.
type gate struct{ *login.Service }

// Admit implements oidc.Admitter. A client that acts for itself has nothing that a second step could be asked of: the
// address that it asks from stands in for it.
func (g gate) Admit(ctx context.Context, by *web.Actor, a oidc.Admission) error {
	switch {
	case a.Tenant == nil:
		return nil
	case a.User == nil:
		if v := policy.Machine(a.Tenant, &a.Client, by.Address, g.Now()); !v.Allow {
			return &web.Denied{Rule: v.Rule}
		}
		return nil
	}
	if a.User.Out() {
		return &web.Denied{}
	}
	return g.Readmit(ctx, credential.Person{Tenant: a.Tenant, User: a.User}, login.Shown{
		Client: a.Client.ID, Factors: a.Factors, Address: a.Address, At: a.AuthTime,
	})
}

func (p *Provider) refuse(ctx context.Context, by *web.Actor, r login.Request, err error) (web.Result, error) {
	return p.oidc.Fail(ctx, by, r, err)
}

// Mount adds the provider's routes to an Echo app, under the issuer's path (and the one of RFC 8414, section 3.1,
// beside it). It changes nothing else of it.
func (p *Provider) Mount(e *echo.Echo) error {
	// RFC 8414, section 3.1: the metadata of an issuer with a path stand outside of that path.
	if path := strings.TrimSuffix(p.issuer.Path, "/"); path != "" {
		e.GET("/.well-known/oauth-authorization-server"+path, echo.WrapHandler(p.oidc.Metadata()))
	}
	return p.server.Mount(e, p.Routes())
}

// NotFound answers with the page that says that there is nothing at an address. Below the provider's own folders Mount has it
// answer by itself; an app that is there for nothing else has it answer everywhere: e.RouteNotFound("/*", p.NotFound).
func (p *Provider) NotFound(c echo.Context) error { return p.server.Lost(c) }

// Routes is the route table.
func (p *Provider) Routes() []web.Route {
	return slices.Concat(
		p.login.Routes(), p.rescue.Routes(), p.account.Routes(), p.console.Routes(), p.oidc.Routes(), p.api.Routes(), p.reports(), p.health(), p.server.BrandRoutes(), p.server.HelpRoutes(), p.server.LanguageRoutes(),
	)
}

// Run does the work of the background until ctx ends: it sends mails, tells webhooks, rotates signing keys, sweeps what has
// expired, and once a day counts each tenant's users and takes off the audit logs what is not to be kept any longer. Without
// it everything else works, but mails and webhooks wait, keys grow old and the database grows.
func (p *Provider) Run(ctx context.Context) error {
	var tasks sync.WaitGroup
	tasks.Go(func() { p.keys.Run(ctx) })
	tasks.Go(func() { p.sweep(ctx) })
	tasks.Go(func() { p.webhooks.Run(ctx) })
	tasks.Go(func() { p.everyDay(ctx) })
	if p.queue != nil {
		tasks.Go(func() { p.queue.Run(ctx) })
	}
	tasks.Wait()
	p.console.Stop()
	p.rescue.Wait() // mails that were promised are handed over
	return ctx.Err()
}

const sweepEvery = time.Minute

func (p *Provider) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if n, err := p.config.Store.Sweep(ctx); err != nil && ctx.Err() == nil {
				p.config.Logger.ErrorContext(ctx, "expired records not removed", "error", err)
			} else if n > 0 {
				p.config.Logger.DebugContext(ctx, "expired records removed", "count", n)
			}
		}
	}
}

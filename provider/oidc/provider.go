package oidc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
	"github.com/zitadel/schema"
	"golang.org/x/text/language"

	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Lifetimes of what applications get.
const (
	codeLife    = 60 * time.Second
	accessLife  = 10 * time.Minute
	idTokenLife = 10 * time.Minute
	// refreshIdle ends a refresh token that is not used, refreshMax the whole family.
	refreshIdle = 30 * 24 * time.Hour
	refreshMax  = 90 * 24 * time.Hour
)

// Login signs users in and out.
type Login interface {
	// Begin starts a sign-in. It fails with login.ErrLoginRequired, login.ErrInteractionRequired or login.ErrUnmet
	// where r forbids pages.
	Begin(ctx context.Context, by *web.Actor, r login.Request) (web.Result, error)
	// EndSession ends a session. One that is over already is no error.
	EndSession(ctx context.Context, tenant, sid string) error
}

// Admitter is what a Login may be besides: it is asked before tokens are renewed, or given to a machine, whether
// policy still admits what was proven at sign-in.
type Admitter interface {
	// Admit refuses with *web.Denied. After any other error nothing is given out either.
	Admit(ctx context.Context, by *web.Actor, a Admission) error
}

// Admission is a client that wants tokens without anybody at a page. The actor's address is the client's, which for
// a web application is its server's and not the user's.
type Admission struct {
	Client storage.Client
	// Tenant is nil for a client of no tenant, User for a client that acts for itself.
	Tenant *storage.Tenant
	User   *storage.User
	// ACR, AMR and AuthTime are what the sign-in showed.
	ACR      string
	AMR      []string
	AuthTime time.Time
	// Factors are the IDs of the factors that were proven beside the password.
	Factors []string
	// Address is where the user signed in from, empty where that was not known.
	Address string
}

// Web answers browsers.
type Web interface {
	Answer(w http.ResponseWriter, r *http.Request, res web.Result, err error)
}

// Audit keeps events. After an error, what the event is about must not happen.
type Audit interface {
	Record(ctx context.Context, e storage.Event) error
}

// Config is what a Provider works with. Fields are needed unless they say otherwise.
type Config struct {
	// Issuer is the deployment's public URL, as it stands in tokens.
	Issuer *url.URL
	Store  storage.Store
	Keys   *keys.Keys
	Audit  Audit
	Login  Login
	Web    Web
	// Hooks may refuse tokens; nil is none.
	Hooks *hook.Runner
	// ACRs are the Authentication Context Class References that can be met, aliases included.
	ACRs []string
	// APIScopes are the scopes that clients can have beside those of OpenID Connect, as discovery tells them. It may be empty.
	APIScopes []string
	// Locales are the BCP 47 tags of the languages that pages come in. It may be empty.
	Locales []string
	Logger  *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// CacheFor is how long clients, users and tenants are used without being read again, and so how long it takes at
	// most until disabling one of them is felt here: 5 s when 0.
	CacheFor time.Duration
}

// Provider is an OpenID Provider (OpenID Connect Core) and authorization server (RFC 6749). It is safe for
// concurrent use; any number of processes may share one store.
type Provider struct {
	c       Config
	issuer  string
	base    string
	decoder *schema.Decoder
	engine  http.Handler
	about   metadata

	clients *storage.Cached[storage.Client, *storage.Client]
	users   *storage.Cached[storage.User, *storage.User]
	tenants *storage.Cached[storage.Tenant, *storage.Tenant]
	noted   *web.Seldom
}

// New checks the configuration.
func New(c Config) (*Provider, error) {
	if c.Issuer == nil || c.Keys == nil || c.Audit == nil || c.Login == nil || c.Web == nil || c.Logger == nil ||
		c.Store.Grants == nil || c.Store.Clients == nil || c.Store.Users == nil || c.Store.Tenants == nil {
		return nil, errors.New("oidc: Config lacks a part")
	}
	if c.Issuer.RawQuery != "" || c.Issuer.Fragment != "" || c.Issuer.Host == "" {
		return nil, errors.New("oidc: the issuer must be an absolute URL without query and fragment")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.CacheFor <= 0 {
		c.CacheFor = 5 * time.Second
	}
	p := &Provider{
		c: c, issuer: c.Issuer.String(), base: strings.TrimSuffix(c.Issuer.String(), "/"), decoder: schema.NewDecoder(),
		clients: cached(c.Store.Clients, c.Now, c.CacheFor),
		users:   cached(c.Store.Users, c.Now, c.CacheFor),
		tenants: cached(c.Store.Tenants, c.Now, c.CacheFor),
		noted:   &web.Seldom{},
	}
	p.decoder.IgnoreUnknownKeys(true)
	locales := make([]language.Tag, 0, len(c.Locales))
	for _, l := range c.Locales {
		tag, err := language.Parse(l)
		if err != nil {
			return nil, errors.New("oidc: " + l + " is no language tag")
		}
		locales = append(locales, tag)
	}
	p.about = p.describe(locales)
	// Endpoints that are left out here are ours. CORS is ours too: the engine would let in any site with credentials.
	p.engine = op.RegisterServer(&server{p: p}, op.Endpoints{
		Token:         op.NewEndpoint(pathToken),
		Introspection: op.NewEndpoint(pathIntrospect),
		Userinfo:      op.NewEndpoint(pathUserInfo),
		Revocation:    op.NewEndpoint(pathRevoke),
		JwksURI:       op.NewEndpoint(pathKeys),
	}, op.WithServerCORSOptions(nil), op.WithDecoder(p.decoder))
	return p, nil
}

// server is what the engine calls once it has parsed a request. The engine's own LegacyServer would ask for a store
// of its own kind, and decide much that is decided otherwise here; what is not overridden is refused as unsupported.
type server struct {
	op.UnimplementedServer
	p *Provider
}

// Where the endpoints are, relative to the issuer.
const (
	pathAuthorize  = "/authorize"
	pathToken      = "/token"
	pathUserInfo   = "/userinfo"
	pathIntrospect = "/introspect"
	pathRevoke     = "/revoke"
	pathKeys       = "/keys"
	pathLogout     = "/logout"
	pathLogoutYes  = "/logout/confirm"
	pathDiscovery  = "/.well-known/openid-configuration"
	pathMetadata   = "/.well-known/oauth-authorization-server"
)

// Routes are the endpoints, for the route table.
func (p *Provider) Routes() []web.Route {
	routes := []web.Route{
		{Method: http.MethodGet, Path: pathAuthorize, Handler: http.HandlerFunc(p.authorize)},
		{Method: http.MethodPost, Path: pathAuthorize, CrossOrigin: true, Handler: p.sendOn(pathAuthorize)},
		web.Get(pathLogout, web.Open, p.logout),
		{Method: http.MethodPost, Path: pathLogout, CrossOrigin: true, Handler: p.sendOn(pathLogout)},
		web.Post(pathLogoutYes, web.Open, p.confirmLogout),
		{Method: http.MethodPost, Path: pathIntrospect, Handler: p.form(pathIntrospect)},
	}
	for _, path := range []string{pathDiscovery, pathMetadata, pathKeys} {
		h := http.Handler(p.public(path))
		if path == pathMetadata {
			h = p.Metadata()
		}
		routes = append(routes,
			web.Route{Method: http.MethodGet, Path: path, CrossOrigin: true, Public: true, Handler: h},
			web.Route{Method: http.MethodOptions, Path: path, CrossOrigin: true, Handler: preflight(http.MethodGet)})
	}
	for _, path := range []string{pathToken, pathRevoke} {
		routes = append(routes,
			web.Route{Method: http.MethodPost, Path: path, CrossOrigin: true, Handler: p.cors(p.form(path))},
			web.Route{Method: http.MethodOptions, Path: path, CrossOrigin: true, Handler: preflight(http.MethodPost)})
	}
	userinfo := p.cors(p.bearer(pathUserInfo))
	return append(routes,
		web.Route{Method: http.MethodGet, Path: pathUserInfo, CrossOrigin: true, Handler: userinfo},
		web.Route{Method: http.MethodPost, Path: pathUserInfo, CrossOrigin: true, Handler: userinfo},
		web.Route{
			Method: http.MethodOptions, Path: pathUserInfo, CrossOrigin: true,
			Handler: preflight(http.MethodGet, http.MethodPost),
		})
}

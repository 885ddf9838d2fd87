package oidc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// SecretPurpose is what keys.Hash is given when a client_secret is kept in storage.ClientSecret.
const SecretPurpose = "client_secret"

// Kinds of clients; see storage.Client.
const (
	typeNative  = "native"
	typeBrowser = "browser"
	typeMachine = "machine"
)

// application is a client as the engine sees it.
type application struct{ storage.Client }

// confidential tells whether the client must authenticate (RFC 6749, section 2.1). A type nobody knows must.
func confidential(c *storage.Client) bool { return c.Type != typeNative && c.Type != typeBrowser }

// may tells whether the client may use a grant type. A machine acts for itself and for nobody else.
func may(c *storage.Client, grant oidc.GrantType) bool {
	switch {
	case !slices.Contains(c.GrantTypes, string(grant)):
		return false
	case c.Type == typeMachine:
		return grant == oidc.GrantTypeClientCredentials
	default:
		return grant != oidc.GrantTypeClientCredentials || confidential(c)
	}
}

// algorithm is what the client's tokens are signed with; RS256 is the default that OpenID Connect Core, section 15.1,
// has every client understand.
func algorithm(c *storage.Client) string {
	if c.IDTokenAlg == "" {
		return "RS256"
	}
	return c.IDTokenAlg
}

// client finds a client that is in use. storage.ErrNotFound.
func (p *Provider) client(ctx context.Context, id string) (storage.Client, error) {
	if id == "" {
		return storage.Client{}, storage.ErrNotFound
	}
	c, err := p.clients.Get(ctx, storage.Global, id)
	return inUse(c, err)
}

// clientAnew is client past the cache.
func (p *Provider) clientAnew(ctx context.Context, id string) (storage.Client, error) {
	c, err := p.clients.Anew(ctx, storage.Global, id)
	return inUse(c, err)
}

func inUse(c storage.Client, err error) (storage.Client, error) {
	if err != nil {
		return storage.Client{}, web.Unavailable("client", err)
	}
	if c.Disabled {
		return storage.Client{}, fmt.Errorf("client %q is disabled: %w", c.ID, storage.ErrNotFound)
	}
	return c, nil
}

// VerifyClient authenticates a client (RFC 6749, section 2.3).
func (s *server) VerifyClient(ctx context.Context, r *op.Request[op.ClientCredentials]) (op.Client, error) {
	c, err := s.authenticate(ctx, r.Data, r.Form.Get("client_id"))
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return application{c}, nil
}

// authenticate checks a client's credentials. named is the client_id in the body, which must not be another one than
// that in the header.
func (s *server) authenticate(ctx context.Context, given *op.ClientCredentials, named string) (storage.Client, error) {
	p := s.p
	c, err := p.client(ctx, given.ClientID)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return storage.Client{}, err
	}
	found := err == nil
	// Unknown clients cost a hash too, so that the time does not tell which there are.
	match := p.secretFits(&c, given.ClientSecret)
	if !found {
		return storage.Client{}, errInvalidClient()
	}
	if !match && confidential(&c) {
		// A secret that was just made is newer than what is cached, and whoever was handed it tries it at once.
		if c, err = p.clientAnew(ctx, c.ID); errors.Is(err, storage.ErrNotFound) {
			return storage.Client{}, errInvalidClient()
		} else if err != nil {
			return storage.Client{}, err
		}
		match = p.secretFits(&c, given.ClientSecret)
	}
	ok := match
	if !confidential(&c) {
		// RFC 6749, section 2.3: what a public client shows proves nothing, so it shall not look as if it did.
		ok = given.ClientSecret == ""
	}
	if given.ClientAssertion != "" || named != "" && named != given.ClientID {
		ok = false
	}
	if ok && c.Owner != "" {
		if _, err := p.tenant(ctx, c.Owner); errors.Is(err, errGone) {
			ok = false
		} else if err != nil {
			return storage.Client{}, err
		}
	}
	if !ok {
		return storage.Client{}, errors.Join(errInvalidClient(), p.noteFailure(ctx, &c))
	}
	return c, nil
}

// secretFits compares with every live secret, in constant time.
func (p *Provider) secretFits(c *storage.Client, secret string) bool {
	now := p.c.Now()
	fits := false
	for _, s := range c.Secrets {
		if p.c.Keys.Equal(s.Hash, SecretPurpose, secret) && (s.Until.IsZero() || now.Before(s.Until)) {
			fits = true
		}
	}
	if len(c.Secrets) == 0 {
		p.c.Keys.Equal("", SecretPurpose, secret)
	}
	return fits && secret != ""
}

// noteFailure puts a failed client authentication into the audit log, for each client and address once a minute: a
// client_id is no secret, so anybody could fill the log with them.
func (p *Provider) noteFailure(ctx context.Context, c *storage.Client) error {
	by := web.ActorFrom(ctx)
	if !p.noted.First("auth "+c.ID+" "+web.Network(by.Address), p.c.Now(), time.Minute) {
		return nil
	}
	return p.record(ctx, clientEvent(by, c, "client.authenticate", "refused", "credentials"))
}

// clientEvent begins an event about a client.
func clientEvent(by *web.Actor, c *storage.Client, action, outcome, reason string) storage.Event {
	e := (&web.Actor{Request: by.Request, Address: by.Address, Agent: by.Agent}).Event(action, outcome)
	e.Tenant, e.Actor, e.Client, e.Reason = c.Owner, c.ID, c.ID, reason
	return e
}

// grantEvent begins an event about a grant.
func grantEvent(by *web.Actor, g *storage.Grant, actor, action, outcome, reason string) storage.Event {
	e := (&web.Actor{Request: by.Request, Address: by.Address, Agent: by.Agent}).Event(action, outcome)
	e.Tenant, e.Actor, e.User, e.Client, e.Reason = g.Tenant, actor, g.User, g.Client, reason
	return e
}

func (p *Provider) record(ctx context.Context, e storage.Event) error {
	if err := p.c.Audit.Record(ctx, e); err != nil {
		return fmt.Errorf("%w: %w", web.ErrUnavailable, err)
	}
	return nil
}

// errGone: the tenant or user is not there any more, or disabled.
var errGone = errors.New("oidc: tenant or user is gone or disabled")

// tenant finds a tenant that is in use. errGone.
func (p *Provider) tenant(ctx context.Context, id string) (storage.Tenant, error) {
	t, err := p.tenants.Get(ctx, storage.Global, id)
	switch {
	case errors.Is(err, storage.ErrNotFound), err == nil && t.Disabled:
		return storage.Tenant{}, errGone
	case err != nil:
		return storage.Tenant{}, web.Unavailable("tenant", err)
	}
	return t, nil
}

// person finds a user who is in use, in a tenant that is. errGone.
func (p *Provider) person(ctx context.Context, tenant, user string) (storage.Tenant, storage.User, error) {
	t, err := p.tenant(ctx, tenant)
	if err != nil {
		return storage.Tenant{}, storage.User{}, err
	}
	u, err := p.users.Get(ctx, tenant, user)
	switch {
	case errors.Is(err, storage.ErrNotFound), err == nil && u.Out():
		return storage.Tenant{}, storage.User{}, errGone
	case err != nil:
		return storage.Tenant{}, storage.User{}, web.Unavailable("user", err)
	}
	return t, u, nil
}

// The rest of what the engine wants to know of a client. It asks for little of it, because it does not authorize.

func (a application) GetID() string                    { return a.ID }
func (a application) RedirectURIs() []string           { return a.Client.RedirectURIs }
func (a application) PostLogoutRedirectURIs() []string { return a.Client.PostLogoutRedirectURIs }
func (a application) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (a application) LoginURL(string) string              { return "" }
func (a application) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }
func (a application) IDTokenLifetime() time.Duration      { return idTokenLife }
func (a application) DevMode() bool                       { return false }
func (a application) IsScopeAllowed(scope string) bool {
	return len(allowed(&a.Client, []string{scope})) == 1
}

func (a application) IDTokenUserinfoClaimsAssertion() bool {
	return false
}
func (a application) ClockSkew() time.Duration { return 0 }
func (a application) RestrictAdditionalIdTokenScopes() func([]string) []string { //nolint:staticcheck // ST1003: the engine names it so.
	return func(scopes []string) []string { return scopes }
}

func (a application) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}

func (a application) ApplicationType() op.ApplicationType {
	switch a.Type {
	case typeNative:
		return op.ApplicationTypeNative
	case typeBrowser:
		return op.ApplicationTypeUserAgent
	default:
		return op.ApplicationTypeWeb
	}
}

func (a application) AuthMethod() oidc.AuthMethod {
	if confidential(&a.Client) {
		return oidc.AuthMethodBasic
	}
	return oidc.AuthMethodNone
}

func (a application) GrantTypes() []oidc.GrantType {
	var grants []oidc.GrantType
	for _, g := range a.Client.GrantTypes {
		if may(&a.Client, oidc.GrantType(g)) {
			grants = append(grants, oidc.GrantType(g))
		}
	}
	return grants
}

package oidc

import (
	"context"
	"errors"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sallyport-id/sallyport/storage"
)

// introspection is the introspection response (RFC 7662, section 2.2). Where the token is not active, it says nothing
// else.
type introspection struct {
	Active    bool                     `json:"active"`
	Issuer    string                   `json:"iss,omitempty"`
	Subject   string                   `json:"sub,omitempty"`
	Audience  []string                 `json:"aud,omitempty"`
	ClientID  string                   `json:"client_id,omitempty"`
	TokenType string                   `json:"token_type,omitempty"`
	Scopes    oidc.SpaceDelimitedArray `json:"scope,omitempty"`
	Expires   oidc.Time                `json:"exp,omitempty"`
	IssuedAt  oidc.Time                `json:"iat,omitempty"`
	JWTID     string                   `json:"jti,omitempty"`
	AuthTime  oidc.Time                `json:"auth_time,omitempty"`
	ACR       string                   `json:"acr,omitempty"`
	AMR       []string                 `json:"amr,omitempty"`
	SessionID string                   `json:"sid,omitempty"`
	Tenant    string                   `json:"tenant,omitempty"`
}

// Introspect tells an API whether a token is still good. It tells confidential clients only, and of other tenants'
// tokens, or refresh tokens of other clients, that they are not.
func (s *server) Introspect(ctx context.Context, r *op.Request[op.IntrospectionRequest]) (*op.Response, error) {
	caller, err := s.authenticate(ctx, r.Data.ClientCredentials, r.Form.Get("client_id"))
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	// The engine asks for a secret, and a public client that shows one is refused; that is two layers from here.
	if !confidential(&caller) {
		return nil, errInvalidClient()
	}
	answer, err := s.p.introspect(ctx, &caller, r.Data.Token)
	if errors.Is(err, errInactive) {
		return op.NewResponse(introspection{}), nil
	} else if err != nil {
		return nil, s.fail(ctx, err)
	}
	return op.NewResponse(answer), nil
}

func (p *Provider) introspect(ctx context.Context, caller *storage.Client, token string) (*introspection, error) {
	if t, ok := p.read(ticketRefresh, token); ok {
		return p.introspectRefresh(ctx, caller, t, token)
	}
	c, err := p.verifyAccessToken(ctx, token)
	if err != nil {
		return nil, err
	}
	// A client of one tenant has no business with the users of another.
	if c == nil || caller.Owner != "" && caller.Owner != c.Tenant && caller.ID != c.ClientID {
		return nil, errInactive
	}
	if _, err := p.standing(ctx, c); err != nil {
		return nil, err
	}
	return &introspection{
		Active: true, Issuer: c.Issuer, Subject: c.Subject, Audience: c.Audience, ClientID: c.ClientID,
		TokenType: oidc.BearerToken, Scopes: c.Scopes, Expires: c.Expiration, IssuedAt: c.IssuedAt, JWTID: c.JWTID,
		AuthTime: c.AuthTime, ACR: c.AuthenticationContextClassReference, AMR: c.AuthenticationMethodsReferences,
		SessionID: c.SessionID, Tenant: c.Tenant,
	}, nil
}

func (p *Provider) introspectRefresh(ctx context.Context, caller *storage.Client, t ticket, token string) (*introspection, error) {
	g, err := p.c.Store.Grants.Get(ctx, t.tenant, t.grant)
	if err != nil {
		return nil, inactive("grant", err)
	}
	if g.Revoked || g.Client != caller.ID || !p.current(ticketRefresh, g.Refresh, token) || !p.c.Now().Before(g.RefreshUntil) {
		return nil, errInactive
	}
	if _, _, err := p.person(ctx, g.Tenant, g.User); err != nil {
		return nil, inactive("user", err)
	}
	return &introspection{
		Active: true, Issuer: p.issuer, Subject: g.User, ClientID: g.Client, Scopes: g.Scopes, Expires: oidc.FromTime(g.RefreshUntil),
		AuthTime: oidc.FromTime(g.AuthTime), ACR: g.ACR, AMR: g.AMR, SessionID: g.Session, Tenant: g.Tenant,
	}, nil
}

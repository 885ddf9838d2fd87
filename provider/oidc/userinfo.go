package oidc

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// userInfo is the UserInfo response (OpenID Connect Core, section 5.3.2).
type userInfo struct {
	Subject string `json:"sub"`
	Tenant  string `json:"tenant,omitempty"`
	person
}

// UserInfo tells about the user of an access token.
func (s *server) UserInfo(ctx context.Context, r *op.Request[oidc.UserInfoRequest]) (*op.Response, error) {
	c, err := s.p.verifyAccessToken(ctx, r.Data.AccessToken)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	if c == nil {
		return nil, errInvalidToken("the access token is invalid or has expired")
	}
	// Of a machine's token it can be told without asking anybody that it is about no user.
	if !slices.Contains(c.Scopes, oidc.ScopeOpenID) {
		return nil, errInsufficientScope()
	}
	state, err := s.p.standing(ctx, c)
	if errors.Is(err, errInactive) || err == nil && state.user == nil {
		return nil, errInvalidToken("the access token was revoked, or its user is gone")
	} else if err != nil {
		return nil, s.fail(ctx, err)
	}
	return op.NewResponse(userInfo{
		Subject: state.user.ID, Tenant: state.user.Tenant,
		person: personOf(state.user, c.Scopes, state.grant.UserInfoClaims),
	}), nil
}

// standing is what stands behind an access token. There is no user and no grant behind a machine's, and no tenant where
// its client has none.
type standing struct {
	client *storage.Client
	tenant *storage.Tenant
	user   *storage.User
	grant  *storage.Grant
}

// errInactive: what the token stands on is revoked, gone or disabled.
var errInactive = errors.New("oidc: token is not active")

// standing looks up whether a token that was verified is still good. errInactive. It reads the grant from storage;
// the rest is cached.
func (p *Provider) standing(ctx context.Context, c *accessClaims) (standing, error) {
	client, err := p.client(ctx, c.ClientID)
	if err != nil {
		return standing{}, inactive("client", err)
	}
	grant, _, ofUser := strings.Cut(c.JWTID, ".")
	if !ofUser {
		return p.machineStanding(ctx, &client, c)
	}
	g, err := p.c.Store.Grants.Get(ctx, c.Tenant, grant)
	if err != nil {
		return standing{}, inactive("grant", err)
	}
	if g.Revoked || g.User != c.Subject || g.Client != c.ClientID {
		return standing{}, errInactive
	}
	t, u, err := p.person(ctx, g.Tenant, g.User)
	if err != nil {
		return standing{}, inactive("user", err)
	}
	return standing{&client, &t, &u, &g}, nil
}

// machineStanding: there is no record of a machine's token unless it was revoked.
func (p *Provider) machineStanding(ctx context.Context, client *storage.Client, c *accessClaims) (standing, error) {
	state := standing{client: client}
	if c.Tenant != "" {
		t, err := p.tenant(ctx, c.Tenant)
		if err != nil {
			return standing{}, inactive("tenant", err)
		}
		state.tenant = &t
	}
	_, err := p.c.Store.Grants.Get(ctx, machineTenant(c), c.JWTID)
	switch {
	case err == nil:
		return standing{}, errInactive
	case errors.Is(err, storage.ErrNotFound):
		return state, nil
	default:
		return standing{}, web.Unavailable("revocation", err)
	}
}

// machineTenant is the tenant that a machine's revocation is kept under.
func machineTenant(c *accessClaims) string {
	if c.Tenant == "" {
		return storage.Global
	}
	return c.Tenant
}

func inactive(what string, err error) error {
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, errGone) {
		return errInactive
	}
	return web.Unavailable(what, err)
}

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

// Revocation ends a grant by one of its tokens (RFC 7009): whoever gives back one of them wants none of them. Tokens
// of other clients, and what is no token, are left alone; the answer is the same.
func (s *server) Revocation(ctx context.Context, r *op.ClientRequest[oidc.RevocationRequest]) (*op.Response, error) {
	client, err := clientFrom(r.Client)
	if err == nil {
		err = s.p.revoke(ctx, &client, r.Data.Token)
	}
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return op.NewResponse(nil), nil
}

func (p *Provider) revoke(ctx context.Context, client *storage.Client, token string) error {
	if t, ok := p.read(ticketRefresh, token); ok {
		return p.endOne(ctx, web.ActorFrom(ctx), client.ID, t.tenant, t.grant, func(g *storage.Grant) bool { return g.Client == client.ID })
	}
	c, err := p.verifyAccessToken(ctx, token)
	if err != nil || c == nil || c.ClientID != client.ID {
		return err
	}
	if grant, _, ofUser := strings.Cut(c.JWTID, "."); ofUser {
		return p.endOne(ctx, web.ActorFrom(ctx), client.ID, c.Tenant, grant, func(g *storage.Grant) bool { return g.Client == client.ID })
	}
	// There is no record of a machine's token, so there is one from now on until it would have expired.
	err = p.c.Store.Grants.Insert(ctx, &storage.Grant{
		Key:    storage.Key{Tenant: machineTenant(c), ID: c.JWTID, Expires: c.GetExpiration()},
		Client: client.ID, Revoked: true, Created: p.c.Now(),
	})
	if err != nil && !errors.Is(err, storage.ErrExists) {
		return web.Unavailable("revocation", err)
	}
	return p.record(ctx, clientEvent(web.ActorFrom(ctx), client, "token.revoke", "ok", ""))
}

// errLeft: the grant is over already, or not to be ended.
var errLeft = errors.New("oidc: grant is left as it is")

// endOne revokes one grant, if it is to be.
func (p *Provider) endOne(ctx context.Context, by *web.Actor, actor, tenant, grant string, end func(*storage.Grant) bool) error {
	g, err := storage.Change(ctx, p.c.Store.Grants, tenant, grant, func(g *storage.Grant) error {
		if g.Revoked || !end(g) {
			return errLeft
		}
		g.Revoked = true
		return nil
	})
	switch {
	case errors.Is(err, errLeft), errors.Is(err, storage.ErrNotFound):
		return nil
	case err != nil:
		return web.Unavailable("revocation", err)
	}
	return p.record(ctx, grantEvent(by, &g, actor, "token.revoke", "ok", ""))
}

// EndSession revokes what applications got through a session, but for offline access, which outlives it (OpenID Connect
// Back-Channel Logout 1.0, section 2.7). It is to be called when the session ends.
func (p *Provider) EndSession(ctx context.Context, tenant, sid string) error {
	return p.endAll(ctx, web.ActorFrom(ctx), storage.Query{Tenant: tenant, Field: "session", Value: sid}, func(g *storage.Grant) bool {
		return !slices.Contains(g.Scopes, oidc.ScopeOfflineAccess)
	})
}

// EndUser revokes all that applications got for a user, offline access included, but what they got through the session
// keep, where there is one: for a user who is locked, or whose account somebody else may have been in.
func (p *Provider) EndUser(ctx context.Context, tenant, user, keep string) error {
	return p.endAll(ctx, web.ActorFrom(ctx), storage.Query{Tenant: tenant, Field: "user", Value: user}, func(g *storage.Grant) bool {
		return keep == "" || g.Session != keep
	})
}

// EndGrants revokes what applications got for the actor where which says so, offline access included.
func (p *Provider) EndGrants(ctx context.Context, by *web.Actor, which func(*storage.Grant) bool) error {
	return p.endAll(ctx, by, storage.Query{Tenant: by.User.Tenant, Field: "user", Value: by.User.ID}, which)
}

func (p *Provider) endAll(ctx context.Context, by *web.Actor, q storage.Query, which func(*storage.Grant) bool) error {
	// What endOne fails with has its words already; a page that can't be read has none.
	return web.Unavailable("grants", storage.Each(ctx, p.c.Store.Grants, q, func(g *storage.Grant) error {
		return p.endOne(ctx, by, g.User, g.Tenant, g.ID, which)
	}))
}

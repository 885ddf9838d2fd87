package oidc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Bearer fills in whose an access token is that was shown to an API of ours (RFC 6750): its client and the scopes that
// the client may still have; the user and tenant of a user's token; the tenant that owns the client where the client acts
// for itself. It fails with web.ErrToken for one that is not good (any more), and with *web.Denied where the tenant's
// policy would not let it in from the actor's address. Disabled clients, users and tenants are out within
// Config.CacheFor, revoked grants at once.
func (p *Provider) Bearer(ctx context.Context, by *web.Actor, token string) error {
	c, err := p.verifyAccessToken(ctx, token)
	if err != nil {
		return web.Unavailable("access token", err)
	}
	if c == nil || !slices.Contains(c.Audience, p.issuer) {
		return web.ErrToken
	}
	state, err := p.standing(ctx, c)
	if errors.Is(err, errInactive) {
		return fmt.Errorf("%w: %w", web.ErrToken, err)
	} else if err != nil {
		return err
	}
	// A client that was given to another tenant since must not act there with what it got before, nor in a tenant that is
	// not its own.
	if owner := state.client.Owner; owner != "" && owner != c.Tenant || owner == "" && state.user == nil && c.Tenant != "" {
		return fmt.Errorf("%w: client %q belongs to another tenant", web.ErrToken, state.client.ID)
	}
	a := Admission{Client: *state.client, Tenant: state.tenant, User: state.user}
	if g := state.grant; g != nil {
		a.ACR, a.AMR, a.AuthTime, a.Factors = g.ACR, g.AMR, g.AuthTime, g.Factors
	}
	if by.Address.IsValid() {
		a.Address = by.Address.String()
	}
	var denied *web.Denied
	err = p.admitFrom(ctx, by, a)
	if err == nil {
		err = p.admitToOurs(ctx, by, a)
	}
	if errors.As(err, &denied) {
		return errors.Join(err, p.noteDenied(ctx, by, &state, denied.Rule))
	} else if err != nil {
		return err
	}
	by.Client, by.Scopes = state.client, allowed(state.client, c.Scopes)
	by.Tenant, by.User = state.tenant, state.user
	by.Stale = state.user != nil && p.c.Now().Sub(a.AuthTime) > web.Freshness
	return nil
}

// admitToOurs asks of a user's token what our own pages ask of a session: it may have come by an application that a rule
// asks for less, and what the API does is what the pages do.
func (p *Provider) admitToOurs(ctx context.Context, by *web.Actor, a Admission) error {
	if a.User == nil {
		return nil
	}
	a.Client = storage.Client{}
	return p.admitFrom(ctx, by, a)
}

// noteDenied puts into the audit log that the policy refused a program, for each client and network once a minute: whoever
// has just closed the door wants to see who knocks, but not each time.
func (p *Provider) noteDenied(ctx context.Context, by *web.Actor, state *standing, rule string) error {
	if !p.noted.First("api "+state.client.ID+" "+web.Network(by.Address), p.c.Now(), time.Minute) {
		return nil
	}
	e := clientEvent(by, state.client, "api.call", "refused", "denied by policy")
	if state.user != nil {
		e = grantEvent(by, state.grant, state.client.ID, "api.call", "refused", "denied by policy")
	}
	e.Rule = rule
	return p.record(ctx, e)
}

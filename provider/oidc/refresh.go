package oidc

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// RefreshToken renews tokens (RFC 6749, section 6).
//
// Refresh tokens come with offline_access only, and that is access "when the End-User is not present" (OpenID Connect
// Core, section 11): they outlive the session, as OpenID Connect Back-Channel Logout, section 2.7, has it. What ends
// them is revocation, their time, and the end of user, tenant or client.
func (s *server) RefreshToken(ctx context.Context, r *op.ClientRequest[oidc.RefreshTokenRequest]) (*op.Response, error) {
	client, err := clientFrom(r.Client)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return s.tokens(ctx, func() (*oidc.AccessTokenResponse, error) { return s.p.renew(ctx, &client, r.Data) })
}

func (p *Provider) renew(ctx context.Context, client *storage.Client, in *oidc.RefreshTokenRequest) (*oidc.AccessTokenResponse, error) {
	t, ok := p.read(ticketRefresh, in.RefreshToken)
	if !ok {
		return nil, errDead()
	}
	var reused bool
	var user storage.User
	var scopes []string
	var next string
	var asked bool
	g, err := storage.Change(ctx, p.c.Store.Grants, t.tenant, t.grant, func(g *storage.Grant) error {
		now := p.c.Now()
		switch {
		case g.Revoked:
			return refusal("revoked")
		case g.Client != client.ID:
			return refusal("other client")
		}
		// An older token of the family: either the owner or a thief holds a copy that the other has used already, and
		// nobody can tell which (RFC 9700, section 4.14.2). An application that sends the same token twice at once, or
		// again after it lost the answer, looks the same, and has to sign in anew.
		if reused = !p.current(ticketRefresh, g.Refresh, in.RefreshToken); reused {
			g.Revoked = true
			return nil
		}
		if !now.Before(g.RefreshUntil) {
			return refusal("expired")
		}
		var err error
		if scopes, err = narrowed(client, g.Scopes, in.Scopes); err != nil {
			return err
		}
		if user, err = p.stillAdmitted(ctx, client, g); err != nil {
			return err
		}
		// Asked once, however often others are first.
		if !asked {
			if err := p.hook(ctx, hook.BeforeToken, client, &user, g.Factors, scopes); err != nil {
				return err
			}
			asked = true
		}
		next, g.Refresh = p.issue(ticketRefresh, g.Tenant, g.ID)
		g.Used = now
		g.RefreshUntil = earlier(now.Add(refreshIdle), g.Created.Add(refreshMax))
		return nil
	})
	if err := p.note(ctx, client, t, &g, "token.refresh", reused, err); err != nil {
		return nil, err
	}
	// OpenID Connect Core, section 12.2: the ID token is that of the first sign-in, without its nonce.
	return p.tokensFor(ctx, client, &g, &user, scopes, "", next)
}

// narrowed are the scopes of the new access token: those of the grant, or fewer (RFC 6749, section 6), and none that
// the client has lost since.
func narrowed(client *storage.Client, granted, asked []string) ([]string, error) {
	asked = slices.DeleteFunc(slices.Clone(asked), func(s string) bool { return s == "" })
	for _, s := range asked {
		if !slices.Contains(granted, s) {
			return nil, oidc.ErrInvalidScope().WithDescription("more scopes than were granted")
		}
	}
	if len(asked) == 0 {
		asked = granted
	}
	scopes := allowed(client, asked)
	if len(scopes) == 0 {
		return nil, oidc.ErrInvalidScope().WithDescription("no scope that this client may have")
	}
	return scopes, nil
}

// stillAdmitted finds the user of a grant, and asks whether a sign-in like that behind the grant would still do.
func (p *Provider) stillAdmitted(ctx context.Context, client *storage.Client, g *storage.Grant) (storage.User, error) {
	tenant, user, err := p.person(ctx, g.Tenant, g.User)
	if err != nil {
		return user, err
	}
	err = p.admit(ctx, Admission{
		Client: *client, Tenant: &tenant, User: &user, ACR: g.ACR, AMR: g.AMR, AuthTime: g.AuthTime, Factors: g.Factors, Address: g.Address,
	})
	var denied *web.Denied
	if errors.As(err, &denied) {
		return user, refusal("denied by policy")
	}
	return user, err
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

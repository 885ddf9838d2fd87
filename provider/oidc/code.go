package oidc

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Finish answers a complete sign-in with the authorization response: it is the login.Continue of requests that have a
// client. The code is made in the request in which the last step passed; nobody comes back for it with an ID.
func (p *Provider) Finish(ctx context.Context, by *web.Actor, out login.Outcome) (web.Result, error) {
	client, a, err := p.reopen(ctx, out.Request)
	if err != nil {
		return web.Result{}, err
	}
	if err := fulfils(&client, &out); err != nil {
		return p.sendBack(ctx, by, &client, &a, out.Request, err)
	}
	now := p.c.Now()
	g := storage.Grant{
		// A code that nobody redeems is gone soon after its time; until then the log can say that it came too late.
		Key:  storage.Key{Tenant: out.Tenant.ID, ID: storage.NewID(), Expires: now.Add(codeLife + time.Minute)},
		User: out.User.ID, Client: client.ID, Session: out.Session.ID, CodeUntil: now.Add(codeLife),
		RedirectURI: a.RedirectURI, CodeChallenge: a.CodeChallenge, Nonce: a.Nonce, Scopes: a.Scopes,
		IDTokenClaims: a.IDTokenClaims, UserInfoClaims: a.UserInfoClaims,
		ACR: out.ACR, AMR: out.AMR, AuthTime: out.AuthTime, Factors: out.Factors, Address: by.Event("", "").Address, Created: now,
	}
	code, hash := p.issue(ticketCode, g.Tenant, g.ID)
	g.Code = hash
	if err := p.c.Store.Grants.Insert(ctx, &g); err != nil {
		return web.Result{}, web.Unavailable("authorization code", err)
	}
	// A session, or the application's access, that was ended while the code was being made did not find it there to be ended too.
	o, err := p.c.Store.Sessions.Get(ctx, out.Tenant.ID, out.Session.ID)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return web.Result{}, errors.Join(web.ErrExpired, p.c.Store.Grants.Delete(ctx, g.Tenant, g.ID))
	case err != nil:
		return web.Result{}, web.Unavailable("session", err)
	case slices.Contains(o.Ended, client.ID):
		if err := p.c.Store.Grants.Delete(ctx, g.Tenant, g.ID); err != nil {
			return web.Result{}, web.Unavailable("authorization code", err)
		}
		return p.sendBack(ctx, by, &client, &a, out.Request, login.ErrLoginRequired)
	}
	// They are needed again in a moment, when the code is redeemed.
	p.users.Keep(out.User)
	p.tenants.Keep(out.Tenant)
	return p.respond(&client, &a, ui.Pair{Name: "code", Value: code}), nil
}

// fulfils checks once more that the sign-in is what was asked for, so that no way through it can end in a code for
// somebody else, or for less.
func fulfils(client *storage.Client, out *login.Outcome) error {
	asked := &out.Request
	switch {
	case out.User.Tenant != out.Tenant.ID || out.Session.Tenant != out.Tenant.ID || out.Session.User != out.User.ID,
		out.User.Out() || out.Tenant.Disabled,
		client.Owner != "" && client.Owner != out.Tenant.ID,
		asked.Tenant != "" && asked.Tenant != out.Tenant.ID:
		return refuse("access_denied", "the user may not sign in to this application")
	case asked.Subject != "" && asked.Subject != out.User.ID:
		return login.ErrLoginRequired
	case asked.Essential && !slices.Contains(asked.ACR, out.ACR):
		return login.ErrUnmet
	}
	return nil
}

// CodeExchange redeems an authorization code (RFC 6749, section 4.1.3).
func (s *server) CodeExchange(ctx context.Context, r *op.ClientRequest[oidc.AccessTokenRequest]) (*op.Response, error) {
	client, err := clientFrom(r.Client)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return s.tokens(ctx, func() (*oidc.AccessTokenResponse, error) { return s.p.redeem(ctx, &client, r.Data) })
}

func (p *Provider) redeem(ctx context.Context, client *storage.Client, in *oidc.AccessTokenRequest) (*oidc.AccessTokenResponse, error) {
	t, ok := p.read(ticketCode, in.Code)
	if !ok {
		return nil, errDead()
	}
	var reused bool
	var user storage.User
	var refresh string
	// One read and one replace by version: of many at once one redeems the code, and the others, when they read again,
	// find it redeemed.
	var asked bool
	g, err := storage.Change(ctx, p.c.Store.Grants, t.tenant, t.grant, func(g *storage.Grant) error {
		if why := p.unfit(client, g, in); why != "" {
			return why
		}
		if reused = g.Redeemed; reused {
			g.Revoked = true
			return nil
		}
		now := p.c.Now()
		if !now.Before(g.CodeUntil) {
			return refusal("expired")
		}
		var err error
		if _, user, err = p.person(ctx, g.Tenant, g.User); err != nil {
			return err
		}
		// Asked once, however often others are first.
		if !asked {
			if err := p.hook(ctx, hook.BeforeToken, client, &user, g.Factors, g.Scopes); err != nil {
				return err
			}
			asked = true
		}
		g.Redeemed, g.Used = true, now
		// Kept for as long as anything lives that a second use of the code has to end, and a minute for clocks.
		g.Expires = now.Add(accessLife + time.Minute)
		if slices.Contains(g.Scopes, oidc.ScopeOfflineAccess) && may(client, oidc.GrantTypeRefreshToken) {
			refresh, g.Refresh = p.issue(ticketRefresh, g.Tenant, g.ID)
			g.RefreshUntil = now.Add(refreshIdle)
			g.Expires = g.Created.Add(refreshMax + accessLife)
		}
		return nil
	})
	if err := p.note(ctx, client, t, &g, "token.code", reused, err); err != nil {
		return nil, err
	}
	return p.tokensFor(ctx, client, &g, &user, g.Scopes, g.Nonce, refresh)
}

// unfit says why a code is not the client's to redeem. It comes before anything that a code's use sets off, so that who
// has seen the code only, in a log or a history, can neither spend it nor have the tokens of its owner revoked: for
// that it takes the client's secret and the verifier too. A code that was shown with a wrong one stays good for its
// owner; there is nothing to be won by trying, for the verifier has 256 bits and the code 60 seconds.
func (p *Provider) unfit(client *storage.Client, g *storage.Grant, in *oidc.AccessTokenRequest) refusal {
	switch {
	case !p.current(ticketCode, g.Code, in.Code):
		return "unknown code"
	case g.Client != client.ID:
		return "other client"
	case g.RedirectURI != in.RedirectURI:
		return "other redirect URI"
	case !verified(g.CodeChallenge, in.CodeVerifier):
		return "code verifier"
	case g.Revoked:
		return "revoked"
	}
	return ""
}

// verified tells whether the verifier is that of the challenge (RFC 7636, section 4.6). A verifier where there was no
// challenge is a code that was got without one and is passed off as another (RFC 9700, section 4.8.2).
func verified(challenge, verifier string) bool {
	if challenge == "" {
		return verifier == ""
	}
	return len(verifier) >= 43 && len(verifier) <= 128 &&
		oidc.VerifyCodeChallenge(&oidc.CodeChallenge{Challenge: challenge, Method: oidc.CodeChallengeMethodS256}, verifier)
}

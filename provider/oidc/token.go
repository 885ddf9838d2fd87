package oidc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// clientFrom takes back what VerifyClient gave the engine.
func clientFrom(c op.Client) (storage.Client, error) {
	a, ok := c.(application)
	if !ok {
		return storage.Client{}, fmt.Errorf("oidc: the engine brought a client of type %T", c)
	}
	return a.Client, nil
}

// tokens answers a request at the token endpoint.
func (s *server) tokens(ctx context.Context, get func() (*oidc.AccessTokenResponse, error)) (*op.Response, error) {
	res, err := get()
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return op.NewResponse(res), nil
}

// refusal is why a genuine ticket is refused: a word for the audit log, while the client reads that of errDead.
type refusal string

// Error implements error.
func (r refusal) Error() string { return "oidc: grant refused: " + string(r) }

// note puts what is wrong with the use of a ticket into the audit log, and turns what came of it into what the client reads. Only tickets
// that we gave out come this far, so strangers can't fill the log; a client that is stuck with a dead one is noted once
// a minute.
func (p *Provider) note(ctx context.Context, client *storage.Client, t ticket, g *storage.Grant, action string, reused bool, err error) error {
	by := web.ActorFrom(ctx)
	var why refusal
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return errDead()
	case errors.Is(err, errGone):
		why = "tenant or user disabled"
	case errors.As(err, &why):
	case err != nil:
		var known *oidc.Error
		if errors.As(err, &known) {
			return err
		}
		return web.Unavailable("grant", err)
	case reused:
		// What the first use gave has ended already, whether or not this can be written down.
		return errors.Join(errDead(), p.record(ctx, grantEvent(by, g, client.ID, action+".reuse", "refused", "used before; the grant is revoked")))
	default:
		// The sign-in that this goes back to is in the audit log, with the client. Its tokens, renewed every few
		// minutes, would fill it, and each would cost a write as dear as the grant's own.
		p.c.Logger.InfoContext(ctx, action, "tenant", g.Tenant, "user", g.User, "client", client.ID, "request", by.Request)
		return nil
	}
	if !p.noted.First(action+" "+t.tenant+" "+t.grant+" "+string(why), p.c.Now(), time.Minute) {
		return errDead()
	}
	return errors.Join(errDead(), p.record(ctx, grantEvent(by, g, client.ID, action, "refused", string(why))))
}

// tokensFor makes the tokens of a grant (RFC 6749, section 5.1; OpenID Connect Core, section 3.1.3.3).
func (p *Provider) tokensFor(ctx context.Context, client *storage.Client, g *storage.Grant, user *storage.User, scopes []string, nonce, refresh string) (*oidc.AccessTokenResponse, error) {
	now, alg := p.c.Now(), algorithm(client)
	access := p.accessClaims(now, g.User, client.ID, scopes)
	access.JWTID = g.ID + "." + storage.NewID()
	access.AuthTime = oidc.FromTime(g.AuthTime)
	access.AuthenticationContextClassReference, access.AuthenticationMethodsReferences = g.ACR, g.AMR
	access.SessionID, access.Tenant = g.Session, g.Tenant
	token, err := p.sign(ctx, alg, typeAccess, access)
	if err != nil {
		return nil, err
	}
	res := &oidc.AccessTokenResponse{
		AccessToken: token, TokenType: oidc.BearerToken, ExpiresIn: uint64(accessLife / time.Second),
		RefreshToken: refresh, Scope: scopes,
	}
	if !slices.Contains(scopes, oidc.ScopeOpenID) {
		return res, p.hook(ctx, hook.AfterToken, client, user, g.Factors, scopes)
	}
	hash, err := oidc.ClaimHash(token, jose.SignatureAlgorithm(alg))
	if err != nil {
		return nil, err
	}
	id := &idClaims{
		TokenClaims: oidc.TokenClaims{
			Issuer: p.issuer, Subject: g.User, IssuedAt: oidc.FromTime(now), Expiration: oidc.FromTime(now.Add(idTokenLife)),
			AuthTime: oidc.FromTime(g.AuthTime), Nonce: nonce, AuthorizedParty: client.ID,
			AuthenticationContextClassReference: g.ACR, AuthenticationMethodsReferences: g.AMR,
		},
		Audience: audience{client.ID}, AccessTokenHash: hash, SessionID: g.Session, Tenant: g.Tenant,
		// What the scopes profile and email give is at the UserInfo endpoint (section 5.4); in the ID token, which goes
		// through more hands, stands only what was asked for there by name.
		person: personOf(user, nil, g.IDTokenClaims),
	}
	if res.IDToken, err = p.sign(ctx, alg, typeID, id); err != nil {
		return nil, err
	}
	return res, p.hook(ctx, hook.AfterToken, client, user, g.Factors, scopes)
}

// accessClaims begins an access token. Its audience is the issuer, which is the default that RFC 9068, section 3, asks
// for where no resource was named: it is good at our own endpoints, and at APIs that trust them. A client_id there
// would make it look like an ID token.
func (p *Provider) accessClaims(now time.Time, subject, client string, scopes []string) *accessClaims {
	return &accessClaims{
		TokenClaims: oidc.TokenClaims{
			Issuer: p.issuer, Subject: subject, ClientID: client,
			IssuedAt: oidc.FromTime(now), Expiration: oidc.FromTime(now.Add(accessLife)),
		},
		Audience: audience{p.issuer}, Scopes: scopes,
	}
}

// admit asks policy, where the Login answers for it. It fails with *web.Denied, or where policy can't be asked.
func (p *Provider) admit(ctx context.Context, a Admission) error {
	return p.admitFrom(ctx, web.ActorFrom(ctx), a)
}

// admitFrom is admit for an actor who is not in ctx.
func (p *Provider) admitFrom(ctx context.Context, by *web.Actor, a Admission) error {
	admitter, ok := p.c.Login.(Admitter)
	if !ok {
		return nil
	}
	err := admitter.Admit(ctx, by, a)
	var denied *web.Denied
	if err == nil || errors.As(err, &denied) {
		return err
	}
	return fmt.Errorf("%w: policy: %w", web.ErrUnavailable, err)
}

package oidc

import (
	"context"
	"errors"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// noteMachine is how often a machine's tokens are put into the audit log, for each address they go to: machines fetch
// them all day, and what matters is which of them are alive and from where.
const noteMachine = time.Hour

// ClientCredentialsExchange gives a client a token for itself (RFC 6749, section 4.4). There is no record of it, no
// refresh token and no ID token, because there is no user.
func (s *server) ClientCredentialsExchange(ctx context.Context, r *op.ClientRequest[oidc.ClientCredentialsRequest]) (*op.Response, error) {
	client, err := clientFrom(r.Client)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return s.tokens(ctx, func() (*oidc.AccessTokenResponse, error) { return s.p.forItself(ctx, &client, r.Data.Scope) })
}

func (p *Provider) forItself(ctx context.Context, client *storage.Client, asked []string) (*oidc.AccessTokenResponse, error) {
	scopes, err := ownScopes(client, asked)
	if err != nil {
		return nil, err
	}
	a := Admission{Client: *client}
	if client.Owner != "" {
		tenant, err := p.tenant(ctx, client.Owner)
		if errors.Is(err, errGone) {
			return nil, errInvalidClient()
		} else if err != nil {
			return nil, err
		}
		a.Tenant = &tenant
	}
	now, by := p.c.Now(), web.ActorFrom(ctx)
	var denied *web.Denied
	if err := p.admit(ctx, a); errors.As(err, &denied) {
		e := clientEvent(by, client, "token.client_credentials", "refused", "denied by policy")
		e.Rule = denied.Rule
		return nil, errors.Join(oidc.ErrUnauthorizedClient().WithDescription("denied by policy"), p.record(ctx, e))
	} else if err != nil {
		return nil, err
	}
	if err := p.hook(ctx, hook.BeforeToken, client, nil, nil, scopes); err != nil {
		return nil, err
	}
	if p.noted.First("machine "+client.ID+" "+web.Network(by.Address), now, noteMachine) {
		if err := p.record(ctx, clientEvent(by, client, "token.client_credentials", "ok", "")); err != nil {
			return nil, err
		}
	}
	claims := p.accessClaims(now, client.ID, client.ID, scopes)
	claims.JWTID, claims.Tenant = storage.NewID(), client.Owner
	token, err := p.sign(ctx, algorithm(client), typeAccess, claims)
	if err != nil {
		return nil, err
	}
	if err := p.hook(ctx, hook.AfterToken, client, nil, nil, scopes); err != nil {
		return nil, err
	}
	return &oidc.AccessTokenResponse{
		AccessToken: token, TokenType: oidc.BearerToken, ExpiresIn: uint64(accessLife / time.Second), Scope: scopes,
	}, nil
}

// ownScopes are the scopes that a client gets for itself: those it asks for, which must all be its own, or all of its
// own. It is refused what it may not have, because nobody sits there who would notice that something is missing.
func ownScopes(client *storage.Client, asked []string) ([]string, error) {
	var scopes []string
	for _, s := range asked {
		if s == "" {
			continue
		}
		if aboutUsers(s) || !allows(client, s) {
			return nil, oidc.ErrInvalidScope().WithDescription("a scope that this client may not have for itself")
		}
		scopes = append(scopes, s)
	}
	if len(scopes) > 0 {
		return allowed(client, scopes), nil
	}
	for _, s := range client.Scopes {
		if !aboutUsers(s) {
			scopes = append(scopes, s)
		}
	}
	return scopes, nil
}

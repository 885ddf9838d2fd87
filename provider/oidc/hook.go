package oidc

import (
	"context"
	"errors"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// hook asks the deployment's own hooks about tokens for a user, or, where that is nil, for a client itself. Before
// tokens are given out they may refuse, and then what was shown for them is not spent.
func (p *Provider) hook(ctx context.Context, at hook.Point, client *storage.Client, user *storage.User, factors, scopes []string) error {
	by := web.ActorFrom(ctx)
	e := hook.Event{
		Point: at, Tenant: client.Owner, Client: client.ID, Factors: factors, Scopes: scopes, Address: by.Address, Agent: by.Agent,
		Request: by.Request, Time: p.c.Now(),
	}
	if user != nil {
		e.Tenant, e.User, e.Account, e.UserType, e.Role = user.Tenant, user.ID, web.Account(user), user.Type, user.Role
	}
	err := p.c.Hooks.Run(ctx, e)
	var refused *web.Hooked
	if !errors.As(err, &refused) {
		return err
	}
	return oidc.ErrInvalidGrant().WithDescription("%s", describable(refused.Reason))
}

// describable is a reason as an error_description may hold it (RFC 6749, section 5.2): ASCII without quotes. One in
// another alphabet is for people, who read it at sign-in, and not for programs.
func describable(reason string) string {
	plain := !strings.ContainsFunc(reason, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' })
	if reason == "" || !plain {
		return "refused by the deployment"
	}
	return reason
}

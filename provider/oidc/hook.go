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
	e := hook.About(at, web.ActorFrom(ctx), user, p.c.Now())
	e.Client, e.Factors, e.Scopes = client.ID, factors, scopes
	if user == nil {
		e.Tenant = client.Owner
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

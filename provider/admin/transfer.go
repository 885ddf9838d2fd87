package admin

import (
	"context"
	"errors"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// MayTransfer refuses whoever may not bring users into a tenant in a file, or take them out: owners may, the tenant's own
// programs, and operators. It looks at the actor as stored now, so that it can be asked again while a long file comes in.
// operator tells whether the actor runs the deployment, and empowers whether the actor may make owners and admins.
// *web.Invalid, web.ErrForbidden, *web.Denied.
func (s *Service) MayTransfer(ctx context.Context, by *web.Actor, tenant string) (operator, empowers bool, _ error) {
	now := *by
	switch {
	case by.Operator:
	case by.User != nil:
		u, err := s.Store.Users.Get(ctx, by.User.Tenant, by.User.ID)
		if gone := errors.Is(err, storage.ErrNotFound); gone || err == nil && u.Out() {
			return false, false, web.ErrForbidden
		} else if err != nil {
			return false, false, web.Unavailable("user", err)
		}
		t, err := s.tenant(ctx, u.Tenant)
		if err == nil {
			err = s.lasts(ctx, by, &t)
		}
		if err != nil {
			return false, false, err
		}
		now.User, now.Tenant = &u, &t
	case by.Client != nil:
		c, err := s.Store.Clients.Get(ctx, storage.Global, by.Client.ID)
		if gone := errors.Is(err, storage.ErrNotFound); gone || err == nil && c.Disabled {
			return false, false, web.ErrForbidden
		} else if err != nil {
			return false, false, web.Unavailable("client", err)
		}
	}
	_, err := s.admit(ctx, &now, tenant, owning)
	return runs(by), mayEmpower(by, storage.Owner) == nil, err
}

// lasts refuses who was signed out meanwhile, and all users of a tenant that was disabled.
func (s *Service) lasts(ctx context.Context, by *web.Actor, t *storage.Tenant) error {
	if t.Disabled {
		return web.ErrForbidden
	}
	if by.Session == nil {
		return nil
	}
	_, err := s.Store.Sessions.Get(ctx, by.Session.Tenant, by.Session.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return web.ErrForbidden
	}
	return web.Unavailable("session", err)
}

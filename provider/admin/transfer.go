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
		now.User = &u
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

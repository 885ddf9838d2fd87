package api

import (
	"context"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// ofUser is embedded by the questions about a user.
type ofUser struct {
	inTenant
	// User is the ID of the user, or what the user signs in with.
	User string `path:"user"`
}

func (s *Service) getUser(ctx context.Context, by *web.Actor, in ofUser) (admin.User, error) {
	return s.Admin.User(ctx, by, in.Tenant, in.User)
}

type listUsers struct {
	inTenant
	Paged
	// Text is an e-mail address or user name, or what one of these, the name or the surname begins with.
	Text string `query:"text"`
	// Type is one of the tenant's user types.
	Type string `query:"type"`
	// Role is what the user may administer.
	Role storage.Role `query:"role" enum:"owner,admin,member"`
	// TwoFactor is whether a second step is set up.
	TwoFactor string `query:"two_factor" enum:"on,off"`
}

func (s *Service) listUsers(ctx context.Context, by *web.Actor, in listUsers) (List[admin.User], error) {
	found, err := s.Admin.FindUsers(ctx, by, in.Tenant, admin.Filter{Text: in.Text, Type: in.Type, Role: in.Role, TwoFactor: in.TwoFactor}, in.page())
	return List[admin.User]{Items: found.Items, Next: Cursor(found.Next), More: found.More}, err
}

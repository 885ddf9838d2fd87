package login

import (
	"context"

	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/web"
)

// hook asks the deployment's own hooks, which may refuse. factor is what it is about.
func (s *Service) hook(ctx context.Context, by *web.Actor, st *state, at hook.Point, factor string) error {
	u := st.person.User
	return s.Hooks.Run(ctx, hook.Event{
		Point: at, Tenant: u.Tenant, User: u.ID, Account: web.Account(u), UserType: u.Type, Role: u.Role,
		Client: st.request.Client, Factor: factor, Factors: factorsOf(st.flow.Proofs), Address: by.Address, Agent: by.Agent,
		Request: by.Request, Time: s.Now(),
	})
}

package login

import (
	"context"

	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/web"
)

// hook asks the deployment's own hooks, which may refuse. factor is what it is about.
func (s *Service) hook(ctx context.Context, by *web.Actor, st *state, at hook.Point, factor string) error {
	e := hook.About(at, by, st.person.User, s.Now())
	e.Client, e.Factor, e.Factors = st.request.Client, factor, factorsOf(st.flow.Proofs)
	return s.Hooks.Run(ctx, e)
}

package web

import (
	"context"
	"slices"

	"github.com/sallyport-id/sallyport/ui"
)

// HelpRoutes are the pages of the help. They are open to everybody: who needs them most can't sign in.
func (s *Server) HelpRoutes() []Route {
	return []Route{
		Get(ui.PathHelp, Open, s.help),
		Get(ui.PathGuide(":topic"), Open, s.guide),
	}
}

func (s *Server) help(context.Context, *Actor, struct{}) (Result, error) {
	return Result{Page: ui.Help{}}, nil
}

func (s *Server) guide(_ context.Context, _ *Actor, in struct {
	Topic string `path:"topic"`
},
) (Result, error) {
	if !slices.Contains(ui.Topics(), in.Topic) {
		return Result{}, ErrNotFound
	}
	return Result{Page: ui.Guide{Topic: in.Topic}}, nil
}

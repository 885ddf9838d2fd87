package login

import (
	"context"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/ui"
)

// Routes are the pages of signing in and out. All are open: each checks by itself what was proven.
func (s *Service) Routes() []web.Route {
	const flow = ui.PathSignIn + "/:flow"
	return []web.Route{
		web.Get("/", web.Open, s.home),
		web.Get(ui.PathSignIn, web.Open, s.page),
		web.Post(ui.PathSignIn, web.Open, s.password),
		web.Post(ui.PathChooseTenant, web.Open, s.choose),
		web.Post(ui.PathPasskeyOptions, web.Open, s.passkeyOptions),
		web.Post(ui.PathPasskey, web.Open, s.passkey),
		web.Get(flow, web.Open, s.show),
		web.Get(flow+"/ways", web.Open, s.ways),
		web.Get(flow+"/with/:factor", web.Open, s.with),
		web.Post(flow+"/with/:factor", web.Open, s.answer),
		web.Post(flow+"/with/:factor/send-again", web.Open, s.sendAgain),
		web.Get(flow+"/lost", web.Open, s.askLost),
		web.Post(flow+"/lost", web.Open, s.lost),
		web.Post(flow+"/later", web.Open, s.later),
		web.Get(flow+"/set-up/:factor", web.Open, s.askSetUp),
		web.Post(flow+"/set-up/:factor", web.Open, s.beginSetUp),
		web.Get(flow+"/set-up", web.Open, s.setUp),
		web.Post(flow+"/set-up/send-again", web.Open, s.sendSetUpAgain),
		web.Post(flow+"/set-up", web.Open, s.confirm),
		web.Get(flow+"/set-up/qr.png", web.Open, s.qr),
		web.Post(flow+"/codes", web.Open, s.saved),
		web.Get(flow+"/codes.txt", web.Open, s.codesFile),
		web.Get(ui.PathSignOut, web.Open, s.askSignOut),
		web.Post(ui.PathSignOut, web.Open, s.signOut),
	}
}

// home leads whoever opens the issuer's address to the account page.
func (s *Service) home(context.Context, *web.Actor, nothing) (web.Result, error) {
	return web.Go(ui.PathAccount), nil
}

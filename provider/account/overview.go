package account

import (
	"context"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/ui"
)

// overview shows how the account stands, and the one next step.
func (s *Service) overview(ctx context.Context, by *web.Actor, in noticed) (web.Result, error) {
	security, err := s.protection(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	sessions, err := s.sessions(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	apps, err := s.connected(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	page := ui.Overview{
		Account: security.Account, Name: security.Name, On: security.On, Unavailable: security.Unavailable,
		Factors: []ui.Held{}, Sessions: len(sessions), Apps: len(apps),
		CodesLeft: security.CodesLeft, CodesMade: security.CodesMade, Devices: security.Devices,
		LastSignIn: ui.Stamp(by.Session.Before), Next: security.Advice(), Notice: s.notice(in),
	}
	for _, f := range security.Factors {
		page.Factors = append(page.Factors, ui.Held{Factor: f.Factor, Name: f.Name})
	}
	if by.User.Email != "" && !by.User.EmailVerified {
		page.Unverified, page.VerifyEmail = by.User.Email, pathVerify
	}
	return web.Draw(page), nil
}

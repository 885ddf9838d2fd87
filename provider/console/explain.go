package console

import (
	"context"
	"errors"
	"net/url"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/ui"
)

type explainIn struct {
	User    string `form:"user"`
	Client  string `form:"client"`
	Address string `form:"address"`
	At      string `form:"at"`
}

// explain tells what a sign-in would be asked for, and which rule says so.
func (s *Service) explain(ctx context.Context, by *web.Actor, in explainIn) (web.Result, error) {
	apps, err := s.signInsTo(ctx, by, nil)
	if err != nil {
		return web.Result{}, err
	}
	page := ui.Explain{
		User: in.User, Client: in.Client, Clients: apps, Address: in.Address, At: in.At, Action: ui.PathExplain, Back: ui.PathPolicy,
	}
	if in.User == "" {
		return web.Draw(page), nil
	}
	q := admin.Question{User: in.User, Client: in.Client, Address: in.Address}
	if q.At, err = moment("at", in.At); err == nil {
		var x admin.Explanation
		if x, err = s.Admin.ExplainPolicy(ctx, by, by.Tenant.ID, q); err == nil {
			page.User, page.Answer = x.User.Account(), s.answer(x)
			return web.Draw(page), nil
		}
	}
	var invalid *web.Invalid
	if !errors.As(err, &invalid) {
		return web.Result{}, err
	}
	// That there is no such user is no missing page.
	page.Wrong, page.Problem = invalid.Where, ui.Invalid(invalid.Where, invalid.Code)
	return web.Result{Page: page, Refused: true}, nil
}

func (s *Service) answer(x admin.Explanation) *ui.Answer {
	a := &ui.Answer{
		Account: x.User.Account(), Path: personPath(x.User.ID), Out: x.User.Out(), Asked: string(x.Asked.Kind), Then: string(x.Asked.Then),
		Rule: x.Rule, RememberDays: x.RememberDays, At: ui.Stamp(x.At), Rules: []ui.VerdictRow{},
	}
	if x.Asked.Kind == policy.AskNothing && !x.User.TwoFactor {
		a.Grace = ui.Stamp(x.GraceUntil)
	}
	for _, id := range x.Asked.Factors {
		a.Factors = append(a.Factors, s.factor(id))
	}
	for _, v := range x.Rules {
		a.Rules = append(a.Rules, ui.VerdictRow{
			Name: v.Name, Path: at(ui.PathRules, v.ID), Holds: string(v.Holds), Failed: v.Failed, Untold: v.Untold,
			ReportOnly: v.ReportOnly, Decides: v.Decides, Unreadable: v.Unreadable,
		})
	}
	return a
}

// explainPath leads to what a user would be asked for, and why.
func explainPath(user string) string {
	return ui.PathExplain + "?" + url.Values{"user": {user}}.Encode()
}

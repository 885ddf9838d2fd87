package account

import (
	"context"
	"slices"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// security shows what protects the account, and what can be done about it.
func (s *Service) security(ctx context.Context, by *web.Actor, in noticed) (web.Result, error) {
	page, err := s.protection(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	page.Notice = s.notice(in)
	return web.Draw(page), nil
}

// protection reads what protects the actor's account.
func (s *Service) protection(ctx context.Context, by *web.Actor) (ui.Security, error) {
	p := credential.Who(by)
	all, err := s.Credentials.List(ctx, p)
	if err != nil {
		return ui.Security{}, web.Unavailable("factors", err)
	}
	off, err := s.Credentials.Off(ctx, p)
	if err != nil {
		return ui.Security{}, web.Unavailable("counter", err)
	}
	d, err := s.Decision(ctx, by)
	if err != nil {
		return ui.Security{}, err
	}
	page := ui.Security{
		Account: web.Account(by.User), Name: by.User.Name, On: len(s.Credentials.Primary(all)) > 0,
		Required: d.TwoFactor == policy.Required, Rule: d.Rule, CodesLeft: -1, Addable: s.addable(d, all),
		Password: s.hasPassword(by.User), PasswordSet: ui.Stamp(by.User.PasswordSet), ChangePassword: ui.PathPassword,
	}
	if d.TwoFactor == policy.Unavailable {
		page.Unavailable = unavailable(by)
	}
	page.ByCode = s.byCode(by, all)
	devices, err := s.remembered(ctx, by)
	if err != nil {
		return ui.Security{}, err
	}
	page.Devices = len(devices)
	for _, c := range all {
		f, err := s.Credentials.Factor(c.Factor)
		if err != nil {
			return ui.Security{}, err
		}
		switch i := f.Info(); {
		case i.Enrolment == mfa.ByOwner:
		case i.Backup:
			page.CodesLeft, page.CodesMade = c.Left, c.Made
		default:
			r := row(c, f, off[c.Factor])
			if page.Required && s.isLast(all, c) {
				r.Remove = ""
			}
			page.Factors = append(page.Factors, r)
		}
	}
	return page, nil
}

// byCode tells whether the last second step of the actor's session was a backup code, and nothing was set up since: perhaps
// what the user had is lost.
func (s *Service) byCode(by *web.Actor, held []storage.Credential) bool {
	var last storage.Proof
	backup := false
	for _, p := range by.Session.Proofs {
		f, err := s.Credentials.Factor(p.Factor)
		if err != nil || p.At.Before(last.At) {
			continue // the password, a remembered device, or a factor that is gone
		}
		last, backup = p, f.Info().Backup
	}
	return backup && !slices.ContainsFunc(s.Credentials.Primary(held), func(c storage.Credential) bool { return c.Created.After(last.At) })
}

// unavailable says why: the plan where the tenant has none that a rule could name, else the user's type.
func unavailable(by *web.Actor) string {
	for _, r := range by.Tenant.Rules {
		if r.Then.TwoFactor == "unavailable" && len(r.When.Plans) > 0 && slices.Contains(r.When.Plans, by.Tenant.Plan) {
			return "plan"
		}
	}
	return "user_type"
}

func row(c storage.Credential, f mfa.Factor, off bool) ui.CredentialRow {
	i := f.Info()
	name := credential.NameOf(c, f)
	at := ui.PathAccount + "/credentials/" + c.ID
	return ui.CredentialRow{
		ID: c.ID, Factor: ui.Factor{ID: i.ID, Name: i.Name}, Name: name, Created: ui.Stamp(c.Created),
		LastUsed: ui.Stamp(c.LastUsed), Note: c.Note, Off: off, Rename: at + "/rename", Remove: at + "/remove",
	}
}

// addable are the factors that the user can set up now.
func (s *Service) addable(d policy.Decision, all []storage.Credential) []ui.Way {
	if d.TwoFactor == policy.Unavailable {
		return nil
	}
	var ways []ui.Way
	for _, f := range s.Credentials.Settable() {
		i := f.Info()
		if i.Single && slices.ContainsFunc(all, func(c storage.Credential) bool { return c.Factor == i.ID }) {
			continue
		}
		// What the policy does not accept may be set up all the same where no second step is required.
		if d.TwoFactor == policy.Required && !d.Allows(i.ID, i.PhishingResistant) {
			continue
		}
		ways = append(ways, ui.Way{
			Factor: ui.Factor{ID: i.ID, Name: i.Name}, Left: -1, Path: pathSetUp + "/" + i.ID,
		})
	}
	return ways
}

package account

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// askOff asks before the second step is turned off.
func (s *Service) askOff(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	held, err := s.Credentials.List(ctx, credential.Who(by))
	if err != nil {
		return web.Result{}, web.Unavailable("factors", err)
	}
	if err := s.mayTurnOff(ctx, by, held); err != nil {
		return web.Result{}, err
	}
	return web.Draw(ui.AskTwoFactorOff.Page(ui.PathTwoFactorOff, ui.PathSecurity)), nil
}

// mayTurnOff refuses while the policy requires a second step, and names the rule.
func (s *Service) mayTurnOff(ctx context.Context, by *web.Actor, held []storage.Credential) error {
	if len(s.Credentials.Primary(held)) == 0 {
		return web.ErrNotFound
	}
	d, err := s.Decision(ctx, by)
	if err != nil {
		return err
	}
	if d.TwoFactor == policy.Required {
		return &web.Required{Rule: d.Rule}
	}
	return nil
}

// off turns the second step off: all factors and codes go.
func (s *Service) off(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	p := credential.Who(by)
	err := s.Credentials.RemoveAll(ctx, p, func(held []storage.Credential) error {
		if !s.shown(by, held) {
			return web.ErrNotFound
		}
		if err := s.mayTurnOff(ctx, by, held); err != nil {
			return err
		}
		return s.record(ctx, by, "two_factor.off", "ok", "", "")
	})
	if err != nil {
		return web.Result{}, credential.PassOn("factors", err)
	}
	if err := s.changed(ctx, by); err != nil {
		return web.Result{}, err
	}
	s.Notices.Tell(ctx, p.Notice(by, ui.MailTwoFactorOff))
	return s.done(ui.Say(ui.NoticeTwoFactorOff))
}

type credentialIn struct {
	ID   string `path:"id"`
	Name string `form:"name"`
}

// own reads a credential of the actor's that is shown on the page, with its factor as pages show it.
func (s *Service) own(ctx context.Context, by *web.Actor, id string) (storage.Credential, ui.Factor, error) {
	c, err := s.Credentials.Get(ctx, credential.Who(by), id)
	if err != nil {
		return c, ui.Factor{}, web.Unavailable("factor", err)
	}
	f, err := s.Credentials.Factor(c.Factor)
	if err != nil || f.Info().Backup {
		return c, ui.Factor{}, web.ErrNotFound
	}
	if c.Name == "" {
		c.Name = f.Info().Name
	}
	return c, ui.Factor{ID: c.Factor, Name: f.Info().Name}, nil
}

func (s *Service) askName(ctx context.Context, by *web.Actor, in credentialIn) (web.Result, error) {
	c, f, err := s.own(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	return web.Draw(renamePage(c, f, c.Name)), nil
}

// renamePage asks for a new name of c; typed stands in the field.
func renamePage(c storage.Credential, f ui.Factor, typed string) ui.Rename {
	return ui.Rename{
		Factor: f, Name: c.Name, New: typed, Action: ui.PathAccount + "/credentials/" + c.ID + "/rename", Cancel: ui.PathSecurity,
	}
}

// longestName is in characters.
const longestName = 60

// nameProblem says what is wrong with a name. Control characters and those that turn the direction of text around
// could make one credential look like another.
func nameProblem(name string) ui.Text {
	switch {
	case name == "":
		return ui.Say(ui.ProblemNameEmpty)
	case utf8.RuneCountInString(name) > longestName:
		return ui.Say(ui.ProblemNameLong, "n", longestName)
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		return ui.Say(ui.ProblemNameCharacters)
	default:
		return ui.Text{}
	}
}

func (s *Service) rename(ctx context.Context, by *web.Actor, in credentialIn) (web.Result, error) {
	c, f, err := s.own(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	name := strings.TrimSpace(in.Name)
	if problem := nameProblem(name); problem.Key != "" {
		page := renamePage(c, f, name)
		page.Problem = problem
		return web.Result{Page: page, Refused: true}, nil
	}
	if err := s.record(ctx, by, "factor.renamed", "ok", f.ID, ""); err != nil {
		return web.Result{}, err
	}
	if _, err := s.Credentials.Rename(ctx, credential.Who(by), c.ID, name); err != nil {
		return web.Result{}, web.Unavailable("factor", err)
	}
	return s.done(ui.Say(ui.NoticeFactorRenamed, "name", name))
}

// mayRemove tells whether the credential is the last second step, which may only go where the second step may.
func (s *Service) mayRemove(ctx context.Context, by *web.Actor, held []storage.Credential, c storage.Credential) (last bool, err error) {
	if !s.isLast(held, c) {
		return false, nil
	}
	return true, s.mayTurnOff(ctx, by, held)
}

// isLast tells whether no second step is left without the credential.
func (s *Service) isLast(held []storage.Credential, c storage.Credential) bool {
	return !slices.ContainsFunc(s.Credentials.Primary(held), func(o storage.Credential) bool { return o.ID != c.ID })
}

func (s *Service) askRemove(ctx context.Context, by *web.Actor, in credentialIn) (web.Result, error) {
	c, _, err := s.own(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	held, err := s.Credentials.List(ctx, credential.Who(by))
	if err != nil {
		return web.Result{}, web.Unavailable("factors", err)
	}
	last, err := s.mayRemove(ctx, by, held, c)
	if err != nil {
		return web.Result{}, err
	}
	ask := ui.AskRemoveFactor
	if last {
		ask = ui.AskRemoveLastFactor
	}
	return web.Draw(ask.Page(ui.PathAccount+"/credentials/"+c.ID+"/remove", ui.PathSecurity, "name", c.Name)), nil
}

func (s *Service) remove(ctx context.Context, by *web.Actor, in credentialIn) (web.Result, error) {
	c, f, err := s.own(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	p := credential.Who(by)
	var last bool
	err = s.Credentials.Remove(ctx, p, c.ID, func(held []storage.Credential) (err error) {
		if !s.shown(by, held) {
			return web.ErrNotFound
		}
		if last, err = s.mayRemove(ctx, by, held, c); err != nil {
			return err
		}
		return s.record(ctx, by, "factor.removed", "ok", f.ID, "")
	})
	if err != nil {
		return web.Result{}, credential.PassOn("factor", err)
	}
	if err := s.changed(ctx, by); err != nil {
		return web.Result{}, err
	}
	if last {
		s.Notices.Tell(ctx, p.Notice(by, ui.MailTwoFactorOff))
		return s.done(ui.Say(ui.NoticeTwoFactorOff))
	}
	n := p.Notice(by, ui.MailFactorRemoved)
	n.Name = c.Name
	s.Notices.Tell(ctx, n)
	return s.done(ui.Say(ui.NoticeFactorRemoved, "name", c.Name))
}

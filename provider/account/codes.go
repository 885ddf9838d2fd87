package account

import (
	"context"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// codes shows the backup codes that were just made, until they are saved.
func (s *Service) codes(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	return s.showCodes(ctx, by, ui.Text{})
}

func (s *Service) showCodes(ctx context.Context, by *web.Actor, problem ui.Text) (web.Result, error) {
	return s.atDesk(ctx, by, func(d *credential.Desk) (web.Result, error) {
		return d.CodesPage(ctx, by.Session.Codes, ui.BackupCodes{Action: pathCodes, Download: pathCodes + ".txt", Problem: problem})
	})
}

func (s *Service) codesFile(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	return s.atDesk(ctx, by, func(d *credential.Desk) (web.Result, error) { return d.CodesText(ctx, by.Session.Codes) })
}

type savedIn struct {
	Saved bool `form:"saved"`
}

// saved takes the word that the codes are saved, and forgets them.
func (s *Service) saved(ctx context.Context, by *web.Actor, in savedIn) (web.Result, error) {
	if len(by.Session.Codes) == 0 {
		return web.Go(ui.PathSecurity), nil
	}
	if !in.Saved {
		return s.showCodes(ctx, by, ui.Say(ui.ProblemTick))
	}
	if err := s.keep(ctx, by, func(o *storage.Session) { o.Codes = nil }); err != nil {
		return web.Result{}, err
	}
	return s.done(ui.Say(ui.NoticeTwoFactorOn))
}

// askNewCodes asks first, because the old codes stop at once.
func (s *Service) askNewCodes(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	if err := s.needFactor(ctx, by); err != nil {
		return web.Result{}, err
	}
	return web.Draw(ui.AskCodesNew.Page(ui.PathCodesNew, ui.PathSecurity)), nil
}

// needFactor refuses where there is no second step that codes could stand in for.
func (s *Service) needFactor(ctx context.Context, by *web.Actor) error {
	all, err := s.Credentials.List(ctx, credential.Who(by))
	if err != nil {
		return web.Unavailable("factors", err)
	}
	if len(s.Credentials.Primary(all)) == 0 {
		return web.ErrNotFound
	}
	return nil
}

// newCodes makes a new set, one request of the session after the other: of two clicks the page shows the codes that hold.
func (s *Service) newCodes(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	end, err := s.turns.Take(ctx, by.Session.ID)
	if err != nil {
		return web.Result{}, web.Unavailable("turn", err)
	}
	defer end()
	p := credential.Who(by)
	codes, err := s.Credentials.NewCodes(ctx, p, func(held []storage.Credential) error {
		if len(s.Credentials.Primary(held)) == 0 || !s.shown(by, held) {
			return web.ErrNotFound
		}
		return s.record(ctx, by, "codes.new", "ok", "", "")
	})
	if err != nil {
		return web.Result{}, credential.PassOn("codes", err)
	}
	sealed, err := s.Credentials.SealCodes(ctx, p, codes)
	if err != nil {
		return web.Result{}, web.Unavailable("codes", err)
	}
	if err := s.keep(ctx, by, func(o *storage.Session) { o.Codes = sealed }); err != nil {
		return web.Result{}, err
	}
	if err := s.changed(ctx, by); err != nil {
		return web.Result{}, err
	}
	s.Notices.Tell(ctx, p.Notice(by, ui.MailCodesNew))
	return web.Go(pathCodes), nil
}

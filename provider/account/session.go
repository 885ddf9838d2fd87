package account

import (
	"context"
	"slices"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

const (
	pathSessions  = ui.PathDevices + "/sessions"
	pathEndOthers = ui.PathDevices + "/end-others"
	// mostSessions is how many the page shows.
	mostSessions = 50
)

// devicesPage shows where the actor is signed in, and which browsers are remembered.
func (s *Service) devicesPage(ctx context.Context, by *web.Actor, in noticed) (web.Result, error) {
	sessions, err := s.sessions(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	remembered, err := s.remembered(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	page := ui.Devices{
		Sessions: []ui.SessionRow{}, More: max(len(sessions)-mostSessions, 0), Devices: s.deviceRows(by, remembered), Notice: s.notice(in),
	}
	for _, o := range sessions[:min(len(sessions), mostSessions)] {
		row := ui.SessionRow{
			ID: o.ID, Origin: s.origin(by, o.Agent, o.Address), Created: ui.Stamp(o.Created), LastUsed: ui.Stamp(o.Seen), This: o.ID == by.Session.ID,
			Remembered: slices.ContainsFunc(remembered, inBrowserOf(&o)),
		}
		if !row.This {
			row.End = pathSessions + "/" + o.ID + "/end"
			page.EndOthers = pathEndOthers
		}
		page.Sessions = append(page.Sessions, row)
	}
	if len(page.Devices) > 0 {
		page.ForgetAll = ui.PathDevices + "/forget"
	}
	return web.Draw(page), nil
}

// sessions are the actor's: this one, and then the one used last first.
func (s *Service) sessions(ctx context.Context, by *web.Actor) ([]storage.Session, error) {
	all, err := every(ctx, s.Sessions, by)
	if err != nil {
		return nil, web.Unavailable("sessions", err)
	}
	slices.SortFunc(all, func(a, b storage.Session) int {
		switch by.Session.ID {
		case a.ID:
			return -1
		case b.ID:
			return 1
		}
		return b.Seen.Compare(a.Seen)
	})
	return all, nil
}

// ofActor asks for what is the actor's.
func ofActor(by *web.Actor) storage.Query {
	return storage.Query{Tenant: by.User.Tenant, Field: "user", Value: by.User.ID}
}

// every is all that a table has of the actor's.
func every[T any, P storage.Row[T]](ctx context.Context, t storage.Table[T], by *web.Actor) ([]T, error) {
	var all []T
	err := storage.Each(ctx, t, ofActor(by), func(one P) error {
		all = append(all, *one)
		return nil
	})
	return all, err
}

type sessionIn struct {
	ID string `path:"id"`
}

// inBrowserOf tells of a remembered device whether it is the browser of a session.
func inBrowserOf(o *storage.Session) func(storage.Device) bool {
	return func(d storage.Device) bool { return o.Browser != "" && d.Browser == o.Browser }
}

// endSession signs another browser of the actor's out, with all that applications got through it, and forgets it: whoever has it
// now may know the password. Like forgetting a device that takes nothing but access away, and asks for no second step.
func (s *Service) endSession(ctx context.Context, by *web.Actor, in sessionIn) (web.Result, error) {
	o, err := s.Sessions.Get(ctx, by.User.Tenant, in.ID)
	// The one that asks is signed out where everybody looks for that.
	if err == nil && (o.User != by.User.ID || o.ID == by.Session.ID) {
		err = storage.ErrNotFound
	}
	if err != nil {
		return web.Result{}, web.Unavailable("session", err)
	}
	if err := s.record(ctx, by, "session.ended", "ok", "", ""); err != nil {
		return web.Result{}, err
	}
	// While the session is there to be ended again, should the rest not work.
	told := ui.NoticeSessionEnded
	if forgot, err := s.forgetBrowserOf(ctx, by, &o); err != nil {
		return web.Result{}, err
	} else if forgot {
		told = ui.NoticeSessionForgotten
	}
	if err := s.EndSession(ctx, o.Tenant, o.ID); err != nil {
		return web.Result{}, err
	}
	// A change of the address that was asked for there ends as well: its link may be in somebody else's mailbox.
	if s.Local != nil {
		if l, err := s.Emails.PendingEmail(ctx, by); err != nil {
			return web.Result{}, err
		} else if l != nil && l.Email.Session == o.ID {
			if err := s.Emails.CancelEmail(ctx, by); err != nil {
				return web.Result{}, err
			}
		}
	}
	// Unlike with signing out, what goes on without the session is meant too: it may be somebody else's.
	if err := s.EndGrants(ctx, by, func(g *storage.Grant) bool { return g.Session == o.ID }); err != nil {
		return web.Result{}, err
	}
	return s.to(ui.PathDevices, ui.Say(told))
}

// forgetBrowserOf forgets the browser of a session, and tells whether it was remembered. An older session of the browser that
// asks says nothing against that one.
func (s *Service) forgetBrowserOf(ctx context.Context, by *web.Actor, o *storage.Session) (forgot bool, err error) {
	if o.Browser == by.Browser {
		return false, nil
	}
	remembered, err := s.remembered(ctx, by)
	if err != nil {
		return false, err
	}
	for _, d := range remembered {
		if inBrowserOf(o)(d) {
			if err := s.forgetOne(ctx, by, d.ID); err != nil {
				return false, err
			}
			forgot = true
		}
	}
	return forgot, nil
}

// askEndOthers asks before all other browsers are signed out.
func (s *Service) askEndOthers(context.Context, *web.Actor, nothing) (web.Result, error) {
	return web.Draw(ui.AskEndOthers.Page(pathEndOthers, ui.PathDevices)), nil
}

// endOthers signs the actor out everywhere else, with remembered devices and with what applications got.
func (s *Service) endOthers(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	if err := s.record(ctx, by, "session.ended_others", "ok", "", ""); err != nil {
		return web.Result{}, err
	}
	if err := s.endElsewhere(ctx, by); err != nil {
		return web.Result{}, err
	}
	return s.to(ui.PathDevices, ui.Say(ui.NoticeSessionsEnded))
}

// endElsewhere ends everything that is signed in as the actor but this session, and all that applications got elsewhere,
// offline access included.
func (s *Service) endElsewhere(ctx context.Context, by *web.Actor) error {
	if err := s.EndOthers(ctx, by.User.Tenant, by.User.ID, by.Session.ID); err != nil {
		return err
	}
	return s.EndGrants(ctx, by, func(g *storage.Grant) bool { return g.Session != by.Session.ID })
}

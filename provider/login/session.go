package login

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

const (
	hashSession = "session cookie"
	// sessionLife ends every session, however much it is used.
	sessionLife = 24 * time.Hour
	idleDefault = time.Hour
	idleLeast   = 5 * time.Minute
	idleMost    = 24 * time.Hour
	// seenEvery is how exactly a session's last use is kept.
	seenEvery = time.Minute
)

// sessionEnd is when a session ends unless it is used again.
func (s *Service) sessionEnd(t *storage.Tenant, o storage.Session) time.Time {
	idle := idleDefault
	if i := t.Settings.SessionIdle; i != 0 {
		idle = min(max(i, idleLeast), idleMost)
	}
	end := o.Created.Add(sessionLife)
	if quiet := o.Seen.Add(idle); quiet.Before(end) {
		return quiet
	}
	return end
}

// cookieOf is the value of the session cookie: which session, and the secret that only its browser has.
func cookieOf(o storage.Session, secret string) string { return o.Tenant + "." + o.ID + "." + secret }

// Identify fills in who is signed in by the session cookie; see web.Server.
func (s *Service) Identify(ctx context.Context, by *web.Actor, cookie string) error {
	parts := strings.Split(cookie, ".")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" {
		return nil
	}
	o, err := s.Store.Sessions.Get(ctx, parts[0], parts[1])
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !s.Keys.Equal(o.Secret, hashSession, parts[2]) {
		return nil
	}
	p, err := s.person(ctx, o.Tenant, o.User)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	now := s.Now()
	if !now.Before(s.sessionEnd(p.Tenant, o)) || outdated(o.Proofs, p.User) {
		return nil
	}
	if now.Sub(o.Seen) >= seenEvery {
		o.Seen = now
		o.Expires = s.sessionEnd(p.Tenant, o)
		if err := s.Store.Sessions.Replace(ctx, &o); errors.Is(err, storage.ErrConflict) {
			// Another request of the same browser was first, or ended it: read it as it is now.
			if o, err = s.Store.Sessions.Get(ctx, o.Tenant, o.ID); errors.Is(err, storage.ErrNotFound) {
				return nil
			} else if err != nil {
				return err
			}
			// What was first may have been the user, who has passed the second step: that is not for whoever copied the cookie.
			if !s.Keys.Equal(o.Secret, hashSession, parts[2]) || !now.Before(s.sessionEnd(p.Tenant, o)) || outdated(o.Proofs, p.User) {
				return nil
			}
		} else if err != nil {
			return err
		}
	}
	by.Session, by.User, by.Tenant = &o, p.User, p.Tenant
	return nil
}

// Challenge leads an actor to sign in, or to pass the second step again; see web.Server.
func (s *Service) Challenge(ctx context.Context, by *web.Actor, need web.Access, back web.Back) (web.Result, bool, error) {
	r := Request{Return: back.Path, Undone: back.Undone, Fresh: need == web.Fresh, Begun: s.Now()}
	if !by.SignedIn() {
		r.Fresh = false
		res, err := s.Begin(ctx, by, r)
		return res, true, err
	}
	// The session may come from an application that is asked less, from another network, or from before a rule became
	// stricter: our own pages ask like any application. A set-up that was put off is put off for the session.
	proofs := by.Session.Proofs
	st, err := s.stand(ctx, by, &storage.Flow{Proofs: proofs, Later: recovered(proofs)}, credential.Who(by), Request{})
	switch {
	case err != nil:
		return web.Result{}, true, err
	case st.step.Kind == Deny:
		return web.Result{}, true, &web.Denied{Rule: st.decision.Rule}
	case st.step.Kind != Done:
		res, err := s.Begin(ctx, by, r)
		return res, true, err
	case need != web.Fresh:
		return web.Result{}, false, nil
	}
	has := len(s.Credentials.Primary(st.held)) > 0
	for _, p := range s.stillGood(proofs, r, has) {
		if has && isSecond(p) || !has && begun([]storage.Proof{p}) {
			return web.Result{}, false, nil
		}
	}
	res, err := s.Begin(ctx, by, r)
	return res, true, err
}

// EndSession signs a browser out, and ends what applications got through the session. A session that is gone already
// is as well. It is the caller's to put it into the audit log.
func (s *Service) EndSession(ctx context.Context, tenant, id string) error {
	if err := s.Store.Sessions.Delete(ctx, tenant, id); err != nil && !errors.Is(err, storage.ErrNotFound) {
		return web.Unavailable("session", err)
	}
	return web.Unavailable("grants of the session", s.Ended(ctx, tenant, id))
}

// signedOut puts the end of the actor's session into the audit log.
func (s *Service) signedOut(ctx context.Context, by *web.Actor) error {
	return s.record(ctx, by.Event("sign_out", "ok"))
}

// EndOthers ends all sessions of a user but one, all sign-ins under way, remembered devices and mailed links, after a
// change that may have been made because somebody else was in.
func (s *Service) EndOthers(ctx context.Context, tenant, user, keep string) error {
	return s.endOthers(ctx, tenant, user, keep, "")
}

// endOthers is EndOthers, and leaves the sign-ins of the browser that the change was made in: it may have another tab.
func (s *Service) endOthers(ctx context.Context, tenant, user, keep, browser string) error {
	own := storage.Query{Tenant: tenant, Field: "user", Value: user}
	err := storage.Each(ctx, s.Store.Sessions, own, func(o *storage.Session) error {
		if o.ID == keep {
			return nil
		}
		return s.EndSession(ctx, tenant, o.ID)
	})
	if err != nil {
		return web.Unavailable("sessions", err)
	}
	err = storage.Each(ctx, s.Store.Flows, own, func(f *storage.Flow) error {
		if browser != "" && f.Browser == browser || f.Done || keep != "" && f.Session == keep {
			return nil
		}
		return s.drop(ctx, f)
	})
	if err != nil {
		return web.Unavailable("sign-ins", err)
	}
	err = storage.Each(ctx, s.Store.Devices, own, func(d *storage.Device) error {
		if err := s.Store.Devices.Delete(ctx, tenant, d.ID); !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		return nil
	})
	if err != nil {
		return web.Unavailable("devices", err)
	}
	// Links that were mailed before the change end with it.
	for _, purpose := range storage.Purposes() {
		err := s.Store.Links.Delete(ctx, tenant, storage.LinkID(purpose, user))
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return web.Unavailable("links", err)
		}
	}
	return nil
}

// Renew changes the actor's session and gives it a new secret. It returns the cookie's new value; the old one signs
// nobody in any more.
func (s *Service) Renew(ctx context.Context, by *web.Actor, change func(*storage.Session)) (string, error) {
	secret := rand.Text() + rand.Text()
	o, err := storage.Change(ctx, s.Store.Sessions, by.Session.Tenant, by.Session.ID, func(o *storage.Session) error {
		change(o)
		o.Secret = s.Keys.Hash(hashSession, secret)
		return nil
	})
	if err != nil {
		return "", web.Unavailable("session", err)
	}
	by.Session = &o
	return cookieOf(o, secret), nil
}

type nothing struct{}

// askSignOut asks before signing out: a link alone, which any site can put up, must not.
func (s *Service) askSignOut(_ context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	if !by.SignedIn() {
		return web.Draw(ui.SignedOut(ui.PathAccount)), nil
	}
	return web.Draw(ui.AskSignOut.Page(ui.PathSignOut, ui.PathAccount)), nil
}

func (s *Service) signOut(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	if by.SignedIn() {
		if err := s.signedOut(ctx, by); err != nil {
			return web.Result{}, err
		}
		if err := s.EndSession(ctx, by.Session.Tenant, by.Session.ID); err != nil {
			return web.Result{}, err
		}
		by.Session, by.User, by.Tenant = nil, nil, nil
	}
	gone := ""
	return web.Result{Page: ui.SignedOut(ui.PathAccount), Session: &gone}, nil
}

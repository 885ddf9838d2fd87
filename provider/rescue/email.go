package rescue

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// BeginEmail begins the change of the actor's e-mail address. The new address gets a link, and the present one another if
// it was confirmed once: whoever has found a browser signed in, or holds one of the mailboxes, can't take the account away.
// One that was begun before ends. Whether the new address is somebody else's the answer does not tell: then its owner
// hears of it, and the change can't be ended. *directory.FieldError, *web.TooMany.
func (s *Service) BeginEmail(ctx context.Context, by *web.Actor, address string) error {
	if s.Local == nil {
		return web.ErrNotFound
	}
	p := credential.Who(by)
	to, err := directory.NormalizeEmail(address)
	if err != nil {
		return err
	}
	if to == p.User.Email {
		return &directory.FieldError{Field: "email", Reason: directory.Same}
	}
	if err := s.often(ctx, p, storage.LinkEmailChange); err != nil {
		return err
	}
	if err := s.record(ctx, by, p, "email.change", "sent", ""); err != nil {
		return err
	}
	e := storage.EmailChange{From: p.User.Email, To: to, Session: by.Session.ID}
	toNew, toOld := rand.Text()+rand.Text(), rand.Text()+rand.Text()
	if p.User.EmailVerified {
		e.Old = s.emailHash(pathEmailOld, e, toOld)
	}
	_, err = storage.Put(ctx, s.Store.Links, p.User.Tenant, storage.LinkID(storage.LinkEmailChange, p.User.ID), func(l *storage.Link) error {
		now := s.Now()
		l.User, l.Secret, l.Created, l.Expires = p.User.ID, s.emailHash(pathEmailNew, e, toNew), now, now.Add(linkLife)
		l.Email = &e
		return nil
	})
	if err != nil {
		return web.Unavailable("link", err)
	}
	// Whoever ends this session ends its links after it: what was made too late for that ends here.
	_, err = s.Store.Sessions.Get(ctx, p.User.Tenant, e.Session)
	if errors.Is(err, storage.ErrNotFound) {
		if err := s.spend(ctx, p, storage.LinkEmailChange); !errors.Is(err, web.ErrLink) {
			return err
		}
		return nil
	}
	if err != nil {
		return web.Unavailable("session", err)
	}
	return s.later(ctx, by, "mail for a change of address", func(ctx context.Context, by *web.Actor) error {
		s.mailOld(ctx, by, p, e, toOld)
		return s.mailNew(ctx, by, p, e, toNew)
	})
}

// emailHash is what is kept of one of the two links: it is good for this change alone, and for its own side of it.
func (s *Service) emailHash(side string, e storage.EmailChange, secret string) string {
	return s.Keys.Hash("mailed link: "+storage.LinkEmailChange+side, secret+"\x00"+e.From+"\x00"+e.To)
}

// mailNew mails the new address its link, or, where it is another user's, says that somebody wanted it. It may be a
// stranger's mailbox, so it can't be made to get more than a few of these, by however many users.
func (s *Service) mailNew(ctx context.Context, by *web.Actor, p credential.Person, e storage.EmailChange, secret string) error {
	if err := s.Quota.Take(ctx, storage.Global, s.toStranger(e.To)); err != nil {
		return err
	}
	users, err := s.Directory.Lookup(ctx, p.User.Tenant, e.To)
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.ID == p.User.ID {
			continue
		}
		// Who wanted it, and from where, is not for the owner of the address to know.
		s.Notices.Tell(ctx, mail.Notice{Kind: ui.MailEmailTaken, User: &u, Tenant: p.Tenant, Lang: by.MessageLang(p.Tenant, &u), To: e.To})
		return nil
	}
	n := p.Notice(by, ui.MailEmailNew)
	n.To, n.Link, n.Left = e.To, s.emailLink(pathEmailNew, p, secret), int(linkLife/time.Minute)
	s.Notices.Tell(ctx, n)
	return nil
}

// mailOld mails the present address its link, if anybody ever confirmed it.
func (s *Service) mailOld(ctx context.Context, by *web.Actor, p credential.Person, e storage.EmailChange, secret string) {
	if e.Old == "" {
		return
	}
	n := p.Notice(by, ui.MailEmailOld)
	n.Other, n.Link, n.Left = e.To, s.emailLink(pathEmailOld, p, secret), int(linkLife/time.Minute)
	s.Notices.Tell(ctx, n)
}

func (s *Service) emailLink(side string, p credential.Person, secret string) string {
	return s.url(side + p.User.Tenant + "." + p.User.ID + "." + secret)
}

// PendingEmail is the change of the actor's address that waits to be confirmed; nil where there is none.
func (s *Service) PendingEmail(ctx context.Context, by *web.Actor) (*storage.Link, error) {
	l, err := s.Store.Links.Get(ctx, by.User.Tenant, storage.LinkID(storage.LinkEmailChange, by.User.ID))
	if errors.Is(err, storage.ErrNotFound) || err == nil && (l.Email == nil || l.Email.From != by.User.Email) {
		return nil, nil //nolint:nilnil // No change is an answer, and no error.
	}
	return &l, web.Unavailable("link", err)
}

// CancelEmail ends the change of the actor's address, if one waits.
func (s *Service) CancelEmail(ctx context.Context, by *web.Actor) error {
	l, err := s.PendingEmail(ctx, by)
	if err != nil || l == nil {
		return err
	}
	p := credential.Who(by)
	if err := s.record(ctx, by, p, "email.change_cancelled", "ok", ""); err != nil {
		return err
	}
	if err := s.spend(ctx, p, storage.LinkEmailChange); !errors.Is(err, web.ErrLink) {
		return err
	}
	return nil // somebody was first
}

// changing finds out whose change of address a link is of, and whether it is good.
func (s *Service) changing(ctx context.Context, side, link string) (credential.Person, storage.Link, error) {
	var l storage.Link
	parts := strings.Split(link, ".")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || s.Local == nil {
		return credential.Person{}, l, web.ErrLink
	}
	l, err := s.Store.Links.Get(ctx, parts[0], storage.LinkID(storage.LinkEmailChange, parts[1]))
	if errors.Is(err, storage.ErrNotFound) || err == nil && l.Email == nil {
		return credential.Person{}, l, web.ErrLink
	}
	if err != nil {
		return credential.Person{}, l, web.Unavailable("link", err)
	}
	p, err := s.Person(ctx, parts[0], parts[1])
	if errors.Is(err, storage.ErrNotFound) {
		return p, l, web.ErrLink
	}
	if err != nil {
		return p, l, err
	}
	kept := l.Secret
	if side == pathEmailOld {
		kept = l.Email.Old
	}
	if !hmac.Equal([]byte(kept), []byte(s.emailHash(side, *l.Email, parts[2]))) || !s.stands(p.User, l.Email) {
		return p, l, web.ErrLink
	}
	return p, l, nil
}

// stands tells whether a change is still of the address that the user has. One that was carried out, but for what follows
// it, stands as well. An address that was confirmed only after the change had been asked for was not asked, and must be.
func (s *Service) stands(u *storage.User, e *storage.EmailChange) bool {
	return u.Email == e.To || u.Email == e.From && (e.Old != "" || !u.EmailVerified)
}

func (s *Service) askEmailNew(ctx context.Context, _ *web.Actor, in linkIn) (web.Result, error) {
	return s.askEmail(ctx, pathEmailNew, in, ui.AskEmailNew)
}

func (s *Service) askEmailOld(ctx context.Context, _ *web.Actor, in linkIn) (web.Result, error) {
	return s.askEmail(ctx, pathEmailOld, in, ui.AskEmailOld)
}

// askEmail asks whether the change is wanted. The link alone does nothing: some programs open every link in a mail.
func (s *Service) askEmail(ctx context.Context, side string, in linkIn, ask ui.Question) (web.Result, error) {
	p, l, err := s.changing(ctx, side, in.Link)
	if err != nil {
		return web.Result{}, err
	}
	if done := l.Email.NewConfirmed && side == pathEmailNew || l.Email.OldConfirmed && side == pathEmailOld; done && waits(l.Email) {
		return draw(p, half(l.Email), false), nil
	}
	return draw(p, ask.Page(side+in.Link, "", "address", l.Email.To), false), nil
}

func (s *Service) confirmEmailNew(ctx context.Context, by *web.Actor, in linkIn) (web.Result, error) {
	return s.confirmEmail(ctx, by, pathEmailNew, in)
}

func (s *Service) confirmEmailOld(ctx context.Context, by *web.Actor, in linkIn) (web.Result, error) {
	return s.confirmEmail(ctx, by, pathEmailOld, in)
}

// waits tells whether one of the links has still to be confirmed.
func waits(e *storage.EmailChange) bool { return !e.NewConfirmed || e.OldWaits() }

// half says that one of the links was confirmed, and which is missing.
func half(e *storage.EmailChange) ui.Page {
	if e.NewConfirmed {
		return ui.ToldEmailNew.Page("")
	}
	return ui.ToldEmailOld.Page("", "address", e.To)
}

// confirmEmail notes that one of the links was confirmed, and with the second changes the address. Those who confirm at the
// same moment come one after the other, over all processes.
func (s *Service) confirmEmail(ctx context.Context, by *web.Actor, side string, in linkIn) (web.Result, error) {
	p, _, err := s.changing(ctx, side, in.Link)
	if err != nil {
		return web.Result{}, err
	}
	end, err := storage.Lease{Counters: s.Store.Counters, Now: s.Now}.Take(ctx, p.User.Tenant, storage.LinkID(storage.LinkEmailChange, p.User.ID))
	if errors.Is(err, storage.ErrExists) {
		return web.Result{}, web.ErrBusy
	}
	if err != nil {
		return web.Result{}, web.Unavailable("turn", err)
	}
	defer end()
	p, l, err := s.changing(ctx, side, in.Link)
	if err != nil {
		return web.Result{}, err
	}
	if l, err = s.confirmed(ctx, by, p, l, side); err != nil {
		return web.Result{}, err
	}
	if waits(l.Email) {
		return draw(p, half(l.Email), false), nil
	}
	return s.changeEmail(ctx, by, p, l)
}

// confirmed writes down that a link was confirmed, once.
func (s *Service) confirmed(ctx context.Context, by *web.Actor, p credential.Person, l storage.Link, side string) (storage.Link, error) {
	which, reason := &l.Email.NewConfirmed, "new address"
	if side == pathEmailOld {
		which, reason = &l.Email.OldConfirmed, "present address"
	}
	if *which {
		return l, nil
	}
	if err := s.record(ctx, by, p, "email.change_confirmed", "ok", reason); err != nil {
		return l, err
	}
	*which = true
	err := s.Store.Links.Replace(ctx, &l)
	if errors.Is(err, storage.ErrConflict) {
		// Another request to change the address took its place, or it was cancelled.
		return l, web.ErrLink
	}
	return l, web.Unavailable("link", err)
}

// changeEmail changes the address, now that everybody agrees, and ends what was signed in, but for the session that asked.
// Broken off after the address was changed, the links do the rest once more.
func (s *Service) changeEmail(ctx context.Context, by *web.Actor, p credential.Person, l storage.Link) (web.Result, error) {
	e := l.Email
	was := *p.User
	if was.Email != e.To {
		if err := s.record(ctx, by, p, "email.changed", "ok", ""); err != nil {
			return web.Result{}, err
		}
		u, err := s.moveEmail(ctx, p, e)
		var refused *directory.FieldError
		if errors.As(err, &refused) {
			return s.emailTaken(ctx, by, p, refused)
		}
		if err != nil {
			return web.Result{}, web.Unavailable("address", err)
		}
		p.User = u
	}
	if err := s.EndAll(ctx, p.User.Tenant, p.User.ID, e.Session); err != nil {
		return web.Result{}, err
	}
	n := p.Notice(by, ui.MailEmailChanged)
	n.Other = e.From
	s.Notices.Tell(ctx, n)
	if e.Old != "" {
		n.To = e.From
		s.Notices.Tell(ctx, n)
	}
	return draw(p, ui.ToldEmailChanged.Page(ui.PathAccount, "address", e.To), false), nil
}

// moveEmail changes the address of the user as it is now. web.ErrLink where it is not to be changed any more.
func (s *Service) moveEmail(ctx context.Context, p credential.Person, e *storage.EmailChange) (u *storage.User, err error) {
	err = storage.Retry(func() error {
		// Somebody may sign in at the same moment, or an administrator keep the user out from now on.
		now, err := s.Person(ctx, p.User.Tenant, p.User.ID)
		if errors.Is(err, storage.ErrNotFound) || err == nil && !s.stands(now.User, e) {
			return web.ErrLink
		}
		if err != nil {
			return err
		}
		u = now.User
		return s.Local.ChangeEmail(ctx, u, e.To)
	})
	return u, err
}

// emailTaken ends a change to an address that is somebody else's, or has become so. Whoever confirmed it holds the mailbox,
// and may know.
func (s *Service) emailTaken(ctx context.Context, by *web.Actor, p credential.Person, refused *directory.FieldError) (web.Result, error) {
	if err := s.record(ctx, by, p, "email.changed", "refused", refused.Reason); err != nil {
		return web.Result{}, err
	}
	if err := s.spend(ctx, p, storage.LinkEmailChange); err != nil {
		return web.Result{}, err
	}
	return draw(p, ui.ToldEmailTaken.Page(""), true), nil
}

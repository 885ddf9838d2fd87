package rescue

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// linkLife is how long a mailed link is good for, but for invitations.
const linkLife = 30 * time.Minute

// mailing is what is mailed with a link: what the link is for, the path that it leads to, and the mail that it stands in.
// request is the sealed request of the sign-in that is gone on with after that, if any.
type mailing struct {
	purpose, path string
	mail          ui.Mail
	request       string
}

// send mails a person a link. One that was mailed before for the same purpose stops.
func (s *Service) send(ctx context.Context, by *web.Actor, p credential.Person, m mailing) error {
	link, err := s.link(ctx, p, m, s.Now().Add(linkLife))
	if err != nil {
		return err
	}
	n := p.Notice(by, m.mail)
	n.Link, n.Left = link, int(linkLife/time.Minute)
	s.Notices.Tell(ctx, n)
	return nil
}

// link makes the link of a mail, whose record stays until then, or for good where that is the zero time. One that was made
// before for the same purpose stops.
func (s *Service) link(ctx context.Context, p credential.Person, m mailing, until time.Time) (string, error) {
	secret := rand.Text() + rand.Text()
	_, err := storage.Put(ctx, s.Store.Links, p.User.Tenant, storage.LinkID(m.purpose, p.User.ID), func(l *storage.Link) error {
		l.User, l.Secret, l.Created, l.Expires = p.User.ID, s.hash(m.purpose, p.User, secret), s.Now(), until
		l.Request = m.request
		return nil
	})
	return s.url(m.path + p.User.Tenant + "." + p.User.ID + "." + secret), web.Unavailable("link", err)
}

func (s *Service) url(path string) string {
	return strings.TrimSuffix(s.Issuer.String(), "/") + path
}

// hash is what is kept of a link. It holds the address that it was mailed to: one that is changed ends it.
func (s *Service) hash(purpose string, u *storage.User, secret string) string {
	return s.Keys.Hash("mailed link: "+purpose, secret+"\x00"+u.Email)
}

// read finds out whose link it is, and whether it is good. What is wrong with one is the same answer: web.ErrLink.
func (s *Service) read(ctx context.Context, purpose, link string) (credential.Person, error) {
	p, _, err := s.open(ctx, purpose, link)
	return p, err
}

// open is read, and returns what is kept of the link too.
func (s *Service) open(ctx context.Context, purpose, link string) (p credential.Person, l storage.Link, err error) {
	parts := strings.Split(link, ".")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" {
		return p, l, web.ErrLink
	}
	l, err = s.Store.Links.Get(ctx, parts[0], storage.LinkID(purpose, parts[1]))
	if errors.Is(err, storage.ErrNotFound) {
		return p, l, web.ErrLink
	}
	if err != nil {
		return p, l, web.Unavailable("link", err)
	}
	p, err = s.Person(ctx, parts[0], parts[1])
	if errors.Is(err, storage.ErrNotFound) {
		return credential.Person{}, storage.Link{}, web.ErrLink
	}
	if err != nil {
		return p, l, err
	}
	if !hmac.Equal([]byte(l.Secret), []byte(s.hash(purpose, p.User, parts[2]))) {
		return credential.Person{}, storage.Link{}, web.ErrLink
	}
	return p, l, nil
}

// spend uses a link up: of many who hold it one succeeds.
func (s *Service) spend(ctx context.Context, p credential.Person, purpose string) error {
	err := s.Store.Links.Delete(ctx, p.User.Tenant, storage.LinkID(purpose, p.User.ID))
	if errors.Is(err, storage.ErrNotFound) {
		return web.ErrLink
	}
	return web.Unavailable("link", err)
}

type linkIn struct {
	Link     string `path:"link"`
	Password string `form:"password"`
}

// VerifyEmail mails the actor a link that confirms the e-mail address.
func (s *Service) VerifyEmail(ctx context.Context, by *web.Actor) error {
	p := credential.Who(by)
	if err := s.often(ctx, p, storage.LinkEmail); err != nil {
		return err
	}
	if err := s.record(ctx, by, p, "email.verify", "sent", ""); err != nil {
		return err
	}
	return s.send(ctx, by, p, mailing{purpose: storage.LinkEmail, path: pathVerify, mail: ui.MailVerify})
}

func (s *Service) askVerify(ctx context.Context, _ *web.Actor, in linkIn) (web.Result, error) {
	p, err := s.read(ctx, storage.LinkEmail, in.Link)
	if err != nil {
		return web.Result{}, err
	}
	return draw(p, ui.AskVerifyEmail.Page(pathVerify+in.Link, ui.PathAccount, "account", p.User.Email), false), nil
}

// verify confirms the address.
func (s *Service) verify(ctx context.Context, by *web.Actor, in linkIn) (web.Result, error) {
	p, err := s.read(ctx, storage.LinkEmail, in.Link)
	if err != nil {
		return web.Result{}, err
	}
	if err := s.spend(ctx, p, storage.LinkEmail); err != nil {
		return web.Result{}, err
	}
	if err := s.record(ctx, by, p, "email.verified", "ok", ""); err != nil {
		return web.Result{}, err
	}
	_, err = storage.Change(ctx, s.Store.Users, p.User.Tenant, p.User.ID, func(u *storage.User) error {
		if u.Email != p.User.Email {
			return web.ErrLink
		}
		u.EmailVerified = true
		return nil
	})
	if err != nil {
		return web.Result{}, web.Unavailable("user", err)
	}
	return draw(p, ui.ToldVerified.Page(ui.PathAccount, "account", p.User.Email), false), nil
}

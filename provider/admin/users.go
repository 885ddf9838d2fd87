package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// User is what operators see of a user.
type User struct {
	Tenant        string       `json:"tenant"`
	ID            string       `json:"id"`
	Email         string       `json:"email,omitempty"`
	EmailVerified bool         `json:"email_verified"`
	Login         string       `json:"login,omitempty"`
	Name          string       `json:"name"`
	Role          storage.Role `json:"role"`
	Type          string       `json:"type"`
	Require2FA    bool         `json:"require_2fa"`
	HasPassword   bool         `json:"has_password"`
	Disabled      bool         `json:"disabled"`
	// Locked is when "this was not me" was said.
	Locked     time.Time `json:"locked,omitzero"`
	Created    time.Time `json:"created"`
	LastSignIn time.Time `json:"last_sign_in,omitzero"`
	// TwoFactor tells whether a second step is set up. Factors, which lists leave out, are what is set up, with backup and
	// recovery codes.
	TwoFactor bool     `json:"two_factor"`
	Factors   []Factor `json:"factors,omitempty"`
	// Sessions and Devices, which lists leave out, count the browsers that are signed in and those that are remembered.
	Sessions int `json:"sessions,omitempty"`
	Devices  int `json:"devices,omitempty"`
	// Invited is when the user was last mailed an invitation that has not been taken up, and InvitationExpires is when its
	// link stops working.
	Invited           time.Time `json:"invited,omitzero"`
	InvitationExpires time.Time `json:"invitation_expires,omitzero"`
	// ByInvitation: that invitation made the user, who goes when it is withdrawn.
	ByInvitation bool `json:"by_invitation,omitempty"`
}

// Account is what the user is known by: the e-mail address, or else the user name.
func (u User) Account() string {
	if u.Email != "" {
		return u.Email
	}
	return u.Login
}

// Out tells whether the user is kept out.
func (u User) Out() bool { return u.Disabled || !u.Locked.IsZero() }

// Factor is one enrolled instance of a factor.
type Factor struct {
	ID     string `json:"id"`
	Factor string `json:"factor"`
	Name   string `json:"name,omitempty"`
	// Note is the factor's word about it: a masked number, or whether a passkey is synced.
	Note string `json:"note,omitempty"`
	// Left is how many times it can still be used; negative means without end.
	Left int `json:"left"`
	// Off: too many wrong answers in a row switched it off, until another factor is used.
	Off      bool      `json:"off,omitempty"`
	Created  time.Time `json:"created"`
	LastUsed time.Time `json:"last_used,omitzero"`
	// Expires is when it stops being there, if it does.
	Expires time.Time `json:"expires,omitzero"`
}

func viewUser(u *storage.User) User {
	v := User{
		Tenant: u.Tenant, ID: u.ID, Email: u.Email, EmailVerified: u.EmailVerified, Login: u.Login, Name: u.Name, Role: u.Role,
		Type: u.Type, Require2FA: u.Require2FA, HasPassword: u.Password != "", Disabled: u.Disabled, Locked: u.Locked, Created: u.Created,
		LastSignIn: u.LastSignIn, TwoFactor: len(u.Factors) > 0, Invited: u.Invited,
	}
	if !u.Invited.IsZero() {
		v.InvitationExpires, v.ByInvitation = u.Invited.Add(storage.InvitationLife), made(u)
	}
	return v
}

// NewUser says who is to be created.
type NewUser struct {
	// Email is the address to sign in with. One of Email and Login is needed.
	Email string `json:"email"`
	// EmailVerified tells that the address is known to be the user's. Only operators can know: what applications are told of
	// an address must not hang on the word of a customer.
	EmailVerified bool `json:"email_verified"`
	// Login is a user name to sign in with.
	Login string `json:"login"`
	// Name is the user's full name.
	Name string `json:"name"`
	// Role is what the user may administer: a member nothing, which is the default.
	Role storage.Role `json:"role" enum:"owner,admin,member"`
	// Type is one of the tenant's user types, its first by default.
	Type string `json:"type"`
	// Require2FA is the tick that this one user must use two-factor authentication.
	Require2FA bool `json:"require_2fa"`
	// Password is made up where none is given.
	Password string `json:"password"`
}

// CreateUser adds a user. The password is returned if it was made up; it can't be seen again. *web.Invalid.
func (s *Service) CreateUser(ctx context.Context, by *web.Actor, tenant string, in NewUser) (_ User, password string, _ error) {
	t, u, err := s.fresh(ctx, by, tenant, in)
	if err != nil {
		return User{}, "", err
	}
	made := ""
	if in.Password == "" {
		made = newPassword()
		in.Password = made
	}
	if err := s.explain(&t, directory.CheckNew(in.Password, u.Email, u.Login, u.Name)); err != nil {
		return User{}, "", err
	}
	err = s.audited(ctx, aboutUser(by, &u, "user.create"), func() error {
		return s.explain(&t, s.Directory.Create(ctx, &u, in.Password))
	})
	if err != nil {
		return User{}, "", err
	}
	return viewUser(&u), made, nil
}

// fresh is the user that an actor wants to be made, if the actor may make such a one.
func (s *Service) fresh(ctx context.Context, by *web.Actor, tenant string, in NewUser) (storage.Tenant, storage.User, error) {
	t, err := s.admit(ctx, by, tenant, helping)
	if err != nil {
		return t, storage.User{}, err
	}
	if in.EmailVerified && !runs(by) {
		return t, storage.User{}, invalidAs("email_verified", "operator", "only operators can know that an address is somebody's",
			"leave it out; the user can confirm the address, and an invitation does it by itself")
	}
	if in.Role != "" {
		if err := mayGive(by, credential.Person{User: &storage.User{}}, in.Role); err != nil {
			return t, storage.User{}, err
		}
	}
	u := storage.User{
		Key: storage.Key{Tenant: tenant, ID: storage.NewID()}, Email: in.Email, EmailVerified: in.EmailVerified && in.Email != "",
		Login: in.Login, Name: in.Name, Role: in.Role, Type: in.Type, Require2FA: in.Require2FA,
	}
	if u.Role == "" {
		u.Role = storage.Member
	}
	if u.Type == "" && len(t.UserTypes) > 0 {
		u.Type = t.UserTypes[0]
	}
	err = s.checkNew(ctx, &t, &u)
	return t, u, err
}

// maxUserName is the directory's, in characters.
const maxUserName = 128

// checkNew finds what can be told before anything is done, so that a slip leaves no event.
func (s *Service) checkNew(ctx context.Context, t *storage.Tenant, u *storage.User) error {
	if err := checkType(t, u.Type); err != nil {
		return err
	}
	if u.Name != "" {
		var err error
		if u.Name, err = line("name", u.Name, maxUserName); err != nil {
			return err
		}
	}
	if u.Email == "" && u.Login == "" {
		return invalid("email", "there is neither an e-mail address nor a user name", "give one or both")
	}
	for _, name := range []string{u.Email, u.Login} {
		if name == "" {
			continue
		}
		if _, err := directory.Normalize(name); err != nil {
			var field *directory.FieldError
			// Without an @ it is read as a user name, which is not the field that somebody typed an address into.
			if name == u.Email && errors.As(err, &field) && field.Field == "login" {
				err = &directory.FieldError{Field: "email", Reason: directory.Syntax}
			}
			return s.explain(t, err)
		}
		found, err := s.Directory.Lookup(ctx, t.ID, name)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return taken("email", t)
		}
	}
	return nil
}

func checkRole(role storage.Role) error {
	if !slices.Contains([]storage.Role{storage.Owner, storage.Admin, storage.Member}, role) {
		return invalid("role", fmt.Sprintf("%q is no role", role), "choose owner, admin or member")
	}
	return nil
}

func checkType(t *storage.Tenant, userType string) error {
	if !slices.Contains(t.UserTypes, userType) && (userType != "" || len(t.UserTypes) > 0) {
		return invalid("type", fmt.Sprintf("the tenant has no user type %q", userType), "choose from "+listed(t.UserTypes))
	}
	return nil
}

// person reads a user by ID, e-mail address or user name, if the actor is admitted to the user's tenant.
func (s *Service) person(ctx context.Context, by *web.Actor, tenant, user string) (credential.Person, error) {
	t, err := s.admit(ctx, by, tenant, helping)
	if err != nil {
		return credential.Person{}, err
	}
	if user == "" {
		return credential.Person{}, invalid("user", "no user was named", "give an ID, e-mail address or user name")
	}
	u, err := s.Store.Users.Get(ctx, tenant, user)
	if err == nil {
		return credential.Person{Tenant: &t, User: &u}, nil
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return credential.Person{}, web.Unavailable("user", err)
	}
	found, err := s.Directory.Lookup(ctx, tenant, user)
	if err != nil {
		return credential.Person{}, web.Unavailable("directory", err)
	}
	if len(found) == 0 {
		return credential.Person{}, web.Missing("user", user,
			fmt.Sprintf("check the spelling and the tenant (%s); “users list” shows them", tenant))
	}
	return credential.Person{Tenant: &t, User: &found[0]}, nil
}

// managed reads a user whom the actor may manage.
func (s *Service) managed(ctx context.Context, by *web.Actor, tenant, user string) (credential.Person, error) {
	p, err := s.person(ctx, by, tenant, user)
	if err == nil {
		err = mayManage(by, p)
	}
	return p, err
}

// helped reads a user to whom something is done that nobody does to himself here.
func (s *Service) helped(ctx context.Context, by *web.Actor, tenant, user string) (credential.Person, error) {
	p, err := s.managed(ctx, by, tenant, user)
	if err == nil && himself(by, p) {
		err = web.ErrForbidden
	}
	return p, err
}

// User shows one user, by ID, e-mail address or user name, whole.
func (s *Service) User(ctx context.Context, by *web.Actor, tenant, user string) (User, error) {
	p, err := s.person(ctx, by, tenant, user)
	if err != nil {
		return User{}, err
	}
	all, err := s.Credentials.List(ctx, p)
	if err != nil {
		return User{}, web.Unavailable("factors", err)
	}
	off, err := s.Credentials.Off(ctx, p)
	if err != nil {
		return User{}, web.Unavailable("factors", err)
	}
	v := viewUser(p.User)
	v.TwoFactor = len(s.Credentials.Primary(all)) > 0
	for _, c := range all {
		v.Factors = append(v.Factors, Factor{
			ID: c.ID, Factor: c.Factor, Name: c.Name, Note: c.Note, Left: c.Left, Off: off[c.Factor], Created: c.Created,
			LastUsed: c.LastUsed, Expires: c.Expires,
		})
	}
	own := storage.Query{Tenant: tenant, Field: "user", Value: p.User.ID}
	if v.Sessions, err = storage.Count(ctx, s.Store.Sessions, own); err != nil {
		return User{}, web.Unavailable("sessions", err)
	}
	v.Devices, err = storage.Count(ctx, s.Store.Devices, own)
	return v, web.Unavailable("devices", err)
}

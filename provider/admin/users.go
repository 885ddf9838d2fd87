package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
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
	// TwoFactor tells whether a second step is set up, Factors of what. Lists leave them out.
	TwoFactor *bool    `json:"two_factor,omitempty"`
	Factors   []Factor `json:"factors,omitempty"`
}

// Account is what the user is known by: the e-mail address, or else the user name.
func (u User) Account() string {
	if u.Email != "" {
		return u.Email
	}
	return u.Login
}

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
	return User{
		Tenant: u.Tenant, ID: u.ID, Email: u.Email, EmailVerified: u.EmailVerified, Login: u.Login, Name: u.Name, Role: u.Role,
		Type: u.Type, Require2FA: u.Require2FA, HasPassword: u.Password != "", Disabled: u.Disabled, Locked: u.Locked, Created: u.Created,
		LastSignIn: u.LastSignIn,
	}
}

// NewUser says who is to be created.
type NewUser struct {
	Email string
	// EmailVerified: the operator knows that the address is the user's.
	EmailVerified bool
	// Login is a user name; one of Email and Login is needed.
	Login, Name string
	// Role is storage.Member when empty, Type the tenant's first.
	Role       storage.Role
	Type       string
	Require2FA bool
	// Password is made up when empty.
	Password string
}

// CreateUser adds a user. The password is returned if it was made up; it can't be seen again. *Error.
func (s *Service) CreateUser(ctx context.Context, tenant string, in NewUser) (_ User, password string, _ error) {
	t, err := s.tenant(ctx, tenant)
	if err != nil {
		return User{}, "", err
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
	made := ""
	if in.Password == "" {
		made = newPassword()
		in.Password = made
	}
	if err := s.checkNew(ctx, &t, &u, in.Password); err != nil {
		return User{}, "", err
	}
	err = s.audited(ctx, userEvent(&u, "user.create"), func() error {
		return s.explain(&t, s.Directory.Create(ctx, &u, in.Password))
	})
	if err != nil {
		return User{}, "", err
	}
	return viewUser(&u), made, nil
}

// maxUserName is the directory's, in characters.
const maxUserName = 128

// checkNew finds what can be told before anything is done, so that a slip leaves no event.
func (s *Service) checkNew(ctx context.Context, t *storage.Tenant, u *storage.User, password string) error {
	if err := checkRole(t, u.Role, u.Type); err != nil {
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
	return s.explain(t, directory.CheckNew(password, u.Email, u.Login, u.Name))
}

func checkRole(t *storage.Tenant, role storage.Role, userType string) error {
	roles := []storage.Role{storage.Owner, storage.Admin, storage.Member}
	if !slices.Contains(roles, role) {
		return invalid("role", fmt.Sprintf("%q is no role", role), "choose owner, admin or member")
	}
	if !slices.Contains(t.UserTypes, userType) && (userType != "" || len(t.UserTypes) > 0) {
		return invalid("type", fmt.Sprintf("the tenant has no user type %q", userType), "choose from "+listed(t.UserTypes))
	}
	return nil
}

func userEvent(u *storage.User, action string) storage.Event {
	return storage.Event{Key: storage.Key{Tenant: u.Tenant}, Action: action, User: u.ID}
}

// Users lists a tenant's users by their IDs, of one type if userType is not empty. *Error.
func (s *Service) Users(ctx context.Context, tenant, userType string, p Page) ([]User, error) {
	if _, err := s.tenant(ctx, tenant); err != nil {
		return nil, err
	}
	q := p.query(tenant)
	if userType != "" {
		q.Field, q.Value = "type", userType
	}
	kept, err := s.Store.Users.List(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return views(kept, viewUser), nil
}

// find reads a user by ID, e-mail address or user name.
func (s *Service) find(ctx context.Context, tenant, user string) (credential.Person, error) {
	t, err := s.tenant(ctx, tenant)
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
		return credential.Person{}, fmt.Errorf("user %s: %w", user, err)
	}
	found, err := s.Directory.Lookup(ctx, tenant, user)
	if err != nil {
		return credential.Person{}, err
	}
	if len(found) == 0 {
		return credential.Person{}, missing("user", user,
			fmt.Sprintf("check the spelling and the tenant (%s); “users list” shows them", tenant))
	}
	return credential.Person{Tenant: &t, User: &found[0]}, nil
}

// User shows one user, by ID, e-mail address or user name, with the factors. *Error.
func (s *Service) User(ctx context.Context, tenant, user string) (User, error) {
	p, err := s.find(ctx, tenant, user)
	if err != nil {
		return User{}, err
	}
	all, err := s.Credentials.List(ctx, p)
	if err != nil {
		return User{}, fmt.Errorf("factors: %w", err)
	}
	off, err := s.Credentials.Off(ctx, p)
	if err != nil {
		return User{}, fmt.Errorf("factors: %w", err)
	}
	v := viewUser(p.User)
	has := len(s.Credentials.Primary(all)) > 0
	v.TwoFactor = &has
	for _, c := range all {
		v.Factors = append(v.Factors, Factor{
			ID: c.ID, Factor: c.Factor, Name: c.Name, Note: c.Note, Left: c.Left, Off: off[c.Factor], Created: c.Created,
			LastUsed: c.LastUsed, Expires: c.Expires,
		})
	}
	return v, nil
}

// UserFields are what can be changed of a user; what is nil stays as it is.
type UserFields struct {
	Name       *string
	Role       *storage.Role
	Type       *string
	Require2FA *bool
}

// ChangeUser changes what in names, all of it or nothing. *Error.
func (s *Service) ChangeUser(ctx context.Context, tenant, user string, in UserFields) (User, error) {
	p, err := s.find(ctx, tenant, user)
	if err != nil {
		return User{}, err
	}
	if in.Name != nil {
		name, err := line("name", *in.Name, maxUserName)
		if err != nil {
			return User{}, err
		}
		in.Name = &name
	}
	apply := func(u *storage.User) error {
		set(&u.Name, in.Name)
		set(&u.Role, in.Role)
		set(&u.Type, in.Type)
		set(&u.Require2FA, in.Require2FA)
		return checkRole(p.Tenant, u.Role, u.Type)
	}
	trial := *p.User
	if err := apply(&trial); err != nil {
		return User{}, err
	}
	return s.change(ctx, p, "user.change", apply)
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func (s *Service) change(ctx context.Context, p credential.Person, action string, apply func(*storage.User) error) (User, error) {
	var u storage.User
	err := s.audited(ctx, userEvent(p.User, action), func() (err error) {
		u, err = storage.Change(ctx, s.Store.Users, p.User.Tenant, p.User.ID, apply)
		return err
	})
	if err != nil {
		return User{}, err
	}
	return viewUser(&u), nil
}

// SetUserDisabled keeps a user out and ends all sessions, or lets the user in again. *Error.
func (s *Service) SetUserDisabled(ctx context.Context, tenant, user string, disabled bool) (User, error) {
	p, err := s.find(ctx, tenant, user)
	if err != nil {
		return User{}, err
	}
	v, err := s.change(ctx, p, onOff("user", disabled), func(u *storage.User) error {
		u.Disabled = disabled
		return nil
	})
	if err != nil || !disabled {
		return v, err
	}
	return v, s.EndOthers(ctx, p.User.Tenant, p.User.ID, "")
}

// SetPassword gives a user a new password, or makes one up and returns it; all sessions end. *Error.
func (s *Service) SetPassword(ctx context.Context, tenant, user, password string) (made string, _ error) {
	p, err := s.find(ctx, tenant, user)
	if err != nil {
		return "", err
	}
	if password == "" {
		made = newPassword()
		password = made
	}
	u := *p.User
	u.PasswordMailed = false
	if err := s.explain(p.Tenant, directory.CheckNew(password, u.Email, u.Login, u.Name)); err != nil {
		return "", err
	}
	err = s.audited(ctx, userEvent(&u, "user.password"), func() error {
		err := s.Directory.SetPassword(ctx, &u, password)
		if errors.Is(err, storage.ErrConflict) {
			return invalid("user", "somebody else changed the user at the same moment", "try again")
		}
		return s.explain(p.Tenant, err)
	})
	if err != nil {
		return "", err
	}
	return made, s.EndOthers(ctx, u.Tenant, u.ID, "")
}

// ResetTwoFactor takes all factors and backup codes away, and ends all sessions. Where two-factor authentication is
// required the next sign-in sets it up anew. *Error.
func (s *Service) ResetTwoFactor(ctx context.Context, tenant, user string) (User, error) {
	p, err := s.find(ctx, tenant, user)
	if err != nil {
		return User{}, err
	}
	err = s.audited(ctx, userEvent(p.User, "two_factor.reset"), func() error {
		return errors.Join(s.Credentials.RemoveAll(ctx, p, nil), s.Credentials.Forgive(ctx, p),
			s.EndOthers(ctx, p.User.Tenant, p.User.ID, ""))
	})
	if err != nil {
		return User{}, err
	}
	s.Notices.Tell(ctx, mail.Notice{Kind: ui.MailTwoFactorOff, User: p.User})
	return s.User(ctx, tenant, p.User.ID)
}

// DeleteUser removes a user and all that is the user's but the audit log. Broken off, it can be called again. *Error.
func (s *Service) DeleteUser(ctx context.Context, tenant, user string) error {
	p, err := s.find(ctx, tenant, user)
	if err != nil {
		return err
	}
	return s.audited(ctx, userEvent(p.User, "user.delete"), func() error {
		id := p.User.ID
		// The user goes last, so that what failed before can be asked for again by name.
		err := errors.Join(
			s.EndOthers(ctx, tenant, id, ""),
			deleteOf(ctx, s.Store.Flows, tenant, id), deleteOf(ctx, s.Store.Grants, tenant, id),
			deleteOf(ctx, s.Store.Credentials, tenant, id), s.Credentials.Forgive(ctx, p),
		)
		if err != nil {
			return err
		}
		return s.Directory.Delete(ctx, tenant, id)
	})
}

// deleteOf deletes the records of one user.
func deleteOf[T any, P storage.Row[T]](ctx context.Context, table storage.Table[T], tenant, user string) error {
	q := storage.Query{Tenant: tenant, Field: "user", Value: user, Limit: 1000}
	return storage.Each(ctx, table, q, func(r P) error {
		err := table.Delete(ctx, tenant, r.Record().ID)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		return err
	})
}

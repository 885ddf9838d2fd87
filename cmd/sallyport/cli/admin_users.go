package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

type usersCommand struct {
	Create       usersCreate   `cmd:"" help:"Add a user, with a password that is made up and printed once unless it comes on standard input."`
	Invite       usersInvite   `cmd:"" help:"Add a user without a password, or take one who is there, and mail a link, good for seven days, that leads to choosing one."`
	Withdraw     usersWithdraw `cmd:"" help:"End a user's invitation, and remove the user if the invitation made it."`
	List         usersList     `cmd:"" help:"List users."`
	Show         usersShow     `cmd:"" help:"Show a user and the factors."`
	Set          usersSet      `cmd:"" help:"Change a user's e-mail address, name, role, type, or whether two-factor authentication is required."`
	SetPassword  usersPassword `cmd:"" help:"Give a user a new password, made up unless it comes on standard input. All sessions end."`
	Reset2FA     usersReset    `cmd:"" name:"reset-2fa" help:"Take all of a user's factors and backup codes away. All sessions end."`
	RecoveryCode usersRecovery `cmd:"" help:"Make a recovery code, which lets the user in once within the hour, after the password."`
	Unlock       usersUnlock   `cmd:"" help:"Let a user in again who, or whose mailbox, said “this was not me”."`
	Remind       usersRemind   `cmd:"" help:"Ask a user by mail to set up two-factor authentication, at most once a day."`
	EndSessions  usersEnd      `cmd:"" help:"Sign a user out everywhere."`
	Forget       usersForget   `cmd:"" name:"forget-devices" help:"Forget a user's remembered devices."`
	Disable      usersDisable  `cmd:"" help:"Keep a user out. All sessions end."`
	Enable       usersEnable   `cmd:"" help:"Let a user in again."`
	Delete       usersDelete   `cmd:"" help:"Remove a user for good."`
	Import       usersImport   `cmd:"" help:"Bring users in from a file, CSV or JSON lines, with their password hashes and authenticator keys."`
	Export       usersExport   `cmd:"" help:"Write all users of a tenant to a file, CSV or JSON lines."`
}

type tenantFlag struct {
	Tenant string `required:"" placeholder:"ID" help:"The tenant."`
}

type userArg struct {
	tenantFlag
	User string `arg:"" help:"The user: ID, e-mail address or user name."`
}

// userResult is a user with what is shown once.
type userResult struct {
	User     admin.User `json:"user"`
	Password string     `json:"password,omitempty"`
}

func printUser(w *world, a *adminCommand, u admin.User, password string) error {
	return a.print(w, userResult{u, password}, func(w io.Writer) {
		fmt.Fprintf(w, "User\t%s\nTenant\t%s\n", u.ID, u.Tenant)
		if u.Email != "" {
			verified := "not verified"
			if u.EmailVerified {
				verified = "verified"
			}
			fmt.Fprintf(w, "E-mail\t%s (%s)\n", u.Email, verified)
		}
		if u.Login != "" {
			fmt.Fprintf(w, "User name\t%s\n", u.Login)
		}
		fmt.Fprintf(w, "Name\t%s\nRole\t%s\nType\t%s\nState\t%s\n", u.Name, u.Role, u.Type, userState(u))
		fmt.Fprintf(w, "2FA required\t%s\n", yes(u.Require2FA))
		fmt.Fprintf(w, "2FA set up\t%s\n", yes(u.TwoFactor))
		for _, f := range u.Factors {
			fmt.Fprintf(w, "Factor\t%s\n", factorWords(f))
		}
		fmt.Fprintf(w, "Created\t%s\nLast sign-in\t%s\n", moment(u.Created), moment(u.LastSignIn))
		if password != "" {
			fmt.Fprintf(w, "Password\t%s\t(shown only now)\n", password)
		}
	})
}

func userState(u admin.User) string {
	words := state(u.Disabled)
	if !u.Locked.IsZero() {
		words += ", locked by “this was not me” at " + moment(u.Locked)
	}
	if !u.Invited.IsZero() {
		words += ", invited until " + moment(u.InvitationExpires)
	}
	return words
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func factorWords(f admin.Factor) string {
	words := f.Factor
	if f.Name != "" {
		words += fmt.Sprintf(" %q", f.Name)
	}
	if f.Note != "" {
		words += " (" + f.Note + ")"
	}
	if f.Left >= 0 {
		words += fmt.Sprintf(", %d left", f.Left)
	}
	if f.Off {
		words += ", off after too many wrong codes"
	}
	if !f.Expires.IsZero() {
		words += ", expires " + moment(f.Expires)
	}
	return words + ", added " + moment(f.Created) + ", last used " + moment(f.LastUsed)
}

type usersCreate struct {
	tenantFlag
	Email         string       `help:"E-mail address to sign in with."`
	EmailVerified bool         `help:"The address is known to be the user's, so that notices may go there."`
	Login         string       `help:"User name to sign in with, besides or instead of the e-mail address."`
	Name          string       `required:"" help:"The user's name."`
	Role          storage.Role `default:"member" help:"owner, admin or member."`
	Type          string       `help:"User type (default: the tenant's first)."`
	Require2FA    bool         `name:"require-2fa" help:"This user must use two-factor authentication."`
	PasswordStdin bool         `help:"Read the password from standard input."`
}

// Run adds a user.
func (c *usersCreate) Run(w *world, a *adminCommand) (err error) {
	in := admin.NewUser{
		Email: c.Email, EmailVerified: c.EmailVerified, Login: c.Login, Name: c.Name, Role: c.Role, Type: c.Type, Require2FA: c.Require2FA,
	}
	if c.PasswordStdin {
		if in.Password, err = readPassword(w.in); err != nil {
			return err
		}
	}
	return a.do(w, func(s *admin.Service) error {
		u, password, err := s.CreateUser(w.ctx, web.Operator(), c.Tenant, in)
		if err != nil {
			return err
		}
		return printUser(w, a, u, password)
	})
}

type usersList struct {
	tenantFlag
	Find      string `placeholder:"TEXT" help:"Only users whose e-mail address, user name, name or surname begins with this."`
	Type      string `help:"Only users of this type."`
	Role      string `help:"Only owners, admins or members: owner, admin or member."`
	TwoFactor string `name:"2fa" placeholder:"on|off" help:"Only users who have, or have not, set up two-factor authentication."`
	Invited   bool   `help:"Only users who have not taken up their invitation."`
	pageFlags
}

// Run lists users.
func (c *usersList) Run(w *world, a *adminCommand) error {
	page, err := c.page()
	if err != nil {
		return err
	}
	f := admin.Filter{Text: c.Find, Type: c.Type, Role: storage.Role(c.Role), TwoFactor: c.TwoFactor}
	if c.Invited {
		f.State = admin.StateInvited
	}
	return a.do(w, func(s *admin.Service) error {
		found, err := s.FindUsers(w.ctx, web.Operator(), c.Tenant, f, page)
		if err != nil {
			return err
		}
		return a.print(w, found, func(w io.Writer) {
			fmt.Fprintln(w, "USER\tSIGNS IN AS\tNAME\tROLE\tTYPE\t2FA\t2FA REQUIRED\tSTATE\tLAST SIGN-IN")
			for _, u := range found.Items {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
					u.ID, u.Account(), u.Name, u.Role, u.Type, yes(u.TwoFactor), yes(u.Require2FA), userState(u), moment(u.LastSignIn))
			}
			switch {
			case found.Next != "":
				fmt.Fprintf(w, "\nThere are more: --after %s\n", found.Next)
			case found.More:
				fmt.Fprintln(w, "\nThere are more; give more of the name.")
			}
		})
	})
}

type usersShow struct{ userArg }

// Run shows a user.
func (c *usersShow) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		u, err := s.User(w.ctx, web.Operator(), c.Tenant, c.User)
		if err != nil {
			return err
		}
		return printUser(w, a, u, "")
	})
}

type usersSet struct {
	userArg
	Email      *string       `help:"E-mail address to sign in with. It counts as not confirmed; both addresses are told, and mailed links end."`
	Name       *string       `help:"The user's name."`
	Role       *storage.Role `help:"owner, admin or member."`
	Type       *string       `help:"User type."`
	Require2FA *bool         `name:"require-2fa" negatable:"" help:"This user must use two-factor authentication, whatever others must."`
}

// Run changes a user.
func (c *usersSet) Run(w *world, a *adminCommand) error {
	in := admin.UserFields{Email: c.Email, Name: c.Name, Role: c.Role, Type: c.Type, Require2FA: c.Require2FA}
	if in == (admin.UserFields{}) {
		return finding{What: "there is nothing to change", Where: "users set", Do: "give at least one flag; “sallyport admin users set --help” lists them"}
	}
	return a.do(w, func(s *admin.Service) error {
		u, err := s.ChangeUser(w.ctx, web.Operator(), c.Tenant, c.User, in)
		if err != nil {
			return often(err)
		}
		return printUser(w, a, u, "")
	})
}

type usersPassword struct {
	userArg
	PasswordStdin bool `help:"Read the password from standard input."`
}

// Run sets a password.
func (c *usersPassword) Run(w *world, a *adminCommand) (err error) {
	password := ""
	if c.PasswordStdin {
		if password, err = readPassword(w.in); err != nil {
			return err
		}
	}
	return a.do(w, func(s *admin.Service) error {
		made, err := s.SetPassword(w.ctx, web.Operator(), c.Tenant, c.User, password)
		if err != nil {
			return err
		}
		u, err := s.User(w.ctx, web.Operator(), c.Tenant, c.User)
		if err != nil {
			return err
		}
		return printUser(w, a, u, made)
	})
}

type usersReset struct{ userArg }

// Run takes a user's factors away.
func (c *usersReset) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		u, err := s.ResetTwoFactor(w.ctx, web.Operator(), c.Tenant, c.User)
		if err != nil {
			return err
		}
		return printUser(w, a, u, "")
	})
}

type usersRecovery struct {
	userArg
	Revoke bool `help:"Take back the one that waits to be used, instead."`
}

// recoveryResult is a recovery code, which is shown once.
type recoveryResult struct {
	User admin.User `json:"user"`
	Code string     `json:"recovery_code,omitempty"`
	// Expires is when it stops working.
	Expires time.Time `json:"expires,omitzero"`
	Revoked bool      `json:"revoked,omitempty"`
}

// Run makes a recovery code, or takes it back.
func (c *usersRecovery) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) (err error) {
		r := recoveryResult{Revoked: c.Revoke}
		if c.Revoke {
			err = s.RevokeRecoveryCode(w.ctx, web.Operator(), c.Tenant, c.User)
		} else {
			var made admin.RecoveryCode
			made, err = s.MakeRecoveryCode(w.ctx, web.Operator(), c.Tenant, c.User)
			r.Code, r.Expires = made.Code, made.Expires
		}
		if err != nil {
			return err
		}
		if r.User, err = s.User(w.ctx, web.Operator(), c.Tenant, c.User); err != nil {
			return err
		}
		return a.print(w, r, func(w io.Writer) {
			if r.Revoked {
				fmt.Fprintf(w, "The recovery code of %s was revoked.\n", r.User.Account())
				return
			}
			fmt.Fprintf(w, "Recovery code\t%s\t(shown only now)\nUser\t%s\nExpires\t%s\n", r.Code, r.User.Account(), moment(r.Expires))
			fmt.Fprintf(w, "\nHand it over yourself, and only to somebody whom you know for sure.\n")
		})
	})
}

type usersUnlock struct{ userArg }

// Run lets a user in again.
func (c *usersUnlock) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		u, err := s.Unlock(w.ctx, web.Operator(), c.Tenant, c.User)
		if err != nil {
			return err
		}
		return printUser(w, a, u, "")
	})
}

type usersDisable struct{ userArg }

// Run keeps a user out.
func (c *usersDisable) Run(w *world, a *adminCommand) error { return c.set(w, a, true) }

type usersEnable struct{ userArg }

// Run lets a user in again.
func (c *usersEnable) Run(w *world, a *adminCommand) error { return c.set(w, a, false) }

func (c *userArg) set(w *world, a *adminCommand, disabled bool) error {
	return a.do(w, func(s *admin.Service) error {
		u, err := s.SetUserDisabled(w.ctx, web.Operator(), c.Tenant, c.User, disabled)
		if err != nil {
			return err
		}
		return printUser(w, a, u, "")
	})
}

type usersDelete struct{ userArg }

// Run removes a user.
func (c *usersDelete) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		u, err := s.User(w.ctx, web.Operator(), c.Tenant, c.User)
		if err != nil {
			return err
		}
		if err := s.DeleteUser(w.ctx, web.Operator(), c.Tenant, u.ID); err != nil {
			return err
		}
		return a.print(w, map[string]string{"deleted": u.ID}, func(w io.Writer) {
			fmt.Fprintf(w, "Deleted user %s of tenant %s.\n", u.Account(), u.Tenant)
		})
	})
}

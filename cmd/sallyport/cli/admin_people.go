package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

type usersInvite struct {
	tenantFlag
	Email      string       `arg:"" help:"E-mail address that the invitation goes to."`
	Name       string       `help:"The user's name."`
	Role       storage.Role `default:"member" help:"owner, admin or member."`
	Type       string       `help:"User type (default: the tenant's first)."`
	Require2FA bool         `name:"require-2fa" help:"This user must use two-factor authentication."`
	Existing   bool         `aliases:"again" help:"The user is there already, and has no password: send an invitation, or send it again. The link that was sent before stops working."`
}

// Run invites a user.
func (c *usersInvite) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) (err error) {
		var u admin.User
		if c.Existing {
			u, err = s.SendInvitation(w.ctx, web.Operator(), c.Tenant, c.Email)
		} else {
			u, err = s.InviteUser(w.ctx, web.Operator(), c.Tenant, admin.NewInvitation{
				Email: c.Email, Name: c.Name, Role: c.Role, Type: c.Type, Require2FA: c.Require2FA,
			})
		}
		if err != nil {
			return often(err)
		}
		return printUser(w, a, u, "")
	})
}

// often says when what was asked for too often may be asked for again.
func often(err error) error {
	var many *web.TooMany
	if !errors.As(err, &many) {
		return err
	}
	return finding{What: "the user was sent too many of these mails lately", Where: "users", Do: fmt.Sprintf("try again in %d minutes", web.Minutes(many.Retry))}
}

type usersWithdraw struct{ userArg }

// Run takes an invitation back.
func (c *usersWithdraw) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		u, removed, err := s.WithdrawInvitation(w.ctx, web.Operator(), c.Tenant, c.User)
		if err != nil {
			return err
		}
		done, says := map[string]string{"withdrawn": u.ID}, "The user stays, without a password."
		if removed {
			done["deleted"], says = u.ID, "The user, whom it made, is removed."
		}
		return a.print(w, done, func(w io.Writer) {
			fmt.Fprintf(w, "The invitation of %s to tenant %s is withdrawn. %s\n", u.Account(), u.Tenant, says)
		})
	})
}

type usersRemind struct {
	tenantFlag
	User        string `arg:"" optional:"" help:"The user: ID, e-mail address or user name."`
	Unprotected bool   `help:"All owners and admins who have not set it up, instead of one user."`
}

// Run reminds one user, or all owners and admins who have no second step.
func (c *usersRemind) Run(w *world, a *adminCommand) error {
	if (c.User == "") != c.Unprotected {
		return finding{What: "it is not clear who is to be reminded", Where: "users remind", Do: "name a user, or give --unprotected"}
	}
	return a.do(w, func(s *admin.Service) error {
		var r admin.Reminded
		if c.Unprotected {
			var err error
			if r, err = s.RemindUnprotected(w.ctx, web.Operator(), c.Tenant); err != nil {
				return err
			}
		} else {
			u, err := s.Remind(w.ctx, web.Operator(), c.Tenant, c.User)
			if err != nil {
				return often(err)
			}
			r = admin.Reminded{Sent: []admin.User{u}, Skipped: []admin.User{}}
		}
		return a.print(w, r, func(w io.Writer) {
			for _, u := range r.Sent {
				fmt.Fprintf(w, "%s\treminded\n", u.Account())
			}
			for _, u := range r.Skipped {
				fmt.Fprintf(w, "%s\tnot reminded: it was done within the last day, or there is no confirmed e-mail address\n", u.Account())
			}
		})
	})
}

type usersEnd struct{ userArg }

// Run signs a user out everywhere.
func (c *usersEnd) Run(w *world, a *adminCommand) error {
	return c.then(w, a, (*admin.Service).EndSessions)
}

type usersForget struct{ userArg }

// Run forgets a user's remembered devices.
func (c *usersForget) Run(w *world, a *adminCommand) error {
	return c.then(w, a, (*admin.Service).ForgetDevices)
}

// then does something to a user, and shows the user as it is then.
func (c *userArg) then(w *world, a *adminCommand, do func(s *admin.Service, ctx context.Context, by *web.Actor, tenant, user string) error) error {
	return a.do(w, func(s *admin.Service) error {
		if err := do(s, w.ctx, web.Operator(), c.Tenant, c.User); err != nil {
			return err
		}
		u, err := s.User(w.ctx, web.Operator(), c.Tenant, c.User)
		if err != nil {
			return err
		}
		return printUser(w, a, u, "")
	})
}

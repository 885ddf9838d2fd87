package admin

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// ScopeOperator is what an access token is good for by which a program runs the deployment. Only clients that belong to no
// tenant can have it.
const ScopeOperator = "operator"

// need is who may call an operation.
type need int

const (
	// helping: owners and admins.
	helping need = iota
	// owning: owners.
	owning
	// operating: those who run the deployment.
	operating
)

// runs tells whether the actor runs the deployment.
func runs(by *web.Actor) bool {
	return by.Operator || by.User == nil && by.Client != nil && by.Client.Owner == "" && slices.Contains(by.Scopes, ScopeOperator)
}

// machine tells whether a program acts for itself. What it may do its scopes have said before, and only owners give them.
func machine(by *web.Actor) bool { return !by.Operator && by.User == nil && by.Client != nil }

// roleOf is what an actor may do in the tenant that it was admitted to.
func roleOf(by *web.Actor) storage.Role {
	if by.User == nil {
		return storage.Owner
	}
	return by.User.Role
}

// admit reads the tenant that an operation is about, if the actor may call it there. Of other tenants nobody learns even
// that they are there. Users must be let in by the tenant's own rules, whichever way they ask. *web.Invalid.
func (s *Service) admit(ctx context.Context, by *web.Actor, tenant string, n need) (storage.Tenant, error) {
	if runs(by) {
		return s.tenant(ctx, tenant)
	}
	switch {
	case n == operating, by.User == nil && !machine(by):
		return storage.Tenant{}, web.ErrForbidden
	case machine(by) && by.Client.Owner != tenant, by.User != nil && by.User.Tenant != tenant:
		return storage.Tenant{}, noTenant(tenant)
	}
	if by.User != nil {
		if r := by.User.Role; r != storage.Owner && (r != storage.Admin || n == owning) {
			return storage.Tenant{}, web.ErrForbidden
		}
		d, err := s.Decision(ctx, by)
		if err != nil {
			return storage.Tenant{}, err
		}
		if !d.Allow {
			return storage.Tenant{}, &web.Denied{Rule: d.Rule}
		}
	}
	return s.tenant(ctx, tenant)
}

// MayOwn refuses whoever is no owner, for pages that ask before an owner's operation is called.
func (s *Service) MayOwn(ctx context.Context, by *web.Actor, tenant string) error {
	_, err := s.admit(ctx, by, tenant, owning)
	return err
}

// mayManage: owners manage everybody, admins the members. Nobody manages those above, or another like himself.
func mayManage(by *web.Actor, p credential.Person) error {
	if r := roleOf(by); r == storage.Owner || r == storage.Admin && p.User.Role == storage.Member {
		return nil
	}
	return web.ErrForbidden
}

// mayHandOut: owners hand recovery codes to others who are let in. Nobody makes one for oneself: it would be a second
// step out of one's own hands.
func mayHandOut(by *web.Actor, p credential.Person) error {
	if roleOf(by) != storage.Owner || himself(by, p) || p.User.Out() {
		return web.ErrForbidden
	}
	return nil
}

// himself tells whether the actor is the person.
func himself(by *web.Actor, p credential.Person) bool {
	return by.User != nil && by.User.ID == p.User.ID
}

// Rights are what an actor may do to a user.
type Rights struct {
	// Manage: to change the user, and to help with what was lost. Roles are those that may be given.
	Manage bool
	Roles  []storage.Role
	// HandOut: to make and take back recovery codes, which are of use beside a password only.
	HandOut bool
	// Delete: to remove the user for good.
	Delete bool
	// Remind: to ask the user by mail to set up a second step.
	Remind bool
	// Invite: to mail an invitation for the first time. Email: to change the e-mail address.
	Invite bool
	Email  bool
	// Own: the user is the actor.
	Own bool
}

// RightsOver says what an actor, who was admitted to the user's tenant, may do to the user.
func (s *Service) RightsOver(by *web.Actor, u *User) Rights {
	p := credential.Person{User: &storage.User{
		Key: storage.Key{Tenant: u.Tenant, ID: u.ID}, Role: u.Role, Disabled: u.Disabled, Locked: u.Locked,
		Email: u.Email,
	}}
	if u.HasPassword {
		p.User.Password = "set"
	}
	r := Rights{Manage: mayManage(by, p) == nil, HandOut: mayHandOut(by, p) == nil && u.Invited.IsZero() && !s.WantsPassword(u), Own: himself(by, p)}
	if r.Manage {
		r.Roles = rolesOf(by, p)
	}
	r.Delete = roleOf(by) == storage.Owner && !r.Own
	r.Invite = r.Manage && !r.Own && u.Invited.IsZero() && s.canInvite(p.User) == nil
	r.Email = roleOf(by) == storage.Owner && !r.Own && !s.Foreign
	r.Remind = !r.Own && !u.TwoFactor && u.EmailVerified && u.Invited.IsZero() && !u.Out()
	return r
}

// rolesOf are those that the actor can give a user. Nobody changes his own role: so a tenant never loses its last owner.
func rolesOf(by *web.Actor, p credential.Person) []storage.Role {
	switch {
	case himself(by, p):
		return nil
	case roleOf(by) == storage.Owner:
		return []storage.Role{storage.Owner, storage.Admin, storage.Member}
	default:
		return []storage.Role{storage.Member}
	}
}

// notTheLast refuses to take away, or keep out, the only owner whom a tenant has left: nobody in it could bring one back.
// People can't, since nobody does it to himself, and operators may. It is called within oneAtATime.
func (s *Service) notTheLast(ctx context.Context, by *web.Actor, p credential.Person) error {
	if runs(by) || p.User.Role != storage.Owner || !canSignIn(p.User) {
		return nil
	}
	owners, err := s.owners(ctx, p.User.Tenant)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(owners, func(o storage.User) bool { return o.ID != p.User.ID && canSignIn(&o) }) {
		return nil
	}
	return invalidAs("user", "last_owner", "nobody else who can sign in is an owner", "make somebody else one first")
}

// SoleOwner tells whether the actor is an owner, and nobody else is one who can sign in: locked out, there is nobody in the
// tenant to turn to for a recovery code. web.ErrForbidden for whoever is no owner or admin.
func (s *Service) SoleOwner(ctx context.Context, by *web.Actor, tenant string) (bool, error) {
	if _, err := s.admit(ctx, by, tenant, helping); err != nil {
		return false, err
	}
	if by.User == nil || by.User.Role != storage.Owner {
		return false, nil
	}
	owners, err := s.owners(ctx, tenant)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(owners, func(o storage.User) bool {
		u := viewUser(&o)
		return o.ID != by.User.ID && canSignIn(&o) && !s.WantsPassword(&u)
	}), nil
}

// canSignIn tells whether a user is neither kept out nor waiting to take up an invitation.
func canSignIn(u *storage.User) bool { return !u.Out() && u.Invited.IsZero() }

// about begins the event of an operation on a tenant.
func about(by *web.Actor, tenant, action string) storage.Event {
	e := by.Event(action, "ok")
	e.Tenant, e.User = tenant, ""
	return e
}

// aboutUser begins the event of an operation on a user.
func aboutUser(by *web.Actor, u *storage.User, action string) storage.Event {
	e := about(by, u.Tenant, action)
	e.User = u.ID
	return e
}

// nameOf is what mails call an actor.
func nameOf(by *web.Actor) string {
	switch {
	case by.User != nil:
		return cmp.Or(by.User.Name, web.Account(by.User))
	case by.Client != nil:
		return by.Client.Name
	default:
		return operator
	}
}

// operator is what mails call whoever can run commands against the database.
const operator = "operator"

// notice begins a notice to a person about what was done by an actor.
func notice(by *web.Actor, p credential.Person, kind ui.Mail) mail.Notice {
	n := p.Notice(by, kind)
	n.Name = nameOf(by)
	return n
}

// oneAtATime lets the changes of who may do what in a tenant in one after the other, over all processes. The actor is read
// within the turn: of two owners who put each other out at once, the second is one no longer.
func (s *Service) oneAtATime(ctx context.Context, by *web.Actor, tenant string, do func(by *web.Actor) error) error {
	end, err := storage.Lease{Counters: s.Store.Counters, Now: s.Now}.Take(ctx, tenant, "roles")
	if errors.Is(err, storage.ErrExists) {
		return web.ErrBusy
	}
	if err != nil {
		return web.Unavailable("turn", err)
	}
	defer end()
	if by.User == nil {
		return do(by)
	}
	u, err := s.Store.Users.Get(ctx, tenant, by.User.ID)
	if err != nil {
		return web.Unavailable("user", err)
	}
	if u.Out() || u.Role == storage.Member {
		return web.ErrForbidden
	}
	now := *by
	now.User = &u
	return do(&now)
}

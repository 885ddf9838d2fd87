package web

import (
	"context"
	"net/netip"

	"github.com/sallyport-id/sallyport/storage"
)

// Actor is who asks for something: a browser at an address and the user who is signed in with it, if any; a program
// that shows an access token; or an operator's command.
type Actor struct {
	// Request identifies the request in logs, the audit log and error pages.
	Request string
	// Address is the client's; the zero Addr where it can't be told.
	Address netip.Addr
	Agent   string
	// Lang is the language its pages are in: the first of Languages that there are pages in, and else English.
	Lang      string
	Languages Languages
	// Browser is the hash of the cookie that tells this browser from others; what is sealed for one browser is
	// refused from another.
	Browser string
	// Devices is the cookie by which the users who had this browser remembered are recognised.
	Devices string

	// Session, User and Tenant are set where somebody is signed in; User and Tenant also where an access token of a
	// user's was shown.
	Session *storage.Session
	User    *storage.User
	Tenant  *storage.Tenant

	// Client is who showed an access token, and Scopes are what it is good for; without a User the client acts for
	// itself, and Tenant is the one that it belongs to.
	Client *storage.Client
	Scopes []string
	// Stale: the user whose access token it is has not signed in within Freshness.
	Stale bool
	// Operator: it is a command of whoever runs the deployment.
	Operator bool

	// choose finds the language that suits best; nil where there are no pages. reader is the ID of the user whom the pages
	// speak to, where that is known.
	choose func(prefs ...string) string
	reader string
}

// Operator is the actor of commands that are given beside the database, without a request.
func Operator() *Actor { return &Actor{Operator: true} }

// SignedIn tells whether there is a session.
func (a *Actor) SignedIn() bool { return a.Session != nil }

// Event begins an audit event with what the actor knows: where it came from, and whom it concerns.
func (a *Actor) Event(action, outcome string) storage.Event {
	e := storage.Event{Action: action, Outcome: outcome, Agent: a.Agent, Request: a.Request}
	if a.Address.IsValid() {
		e.Address = a.Address.String()
	}
	if a.Client != nil {
		e.Actor, e.Client = a.Client.ID, a.Client.ID
	}
	switch {
	case a.Operator:
		e.Actor = "operator"
	case a.User != nil:
		e.Tenant, e.Actor, e.User = a.User.Tenant, a.User.ID, a.User.ID
	case a.Tenant != nil:
		e.Tenant = a.Tenant.ID
	}
	return e
}

// Account is how a user is shown: the e-mail address, or else the user name.
func Account(u *storage.User) string {
	if u.Email != "" {
		return u.Email
	}
	return u.Login
}

type actorKey struct{}

// ActorFrom returns the actor of the request that ctx belongs to, for what is far below the operation; without a request it
// is one of whom nothing is known.
func ActorFrom(ctx context.Context) *Actor {
	by, ok := ctx.Value(actorKey{}).(*Actor)
	if !ok {
		return &Actor{}
	}
	return by
}

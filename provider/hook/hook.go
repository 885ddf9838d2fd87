package hook

import (
	"context"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Point is where a hook is called.
type Point string

// The points. What a hook answers before something decides whether it happens; after it, a hook is only told.
const (
	// BeforeSignIn: all that policy asks for has been proven, and no session is there yet.
	BeforeSignIn Point = "sign_in.before"
	AfterSignIn  Point = "sign_in.after"
	// BeforeSetUp: a user is about to set up Factor.
	BeforeSetUp Point = "set_up.before"
	AfterSetUp  Point = "set_up.after"
	// BeforeRecovery: a user who lost the factors is about to get in, or to have them taken off.
	BeforeRecovery Point = "recovery.before"
	AfterRecovery  Point = "recovery.after"
	// BeforeToken: Client is about to get tokens for Scopes.
	BeforeToken Point = "token.before"
	AfterToken  Point = "token.after"
)

// after tells whether it has happened already. A point that is not known is one that can be refused.
func (p Point) after() bool { return strings.HasSuffix(string(p), ".after") }

// Event is what a hook is told. Fields that do not apply are empty.
type Event struct {
	Point Point
	// Tenant and User are IDs, Account is the e-mail address or user name.
	Tenant, User, Account string
	// UserType is one of the tenant's user types.
	UserType string
	Role     storage.Role
	// Client is the ID of the application it is for.
	Client string
	// Factor is the ID of the factor it is about, Factors are those proven so far. A remembered device is "device/" and the
	// ID of the factor that it stands for.
	Factor  string
	Factors []string
	// Address is invalid where it is not known.
	Address netip.Addr
	// Agent is the browser's own word about itself, Request the request's ID.
	Agent, Request string
	Scopes         []string
	Time           time.Time
}

// About begins the event of something that an actor does, at the sign-in of u or as it.
func About(at Point, by *web.Actor, u *storage.User, now time.Time) Event {
	e := Event{Point: at, Address: by.Address, Agent: by.Agent, Request: by.Request, Time: now}
	if u != nil {
		e.Tenant, e.User, e.Account, e.UserType, e.Role = u.Tenant, u.ID, web.Account(u), u.Type, u.Role
	}
	return e
}

// Hook is called by those who sign in, several at once, who wait for it. Before something happens an error refuses it:
// one made by Deny with its reason, any other without one. It must return when ctx ends.
type Hook interface {
	Hook(ctx context.Context, e Event) error
}

// Func is a function that is a Hook.
type Func func(ctx context.Context, e Event) error

// Hook implements Hook.
func (f Func) Hook(ctx context.Context, e Event) error { return f(ctx, e) }

// Denied is a hook's refusal.
type Denied struct {
	// Reason is for the user to read, in the user's language if the hook knows it.
	Reason string
}

// Deny is the error by which a hook refuses. The user reads the reason, as plain text in one line of at most 200
// characters; it may be empty.
func Deny(reason string) error { return &Denied{Reason: reason} }

// Error implements error.
func (d *Denied) Error() string { return "hook: denied: " + d.Reason }

// longestReason is in characters.
const longestReason = 200

// reason is the hook's reason as it can be shown: a hook may have put into it what a stranger wrote.
func (d *Denied) reason() string {
	s := strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == utf8.RuneError:
			return -1
		}
		return r
	}, d.Reason)), " ")
	if runes := []rune(s); len(runes) > longestReason {
		return string(runes[:longestReason-1]) + "…"
	}
	return s
}

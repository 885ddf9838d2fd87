package mfa

import (
	"context"
	"log/slog"
	"net/url"
	"time"
)

// What follows are abilities that some factors have beside Factor. They are found by assertion.

// Repeater is a factor whose question can be sent again, because it may not have arrived.
type Repeater interface {
	// Repeat sends the question of ch again, at set-up and at sign-in alike, and returns the challenge that answers are
	// checked against from now on. What was sent before stays right until it expires. *Refused, also before the time
	// that Prompt.Again named.
	Repeat(ctx context.Context, u User, ch Challenge) (Challenge, error)
}

// Discoverer is a factor whose answer tells by itself whose it is, so that it can be a whole sign-in: a passkey.
type Discoverer interface {
	// Discover puts the question to nobody in particular. The answer is checked by Verify, with the credentials of the
	// user whom Whose names; the credential it returns is Whole.
	Discover(ctx context.Context) (Challenge, error)
	// Whose reads whom an answer claims to be of. It proves nothing. ErrWrong where it names nobody.
	Whose(answer string) (tenant, user string, err error)
}

// Messenger is a factor that reaches the user's device by itself. It is told of changes that the owner of the device
// should hear of even if somebody else holds the mailbox.
type Messenger interface {
	Tell(ctx context.Context, u User, creds []Credential, text string) error
}

// Importer is a factor whose credentials can be brought along from another system.
type Importer interface {
	// Import makes a credential of u from what the other system exported. A *Refused of reason Malformed says in its
	// Err, for an operator and without quoting any of it, why it will not do.
	Import(ctx context.Context, u User, from string) (Credential, error)
}

// Guest is a factor that needs something of the deployment it works in. In is called once, before all else; the factor
// that it returns is the one that is used.
type Guest interface {
	In(h Host) (Factor, error)
}

// Host is the deployment that a factor works in.
type Host struct {
	// Issuer is the deployment's public URL; all pages are of its origin.
	Issuer *url.URL
	// Product is the name that users know the deployment by.
	Product string
	Now     func() time.Time
	// Key derives n secret bytes for a purpose: always the same ones.
	Key func(purpose string, n int) []byte
	// Quota bounds what costs money or patience.
	Quota Quota
	// Say finds a sentence of the catalogues in a language, and fills in pairs of a name and a value.
	Say    func(lang, key string, pairs ...any) string
	Logger *slog.Logger
	// Sent, if set, is told of each message that a gateway took and that is paid for, by the factor's ID: what a tenant
	// spends is shown to it. It can't fail, because the message is on its way.
	Sent func(ctx context.Context, tenant, factor string)
}

// Quota counts uses against limits, over all processes of the deployment.
type Quota interface {
	// Take counts one use against all limits, before it is made, or against none: a use that one of them refuses takes
	// nothing from the others. Where limits are used up it returns, as a *Refused, when none of them is any more; its reason
	// is that of the limit which is used up the longest. Any other error means that it could not be counted, and the use must
	// not be made.
	Take(ctx context.Context, tenant string, limits ...Limit) error
}

// Limit is so many uses in so much time.
type Limit struct {
	// Name tells one thing that is counted from others: "sms/user/ID". It must hold nothing secret or personal.
	Name string
	Most int
	Per  time.Duration
	// Everywhere counts over all tenants.
	Everywhere bool
	// Refusal is the reason of what it refuses; Often where it is empty.
	Refusal Refusal
}

// Refusal is why a question can't be put, or a set-up not begin.
type Refusal string

// The refusals. They are shown to the user.
const (
	// Malformed: the input is not what Info.Asks names.
	Malformed Refusal = "malformed"
	// Country: numbers of that country are not sent to.
	Country Refusal = "country"
	// Often: too many were sent lately.
	Often Refusal = "often"
	// Budget: the tenant's budget for today is used up.
	Budget Refusal = "budget"
	// Undeliverable: the gateway refuses that number.
	Undeliverable Refusal = "undeliverable"
	// Gateway: the gateway does not take messages just now.
	Gateway Refusal = "gateway"
)

// Refused is the error of a question that can't be put. Nothing was sent.
type Refused struct {
	Reason Refusal
	// Until is when it may work, for Often and Budget.
	Until time.Time
	// Allowed are the countries sent to, as ISO 3166-1 alpha-2 codes, for Country.
	Allowed []string
	// Err is the cause, for the log; it may be nil.
	Err error
}

// Error implements error.
func (r *Refused) Error() string {
	if r.Err != nil {
		return "mfa: refused: " + string(r.Reason) + ": " + r.Err.Error()
	}
	return "mfa: refused: " + string(r.Reason)
}

// Unwrap returns the cause.
func (r *Refused) Unwrap() error { return r.Err }

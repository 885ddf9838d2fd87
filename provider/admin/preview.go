package admin

import (
	"context"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Preview is what a change of policy would do, if it were made now.
type Preview struct {
	// Changes are what would be changed.
	Changes Changes `json:"changes"`
	// Rules are the rules that would be added, changed or asked earlier than now, in their order, and then those that would be
	// removed.
	Rules []RuleEffect `json:"rules"`
	// Users is how many users the tenant has, without those who are kept out anyway. Each is looked at as signing in to our
	// own pages, and to each application that a rule of now or then is about, from where the last sign-in came from; who has
	// never signed in could come from anywhere, and is counted at the worst.
	Users int `json:"users"`
	// What is told here is of the worst of all these sign-ins of each user.
	Effects
	// NoFactor must use two-factor authentication then, at one of them at least, and have not set it up.
	NoFactor int `json:"no_factor"`
	// Named are some of those who would be locked out.
	Named []User `json:"named"`
	// OwnPages is what it means at our own pages, and at all applications that no rule is about.
	OwnPages Effects `json:"own_pages"`
	// Applications are those where it means something else to somebody.
	Applications []AtApplications `json:"applications"`
	// PartialApplications: there were so many applications, and users so unlike each other, that not each user was looked at
	// at each of them.
	PartialApplications bool `json:"partial_applications,omitempty"`
	// Clients are the API clients that got tokens within the last 30 days and would not any more.
	Clients []CutOff `json:"clients"`
	// Partial: there were so many tokens that not all were looked at.
	Partial bool `json:"partial,omitempty"`
	// Refusal is why it can't be saved at all, if it can't.
	Refusal *Refusal `json:"refusal,omitempty"`
}

// Effects is what a change means to users at their next sign-in, in numbers of users.
type Effects struct {
	// More would be asked for more than now, Less for less.
	More int `json:"more"`
	Less int `json:"less"`
	// Enrol would have to set up two-factor authentication, who did not have to before.
	Enrol int `json:"enrol"`
	// Another have set it up, and would have to set up another second step, as none that they have will do.
	Another int `json:"another"`
	// LockedOut get in now and would then not, without somebody's help.
	LockedOut int `json:"locked_out"`
}

// AtApplications is what a change means at applications to which it means the same: only what it does not mean on our own
// pages as well.
type AtApplications struct {
	// Clients are some of the applications, MoreClients is how many more there are.
	Clients     []SharedClient `json:"clients"`
	MoreClients int            `json:"more_clients,omitempty"`
	Effects
}

// RuleEffect is what becomes of a rule.
type RuleEffect struct {
	// Change is "added", "changed", "moved" or "removed".
	Change string `json:"change"`
	// Rule is what it says then, or said.
	Rule storage.Rule `json:"rule"`
	// Place is where it stands then, from 1 on, of how many rules Of; 0 where it is removed.
	Place int `json:"place,omitempty"`
	Of    int `json:"of,omitempty"`
	// Decides is how many users it decides on, at one of the sign-ins that were looked at at least. Of rules that are only
	// reported nobody is counted.
	Decides int `json:"decides"`
	// Earlier are the rules before it that decide first on others who meet its conditions.
	Earlier []Earlier `json:"earlier"`
}

// Earlier is a rule that decides before another.
type Earlier struct {
	// ID and Name are those of the rule.
	ID   string `json:"id"`
	Name string `json:"name"`
	// Users is how many it decides on of those whom the later rule is about.
	Users int `json:"users"`
}

// The changes of a RuleEffect.
const (
	RuleAdded   = "added"
	RuleChanged = "changed"
	RuleMoved   = "moved"
	RuleRemoved = "removed"
)

// Refusal is why a policy can't be saved.
type Refusal struct {
	// Where and Code name the reason: "policy" and "locks_out_you", "locks_out_owner", "frees_owner" or "lifts_financial".
	Where string `json:"where"`
	Code  string `json:"code,omitempty"`
	// What is wrong, in English, and what to Do about it.
	What string `json:"what"`
	Do   string `json:"do"`
	// Rule is the name of the rule that would keep somebody out, or let somebody off, and is empty where none would let in or
	// one would be missing; Account is who that is, and Address is from where, empty where it can't be told.
	Rule    string `json:"rule,omitempty"`
	Account string `json:"account,omitempty"`
	Address string `json:"address,omitempty"`
}

const (
	// previewDays is how far back API clients are looked for.
	previewDays = 30
	// previewNamed is how many of those who would be locked out are named.
	previewNamed = 20
	// previewCalls bounds how much of the audit log is read, in calls of Find.
	previewCalls = 20
)

// PreviewPolicy says what a change would do. Nothing is changed, and no event is left.
func (s *Service) PreviewPolicy(ctx context.Context, by *web.Actor, tenant string, c PolicyChange) (Preview, error) {
	before, err := s.admit(ctx, by, tenant, helping)
	if err != nil {
		return Preview{}, err
	}
	if err := stale(&before, c); err != nil {
		return Preview{}, err
	}
	after := before
	if err := s.applyPolicy(ctx, &after, c); err != nil {
		return Preview{}, err
	}
	p := Preview{Changes: compare(&before, &after), Named: []User{}, Clients: []CutOff{}, Applications: []AtApplications{}}
	if p.Refusal, err = s.lockedOut(ctx, by, &before, &after); err != nil {
		return Preview{}, err
	}
	f, err := s.foreseer(ctx, &before, &after)
	if err != nil {
		return Preview{}, err
	}
	err = storage.Each(ctx, s.Store.Users, storage.Query{Tenant: tenant, Limit: 1000}, func(u *storage.User) error {
		if u.Out() {
			return nil
		}
		found, err := f.of(u)
		if err == nil {
			f.count(&p, u, found)
		}
		return err
	})
	if err != nil {
		return Preview{}, web.Unavailable("users", err)
	}
	f.tell(&p)
	err = s.cutOff(ctx, &p, &before, &after)
	return p, err
}

package admin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/storage"
)

// What a preview costs: the users are read once, and each is reduced to what rules can tell of users. Of a tenant of 100,000
// most are alike in that, a few dozen kinds in all, and only one of a kind is looked at: at our own pages, and at one of each
// kind of applications that rules tell apart. What no tenant comes near is bounded all the same.
const (
	// mostKnown bounds how many kinds of users are kept in memory.
	mostKnown = 100_000
	// mostPlaces bounds how many kinds of applications are looked at.
	mostPlaces = 50
	// mostForeseen bounds how many sign-ins to applications are looked at. Each takes some microseconds, and where rules name
	// thousands of users and networks, up to a tenth of a millisecond.
	mostForeseen = 100_000
)

// foreseer says what a change means to users.
type foreseer struct {
	*Service
	before, after *storage.Tenant
	now           time.Time
	alike         *policy.Likeness
	// places are where sign-ins are looked at, our own pages first; rules are those whose turns are counted.
	places []place
	rules  []watched
	known  map[kind]fate
	// left is how many sign-ins to applications may still be looked at; partial tells that some were not.
	left    int
	partial bool
}

// kind is what sets users apart as far as rules can tell.
type kind struct{ user, factors string }

// fate is what a change means to a user: at each of the places that were looked at, and for each of the rules whose turn
// comes first.
type fate struct {
	at    []effect
	turns []turn
}

// effect is what a change means to a user at one place.
type effect uint8

const (
	asksMore effect = 1 << iota
	asksLess
	enrols
	another
	shutsOut
	lacks
)

// foreseer prepares to say what a change means. *web.Unavailable.
func (s *Service) foreseer(ctx context.Context, before, after *storage.Tenant) (*foreseer, error) {
	f := &foreseer{
		Service: s, before: before, after: after, now: s.Now(), known: map[kind]fate{}, left: mostForeseen,
		rules: watch(before.Rules, after.Rules),
	}
	// Rules that are only reported decide nothing, and tell nobody apart.
	f.alike = policy.NewLikeness(slices.DeleteFunc(slices.Concat(before.Rules, after.Rules), func(r storage.Rule) bool { return r.ReportOnly }))
	err := f.findPlaces(ctx)
	return f, err
}

// of says what a change means to a user.
func (f *foreseer) of(u *storage.User) (fate, error) {
	from := lastAddress(u)
	key := kind{f.alike.User(policy.FactsOf(f.after, u, nil, from, f.now)), strings.Join(u.Factors, " ")}
	if found, ok := f.known[key]; ok {
		return found, nil
	}
	places := f.places
	if f.left -= len(places) - 1; f.left < 0 {
		places, f.partial = places[:1], f.partial || len(places) > 1
	}
	found := fate{turns: make([]turn, len(f.rules))}
	for i := range places {
		c := places[i].client
		e, err := f.effect(u, c)
		if err != nil {
			return fate{}, err
		}
		found.at = append(found.at, e)
		f.turns(found.turns, policy.FactsOf(f.after, u, c, from, f.now))
	}
	if len(f.known) < mostKnown {
		f.known[key] = found
	}
	return found, nil
}

// effect says what a change means to a user at an application, or where it is nil at our own pages.
func (f *foreseer) effect(u *storage.User, c *storage.Client) (e effect, err error) {
	was, _, errWas := f.asked(f.before, u, c)
	is, must, err := f.asked(f.after, u, c)
	if err := errors.Join(errWas, err); err != nil {
		return 0, err
	}
	set := func(on bool, flag effect) {
		if on {
			e |= flag
		}
	}
	set(burden(is) > burden(was), asksMore)
	set(burden(is) < burden(was), asksLess)
	set(is.Kind == policy.AskEnrol && was.Kind != policy.AskEnrol, enrols)
	set(is.Then == policy.AskEnrol && was.Kind != policy.AskEnrol && was.Then != policy.AskEnrol, another)
	set(!is.In() && was.In(), shutsOut)
	set(must && len(u.Factors) == 0, lacks)
	return e, nil
}

// asked says what a sign-in of a user is asked for under a tenant's policy, and whether it must have a second step.
func (f *foreseer) asked(t *storage.Tenant, u *storage.User, c *storage.Client) (_ policy.Asked, must bool, _ error) {
	d := policy.Decide(t.Rules, policy.FactsOf(t, u, c, lastAddress(u), f.now))
	asked, err := f.Foresee(u, d, c)
	return asked, d.Allow && d.TwoFactor == policy.Required, err
}

// burden orders what can be asked from nothing to all.
func burden(a policy.Asked) int {
	of := func(k policy.Ask) int {
		return slices.Index([]policy.Ask{
			policy.AskNothing, policy.AskPrompt, policy.AskEnrol, policy.AskRecoveryCode, policy.AskUnmet, policy.AskDenied,
		}, k)
	}
	return max(of(a.Kind), of(a.Then))
}

// count adds to a preview what a change means to one user.
func (f *foreseer) count(p *Preview, u *storage.User, found fate) {
	p.Users++
	own, worst := found.at[0], found.at[0]
	p.OwnPages.add(own)
	for i, e := range found.at[1:] {
		worst |= e
		f.places[i+1].effects.add(e &^ own)
	}
	// Who is asked for less here and for more there is counted at the worst.
	if worst&asksMore != 0 {
		worst &^= asksLess
	}
	p.add(worst)
	if worst&lacks != 0 {
		p.NoFactor++
	}
	if worst&shutsOut != 0 && len(p.Named) < previewNamed {
		p.Named = append(p.Named, viewUser(u))
	}
	for i, t := range found.turns {
		f.rules[i].count(t)
	}
}

func (s *Effects) add(e effect) {
	count := func(n *int, flag effect) {
		if e&flag != 0 {
			*n++
		}
	}
	count(&s.More, asksMore)
	count(&s.Less, asksLess)
	count(&s.Enrol, enrols)
	count(&s.Another, another)
	count(&s.LockedOut, shutsOut)
}

// tell completes a preview when all users are counted.
func (f *foreseer) tell(p *Preview) {
	for i := range f.places[1:] {
		if o := &f.places[i+1]; o.effects != (Effects{}) {
			p.Applications = append(p.Applications, AtApplications{
				Clients: o.named[:min(len(o.named), previewNamed)], MoreClients: max(0, len(o.named)-previewNamed), Effects: o.effects,
			})
		}
	}
	p.PartialApplications = f.partial
	p.Rules = ruleEffects(f.before.Rules, f.after.Rules, f.rules)
}

package admin

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Preview is what a change of policy would do, if it were made now.
type Preview struct {
	// Changes are what would be changed.
	Changes Changes `json:"changes"`
	// Users is how many users the tenant has, without those who are kept out anyway. Each is looked at as signing in to our
	// own pages from where the last sign-in came from; who has never signed in could come from anywhere, and is counted at
	// the worst.
	Users int `json:"users"`
	// More would be asked for more than now, Less for less.
	More int `json:"more"`
	Less int `json:"less"`
	// Enrol would have to set up two-factor authentication at the next sign-in, who did not have to before.
	Enrol int `json:"enrol"`
	// NoFactor must use two-factor authentication then and have not set it up.
	NoFactor int `json:"no_factor"`
	// LockedOut get in now and would then not, without somebody's help.
	LockedOut int `json:"locked_out"`
	// Named are some of those.
	Named []User `json:"named"`
	// Clients are the API clients that got tokens within the last 30 days and would not any more.
	Clients []CutOff `json:"clients"`
	// Partial: there were so many tokens that not all were looked at.
	Partial bool `json:"partial,omitempty"`
	// Refusal is why it can't be saved at all, if it can't.
	Refusal *Refusal `json:"refusal,omitempty"`
}

// CutOff is an API client that would get no tokens any more.
type CutOff struct {
	// ID is the client_id, and Name what people call it.
	ID   string `json:"client_id"`
	Name string `json:"name"`
	// Addresses are where it would be refused.
	Addresses []string `json:"addresses"`
	// Last is when it last got a token, at any of them.
	Last time.Time `json:"last"`
	// Listable: it would get tokens if its addresses were networks of the account.
	Listable bool `json:"listable"`
}

// List adds the addresses of clients to networks, each by itself and under the client's name.
func List(networks []storage.Network, clients []CutOff) []storage.Network {
	all := slices.Clone(networks)
	for _, c := range clients {
		for _, text := range c.Addresses {
			a, err := netip.ParseAddr(text)
			if err != nil || !c.Listable {
				continue
			}
			prefix := netip.PrefixFrom(a, a.BitLen()).String()
			if !slices.ContainsFunc(all, func(n storage.Network) bool { return n.Prefix == prefix }) {
				all = append(all, storage.Network{Prefix: prefix, Name: c.Name})
			}
		}
	}
	return all
}

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
	p := Preview{Changes: compare(&before, &after), Named: []User{}, Clients: []CutOff{}}
	if p.Refusal, err = s.lockedOut(ctx, by, &before, &after); err != nil {
		return Preview{}, err
	}
	all := storage.Query{Tenant: tenant, Limit: 1000}
	f := s.foreseer(&before, &after)
	err = storage.Each(ctx, s.Store.Users, all, func(u *storage.User) error {
		if u.Out() {
			return nil
		}
		found, err := f.of(u)
		p.count(u, found)
		return err
	})
	if err != nil {
		return Preview{}, web.Unavailable("users", err)
	}
	err = s.cutOff(ctx, &p, &before, &after)
	return p, err
}

// foreseer says what a change means to users. Of a large tenant most are alike in all that rules can ask for, and what was
// found for one goes for the others.
type foreseer struct {
	*Service
	before, after *storage.Tenant
	now           time.Time
	// named are the users whom rules name one by one, byNetwork tells whether any rule asks for the address.
	named     map[string]bool
	byNetwork bool
	known     map[likeness]fate
}

// likeness is what sets users apart as far as rules can tell that name none of them.
type likeness struct {
	kind    string
	role    storage.Role
	ticked  bool
	address string
	factors string
}

// fate is what is asked of a user before and after a change.
type fate struct {
	was, is policy.Asked
	// must: two-factor authentication is required after it.
	must bool
}

func (s *Service) foreseer(before, after *storage.Tenant) *foreseer {
	f := &foreseer{Service: s, before: before, after: after, now: s.Now(), named: map[string]bool{}, known: map[likeness]fate{}}
	for _, r := range slices.Concat(before.Rules, after.Rules) {
		for _, id := range r.When.Users {
			f.named[id] = true
		}
		f.byNetwork = f.byNetwork || len(r.When.Networks)+len(r.When.NotNetworks) > 0
	}
	return f
}

// of says what a change means to a user.
func (f *foreseer) of(u *storage.User) (fate, error) {
	key := likeness{kind: u.Type, role: u.Role, ticked: u.Require2FA, factors: strings.Join(u.Factors, " ")}
	if f.byNetwork {
		key.address = u.LastAddress
	}
	if found, ok := f.known[key]; ok && !f.named[u.ID] {
		return found, nil
	}
	from := lastAddress(u)
	was := policy.Decide(f.before.Rules, policy.FactsOf(f.before, u, nil, from, f.now))
	is := policy.Decide(f.after.Rules, policy.FactsOf(f.after, u, nil, from, f.now))
	wasAsked, errWas := f.Foresee(u, was, nil)
	isAsked, err := f.Foresee(u, is, nil)
	if err := errors.Join(errWas, err); err != nil {
		return fate{}, err
	}
	found := fate{was: wasAsked, is: isAsked, must: is.Allow && is.TwoFactor == policy.Required}
	if !f.named[u.ID] && len(f.known) < mostKnown {
		f.known[key] = found
	}
	return found, nil
}

// mostKnown bounds what a preview keeps in memory, where each user comes from elsewhere.
const mostKnown = 100_000

// count adds to a preview what a change means to one user.
func (p *Preview) count(u *storage.User, f fate) {
	p.Users++
	switch a, b := burden(f.was), burden(f.is); {
	case b > a:
		p.More++
	case b < a:
		p.Less++
	}
	if f.must && len(u.Factors) == 0 {
		p.NoFactor++
	}
	if f.is.Kind == policy.AskEnrol && f.was.Kind != policy.AskEnrol {
		p.Enrol++
	}
	if !f.is.In() && f.was.In() {
		if p.LockedOut++; len(p.Named) < previewNamed {
			p.Named = append(p.Named, viewUser(u))
		}
	}
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

// cutOff adds the API clients to a preview that get tokens now and would then get none (002-20).
func (s *Service) cutOff(ctx context.Context, p *Preview, before, after *storage.Tenant) error {
	now := s.Now()
	type use struct{ client, address string }
	seen, clients := map[use]bool{}, map[string]*storage.Client{}
	f := audit.Filter{
		Action: "token.client_credentials", Outcome: "ok", From: now.AddDate(0, 0, -previewDays), Limit: audit.MaxLimit,
	}
	for range previewCalls {
		found, err := s.Audit.Find(ctx, before.ID, f)
		if err != nil {
			return web.Unavailable("audit log", err)
		}
		for i := range found.Events {
			e := &found.Events[i]
			if seen[use{e.Client, e.Address}] {
				continue
			}
			seen[use{e.Client, e.Address}] = true
			if err := s.cutOffAt(ctx, p, before, after, e, clients); err != nil {
				return err
			}
		}
		if f.After = found.Next; f.After == "" {
			break
		}
	}
	p.Partial = f.After != ""
	slices.SortFunc(p.Clients, func(a, b CutOff) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}

// cutOffAt looks at one use of a client. clients are those that were read before.
func (s *Service) cutOffAt(ctx context.Context, p *Preview, before, after *storage.Tenant, e *storage.Event, clients map[string]*storage.Client) error {
	c, known := clients[e.Client]
	if !known {
		read, err := s.Store.Clients.Get(ctx, storage.Global, e.Client)
		switch {
		case errors.Is(err, storage.ErrNotFound):
		case err != nil:
			return web.Unavailable("client", err)
		case !read.Disabled && read.Owner == before.ID:
			c = &read
		}
		clients[e.Client] = c
	}
	if c == nil { // deleted or disabled meanwhile
		return nil
	}
	address, err := netip.ParseAddr(e.Address)
	if err != nil {
		address = netip.Addr{}
	}
	now := s.Now()
	is := policy.Machine(after, c, address, now)
	if !policy.Machine(before, c, address, now).Allow || is.Allow {
		return nil
	}
	i := slices.IndexFunc(p.Clients, func(o CutOff) bool { return o.ID == c.ID })
	if i < 0 {
		i = len(p.Clients)
		p.Clients = append(p.Clients, CutOff{ID: c.ID, Name: c.Name, Addresses: []string{}, Last: e.Time})
	}
	p.Clients[i].Listable = p.Clients[i].Listable || address.IsValid() && (is.Forced || is.RuleID == RuleNetworks)
	if address.IsValid() {
		p.Clients[i].Addresses = append(p.Clients[i].Addresses, address.Unmap().WithZone("").String())
	}
	return nil
}

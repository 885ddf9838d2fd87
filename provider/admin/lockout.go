package admin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// keepsNobodyOut refuses a policy that would lock out whoever asks for it (002-21); and one of an admin's by which an
// owner, who could take it back, would get in no more, or with less than the owner has set up.
func (s *Service) keepsNobodyOut(ctx context.Context, by *web.Actor, before, after *storage.Tenant) error {
	r, err := s.lockedOut(ctx, by, before, after)
	if err != nil || r == nil {
		return err
	}
	return r.refuse()
}

func (r *Refusal) refuse() error { return invalidAs(r.Where, r.Code, r.What, r.Do) }

// lockedOut says why a policy can't be saved, if it can't.
func (s *Service) lockedOut(ctx context.Context, by *web.Actor, before, after *storage.Tenant) (*Refusal, error) {
	if runs(by) || reflect.DeepEqual(before.Rules, after.Rules) && reflect.DeepEqual(before.Networks, after.Networks) {
		return nil, nil
	}
	if r := lifts(before.Rules, after.Rules, s.Now()); r != nil {
		return r, nil
	}
	if by.User == nil {
		return s.machineOut(by, before, after), nil
	}
	u, err := s.Store.Users.Get(ctx, after.ID, by.User.ID)
	if err != nil {
		return nil, web.Unavailable("user", err)
	}
	if d, out, err := s.keepsOut(after, &u, by.Address, s.Now()); err != nil || out {
		return locksOut(LocksYouOut, d.Rule, by.Address, web.Account(&u)), err
	}
	if d, out, err := s.newlyOut(before, after, &u, by.Address); err != nil || out {
		return locksOut(LocksYouOut, d.Rule, by.Address, web.Account(&u)), err
	}
	if u.Role == storage.Owner {
		return nil, nil
	}
	owners, err := s.owners(ctx, after.ID)
	if err != nil {
		return nil, err
	}
	for i := range owners {
		from := lastAddress(&owners[i])
		if d, out, err := s.newlyOut(before, after, &owners[i], from); err != nil || out {
			return locksOut(LocksOwnerOut, d.Rule, from, web.Account(&owners[i])), err
		}
	}
	return frees(before, after, owners), nil
}

// machineOut says whether a policy would keep out the program that asks for it, now or later.
func (s *Service) machineOut(by *web.Actor, before, after *storage.Tenant) *Refusal {
	now := s.Now()
	for _, at := range moments(after, now) {
		v := policy.Machine(after, by.Client, by.Address, at)
		if !v.Allow && (at.Equal(now) || policy.Machine(before, by.Client, by.Address, at).Allow) {
			return locksOut(LocksYouOut, v.Rule, by.Address, by.Client.Name)
		}
	}
	return nil
}

// newlyOut tells whether a policy keeps a user out, now or later, who otherwise would get in then.
func (s *Service) newlyOut(before, after *storage.Tenant, u *storage.User, from netip.Addr) (policy.Decision, bool, error) {
	for _, at := range moments(after, s.Now()) {
		_, was, errWas := s.keepsOut(before, u, from, at)
		d, is, err := s.keepsOut(after, u, from, at)
		if err := errors.Join(errWas, err); err != nil || is && !was {
			return d, true, err
		}
	}
	return policy.Decision{}, false, nil
}

// moments are now, and when a policy will begin to say something else by itself: who is let in now may be kept out from
// tomorrow on, when nobody looks.
func moments(t *storage.Tenant, now time.Time) []time.Time {
	all := []time.Time{now}
	for i := range t.Rules {
		r := &t.Rules[i]
		for _, at := range []time.Time{r.When.From, r.When.Until, r.Then.GraceUntil} {
			if at.After(now) {
				all = append(all, at)
			}
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// LocksOut is where a refusal stands that is about whom a policy would lock out, or leave without a second step;
// LocksYouOut, LocksOwnerOut, FreesOwner and LiftsFinancial are its codes.
const (
	LocksOut       = "policy"
	LocksYouOut    = "locks_out_you"
	LocksOwnerOut  = "locks_out_owner"
	FreesOwner     = "frees_owner"
	LiftsFinancial = "lifts_financial"
)

// lifts refuses rules by which the one about financial integrations would not hold for everybody any more (001-2): what is
// connected the application says, and what that makes mandatory is not the account's to lift. So the rule stays, and
// those before it keep out or require a second step too, but for what an operator has put there.
func lifts(before, after []storage.Rule, now time.Time) *Refusal {
	was, is := at(before, RuleFinancial), at(after, RuleFinancial)
	switch {
	case was < 0:
		return nil
	case is < 0:
		return &Refusal{
			Where: LocksOut, Code: LiftsFinancial, What: fmt.Sprintf("the rule %q has to stay", before[was].Name), Do: "leave it where it is",
		}
	}
	for _, r := range after[:is+1] {
		requires := r.Then.TwoFactor == "" && !r.Then.GraceUntil.After(now)
		stood := slices.ContainsFunc(before[:was+1], func(o storage.Rule) bool {
			o.Name = r.Name
			return sameRule(o, r)
		})
		if r.ReportOnly || r.Then.Access != allow || requires || stood {
			continue
		}
		return &Refusal{
			Where: LocksOut, Code: LiftsFinancial, Rule: r.Name,
			What: fmt.Sprintf("by the rule %q users would get in without the second step that a financial integration makes mandatory", r.Name),
			Do:   fmt.Sprintf("put it behind the rule %q, or have it require two-factor authentication without grace", after[is].Name),
		}
	}
	return nil
}

// frees refuses an admin's policy by which an owner's second step would not be asked any more: an admin may know an owner's
// password, and would be the owner. A rule counts that says so and can be about an owner, from wherever and whenever,
// and is new, or was changed, or has other rules before it than it had. One about applications alone does not: our own
// pages and the API ask what they ask whichever application somebody came by.
func frees(before, after *storage.Tenant, owners []storage.User) *Refusal {
	for i := range after.Rules {
		r := after.Rules[i]
		if r.ReportOnly || r.Then.Access != allow || r.Then.TwoFactor != off && r.Then.TwoFactor != unavailable ||
			len(r.When.Clients)+len(r.When.ClientTags) > 0 || sameUpTo(before.Rules, after.Rules, r.ID) {
			continue
		}
		about := storage.Rule{
			When: storage.When{UserTypes: r.When.UserTypes, Roles: r.When.Roles, Users: r.When.Users, Ticked: r.When.Ticked}, Then: r.Then,
		}
		for j := range owners {
			u := &owners[j]
			if !u.Out() && policy.Decide([]storage.Rule{about}, policy.FactsOf(after, u, nil, netip.Addr{}, time.Time{})).Allow {
				return &Refusal{
					Where: LocksOut, Code: FreesOwner, Rule: r.Name, Account: web.Account(u),
					What: fmt.Sprintf("by the rule %q the owner %s would not be asked for a second step", r.Name, web.Account(u)),
					Do:   "leave owners out of it, or ask an owner",
				}
			}
		}
	}
	return nil
}

// sameUpTo tells whether a rule says what it said, and all enforced rules that stood before it still do, unchanged.
func sameUpTo(before, after []storage.Rule, id string) bool {
	was, is := at(before, id), at(after, id)
	if was < 0 || is < 0 {
		return false
	}
	for i := range was + 1 {
		o := before[i]
		if o.ReportOnly && i < was {
			continue
		}
		j := at(after, o.ID)
		if j < 0 || j > is {
			return false
		}
		n := after[j]
		if o.Name, n.Name = "", ""; !sameRule(o, n) {
			return false
		}
	}
	return true
}

// locksOut refuses because of whom a rule would keep out from where. No rule is none that lets in.
func locksOut(code, rule string, from netip.Addr, account string) *Refusal {
	r := &Refusal{
		Where: LocksOut, Code: code, Rule: rule, Account: account,
		Do: "let them in by a rule before it, add the network, or ask an owner",
	}
	because := "no rule would let in"
	if rule != "" {
		because = fmt.Sprintf("the rule %q would keep out", rule)
	}
	at := "an address that can't be told"
	if from.IsValid() {
		r.Address = from.Unmap().WithZone("").String()
		at = r.Address
	}
	r.What = fmt.Sprintf("%s %s at %s", because, account, at)
	if code == LocksYouOut {
		r.What += ", which is you"
	}
	return r
}

// keepsOut tells whether a tenant's policy does not let a user in from an address at a time, with what the user has now.
func (s *Service) keepsOut(t *storage.Tenant, u *storage.User, from netip.Addr, at time.Time) (policy.Decision, bool, error) {
	d := policy.Decide(t.Rules, policy.FactsOf(t, u, nil, from, at))
	asked, err := s.Foresee(u, d, nil)
	return d, !asked.In(), err
}

// lastAddress is where a user last signed in from; unknown before the first time.
func lastAddress(u *storage.User) netip.Addr {
	a, err := netip.ParseAddr(u.LastAddress)
	if err != nil {
		return netip.Addr{}
	}
	return a
}

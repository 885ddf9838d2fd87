package admin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"

	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// keepsNobodyOut refuses a policy that would lock out whoever asks for it (002-21); and one of an admin's by which an
// owner, who could take it back, would get in no more.
func (s *Service) keepsNobodyOut(ctx context.Context, by *web.Actor, before, after *storage.Tenant) error {
	r, err := s.lockedOut(ctx, by, before, after)
	if err != nil || r == nil {
		return err
	}
	return invalidAs(r.Where, r.Code, r.What, r.Do)
}

// lockedOut says why a policy can't be saved, if it can't.
func (s *Service) lockedOut(ctx context.Context, by *web.Actor, before, after *storage.Tenant) (*Refusal, error) {
	switch {
	case runs(by) || reflect.DeepEqual(before.Rules, after.Rules) && reflect.DeepEqual(before.Networks, after.Networks):
		return nil, nil
	case by.User == nil:
		if v := policy.Machine(after, by.Client, by.Address, s.Now()); !v.Allow {
			return locksOut(LocksYouOut, v.Rule, by.Address, by.Client.Name), nil
		}
		return nil, nil
	}
	u, err := s.Store.Users.Get(ctx, after.ID, by.User.ID)
	if err != nil {
		return nil, web.Unavailable("user", err)
	}
	if d, out, err := s.keepsOut(after, &u, by.Address); err != nil || out {
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
		_, was, errWas := s.keepsOut(before, &owners[i], from)
		d, is, err := s.keepsOut(after, &owners[i], from)
		if err := errors.Join(errWas, err); err != nil {
			return nil, err
		}
		if is && !was {
			return locksOut(LocksOwnerOut, d.Rule, from, web.Account(&owners[i])), nil
		}
	}
	return nil, nil
}

// LocksOut is where a refusal stands that is about whom a policy would lock out; LocksYouOut and LocksOwnerOut are its codes.
const (
	LocksOut      = "policy"
	LocksYouOut   = "locks_out_you"
	LocksOwnerOut = "locks_out_owner"
)

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

// keepsOut tells whether a tenant's policy does not let a user in from an address with what the user has.
func (s *Service) keepsOut(t *storage.Tenant, u *storage.User, from netip.Addr) (policy.Decision, bool, error) {
	d := policy.Decide(t.Rules, policy.FactsOf(t, u, nil, from, s.Now()))
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

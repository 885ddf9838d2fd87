package admin

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

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

package console

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// networks shows the account's networks, and what they are for.
func (s *Service) networks(ctx context.Context, by *web.Actor, in policyIn) (web.Result, error) {
	p, err := s.Admin.Policy(ctx, by, by.Tenant.ID)
	if err != nil {
		return web.Result{}, err
	}
	form := networksIn{
		Restricted: p.Restricted, Everyone: slices.Contains(p.Require2FA, admin.Everyone), Version: version(p),
	}
	for i, n := range p.Networks {
		form.Prefixes, form.Names = append(form.Prefixes, n.Prefix), append(form.Names, n.Name)
		if n.Require2FA {
			form.Ask = append(form.Ask, strconv.Itoa(i))
		}
	}
	if len(p.Networks) == 0 {
		form.Prefixes, form.Names = []string{""}, []string{""}
	}
	page := form.page(by)
	page.Notice = s.said().Read(in.Notice)
	return web.Draw(page), nil
}

// networksIn is the form: of each network a prefix and a name, and of those that are ticked the number of the row.
type networksIn struct {
	Prefixes   []string `form:"prefix"`
	Names      []string `form:"called"`
	Ask        []string `form:"ask"`
	Restricted bool     `form:"restricted"`
	Everyone   bool     `form:"everyone"`
	Version    string   `form:"version"`
	// Do is "check", "add", "mine", or "remove-" and the number of a row.
	Do string `form:"do"`
}

// rows are the networks as they were typed.
func (in networksIn) rows() []ui.NetworkRow {
	rows := make([]ui.NetworkRow, len(in.Prefixes))
	for i := range rows {
		rows[i] = ui.NetworkRow{Prefix: strings.TrimSpace(in.Prefixes[i]), Require2FA: slices.Contains(in.Ask, strconv.Itoa(i))}
		if i < len(in.Names) {
			rows[i].Name = in.Names[i]
		}
	}
	return rows
}

func (in networksIn) page(by *web.Actor) ui.Networks {
	page := ui.Networks{
		Rows: in.rows(), Restricted: in.Restricted, Everyone: in.Everyone, Version: in.Version, Action: ui.PathNetworks, Wrong: -1,
	}
	if by.Address.IsValid() {
		you := by.Address.Unmap().WithZone("")
		page.You = you.String()
		page.Listed = slices.ContainsFunc(page.Rows, func(r ui.NetworkRow) bool { return covers(r.Prefix, you) })
	}
	return page
}

// covers tells whether what was typed is the address, or a network that it is in.
func covers(typed string, a netip.Addr) bool {
	if one, err := netip.ParseAddr(typed); err == nil {
		return one == a
	}
	p, err := netip.ParsePrefix(typed)
	return err == nil && p.Contains(a)
}

// proposeNetworks leads to what other networks would do (002-19, 002-21), or draws the form with one row more or less.
func (s *Service) proposeNetworks(ctx context.Context, by *web.Actor, in networksIn) (web.Result, error) {
	p, v, err := s.seen(ctx, by, in.Version)
	if err != nil {
		return web.Result{}, err
	}
	page := in.page(by)
	number, remove := strings.CutPrefix(in.Do, "remove-")
	switch {
	case remove:
		i, err := strconv.Atoi(number)
		if err != nil || i < 0 || i >= len(page.Rows) {
			return web.Result{}, web.ErrBadRequest
		}
		page.Rows = slices.Delete(page.Rows, i, i+1)
		page.Listed = slices.ContainsFunc(page.Rows, func(r ui.NetworkRow) bool { return covers(r.Prefix, by.Address.Unmap().WithZone("")) })
		return web.Draw(page), nil
	case in.Do == "mine" && page.You != "":
		page.Rows = append(slices.DeleteFunc(page.Rows, func(r ui.NetworkRow) bool { return r.Prefix == "" }), ui.NetworkRow{Prefix: page.You})
		page.Listed = true
		return web.Draw(page), nil
	case in.Do == "add":
		page.Rows = append(page.Rows, ui.NetworkRow{})
		return web.Draw(page), nil
	}
	d := networksDraft(p, &page)
	d.Change.Version = v
	res, err := s.propose(ctx, by, d)
	where, says, ok := refused(err)
	if err == nil || !ok || where == admin.Stale {
		return res, err
	}
	page.Problem = says
	var invalid *web.Invalid
	if errors.As(err, &invalid) && invalid.Value != "" {
		page.Wrong = wrongRow(page.Rows, invalid)
	}
	return web.Result{Page: page, Refused: true}, nil
}

// wrongRow is the row that a refusal is about: of two that are alike the second.
func wrongRow(rows []ui.NetworkRow, refused *web.Invalid) int {
	wrong := -1
	for i, r := range rows {
		if r.Prefix == refused.Value || slices.Contains(prefixes(r.Prefix), refused.Value) {
			wrong = i
		}
	}
	return wrong
}

// networksDraft is the change that a form asks for. Rows without a range are left out.
func networksDraft(p admin.Policy, page *ui.Networks) draft {
	networks := []storage.Network{}
	for _, r := range page.Rows {
		if r.Prefix != "" {
			networks = append(networks, storage.Network{Prefix: r.Prefix, Name: r.Name, Require2FA: r.Require2FA})
		}
	}
	must := slices.DeleteFunc(slices.Clone(p.Require2FA), func(t string) bool { return t == admin.Everyone })
	if page.Everyone {
		must = append(must, admin.Everyone)
	}
	return draft{
		Change: admin.PolicyChange{Networks: &networks, Restricted: &page.Restricted, Require2FA: &must}, Back: ui.PathNetworks,
	}
}

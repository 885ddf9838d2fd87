package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

type networksCommand struct {
	List     networksList     `cmd:"" help:"List the networks of a tenant's account."`
	Set      networksSet      `cmd:"" help:"Say which networks belong to a tenant's account."`
	Restrict networksRestrict `cmd:"" help:"Let users sign in from the account's networks only, or from anywhere again."`
}

// networksResult are the networks of an account, and what they are for.
type networksResult struct {
	Networks   []storage.Network `json:"networks"`
	Restricted bool              `json:"restricted"`
}

func printNetworks(w *world, a *adminCommand, p admin.Policy) error {
	return a.print(w, networksResult{p.Networks, p.Restricted}, func(w io.Writer) {
		fmt.Fprintf(w, "Sign-in from\t%s\n\nNETWORK\tNAME\t2FA REQUIRED\n", from(p.Restricted))
		for _, n := range p.Networks {
			fmt.Fprintf(w, "%s\t%s\t%s\n", n.Prefix, n.Name, yes(n.Require2FA))
		}
	})
}

type networksList struct{ tenantFlag }

// Run lists networks.
func (c *networksList) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		p, err := s.Policy(w.ctx, web.Operator(), c.Tenant)
		if err != nil {
			return err
		}
		return printNetworks(w, a, p)
	})
}

type networksSet struct {
	tenantFlag
	Networks   []string `arg:"" placeholder:"RANGE=NAME" help:"All there are, as 203.0.113.0/24=Office or 2001:db8::/48, or none."`
	Require2FA []string `name:"require-2fa" placeholder:"RANGE" help:"Those of them that two-factor authentication is required in."`
}

// Run says which networks there are.
func (c *networksSet) Run(w *world, a *adminCommand) error {
	networks := []storage.Network{}
	asked := slices.Clone(c.Require2FA)
	if !slices.Equal(c.Networks, []string{none}) {
		for _, n := range c.Networks {
			prefix, name, _ := strings.Cut(n, "=")
			networks = append(networks, storage.Network{Prefix: prefix, Name: name, Require2FA: slices.Contains(asked, prefix)})
			asked = slices.DeleteFunc(asked, func(p string) bool { return p == prefix })
		}
	}
	if len(asked) > 0 {
		return finding{What: fmt.Sprintf("%s is none of the networks", asked[0]), Where: "--require-2fa", Do: "name networks that you list, written alike"}
	}
	return changeNetworks(w, a, c.Tenant, admin.PolicyChange{Networks: &networks})
}

func changeNetworks(w *world, a *adminCommand, tenant string, change admin.PolicyChange) error {
	return a.do(w, func(s *admin.Service) error {
		p, err := s.ChangePolicy(w.ctx, web.Operator(), tenant, change)
		if err != nil {
			return err
		}
		return printNetworks(w, a, p)
	})
}

type networksRestrict struct {
	tenantFlag
	Off bool `help:"Let users sign in from anywhere again."`
}

// Run restricts the account to its networks.
func (c *networksRestrict) Run(w *world, a *adminCommand) error {
	restricted := !c.Off
	return changeNetworks(w, a, c.Tenant, admin.PolicyChange{Restricted: &restricted})
}

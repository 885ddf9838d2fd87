package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

type clientsCommand struct {
	Create       clientsCreate  `cmd:"" help:"Register a client. Its secret, if its type has one, is printed once."`
	List         clientsList    `cmd:"" help:"List clients."`
	Show         clientsShow    `cmd:"" help:"Show a client."`
	Set          clientsSet     `cmd:"" help:"Change a client. What is not named stays."`
	RotateSecret clientsRotate  `cmd:"" help:"Give a client a new secret. The one before goes on working for a while."`
	Disable      clientsDisable `cmd:"" help:"Stop a client from signing users in."`
	Enable       clientsEnable  `cmd:"" help:"Let a client sign users in again."`
	Delete       clientsDelete  `cmd:"" help:"Remove a client for good."`
}

type clientArg struct {
	ID string `arg:"" help:"The client_id."`
}

// clientResult is a client with what is shown once.
type clientResult struct {
	Client admin.Client `json:"client"`
	Secret string       `json:"client_secret,omitempty"`
}

func printClient(w *world, a *adminCommand, c admin.Client, secret string) error {
	return a.print(w, clientResult{c, secret}, func(w io.Writer) {
		fmt.Fprintf(w, "client_id\t%s\n", c.ID)
		if secret != "" {
			fmt.Fprintf(w, "client_secret\t%s\t(shown only now)\n", secret)
		}
		owner := c.Tenant
		if owner == "" {
			owner = "(all tenants)"
		}
		fmt.Fprintf(w, "Name\t%s\nTenant\t%s\nType\t%s\nState\t%s\n", c.Name, owner, c.Type, state(c.Disabled))
		for _, uri := range c.RedirectURIs {
			fmt.Fprintf(w, "Redirect URI\t%s\n", uri)
		}
		for _, uri := range c.PostLogoutRedirectURIs {
			fmt.Fprintf(w, "After sign-out\t%s\n", uri)
		}
		fmt.Fprintf(w, "Grant types\t%s\nScopes\t%s\nID tokens\t%s\n", orNone(c.GrantTypes), orNone(c.Scopes), c.IDTokenAlg)
		if len(c.Tags) > 0 {
			fmt.Fprintf(w, "Tags\t%s\n", strings.Join(c.Tags, ", "))
		}
		switch c.Strength {
		case storage.StrengthTwoFactor:
			fmt.Fprintln(w, "Sign-ins show\ttwo factors")
		case storage.StrengthPhishingResistant:
			fmt.Fprintln(w, "Sign-ins show\ta phishing-resistant factor")
		}
		if c.NoPKCE {
			fmt.Fprintln(w, "PKCE\tmay be left out")
		}
		for _, s := range c.Secrets {
			until := "works until it is rotated"
			if !s.Until.IsZero() {
				until = "works until " + moment(s.Until)
			}
			fmt.Fprintf(w, "Secret\tof %s, %s\n", moment(s.Created), until)
		}
	})
}

type clientsCreate struct {
	Name          string   `required:"" help:"Name that users see."`
	Type          string   `required:"" help:"web (has a server), native (on the user's machine), browser (JavaScript alone) or machine (no user)."`
	Tenant        string   `placeholder:"ID" help:"Tenant it belongs to (default: users of all tenants can sign in to it)."`
	RedirectURI   []string `name:"redirect-uri" sep:"none" placeholder:"URL" help:"Address that browsers are sent back to; may be given again."`
	PostLogoutURI []string `name:"post-logout-redirect-uri" sep:"none" placeholder:"URL" help:"Address that browsers are sent to after a sign-out; may be given again."`
	Scope         []string `name:"scope" help:"Scopes it may ask for (default: profile,email)."`
	Tag           []string `name:"tag" help:"Tags that rules can go by."`
	IDTokenAlg    string   `name:"id-token-alg" default:"RS256" help:"Signature of its ID tokens: RS256, which every library takes, or ES256, which costs a tenth."`
	NoPKCE        bool     `name:"no-pkce" help:"Let it leave out PKCE, because it can't do it."`
	Strength      string   `help:"What every sign-in to it has to show: mfa (two factors) or phr (phishing-resistant) (default: what the policy says)."`
}

// Run registers a client.
func (c *clientsCreate) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		v, secret, err := s.CreateClient(w.ctx, web.Operator(), c.Tenant, admin.NewClient{
			Name: c.Name, Type: c.Type, RedirectURIs: c.RedirectURI, PostLogoutRedirectURIs: c.PostLogoutURI,
			Scopes: c.Scope, Tags: c.Tag, IDTokenAlg: c.IDTokenAlg, NoPKCE: c.NoPKCE, Strength: c.Strength,
		})
		if err != nil {
			return err
		}
		return printClient(w, a, v, secret)
	})
}

type clientsList struct {
	Tenant string `placeholder:"ID" help:"Only those that belong to this tenant."`
	pageFlags
}

// Run lists clients.
func (c *clientsList) Run(w *world, a *adminCommand) error {
	page, err := c.page()
	if err != nil {
		return err
	}
	return a.do(w, func(s *admin.Service) error {
		all, err := s.Clients(w.ctx, web.Operator(), c.Tenant, page)
		if err != nil {
			return err
		}
		return a.print(w, all, func(w io.Writer) {
			fmt.Fprintln(w, "CLIENT_ID\tNAME\tTYPE\tTENANT\tSTATE\tCREATED")
			for _, v := range all {
				tenant := v.Tenant
				if tenant == "" {
					tenant = "(all)"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", v.ID, v.Name, v.Type, tenant, state(v.Disabled), moment(v.Created))
			}
			if len(all) > 0 {
				c.more(w, len(all), all[len(all)-1].ID)
			}
		})
	})
}

type clientsShow struct{ clientArg }

// Run shows a client.
func (c *clientsShow) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		v, err := s.Client(w.ctx, web.Operator(), c.ID)
		if err != nil {
			return err
		}
		return printClient(w, a, v, "")
	})
}

type clientsSet struct {
	clientArg
	Name          *string  `help:"Name that users see."`
	RedirectURI   []string `name:"redirect-uri" sep:"none" placeholder:"URL" help:"Address that browsers are sent back to, instead of those there were; may be given again."`
	PostLogoutURI []string `name:"post-logout-redirect-uri" sep:"none" placeholder:"URL" help:"Address that browsers are sent to after a sign-out, instead of those there were; may be given again. “none” takes them away."`
	Scope         []string `name:"scope" help:"Scopes it may ask for, instead of those there were. “none” takes them away."`
	Tag           []string `name:"tag" help:"Tags that rules can go by, instead of those there were. “none” takes them away."`
	Strength      *string  `help:"What every sign-in to it has to show: mfa (two factors) or phr (phishing-resistant); policy leaves it to the policy."`
	IDTokenAlg    *string  `name:"id-token-alg" help:"Signature of its ID tokens: RS256 or ES256."`
	PKCE          *bool    `name:"pkce" negatable:"" help:"Hold it to PKCE, or let it leave PKCE out, because it can't do it."`
}

// Run changes a client.
func (c *clientsSet) Run(w *world, a *adminCommand) error {
	in := admin.ClientFields{
		Name: c.Name, RedirectURIs: given(c.RedirectURI), PostLogoutRedirectURIs: given(c.PostLogoutURI), Scopes: given(c.Scope),
		Tags: given(c.Tag), Strength: c.Strength, IDTokenAlg: c.IDTokenAlg,
	}
	if c.PKCE != nil {
		without := !*c.PKCE
		in.NoPKCE = &without
	}
	if in == (admin.ClientFields{}) {
		return finding{What: "there is nothing to change", Where: "the command line", Do: "see sallyport admin clients set --help"}
	}
	if c.Strength != nil && *c.Strength == "policy" {
		*in.Strength = ""
	}
	return a.do(w, func(s *admin.Service) error {
		v, err := s.ChangeClient(w.ctx, web.Operator(), c.ID, in)
		if err != nil {
			return err
		}
		return printClient(w, a, v, "")
	})
}

// given is a list that was named on the command line; “none” alone names one that is empty.
func given(list []string) *[]string {
	switch {
	case len(list) == 0:
		return nil
	case len(list) == 1 && list[0] == "none":
		return &[]string{}
	default:
		return &list
	}
}

type clientsRotate struct {
	clientArg
	Grace time.Duration `default:"24h" help:"How long the secret of before goes on working: 0s to 720h."`
}

// Run gives a client a new secret.
func (c *clientsRotate) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		v, secret, err := s.RotateSecret(w.ctx, web.Operator(), c.ID, c.Grace)
		if err != nil {
			return err
		}
		return printClient(w, a, v, secret)
	})
}

type clientsDisable struct{ clientArg }

// Run stops a client.
func (c *clientsDisable) Run(w *world, a *adminCommand) error { return c.set(w, a, true) }

type clientsEnable struct{ clientArg }

// Run lets a client work again.
func (c *clientsEnable) Run(w *world, a *adminCommand) error { return c.set(w, a, false) }

func (c *clientArg) set(w *world, a *adminCommand, disabled bool) error {
	return a.do(w, func(s *admin.Service) error {
		v, err := s.SetClientDisabled(w.ctx, web.Operator(), c.ID, disabled)
		if err != nil {
			return err
		}
		return printClient(w, a, v, "")
	})
}

type clientsDelete struct{ clientArg }

// Run removes a client.
func (c *clientsDelete) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		if err := s.DeleteClient(w.ctx, web.Operator(), c.ID); err != nil {
			return err
		}
		return a.print(w, map[string]string{"deleted": c.ID}, func(w io.Writer) {
			fmt.Fprintf(w, "Deleted client %s.\n", c.ID)
		})
	})
}

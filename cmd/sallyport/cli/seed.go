package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sallyport-id/sallyport/cmd/sallyport/sampleapp"
	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

type sampleTenant struct {
	id, name   string
	require2FA []string
	people     []samplePerson
}

type samplePerson struct {
	name, email, password string
	role                  storage.Role
	userType              string
}

// sharedLogin is in both tenants, with one password.
const sharedLogin = "robin@freelance.example"

// sampleNumber is a number that is nobody's (set aside by ACMA for drama).
const sampleNumber = "+61 491 570 156"

var sampleTenants = [...]sampleTenant{
	{"northwind", "Northwind Joinery", []string{"staff"}, []samplePerson{
		{"Olga Brandt", "olga@northwind.example", "walnut-drawer-4821", storage.Owner, "staff"},
		{"Amir Haddad", "amir@northwind.example", "maple-chisel-3390", storage.Admin, "staff"},
		{"Sam Okafor", "sam@northwind.example", "cedar-workbench-7164", storage.Member, "staff"},
		{"Clara Weiss", "clara@weiss.example", "oaken-staircase-2957", storage.Member, "client"},
		{"Robin Marsh", sharedLogin, "spruce-lantern-6402", storage.Member, "contractor"},
	}},
	{"harbour", "Harbour Dental", nil, []samplePerson{
		{"Ines Duarte", "ines@harbour.example", "granite-lighthouse-8135", storage.Owner, "staff"},
		{"Tom Keller", "tom@harbour.example", "quiet-seagull-5278", storage.Admin, "staff"},
		{"Mina Sato", "mina@harbour.example", "amber-anchor-9043", storage.Member, "staff"},
		{"Paul Novak", "paul@novak.example", "silver-rowboat-1786", storage.Member, "client"},
		{"Robin Marsh", sharedLogin, "spruce-lantern-6402", storage.Member, "contractor"},
	}},
}

func sampleUsers() []sampleapp.User {
	var users []sampleapp.User
	for _, t := range sampleTenants {
		for _, p := range t.people {
			users = append(users, sampleapp.User{
				Tenant: t.name, Login: p.email, Password: p.password, Role: string(p.role), Type: p.userType,
			})
		}
	}
	return users
}

// clientTag marks the sample clients, so that a kept folder does not collect them.
const clientTag = "demo"

// credentials are what a client knows itself by.
type credentials struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

// sampleProgram is a client that acts for itself, as a tenant's own program does.
type sampleProgram struct {
	Name string `json:"name"`
	// Tenant is the ID of the tenant that it belongs to.
	Tenant string `json:"tenant"`
	credentials
}

// seed makes what a demonstration shows, as far as a kept folder does not hold it yet, and registers the clients: the
// application, and a program of the first tenant's.
func seed(ctx context.Context, a *admin.Service, told info) (app credentials, program sampleProgram, err error) {
	for _, t := range sampleTenants {
		_, err := a.CreateTenant(ctx, web.Operator(), t.id, admin.TenantFields{Name: &t.name, Require2FA: &t.require2FA})
		if err != nil && !errors.Is(err, storage.ErrExists) {
			return app, program, fmt.Errorf("sample tenant %s: %w", t.id, err)
		}
	}
	for _, t := range sampleTenants {
		for _, p := range t.people {
			_, _, err := a.CreateUser(ctx, web.Operator(), t.id, admin.NewUser{
				Email: p.email, EmailVerified: true, Name: p.name, Role: p.role, Type: p.userType, Password: p.password,
			})
			if err != nil && !errors.Is(err, storage.ErrExists) {
				return app, program, fmt.Errorf("sample user %s: %w", p.email, err)
			}
		}
	}
	if err := unregister(ctx, a); err != nil {
		return app, program, err
	}
	app, err = register(ctx, a, "", admin.NewClient{
		Name: sampleapp.Name, Type: admin.Web, IDTokenAlg: "ES256",
		RedirectURIs: []string{told.App + sampleapp.PathCallback}, PostLogoutRedirectURIs: []string{told.App + "/"},
	})
	if err != nil {
		return app, program, err
	}
	program = sampleProgram{Name: "Ledger sync", Tenant: sampleTenants[0].id}
	var scopes []string
	for _, s := range admin.Scopes() {
		scopes = append(scopes, s.Name)
	}
	program.credentials, err = register(ctx, a, program.Tenant, admin.NewClient{
		Name: program.Name, Type: admin.Machine, IDTokenAlg: "ES256", Scopes: scopes,
	})
	return app, program, err
}

// unregister removes the clients of the last start, whose secrets nobody knows any more.
func unregister(ctx context.Context, a *admin.Service) error {
	old, err := a.Clients(ctx, web.Operator(), "", admin.Page{Limit: 1000})
	if err != nil {
		return err
	}
	for _, c := range old {
		if slices.Contains(c.Tags, clientTag) {
			if err := a.DeleteClient(ctx, web.Operator(), c.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func register(ctx context.Context, a *admin.Service, tenant string, in admin.NewClient) (credentials, error) {
	in.Tags = []string{clientTag}
	c, secret, err := a.CreateClient(ctx, web.Operator(), tenant, in)
	if err != nil {
		return credentials{}, fmt.Errorf("sample client %s: %w", in.Name, err)
	}
	return credentials{c.ID, secret}, nil
}

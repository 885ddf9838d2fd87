package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
)

func (s *Service) clientRoutes() []web.Route {
	const (
		read, write = admin.ScopeClientsRead, admin.ScopeClientsWrite
		all         = v1 + "/tenants/:tenant/clients"
		one         = all + "/:client"
		shared      = v1 + "/clients"
		anyone      = shared + "/:client"
		tag         = "Applications"
		everybody   = "Applications of the deployment"
	)
	return []web.Route{
		web.API(http.MethodGet, all, read, s.listClients).About("listClients", tag, "List the tenant's own applications"),
		web.API(http.MethodPost, all, write, s.createClient).About("createClient", tag, "Register an application"),
		web.API(http.MethodGet, v1+"/tenants/:tenant/shared-clients", read, s.listSharedClients).
			About("listSharedClients", tag, "List the applications that users of all tenants can sign in to"),
		web.API(http.MethodGet, one, read, s.getClient).About("getClient", tag, "Show an application"),
		web.API(http.MethodPatch, one, write, s.changeClient).About("changeClient", tag, "Change an application"),
		web.API(http.MethodDelete, one, write, s.deleteClient).About("deleteClient", tag, "Remove an application for good"),
		web.API(http.MethodPost, one+"/secrets", write, s.rotateSecret).About("rotateClientSecret", tag, "Give an application a new secret"),
		web.API(http.MethodPost, one+"/disable", write, s.disableClient).About("disableClient", tag, "Stop an application"),
		web.API(http.MethodPost, one+"/enable", write, s.enableClient).About("enableClient", tag, "Let an application work again"),

		web.API(http.MethodGet, shared, admin.ScopeOperator, s.listAllClients).About("listAllClients", everybody, "List all applications there are"),
		web.API(http.MethodPost, shared, admin.ScopeOperator, s.createSharedClient).
			About("createSharedClient", everybody, "Register an application that users of all tenants can sign in to"),
		web.API(http.MethodGet, anyone, admin.ScopeOperator, s.getAnyClient).About("getAnyClient", everybody, "Show any application"),
		web.API(http.MethodPatch, anyone, admin.ScopeOperator, s.changeAnyClient).About("changeAnyClient", everybody, "Change any application"),
		web.API(http.MethodDelete, anyone, admin.ScopeOperator, s.deleteAnyClient).About("deleteAnyClient", everybody, "Remove any application for good"),
		web.API(http.MethodPost, anyone+"/secrets", admin.ScopeOperator, s.rotateAnySecret).
			About("rotateAnyClientSecret", everybody, "Give any application a new secret"),
		web.API(http.MethodPost, anyone+"/disable", admin.ScopeOperator, s.disableAnyClient).About("disableAnyClient", everybody, "Stop any application"),
		web.API(http.MethodPost, anyone+"/enable", admin.ScopeOperator, s.enableAnyClient).
			About("enableAnyClient", everybody, "Let any application work again"),
	}
}

type listClients struct {
	inTenant
	Paged
}

func (s *Service) listClients(ctx context.Context, by *web.Actor, in listClients) (List[admin.Client], error) {
	found, err := s.Admin.Clients(ctx, by, in.Tenant, in.page())
	return listed(found, in.Paged, func(c *admin.Client) string { return c.ID }), err
}

func (s *Service) listSharedClients(ctx context.Context, by *web.Actor, in inTenant) (List[admin.SharedClient], error) {
	found, err := s.Admin.SharedClients(ctx, by, in.Tenant)
	return List[admin.SharedClient]{Items: found}, err
}

type createClient struct {
	inTenant
	admin.NewClient
}

// ClientWithSecret is an application with a secret that was just made.
type ClientWithSecret struct {
	// Client is the application.
	Client admin.Client `json:"client"`
	// Secret can't be seen again. Applications that can't keep one have none.
	Secret string `json:"client_secret,omitempty"`
}

func (s *Service) createClient(ctx context.Context, by *web.Actor, in createClient) (web.Created[ClientWithSecret], error) {
	c, secret, err := s.Admin.CreateClient(ctx, by, in.Tenant, in.NewClient)
	return web.Created[ClientWithSecret]{Path: in.path("clients", c.ID), View: ClientWithSecret{c, secret}}, err
}

// ofAnyClient is embedded by the questions about a client, whomever it belongs to.
type ofAnyClient struct {
	// Client is the client_id.
	Client string `path:"client"`
}

// ofClient is embedded by the questions about a client of a tenant.
type ofClient struct {
	inTenant
	ofAnyClient
}

// belongs refuses a client that is not the tenant's: an operator's token would find it.
func (s *Service) belongs(ctx context.Context, by *web.Actor, in ofClient) error {
	c, err := s.Admin.Client(ctx, by, in.Client)
	if err == nil && c.Tenant != in.Tenant {
		err = web.Missing("client", in.Client, "check the client_id and the tenant")
	}
	return err
}

// ofTenant carries out an operation on a client of a tenant.
func ofTenant[Out any](ctx context.Context, s *Service, by *web.Actor, in ofClient, do func() (Out, error)) (out Out, _ error) {
	if err := s.belongs(ctx, by, in); err != nil {
		return out, err
	}
	return do()
}

func (s *Service) getClient(ctx context.Context, by *web.Actor, in ofClient) (admin.Client, error) {
	return ofTenant(ctx, s, by, in, func() (admin.Client, error) { return s.getAnyClient(ctx, by, in.ofAnyClient) })
}

type changeClient struct {
	ofClient
	admin.ClientFields
}

func (s *Service) changeClient(ctx context.Context, by *web.Actor, in changeClient) (admin.Client, error) {
	return ofTenant(ctx, s, by, in.ofClient, func() (admin.Client, error) {
		return s.changeAnyClient(ctx, by, changeAnyClient{in.ofAnyClient, in.ClientFields})
	})
}

func (s *Service) deleteClient(ctx context.Context, by *web.Actor, in ofClient) (struct{}, error) {
	return ofTenant(ctx, s, by, in, func() (struct{}, error) { return s.deleteAnyClient(ctx, by, in.ofAnyClient) })
}

// Rotation says how a secret is replaced.
type Rotation struct {
	// Grace is for how many seconds the secret of before goes on working: 30 days at most; at once it stops where it is left
	// out. Older ones stop at once.
	Grace int `json:"grace,omitempty"`
}

type rotateSecret struct {
	ofClient
	Rotation
}

func (s *Service) rotateSecret(ctx context.Context, by *web.Actor, in rotateSecret) (web.Created[ClientWithSecret], error) {
	return ofTenant(ctx, s, by, in.ofClient, func() (web.Created[ClientWithSecret], error) {
		return s.rotateAnySecret(ctx, by, rotateAnySecret{in.ofAnyClient, in.Rotation})
	})
}

func (s *Service) disableClient(ctx context.Context, by *web.Actor, in ofClient) (admin.Client, error) {
	return ofTenant(ctx, s, by, in, func() (admin.Client, error) { return s.disableAnyClient(ctx, by, in.ofAnyClient) })
}

func (s *Service) enableClient(ctx context.Context, by *web.Actor, in ofClient) (admin.Client, error) {
	return ofTenant(ctx, s, by, in, func() (admin.Client, error) { return s.enableAnyClient(ctx, by, in.ofAnyClient) })
}

func (s *Service) listAllClients(ctx context.Context, by *web.Actor, in struct{ Paged }) (List[admin.Client], error) {
	found, err := s.Admin.Clients(ctx, by, "", in.page())
	return listed(found, in.Paged, func(c *admin.Client) string { return c.ID }), err
}

func (s *Service) createSharedClient(ctx context.Context, by *web.Actor, in admin.NewClient) (web.Created[ClientWithSecret], error) {
	c, secret, err := s.Admin.CreateClient(ctx, by, "", in)
	return web.Created[ClientWithSecret]{Path: v1 + "/clients/" + url.PathEscape(c.ID), View: ClientWithSecret{c, secret}}, err
}

func (s *Service) getAnyClient(ctx context.Context, by *web.Actor, in ofAnyClient) (admin.Client, error) {
	return s.Admin.Client(ctx, by, in.Client)
}

type changeAnyClient struct {
	ofAnyClient
	admin.ClientFields
}

func (s *Service) changeAnyClient(ctx context.Context, by *web.Actor, in changeAnyClient) (admin.Client, error) {
	return s.Admin.ChangeClient(ctx, by, in.Client, in.ClientFields)
}

func (s *Service) deleteAnyClient(ctx context.Context, by *web.Actor, in ofAnyClient) (struct{}, error) {
	return struct{}{}, s.Admin.DeleteClient(ctx, by, in.Client)
}

type rotateAnySecret struct {
	ofAnyClient
	Rotation
}

func (s *Service) rotateAnySecret(ctx context.Context, by *web.Actor, in rotateAnySecret) (web.Created[ClientWithSecret], error) {
	if most := int(admin.MaxGrace / time.Second); in.Grace < 0 || in.Grace > most {
		// Before it is multiplied, since that can overflow.
		in.Grace = most + 1
	}
	c, secret, err := s.Admin.RotateSecret(ctx, by, in.Client, time.Duration(in.Grace)*time.Second)
	return web.Created[ClientWithSecret]{View: ClientWithSecret{c, secret}}, err
}

func (s *Service) disableAnyClient(ctx context.Context, by *web.Actor, in ofAnyClient) (admin.Client, error) {
	return s.Admin.SetClientDisabled(ctx, by, in.Client, true)
}

func (s *Service) enableAnyClient(ctx context.Context, by *web.Actor, in ofAnyClient) (admin.Client, error) {
	return s.Admin.SetClientDisabled(ctx, by, in.Client, false)
}

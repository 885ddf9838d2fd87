package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// The types of clients.
const (
	// Web has a server that can keep a secret.
	Web = "web"
	// Native runs on the user's own machine (RFC 8252).
	Native = "native"
	// Browser runs in a browser alone.
	Browser = "browser"
	// Machine acts for itself, without a user (RFC 6749, section 4.4).
	Machine = "machine"
)

// Client is what operators, and the owners and admins of the tenant that it belongs to, see of a client.
type Client struct {
	// ID is the client_id (RFC 6749, section 2.2).
	ID string `json:"client_id"`
	// Name is what users read.
	Name string `json:"name"`
	// Tenant is the tenant it belongs to; empty means all share it.
	Tenant string `json:"tenant,omitempty"`
	// Type is "web" (has a server that keeps a secret), "native" (on users' devices), "browser" (in the browser alone) or
	// "machine" (acts for itself, without users).
	Type string `json:"type"`
	// Tags are words that rules can go by.
	Tags []string `json:"tags,omitempty"`
	// RedirectURIs are where browsers are sent back to; they are compared as exact strings.
	RedirectURIs []string `json:"redirect_uris,omitempty"`
	// PostLogoutRedirectURIs are where browsers may be sent to after a sign-out.
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris,omitempty"`
	// GrantTypes follow from the type.
	GrantTypes []string `json:"grant_types"`
	// Scopes are those it may have besides openid; none means profile and email, and none at all for a machine.
	Scopes []string `json:"scopes,omitempty"`
	// IDTokenAlg is what its ID tokens are signed with: "RS256" or "ES256".
	IDTokenAlg string `json:"id_token_signed_response_alg"`
	// NoPKCE: it may leave out PKCE (RFC 7636).
	NoPKCE bool `json:"no_pkce,omitempty"`
	// Strength is what every sign-in to it has to show beyond the policy: "mfa" (two factors) or "phr" (phishing-resistant).
	Strength string `json:"strength,omitempty"`
	// Secrets are those that work, the newest first; two while one takes the other's place.
	Secrets []ClientSecret `json:"secrets,omitempty"`
	// Disabled: nobody signs in to it, and it gets no tokens.
	Disabled bool `json:"disabled"`
	// Created is when it was registered.
	Created time.Time `json:"created"`
}

// ClientSecret tells of a secret without telling it.
type ClientSecret struct {
	// Created is when it was made.
	Created time.Time `json:"created"`
	// Until is when it stops working; it is left out where that is not before another takes its place.
	Until time.Time `json:"until,omitzero"`
}

func (s *Service) viewClient(c *storage.Client) Client {
	v := Client{
		ID: c.ID, Name: c.Name, Tenant: c.Owner, Type: c.Type, Tags: c.Tags, RedirectURIs: c.RedirectURIs,
		PostLogoutRedirectURIs: c.PostLogoutRedirectURIs, GrantTypes: c.GrantTypes, Scopes: c.Scopes, IDTokenAlg: c.IDTokenAlg,
		NoPKCE: c.NoPKCE, Strength: c.Strength, Disabled: c.Disabled, Created: c.Created,
	}
	for _, secret := range s.live(c.Secrets) {
		v.Secrets = append(v.Secrets, ClientSecret{Created: secret.Created, Until: secret.Until})
	}
	return v
}

// live are the secrets that still work.
func (s *Service) live(secrets []storage.ClientSecret) []storage.ClientSecret {
	now := s.Now()
	return slices.DeleteFunc(slices.Clone(secrets), func(c storage.ClientSecret) bool {
		return !c.Until.IsZero() && !now.Before(c.Until)
	})
}

// NewClient says what client is to be registered.
type NewClient struct {
	// Name is what users read.
	Name string `json:"name" required:"true"`
	// Type is Web, Native, Browser or Machine. It can't be changed.
	Type string `json:"type" required:"true" enum:"web,native,browser,machine"`
	// RedirectURIs are where browsers are sent back to.
	RedirectURIs []string `json:"redirect_uris,omitempty"`
	// PostLogoutRedirectURIs are where browsers are sent to after a sign-out.
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris,omitempty"`
	// Scopes are those it may have besides openid; none means profile and email.
	Scopes []string `json:"scopes,omitempty"`
	// Tags are words that rules can go by.
	Tags []string `json:"tags,omitempty"`
	// Strength is what every sign-in to it has to show: "mfa" (two factors), "phr" (phishing-resistant), or what the policy says
	// where it is empty.
	Strength string `json:"strength,omitempty" enum:",mfa,phr"`
	// IDTokenAlg is RS256 (also when empty) or ES256.
	IDTokenAlg string `json:"id_token_signed_response_alg,omitempty" enum:"RS256,ES256"`
	// NoPKCE lets a client with a secret leave PKCE out.
	NoPKCE bool `json:"no_pkce,omitempty"`
}

const (
	maxClientName = 100
	maxURIs       = 50
	maxTags       = 20
	maxScopes     = 50
	maxScope      = 100
)

// CreateClient registers a client of a tenant, or one that users of all tenants can sign in to, where tenant is empty. The
// secret, which only web and machine clients have, can't be seen again. *web.Invalid.
func (s *Service) CreateClient(ctx context.Context, by *web.Actor, tenant string, in NewClient) (_ Client, secret string, _ error) {
	if err := s.admitClient(ctx, by, tenant, owning); err != nil {
		return Client{}, "", err
	}
	c, err := s.newClient(ctx, by, tenant, in)
	if err != nil {
		return Client{}, "", err
	}
	if confidential(c.Type) {
		secret = newSecret()
		c.Secrets = []storage.ClientSecret{{Hash: s.Keys.Hash(s.SecretPurpose, secret), Created: c.Created}}
	}
	err = s.audited(ctx, aboutClient(by, &c, "client.create"), func() error { return s.Store.Clients.Insert(ctx, &c) })
	if err != nil {
		return Client{}, "", err
	}
	return s.viewClient(&c), secret, nil
}

func confidential(clientType string) bool { return clientType == Web || clientType == Machine }

// admitClient admits an actor to the clients of a tenant, or of the deployment where owner is empty. Only owners register
// and change them: a client can be given scopes by which it does what an owner may.
func (s *Service) admitClient(ctx context.Context, by *web.Actor, owner string, n need) error {
	if owner == "" {
		if !runs(by) {
			return web.ErrForbidden
		}
		return nil
	}
	_, err := s.admit(ctx, by, owner, n)
	return err
}

// aboutClient begins the event of an operation on a client.
func aboutClient(by *web.Actor, c *storage.Client, action string) storage.Event {
	e := about(by, c.Owner, action)
	e.Client = c.ID
	return e
}

// Clients lists clients by their IDs: those of one tenant, or all when tenant is empty. *web.Invalid.
func (s *Service) Clients(ctx context.Context, by *web.Actor, tenant string, p Page) ([]Client, error) {
	if err := s.admitClient(ctx, by, tenant, helping); err != nil {
		return nil, err
	}
	q := p.query(storage.Global)
	if tenant != "" {
		q.Field, q.Value = "owner", tenant
	}
	kept, err := s.Store.Clients.List(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("list clients: %w", err)
	}
	return views(kept, s.viewClient), nil
}

// SharedClient is what a tenant's owners and admins see of a client that users of all tenants sign in to.
type SharedClient struct {
	// ID is the client_id.
	ID string `json:"client_id"`
	// Name is what users read.
	Name string `json:"name"`
}

// SharedClients lists the clients that users of all tenants can sign in to, by their IDs. Those that act for themselves
// alone, and those that are disabled, are nothing to a tenant.
func (s *Service) SharedClients(ctx context.Context, by *web.Actor, tenant string) ([]SharedClient, error) {
	if _, err := s.admit(ctx, by, tenant, helping); err != nil {
		return nil, err
	}
	shown := []SharedClient{}
	q := storage.Query{Tenant: storage.Global, Field: "owner", Limit: 1000}
	err := storage.Each(ctx, s.Store.Clients, q, func(c *storage.Client) error {
		if c.Type != Machine && !c.Disabled {
			shown = append(shown, SharedClient{ID: c.ID, Name: c.Name})
		}
		return nil
	})
	return shown, web.Unavailable("clients", err)
}

// Client shows one client. *web.Invalid.
func (s *Service) Client(ctx context.Context, by *web.Actor, id string) (Client, error) {
	c, err := s.client(ctx, by, id, helping)
	if err != nil {
		return Client{}, err
	}
	return s.viewClient(&c), nil
}

// client reads a client whose owner's the actor is admitted to. That of another tenant is not there.
func (s *Service) client(ctx context.Context, by *web.Actor, id string, n need) (storage.Client, error) {
	if id == "" {
		return storage.Client{}, invalid("client", "no client was named", "give its client_id; “clients list” shows them")
	}
	c, err := s.Store.Clients.Get(ctx, storage.Global, id)
	if errors.Is(err, storage.ErrNotFound) {
		return c, web.Missing("client", id, "check the spelling; “clients list” shows them")
	}
	if err != nil {
		return c, fmt.Errorf("client %s: %w", id, err)
	}
	err = s.admitClient(ctx, by, c.Owner, n)
	if errors.Is(err, storage.ErrNotFound) || c.Owner == "" && err != nil {
		return storage.Client{}, web.Missing("client", id, "check the spelling; “clients list” shows them")
	}
	if err != nil {
		return storage.Client{}, err
	}
	return c, nil
}

// changeClient changes a client that the actor was admitted to.
func (s *Service) changeClient(ctx context.Context, e storage.Event, change func(*storage.Client) error) (Client, error) {
	var c storage.Client
	err := s.audited(ctx, e, func() (err error) {
		c, err = storage.Change(ctx, s.Store.Clients, storage.Global, e.Client, change)
		return err
	})
	if err != nil {
		return Client{}, err
	}
	return s.viewClient(&c), nil
}

// SetClientDisabled stops a client from signing users in and getting tokens, or lets it again. *web.Invalid.
func (s *Service) SetClientDisabled(ctx context.Context, by *web.Actor, id string, disabled bool) (Client, error) {
	c, err := s.client(ctx, by, id, owning)
	if err != nil {
		return Client{}, err
	}
	return s.changeClient(ctx, aboutClient(by, &c, onOff("client", disabled)), func(c *storage.Client) error {
		c.Disabled = disabled
		return nil
	})
}

// DeleteClient removes a client. *web.Invalid.
func (s *Service) DeleteClient(ctx context.Context, by *web.Actor, id string) error {
	c, err := s.client(ctx, by, id, owning)
	if err != nil {
		return err
	}
	return s.audited(ctx, aboutClient(by, &c, "client.delete"), func() error {
		err := s.Store.Clients.Delete(ctx, storage.Global, id)
		if errors.Is(err, storage.ErrNotFound) {
			return nil // Somebody else was first.
		}
		return err
	})
}

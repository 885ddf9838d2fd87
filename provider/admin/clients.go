package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/keys"
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

// Client is what operators see of a client.
type Client struct {
	ID   string `json:"client_id"`
	Name string `json:"name"`
	// Tenant is the tenant it belongs to; empty means all share it.
	Tenant                 string         `json:"tenant,omitempty"`
	Type                   string         `json:"type"`
	Tags                   []string       `json:"tags,omitempty"`
	RedirectURIs           []string       `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs []string       `json:"post_logout_redirect_uris,omitempty"`
	GrantTypes             []string       `json:"grant_types"`
	Scopes                 []string       `json:"scopes,omitempty"`
	IDTokenAlg             string         `json:"id_token_signed_response_alg"`
	NoPKCE                 bool           `json:"no_pkce,omitempty"`
	Secrets                []ClientSecret `json:"secrets,omitempty"`
	Disabled               bool           `json:"disabled"`
	Created                time.Time      `json:"created"`
}

// ClientSecret tells of a secret without telling it.
type ClientSecret struct {
	Created time.Time `json:"created"`
	Until   time.Time `json:"until,omitzero"`
}

func (s *Service) viewClient(c *storage.Client) Client {
	v := Client{
		ID: c.ID, Name: c.Name, Tenant: c.Owner, Type: c.Type, Tags: c.Tags, RedirectURIs: c.RedirectURIs,
		PostLogoutRedirectURIs: c.PostLogoutRedirectURIs, GrantTypes: c.GrantTypes, Scopes: c.Scopes, IDTokenAlg: c.IDTokenAlg,
		NoPKCE: c.NoPKCE, Disabled: c.Disabled, Created: c.Created,
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
	Name string
	// Type is Web, Native, Browser or Machine.
	Type string
	// Tenant is the tenant it belongs to; empty lets users of all tenants sign in to it.
	Tenant                               string
	RedirectURIs, PostLogoutRedirectURIs []string
	// Scopes are those it may have besides openid; none means profile and email.
	Scopes []string
	Tags   []string
	// IDTokenAlg is RS256 (also when empty) or ES256.
	IDTokenAlg string
	// NoPKCE lets a client with a secret leave PKCE out.
	NoPKCE bool
}

const (
	maxClientName = 100
	maxURIs       = 50
	maxTags       = 20
)

// CreateClient registers a client. The secret, which only web and machine clients have, can't be seen again. *web.Invalid.
func (s *Service) CreateClient(ctx context.Context, by *web.Actor, in NewClient) (_ Client, secret string, _ error) {
	if err := s.admitClient(ctx, by, in.Tenant, owning); err != nil {
		return Client{}, "", err
	}
	c, err := s.newClient(ctx, in)
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

// newClient checks all of what is asked for.
func (s *Service) newClient(ctx context.Context, in NewClient) (storage.Client, error) {
	c := storage.Client{
		Key: storage.Key{Tenant: storage.Global, ID: storage.NewID()}, Owner: in.Tenant, Type: in.Type, Tags: in.Tags,
		RedirectURIs: in.RedirectURIs, PostLogoutRedirectURIs: in.PostLogoutRedirectURIs, Scopes: in.Scopes,
		IDTokenAlg: in.IDTokenAlg, NoPKCE: in.NoPKCE, Created: s.Now(),
	}
	var err error
	if c.Name, err = line("name", in.Name, maxClientName); err != nil {
		return c, err
	}
	if c.Owner != "" {
		if _, err := s.tenant(ctx, c.Owner); err != nil {
			return c, err
		}
	}
	if c.IDTokenAlg == "" {
		c.IDTokenAlg = "RS256"
	}
	if !slices.Contains(keys.Algs(), c.IDTokenAlg) {
		return c, invalid("id_token_signed_response_alg", fmt.Sprintf("%q is not offered", c.IDTokenAlg), "choose "+strings.Join(keys.Algs(), " or "))
	}
	if err := grantTypes(&c); err != nil {
		return c, err
	}
	err = checkURIs(&c)
	if err == nil {
		err = checkWords(&c)
	}
	return c, err
}

func grantTypes(c *storage.Client) error {
	switch c.Type {
	case Web, Native, Browser:
		c.GrantTypes = []string{"authorization_code", "refresh_token"}
	case Machine:
		c.GrantTypes = []string{"client_credentials"}
	default:
		return invalid("type", fmt.Sprintf("%q is no type of client", c.Type),
			"choose web (has a server), native (on the user's machine), browser (JavaScript alone) or machine (no user)")
	}
	if c.NoPKCE && c.Type != Web {
		return invalid("no_pkce", "only a web client, which has a secret, can do without PKCE", "leave it out")
	}
	return nil
}

func checkURIs(c *storage.Client) error {
	if c.Type == Machine {
		if len(c.RedirectURIs)+len(c.PostLogoutRedirectURIs) > 0 {
			return invalid("redirect_uris", "a machine client sends no browsers anywhere", "leave them out, or choose another type")
		}
		return nil
	}
	if len(c.RedirectURIs) == 0 {
		return invalid("redirect_uris", "there is none", "give the address that the application wants browsers sent back to")
	}
	if err := checkAll(c.Type, "redirect_uris", c.RedirectURIs); err != nil {
		return err
	}
	return checkAll(c.Type, "post_logout_redirect_uris", c.PostLogoutRedirectURIs)
}

func checkAll(clientType, field string, uris []string) error {
	if len(uris) > maxURIs {
		return invalid(field, fmt.Sprintf("there are %d", len(uris)), fmt.Sprintf("give %d at most", maxURIs))
	}
	for _, uri := range uris {
		if err := checkURI(clientType, field, uri); err != nil {
			return err
		}
	}
	return nil
}

func checkWords(c *storage.Client) error {
	for _, scope := range c.Scopes {
		// RFC 6749, section 3.3: scope-token.
		if scope == "" || strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			return invalid("scopes", fmt.Sprintf("%q can't be a scope", scope), "use printable ASCII without spaces, quotes and backslashes")
		}
	}
	if len(c.Tags) > maxTags {
		return invalid("tags", fmt.Sprintf("there are %d", len(c.Tags)), fmt.Sprintf("give %d at most", maxTags))
	}
	for _, tag := range c.Tags {
		if !typeName.MatchString(tag) {
			return invalid("tags", fmt.Sprintf("%q can't be a tag", tag), "use 1 to 32 lower-case letters, digits, hyphens and underscores")
		}
	}
	return nil
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

func (s *Service) changeClient(ctx context.Context, by *web.Actor, id, action string, change func(*storage.Client) error) (Client, error) {
	c, err := s.client(ctx, by, id, owning)
	if err != nil {
		return Client{}, err
	}
	err = s.audited(ctx, aboutClient(by, &c, action), func() error {
		c, err = storage.Change(ctx, s.Store.Clients, storage.Global, id, change)
		return err
	})
	if err != nil {
		return Client{}, err
	}
	return s.viewClient(&c), nil
}

// MaxGrace is the longest time that an old client secret can go on working.
const MaxGrace = 30 * 24 * time.Hour

// RotateSecret gives a client a new secret, which can't be seen again. The one before goes on working for grace, and
// older ones stop at once. *web.Invalid.
func (s *Service) RotateSecret(ctx context.Context, by *web.Actor, id string, grace time.Duration) (_ Client, secret string, _ error) {
	if grace < 0 || grace > MaxGrace {
		return Client{}, "", invalid("grace", fmt.Sprintf("%s is negative or too long", grace), "choose 0s to "+MaxGrace.String())
	}
	c, err := s.client(ctx, by, id, owning)
	if err != nil {
		return Client{}, "", err
	}
	if !confidential(c.Type) {
		return Client{}, "", invalid("client", "a "+c.Type+" client can't keep a secret, and has none", "nothing needs to be done")
	}
	secret = newSecret()
	v, err := s.changeClient(ctx, by, id, "client.secret", func(c *storage.Client) error {
		now := s.Now()
		fresh := []storage.ClientSecret{{Hash: s.Keys.Hash(s.SecretPurpose, secret), Created: now}}
		if old := s.live(c.Secrets); len(old) > 0 && grace > 0 {
			// The newest stands first.
			last := old[0]
			if end := now.Add(grace); last.Until.IsZero() || end.Before(last.Until) {
				last.Until = end
			}
			fresh = append(fresh, last)
		}
		c.Secrets = fresh
		return nil
	})
	if err != nil {
		return Client{}, "", err
	}
	return v, secret, nil
}

// SetClientDisabled stops a client from signing users in and getting tokens, or lets it again. *web.Invalid.
func (s *Service) SetClientDisabled(ctx context.Context, by *web.Actor, id string, disabled bool) (Client, error) {
	return s.changeClient(ctx, by, id, onOff("client", disabled), func(c *storage.Client) error {
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

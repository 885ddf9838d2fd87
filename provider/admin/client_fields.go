package admin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// newClient checks all of what is asked for.
func (s *Service) newClient(ctx context.Context, by *web.Actor, tenant string, in NewClient) (storage.Client, error) {
	c := storage.Client{
		Key: storage.Key{Tenant: storage.Global, ID: storage.NewID()}, Name: in.Name, Owner: tenant, Type: in.Type, Tags: in.Tags,
		RedirectURIs: in.RedirectURIs, PostLogoutRedirectURIs: in.PostLogoutRedirectURIs, Scopes: in.Scopes,
		IDTokenAlg: in.IDTokenAlg, NoPKCE: in.NoPKCE, Strength: in.Strength, Created: s.Now(),
	}
	if c.Owner != "" {
		if _, err := s.tenant(ctx, c.Owner); err != nil {
			return c, err
		}
	}
	switch c.Type {
	case Web, Native, Browser:
		c.GrantTypes = []string{"authorization_code", "refresh_token"}
	case Machine:
		c.GrantTypes = []string{"client_credentials"}
	default:
		return c, invalid("type", fmt.Sprintf("%q is no type of client", c.Type),
			"choose web (has a server), native (on the user's machine), browser (JavaScript alone) or machine (no user)")
	}
	err := checkClient(by, &c)
	return c, err
}

// ClientFields are what can be changed of a client; what is nil stays as it is.
type ClientFields struct {
	// Name is what users read.
	Name *string `json:"name,omitempty"`
	// RedirectURIs are where browsers are sent back to, instead of those there were.
	RedirectURIs *[]string `json:"redirect_uris,omitempty"`
	// PostLogoutRedirectURIs are where browsers may be sent to after a sign-out, instead of those there were.
	PostLogoutRedirectURIs *[]string `json:"post_logout_redirect_uris,omitempty"`
	// Scopes are those it may have besides openid, instead of those there were; none means profile and email.
	Scopes *[]string `json:"scopes,omitempty"`
	// Tags are words that rules can go by, instead of those there were.
	Tags *[]string `json:"tags,omitempty"`
	// Strength is what every sign-in to it has to show: "mfa" (two factors), "phr" (phishing-resistant), or what the policy says
	// where it is empty.
	Strength *string `json:"strength,omitempty" enum:",mfa,phr"`
	// IDTokenAlg is what its ID tokens are signed with.
	IDTokenAlg *string `json:"id_token_signed_response_alg,omitempty" enum:"RS256,ES256"`
	// NoPKCE lets a web client leave out PKCE (RFC 7636).
	NoPKCE *bool `json:"no_pkce,omitempty"`
}

func (in ClientFields) apply(c *storage.Client) {
	set(&c.Name, in.Name)
	set(&c.RedirectURIs, in.RedirectURIs)
	set(&c.PostLogoutRedirectURIs, in.PostLogoutRedirectURIs)
	set(&c.Scopes, in.Scopes)
	set(&c.Tags, in.Tags)
	set(&c.Strength, in.Strength)
	set(&c.IDTokenAlg, in.IDTokenAlg)
	set(&c.NoPKCE, in.NoPKCE)
}

// ChangeClient changes what in names, all of it or nothing. *web.Invalid.
func (s *Service) ChangeClient(ctx context.Context, by *web.Actor, id string, in ClientFields) (Client, error) {
	c, err := s.client(ctx, by, id, owning)
	if err != nil {
		return Client{}, err
	}
	// Whoever sets where its users are sent back to, or what it must show, has a hand on what it can do.
	if !mayGrant(by, c.Scopes) {
		return Client{}, web.ErrForbidden
	}
	// Once on a copy, so that what is refused leaves no event.
	trial := c
	in.apply(&trial)
	if err := checkClient(by, &trial); err != nil {
		return Client{}, err
	}
	e := aboutClient(by, &c, "client.change")
	if e.Reason = changedClient(&c, &trial); e.Reason == "" {
		return s.viewClient(&c), nil
	}
	return s.changeClient(ctx, e, func(c *storage.Client) error {
		in.apply(c)
		return checkClient(by, c)
	})
}

// changedClient says in the audit log what was changed: scopes and strength in full, since they are what a client may do.
func changedClient(was, now *storage.Client) string {
	var said []string
	add := func(same bool, word string) {
		if !same {
			said = append(said, word)
		}
	}
	add(was.Name == now.Name, "name")
	add(slices.Equal(was.RedirectURIs, now.RedirectURIs), "redirect_uris")
	add(slices.Equal(was.PostLogoutRedirectURIs, now.PostLogoutRedirectURIs), "post_logout_redirect_uris")
	add(slices.Equal(was.Scopes, now.Scopes), "scopes "+words(was.Scopes)+" to "+words(now.Scopes))
	add(slices.Equal(was.Tags, now.Tags), "tags "+words(was.Tags)+" to "+words(now.Tags))
	add(was.Strength == now.Strength, "strength "+cmp.Or(was.Strength, none)+" to "+cmp.Or(now.Strength, none))
	add(was.IDTokenAlg == now.IDTokenAlg, "id_token_signed_response_alg "+was.IDTokenAlg+" to "+now.IDTokenAlg)
	add(was.NoPKCE == now.NoPKCE, "no_pkce "+onOrOff(now.NoPKCE))
	return strings.Join(said, "; ")
}

// none stands in the audit log for what is not there.
const none = "none"

func words(list []string) string { return cmp.Or(strings.Join(list, " "), none) }

// checkClient refuses what no client can be; it trims the name.
func checkClient(by *web.Actor, c *storage.Client) (err error) {
	if c.Name, err = line("name", c.Name, maxClientName); err != nil {
		return err
	}
	if c.IDTokenAlg == "" {
		c.IDTokenAlg = "RS256"
	}
	switch {
	case !slices.Contains(keys.Algs(), c.IDTokenAlg):
		return invalid("id_token_signed_response_alg", fmt.Sprintf("%q is not offered", c.IDTokenAlg), "choose "+strings.Join(keys.Algs(), " or "))
	case c.NoPKCE && c.Type != Web:
		return invalid("no_pkce", "only a web client, which has a secret, can do without PKCE", "leave it out")
	case !slices.Contains([]string{"", storage.StrengthTwoFactor, storage.StrengthPhishingResistant}, c.Strength):
		return invalid("strength", fmt.Sprintf("%q is no strength of sign-ins", c.Strength), "choose mfa or phr, or leave it to the policy")
	case c.Strength != "" && c.Type == Machine:
		return invalid("strength", "nobody signs in to a machine client", "leave it out")
	}
	if err := checkURIs(c); err != nil {
		return err
	}
	if err := checkWords(c); err != nil {
		return err
	}
	return checkScopes(by, c)
}

func checkURIs(c *storage.Client) error {
	if c.Type == Machine {
		if len(c.RedirectURIs)+len(c.PostLogoutRedirectURIs) > 0 {
			return invalid("redirect_uris", "a machine client sends no browsers anywhere", "leave them out, or choose another type")
		}
		return nil
	}
	if len(c.RedirectURIs) == 0 {
		return invalidAs("redirect_uris", "missing", "there is none", "give the address that the application wants browsers sent back to")
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
	if len(c.Scopes) > maxScopes {
		return invalid("scopes", fmt.Sprintf("there are %d", len(c.Scopes)), fmt.Sprintf("give %d at most", maxScopes))
	}
	for _, scope := range c.Scopes {
		// RFC 6749, section 3.3: scope-token.
		if scope == "" || len(scope) > maxScope || strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			return invalid("scopes", fmt.Sprintf("%q can't be a scope", scope), fmt.Sprintf("use 1 to %d printable ASCII characters without spaces, quotes and backslashes", maxScope))
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

package oidc

import (
	"context"
	"encoding/json"
	"slices"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/crypto"
	"github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/storage"
)

// audience is the engine's claim without its way of reading it, which panics at an array of something else than
// strings.
type audience []string

// UnmarshalJSON reads one string or several.
func (a *audience) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*a = audience{""}
		return json.Unmarshal(data, &(*a)[0])
	}
	return json.Unmarshal(data, (*[]string)(a))
}

// accessClaims are the claims of an access token (RFC 9068, section 2.2).
type accessClaims struct {
	oidc.TokenClaims
	Audience  audience                 `json:"aud"`
	Scopes    oidc.SpaceDelimitedArray `json:"scope,omitempty"`
	SessionID string                   `json:"sid,omitempty"`
	Tenant    string                   `json:"tenant,omitempty"`
}

// GetAudience implements the engine's Claims.
func (c *accessClaims) GetAudience() []string { return c.Audience }

// idClaims are the claims of an ID token (OpenID Connect Core, section 2).
type idClaims struct {
	oidc.TokenClaims
	Audience        audience `json:"aud"`
	AccessTokenHash string   `json:"at_hash,omitempty"`
	SessionID       string   `json:"sid,omitempty"`
	Tenant          string   `json:"tenant,omitempty"`
	person
}

// GetAudience implements the engine's Claims.
func (c *idClaims) GetAudience() []string { return c.Audience }

// person are the standard claims (OpenID Connect Core, section 5.1) that we know of a user.
type person struct {
	Name              string `json:"name,omitempty"`
	PreferredUsername string `json:"preferred_username,omitempty"`
	Locale            string `json:"locale,omitempty"`
	Email             string `json:"email,omitempty"`
	EmailVerified     *bool  `json:"email_verified,omitempty"`
}

// userClaims are the claims in person, with the scope that each belongs to.
var userClaims = []struct {
	name, scope string
	set         func(*person, *storage.User)
}{
	{"name", oidc.ScopeProfile, func(p *person, u *storage.User) { p.Name = u.Name }},
	{"preferred_username", oidc.ScopeProfile, func(p *person, u *storage.User) { p.PreferredUsername = u.Login }},
	{"locale", oidc.ScopeProfile, func(p *person, u *storage.User) { p.Locale = u.Locale }},
	{"email", oidc.ScopeEmail, func(p *person, u *storage.User) { p.Email = u.Email }},
	{"email_verified", oidc.ScopeEmail, func(p *person, u *storage.User) {
		if u.Email != "" {
			verified := u.EmailVerified
			p.EmailVerified = &verified
		}
	}},
}

// claimNames are all claims that can be had.
func claimNames() []string {
	names := []string{
		"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "sid", "tenant",
	}
	for _, c := range userClaims {
		names = append(names, c.name)
	}
	return names
}

// personOf gives the claims of the scopes, and those that were asked for by name.
func personOf(u *storage.User, scopes, names []string) person {
	var p person
	for _, c := range userClaims {
		if slices.Contains(scopes, c.scope) || slices.Contains(names, c.name) {
			c.set(&p, u)
		}
	}
	return p
}

// claimsRequest is the claims parameter (OpenID Connect Core, section 5.5).
type claimsRequest struct {
	UserInfo map[string]*claimRequest `json:"userinfo"`
	IDToken  map[string]*claimRequest `json:"id_token"`
}

type claimRequest struct {
	Essential bool  `json:"essential"`
	Value     any   `json:"value"`
	Values    []any `json:"values"`
}

// strings are the values asked for, the most wanted first.
func (c *claimRequest) strings() []string {
	var values []string
	if c == nil {
		return nil
	}
	for _, v := range append([]any{c.Value}, c.Values...) {
		if s, ok := v.(string); ok && s != "" {
			values = append(values, s)
		}
	}
	return values
}

// claims reads the claims parameter. Claims that we do not know, or that the client may not have, are passed over.
func (p *Provider) claims(req *login.Request, client *storage.Client, a *authorization, parameter string) error {
	if parameter == "" {
		return nil
	}
	var c claimsRequest
	if err := json.Unmarshal([]byte(parameter), &c); err != nil {
		return invalidRequest("claims is not the JSON object it should be")
	}
	if acr := c.IDToken["acr"]; acr != nil {
		wanted := acr.strings()
		if acr.Essential && len(wanted) > 0 {
			// Nothing else would do, so what acr_values wishes for has no say.
			req.ACR, req.Essential = wanted, true
		} else {
			req.ACR = append(wanted, req.ACR...)
		}
	}
	for _, asked := range []map[string]*claimRequest{c.IDToken, c.UserInfo} {
		for _, subject := range asked["sub"].strings() {
			if err := limitTo(&req.Subject, subject); err != nil {
				return err
			}
		}
	}
	a.IDTokenClaims = byName(client, c.IDToken)
	a.UserInfoClaims = byName(client, c.UserInfo)
	return nil
}

func byName(client *storage.Client, asked map[string]*claimRequest) []string {
	var names []string
	for _, c := range userClaims {
		if _, ok := asked[c.name]; ok && allows(client, c.scope) {
			names = append(names, c.name)
		}
	}
	return names
}

// Types of tokens, in their JOSE header, so that none can pass for another (RFC 8725, section 3.11).
const (
	typeAccess = "at+jwt"
	typeID     = "JWT"
)

// sign makes a JWT of claims.
func (p *Provider) sign(ctx context.Context, alg, typ string, claims any) (string, error) {
	key, err := p.c.Keys.Signer(ctx, alg)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.SignatureAlgorithm(key.Alg),
		Key:       jose.JSONWebKey{Key: key.Key, KeyID: key.ID},
	}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return "", err
	}
	return crypto.Sign(claims, signer)
}

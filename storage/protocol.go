package storage

import "time"

// Client is an OAuth 2.0 client (RFC 6749, section 2): an application, or a machine that calls an API. It is kept
// under Global by its client_id.
type Client struct {
	Key  `bson:",inline"`
	Name string `json:"name"`
	// Owner is the tenant it belongs to; empty means all tenants share it.
	Owner string   `json:"owner,omitempty"`
	Tags  []string `json:"tags,omitempty"`
	// Type is "web" (can keep a secret), "native" (RFC 8252), "browser" or "machine" (client credentials only).
	Type string `json:"type"`
	// Secrets are the live secrets; two while one takes the other's place. None for native and browser clients.
	Secrets []ClientSecret `json:"secrets,omitempty"`
	// RedirectURIs and PostLogoutRedirectURIs are compared as exact strings; on native clients the port of a
	// loopback address may differ.
	RedirectURIs           []string `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris,omitempty"`
	GrantTypes             []string `json:"grant_types"`
	Scopes                 []string `json:"scopes,omitempty"`
	// IDTokenAlg is id_token_signed_response_alg: "RS256" or "ES256".
	IDTokenAlg string `json:"id_token_signed_response_alg"`
	// NoPKCE lets a confidential client that cannot do it leave PKCE out.
	NoPKCE bool `json:"no_pkce,omitempty"`
	// Strength is what every sign-in to it has to show, beyond the tenant's policy: a Strength… constant; empty
	// leaves it to the policy and to what each request asks for.
	Strength string    `json:"strength,omitempty"`
	Disabled bool      `json:"disabled,omitempty"`
	Created  time.Time `json:"created"`
}

// The words of Client.Strength.
const (
	// StrengthTwoFactor: a password is not enough.
	StrengthTwoFactor = "mfa"
	// StrengthPhishingResistant: nor is a code that can be read out to somebody.
	StrengthPhishingResistant = "phr"
)

// Kind says how clients are kept.
func (Client) Kind() Kind { return Kind{Name: "clients", Indexes: []string{"owner"}} }

// ClientSecret is a keyed hash of a client_secret.
type ClientSecret struct {
	Hash    string    `json:"hash"`
	Created time.Time `json:"created"`
	// Until, if set, is when it stops working.
	Until time.Time `json:"until,omitzero"`
}

// Grant is what a client got: first an authorization code, then the tokens it was redeemed for.
type Grant struct {
	Key     `bson:",inline"`
	User    string `json:"user,omitempty"`
	Client  string `json:"client"`
	Session string `json:"session,omitempty"`
	// Code is the hash of the authorization code; CodeUntil ends the time to redeem it, Redeemed is set at the
	// first use. A second use revokes the grant.
	Code      string    `json:"code,omitempty"`
	CodeUntil time.Time `json:"code_until,omitzero"`
	Redeemed  bool      `json:"redeemed,omitempty"`
	Revoked   bool      `json:"revoked,omitempty"`
	// Refresh is the hash of the refresh token that is alive, RefreshUntil when it goes stale for want of use.
	Refresh      string    `json:"refresh,omitempty"`
	RefreshUntil time.Time `json:"refresh_until,omitzero"`
	// What the authorization request said, as far as tokens need it.
	RedirectURI   string   `json:"redirect_uri,omitempty"`
	CodeChallenge string   `json:"code_challenge,omitempty"`
	Nonce         string   `json:"nonce,omitempty"`
	Scopes        []string `json:"scopes,omitempty"`
	// IDTokenClaims and UserInfoClaims were asked for by name (OpenID Connect Core, section 5.5).
	IDTokenClaims  []string `json:"id_token_claims,omitempty"`
	UserInfoClaims []string `json:"userinfo_claims,omitempty"`
	// What the sign-in showed.
	ACR      string    `json:"acr,omitempty"`
	AMR      []string  `json:"amr,omitempty"`
	AuthTime time.Time `json:"auth_time,omitzero"`
	// Factors are the IDs of the factors that were proven beside the password, Address where the user signed in from.
	Factors []string  `json:"factors,omitempty"`
	Address string    `json:"address,omitempty"`
	Created time.Time `json:"created"`
	// Used is when tokens were got for it last; zero where none were, or before that was noted.
	Used time.Time `json:"used,omitzero"`
}

// Kind says how grants are kept.
func (Grant) Kind() Kind {
	return Kind{Name: "grants", Indexes: []string{"user", "session"}, Expiring: true}
}

// SigningKey is a key that tokens are signed with, kept under Global by its `kid`.
type SigningKey struct {
	Key `bson:",inline"`
	// Alg is the JWS algorithm: "RS256" or "ES256".
	Alg string `json:"alg"`
	// Private is the PKCS #8 key, sealed under the master key.
	Private []byte    `json:"private"`
	Created time.Time `json:"created"`
	// SignFrom is when it starts to sign: published first, so that verifiers have it in their caches by then.
	SignFrom time.Time `json:"sign_from"`
	// Retired is when it stopped signing; it stays published until Expires.
	Retired time.Time `json:"retired,omitzero"`
}

// Kind says how signing keys are kept.
func (SigningKey) Kind() Kind { return Kind{Name: "signing_keys"} }

package oidc

import (
	"slices"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/sallyport-id/sallyport/storage"
)

// allowed are those of the scopes that the client may have, each once; the others are passed over, as OpenID Connect
// Core, section 3.1.2.1, has it. openid is for everybody who signs users in, offline_access for who has the
// refresh_token grant type, and profile and email for clients that have no list of their own.
func allowed(c *storage.Client, asked []string) []string {
	var scopes []string
	for _, s := range asked {
		if s != "" && !slices.Contains(scopes, s) && allows(c, s) {
			scopes = append(scopes, s)
		}
	}
	return scopes
}

func allows(c *storage.Client, scope string) bool {
	switch scope {
	case oidc.ScopeOpenID:
		return may(c, oidc.GrantTypeCode)
	case oidc.ScopeOfflineAccess:
		return may(c, oidc.GrantTypeRefreshToken)
	case oidc.ScopeProfile, oidc.ScopeEmail:
		return len(c.Scopes) == 0 || slices.Contains(c.Scopes, scope)
	default:
		return slices.Contains(c.Scopes, scope)
	}
}

// aboutUsers are the scopes that mean nothing where there is no user.
func aboutUsers(scope string) bool {
	switch scope {
	case oidc.ScopeOpenID, oidc.ScopeOfflineAccess, oidc.ScopeProfile, oidc.ScopeEmail:
		return true
	default:
		return false
	}
}

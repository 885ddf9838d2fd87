package admin

import (
	"slices"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// The scopes of the API, beside ScopeOperator: what an access token is good for there.
const (
	ScopeTenantRead         = "tenant:read"
	ScopeTenantWrite        = "tenant:write"
	ScopeUsersRead          = "users:read"
	ScopeUsersWrite         = "users:write"
	ScopeRecoveryCodesWrite = "recovery-codes:write"
	ScopePolicyRead         = "policy:read"
	ScopePolicyWrite        = "policy:write"
	ScopeClientsRead        = "clients:read"
	ScopeClientsWrite       = "clients:write"
	ScopeIntegrationsRead   = "integrations:read"
	ScopeIntegrationsWrite  = "integrations:write"
	ScopeAuditRead          = "audit:read"
	ScopeWebhooksRead       = "webhooks:read"
	ScopeWebhooksWrite      = "webhooks:write"
)

// Scopes are the scopes of the API that a tenant's own clients can be given, in the order in which they are shown.
func Scopes() []string {
	return []string{
		ScopeTenantRead, ScopeTenantWrite, ScopeUsersRead, ScopeUsersWrite, ScopeRecoveryCodesWrite, ScopePolicyRead,
		ScopePolicyWrite, ScopeClientsRead, ScopeClientsWrite, ScopeIntegrationsRead, ScopeIntegrationsWrite, ScopeAuditRead,
		ScopeWebhooksRead, ScopeWebhooksWrite,
	}
}

// apiScopes are those of a client's scopes by which it does something in the API.
func apiScopes(scopes []string) []string {
	return slices.DeleteFunc(slices.Clone(scopes), func(s string) bool {
		return s != ScopeOperator && !slices.Contains(Scopes(), s)
	})
}

// mayGrant tells whether an actor may give a client scopes, or touch one that has them. A program gives no more than its own
// access token is good for: with a client, or the secret of one, that can do more it would rise above itself.
func mayGrant(by *web.Actor, scopes []string) bool {
	if runs(by) || by.Client == nil {
		return true
	}
	return !slices.ContainsFunc(apiScopes(scopes), func(s string) bool { return !slices.Contains(by.Scopes, s) })
}

// checkScopes refuses scopes that can't be had.
func checkScopes(by *web.Actor, c *storage.Client) error {
	if c.Owner != "" && slices.Contains(c.Scopes, ScopeOperator) {
		return invalidAs("scopes", ScopeOperator, "operator is for clients of the whole deployment", "leave it out")
	}
	if !mayGrant(by, c.Scopes) {
		return invalidAs("scopes", "beyond", "the access token is not good for all of them", "leave out those that it lacks itself")
	}
	return nil
}

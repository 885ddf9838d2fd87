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

// Scope is something that an access token can be good for in the API.
type Scope struct {
	Name string
	// Meaning is what it lets a program do, in English.
	Meaning string
}

// Scopes are those that a tenant's own clients can be given, in the order in which they are shown.
func Scopes() []Scope {
	return []Scope{
		{ScopeTenantRead, "See the account: its name, plan, user types and settings"},
		{ScopeTenantWrite, "Change the account"},
		{ScopeUsersRead, "See and search users"},
		{ScopeUsersWrite, "Invite, change, help and remove users"},
		{ScopeRecoveryCodesWrite, "Make recovery codes for users and take them back"},
		{ScopePolicyRead, "See who must use two-factor authentication, and try out changes"},
		{ScopePolicyWrite, "Change the rules and networks of the account"},
		{ScopeClientsRead, "See applications"},
		{ScopeClientsWrite, "Register and change applications and their secrets"},
		{ScopeIntegrationsRead, "See what is connected to the account"},
		{ScopeIntegrationsWrite, "Say what is connected to the account"},
		{ScopeAuditRead, "Read the audit log"},
		{ScopeWebhooksRead, "See webhooks and their deliveries"},
		{ScopeWebhooksWrite, "Add, change, test and remove webhooks"},
	}
}

// inAPI tells whether a client does something in the API by a scope.
func inAPI(scope string) bool {
	return scope == ScopeOperator || slices.ContainsFunc(Scopes(), func(s Scope) bool { return s.Name == scope })
}

// mayGrant tells whether an actor may give a client scopes, or touch one that has them. A program gives no more than its own
// access token is good for: with a client, or the secret of one, that can do more it would rise above itself.
func mayGrant(by *web.Actor, scopes []string) bool {
	if runs(by) || by.Client == nil {
		return true
	}
	return !slices.ContainsFunc(scopes, func(s string) bool { return inAPI(s) && !slices.Contains(by.Scopes, s) })
}

// mayEmpower refuses to a program to make somebody owner or admin who is not, unless its access token is good for all that
// there is: it could give that one a password, and do so what the token does not let it.
func mayEmpower(by *web.Actor, role storage.Role) error {
	if role == storage.Member || runs(by) || by.Client == nil {
		return nil
	}
	for _, s := range Scopes() {
		if !slices.Contains(by.Scopes, s.Name) {
			return invalidAs("role", "beyond", "the access token is not good for all that owners and admins do",
				"ask an owner, or use a token that has every scope of the API")
		}
	}
	return nil
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

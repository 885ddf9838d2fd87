package api

import "github.com/sallyport-id/sallyport/provider/admin"

// Scopes are all that an access token can be good for at the API.
func Scopes() []admin.Scope {
	return append(admin.Scopes(), admin.Scope{
		Name: admin.ScopeOperator, Meaning: "Run the deployment: all tenants, for clients that belong to none",
	})
}

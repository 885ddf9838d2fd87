package api

// Scope is what an access token can be good for at the API.
type Scope struct{ Name, Meaning string }

// Scopes are all of them.
func Scopes() []Scope {
	return []Scope{
		{"tenant:read", "See the account: its name, plan, user types and settings"},
		{"tenant:write", "Change the account"},
		{"users:read", "See and search users"},
		{"users:write", "Invite, change, help and remove users"},
		{"recovery-codes:write", "Make recovery codes for users and take them back"},
		{"policy:read", "See who must use two-factor authentication, and try out changes"},
		{"policy:write", "Change the rules and networks of the account"},
		{"clients:read", "See applications"},
		{"clients:write", "Register and change applications and their secrets"},
		{"integrations:read", "See what is connected to the account"},
		{"integrations:write", "Say what is connected to the account"},
		{"audit:read", "Read the audit log"},
		{"webhooks:read", "See webhooks and their deliveries"},
		{"webhooks:write", "Add, change, test and remove webhooks"},
		{"operator", "Run the deployment: all tenants, for clients that belong to none"},
	}
}

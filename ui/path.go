package ui

// The fixed places that pages lead to, relative to the issuer. Places of one page only are in its struct.
const (
	// PathSignIn takes the name and password, PathChooseTenant the choice between several accounts.
	PathSignIn       = "/signin"
	PathChooseTenant = "/signin/tenant"
	// PathPasskey signs in with a passkey alone, by POST; PathPasskeyOptions is where the page's script gets its challenge.
	PathPasskey        = "/signin/passkey"
	PathPasskeyOptions = "/signin/passkey/options"
	// PathLanguage takes the language that pages are to be in, by POST, of those who have not signed in.
	PathLanguage = "/language"
	// PathForgot asks for the name of an account whose password was forgotten.
	PathForgot = "/forgot"
	// PathConsole stands before all pages of a tenant's owners and admins; each part of the console has its own below it.
	PathConsole = "/admin/"
	// PathPeople lists a tenant's users.
	PathPeople = "/admin/people"
	// PathInvite asks whom to invite, and PathUserTypes lists a tenant's user types.
	PathInvite    = "/admin/invite"
	PathUserTypes = "/admin/types"
	// PathImport asks for a file of users, and leads to such files.
	PathImport = "/admin/people/import"
	// PathAdoption shows how far two-factor authentication has come, and PathAudit what happened.
	PathAdoption = "/admin/adoption"
	PathAudit    = "/admin/audit"
	// PathApplications, PathIntegrations and PathWebhooks are the pages of what is connected to a tenant's account.
	PathApplications = "/admin/applications"
	PathIntegrations = "/admin/integrations"
	PathWebhooks     = "/admin/webhooks"
	// PathPolicy says who must use two-factor authentication, PathRules stands before its rules, PathExplain tells why somebody
	// is asked for what; PathNetworks lists the account's networks.
	PathPolicy   = "/admin/policy"
	PathRules    = "/admin/policy/rules"
	PathExplain  = "/admin/policy/explain"
	PathNetworks = "/admin/networks"
	// PathSignOut ends the session, by POST.
	PathSignOut = "/signout"
	// PathAccount is the first page of what users do for themselves: how their account stands.
	PathAccount = "/account"
	// PathSecurity is where factors are seen and changed.
	PathSecurity = "/account/security"
	// PathDevices lists sessions and remembered devices, PathActivity what happened, PathConnected the applications that the
	// user signed in to, and PathDetails who the user is.
	PathDevices   = "/account/devices"
	PathActivity  = "/account/activity"
	PathConnected = "/account/applications"
	PathDetails   = "/account/details"
	// PathPassword asks for a new password.
	PathPassword = "/account/details/password"
	// PathTwoFactor says what a second step means, before the first is set up.
	PathTwoFactor = "/account/two-factor"
	// PathTwoFactorOff and PathCodesNew ask, by GET, before they act by POST.
	PathTwoFactorOff = "/account/two-factor/off"
	PathCodesNew     = "/account/codes/new"
	// PathSettings and PathBranding are where a tenant's settings and its look are changed.
	PathSettings = "/admin/settings"
	PathBranding = "/admin/branding"
	// PathBrand stands before the public names of what makes the look of a tenant's pages.
	PathBrand = "/brand/"
	// PathStatic stands before the public names of static files.
	PathStatic = "/static/"
)

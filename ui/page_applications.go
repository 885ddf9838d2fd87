package ui

// Applications lists the applications that a tenant's users sign in to, and those that act for themselves.
type Applications struct {
	// Own are the tenant's own.
	Own []ApplicationRow `json:"own"`
	// Shared are the names of those that users of all tenants sign in to; the deployment's operators look after them.
	Shared []string `json:"shared"`
	// New leads to where one is registered; empty: that is for others to do.
	New string `json:"new,omitempty"`
	// Next leads to the next page, if there is one; First back to the first.
	Next  string `json:"next,omitempty"`
	First string `json:"first,omitempty"`
	// Notice says what was just done.
	Notice Text `json:"notice,omitzero"`
}

// ApplicationRow is one application in a list.
type ApplicationRow struct {
	// ID is the client_id.
	ID   string `json:"client_id"`
	Name string `json:"name"`
	// Kind is the type of the client: "web", "native", "browser" or "machine".
	Kind     string `json:"type"`
	Disabled bool   `json:"disabled,omitempty"`
	// Path leads to the page of this application.
	Path string `json:"path"`
}

// NewApplication asks what kind of application is to be registered.
type NewApplication struct {
	Kinds []ApplicationKind `json:"kinds"`
	Back  string            `json:"back"`
}

// ApplicationKind is one of the kinds of applications; Path leads on.
type ApplicationKind struct {
	Kind string `json:"type"`
	Path string `json:"path"`
}

// ApplicationForm asks for all that can be said of an application of one kind, to register it or to change it.
type ApplicationForm struct {
	// Application is the name of the one that is changed; empty: it is a new one.
	Application string `json:"application,omitempty"`
	Kind        string `json:"type"`
	Name        string `json:"name"`
	// RedirectURIs and PostLogoutRedirectURIs are one a line, as they were typed.
	RedirectURIs           string `json:"redirect_uris"`
	PostLogoutRedirectURIs string `json:"post_logout_redirect_uris"`
	// Scopes are those of the API, About those of what an application reads of a user, Other what stands in no list.
	Scopes []ScopeChoice `json:"scopes"`
	About  []ScopeChoice `json:"about"`
	Other  string        `json:"other_scopes"`
	Tags   string        `json:"tags"`
	// Strength is "mfa", "phr" or empty.
	Strength string `json:"strength"`
	Action   string `json:"action"`
	Cancel   string `json:"cancel"`
	// Problems are by field; one that no field has stands under the empty name.
	Problems map[string]Text `json:"problems,omitempty"`
}

// ScopeChoice is a scope that can be ticked.
type ScopeChoice struct {
	Scope string `json:"scope"`
	On    bool   `json:"on,omitempty"`
}

// Application is one of a tenant's own applications.
type Application struct {
	Row ApplicationRow `json:"row"`
	// Issuer is what the application is told to trust.
	Issuer                 string   `json:"issuer"`
	RedirectURIs           []string `json:"redirect_uris"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris"`
	Scopes                 []string `json:"scopes"`
	Tags                   []string `json:"tags"`
	Strength               string   `json:"strength,omitempty"`
	// Created is RFC 3339.
	Created string `json:"created"`
	// Secrets are the secrets that work, the newest first; none where the kind has none.
	Secrets []SecretRow `json:"secrets"`
	// What can be done; empty where it can't: Edit leads to the form, Rotate makes a new secret by POST, Disable and Delete
	// ask first, Enable is a POST.
	Edit    string `json:"edit,omitempty"`
	Rotate  string `json:"rotate,omitempty"`
	Disable string `json:"disable,omitempty"`
	Enable  string `json:"enable,omitempty"`
	Delete  string `json:"delete,omitempty"`
	// Back leads to the list.
	Back   string `json:"back"`
	Notice Text   `json:"notice,omitzero"`
}

// SecretRow tells of a secret without telling it. Times are RFC 3339.
type SecretRow struct {
	Created string `json:"created"`
	// Until is when it stops working; empty: not before another takes its place.
	Until string `json:"until,omitempty"`
}

// Secret shows, once, a secret that was just made.
type Secret struct {
	// Webhook: it signs what is sent to a webhook; else it is an application's.
	Webhook bool `json:"webhook,omitempty"`
	// Name is whose it is, ID the client_id of an application.
	Name   string `json:"name"`
	ID     string `json:"client_id,omitempty"`
	Secret string `json:"secret"`
	// Until is when the one before stops working, RFC 3339; empty: there is none, or it has stopped.
	Until string `json:"until,omitempty"`
	// First: there was none before.
	First bool   `json:"first,omitempty"`
	Back  string `json:"back"`
}

// Template names the page's template.
func (Applications) Template() string    { return "applications" }
func (NewApplication) Template() string  { return "new_application" }
func (ApplicationForm) Template() string { return "application_form" }
func (Application) Template() string     { return "application" }
func (Secret) Template() string          { return "secret" }

func (Applications) part() string    { return "applications" }
func (NewApplication) part() string  { return "applications" }
func (ApplicationForm) part() string { return "applications" }
func (Application) part() string     { return "applications" }
func (s Secret) part() string {
	if s.Webhook {
		return "webhooks"
	}
	return "applications"
}

func (p ApplicationForm) problem() Text { return oneOf(p.Problems) }

// kinds are the words for the kinds of applications: the name, and what it is.
var kinds = map[string][2]string{
	"web":     {"application.web", "application.web_text"},
	"native":  {"application.native", "application.native_text"},
	"browser": {"application.browser", "application.browser_text"},
	"machine": {"application.machine", "application.machine_text"},
}

func kindName(kind string) Text {
	if w, ok := kinds[kind]; ok {
		return Say(w[0])
	}
	return Say("application.other", "kind", kind)
}

// KindName is what the kind is called.
func (r ApplicationRow) KindName() Text { return kindName(r.Kind) }

// KindName is what the kind is called.
func (p ApplicationForm) KindName() Text { return kindName(p.Kind) }

// Name is what the kind is called, and About what it is.
func (k ApplicationKind) Name() Text { return kindName(k.Kind) }

// About is one line on the kind.
func (k ApplicationKind) About() Text {
	if w, ok := kinds[k.Kind]; ok {
		return Say(w[1])
	}
	return Text{}
}

// Machine tells whether nobody signs in to it.
func (p ApplicationForm) Machine() bool { return p.Kind == "machine" }

// Machine tells whether nobody signs in to it.
func (p Application) Machine() bool { return p.Row.Kind == "machine" }

// Acting are the scopes by which the application does something in the API.
func (p Application) Acting() []string {
	var acting []string
	for _, s := range p.Scopes {
		if _, ok := scopeWords[s]; ok && s != "profile" && s != "email" {
			acting = append(acting, s)
		}
	}
	return acting
}

// scopeWords say what a scope is good for.
var scopeWords = map[string]string{
	"profile": "scope.profile", "email": "scope.email",
	"tenant:read": "scope.tenant_read", "tenant:write": "scope.tenant_write",
	"users:read": "scope.users_read", "users:write": "scope.users_write", "recovery-codes:write": "scope.recovery_codes_write",
	"policy:read": "scope.policy_read", "policy:write": "scope.policy_write",
	"clients:read": "scope.clients_read", "clients:write": "scope.clients_write",
	"integrations:read": "scope.integrations_read", "integrations:write": "scope.integrations_write",
	"audit:read": "scope.audit_read", "webhooks:read": "scope.webhooks_read", "webhooks:write": "scope.webhooks_write",
}

// ScopeText says what a scope is good for, and nothing of one that is not ours.
func ScopeText(scope string) Text {
	if key, ok := scopeWords[scope]; ok {
		return Say(key)
	}
	return Text{}
}

// Text says what the scope is good for.
func (c ScopeChoice) Text() Text { return ScopeText(c.Scope) }

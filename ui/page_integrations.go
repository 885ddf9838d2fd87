package ui

// Integrations lists what applications have connected to a tenant's account. Connecting and disconnecting is the
// applications' part.
type Integrations struct {
	Integrations []IntegrationRow `json:"integrations"`
	// New leads to where an application is registered, through which something could be connected; it is set for those who
	// may, where nothing is.
	New string `json:"new,omitempty"`
}

// IntegrationRow is one connected integration.
type IntegrationRow struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Kind is the application's word, such as "financial".
	Kind string `json:"kind"`
	// Application connected it; empty: an operator did.
	Application string `json:"application,omitempty"`
	// Connected is RFC 3339.
	Connected string `json:"connected"`
	// Rule is the rule that asks for two-factor authentication because of it, if there is one.
	Rule string `json:"rule,omitempty"`
}

// Template names the page's template.
func (Integrations) Template() string { return "integrations" }

func (Integrations) part() string { return "integrations" }

// KindName is the word for the kind: the application's own, where we have none.
func (r IntegrationRow) KindName() Text {
	if r.Kind == "financial" {
		return Say("integrations.financial")
	}
	return Say("integrations.kind", "kind", r.Kind)
}

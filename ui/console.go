package ui

// part is a part of the console, as its pages link to each other: a word of the catalogues ("console.<ID>"), and where its
// first page is.
type part struct{ ID, Path string }

// parts are the parts of the console, in the order in which they are shown.
var parts = [...]part{
	{"people", PathPeople},
	{"policy", PathPolicy},
	{"networks", PathNetworks},
	{"applications", PathApplications},
	{"integrations", PathIntegrations},
	{"webhooks", PathWebhooks},
	{"audit", PathAudit},
	{"adoption", PathAdoption},
	{"settings", PathSettings},
	{"branding", PathBranding},
}

// inConsole is what a page of the console is besides: the ID of the part that it belongs to.
type inConsole interface{ part() string }

func (People) part() string       { return "people" }
func (Person) part() string       { return "people" }
func (RecoveryCode) part() string { return "people" }
func (Invite) part() string       { return "people" }
func (Import) part() string       { return "people" }
func (ImportReport) part() string { return "people" }
func (Importing) part() string    { return "people" }
func (UserTypes) part() string    { return "people" }
func (UserType) part() string     { return "people" }

// tab is a link to a part of the console; Here is where the page itself is.
type tab struct {
	part
	Here bool
}

// Tabs are the links between the parts of the console, and none on other pages.
func (v view) Tabs() []tab {
	p, ok := v.Page.(inConsole)
	if !ok {
		return nil
	}
	tabs := make([]tab, len(parts))
	for i, one := range parts {
		tabs[i] = tab{one, one.ID == p.part()}
	}
	return tabs
}

package ui

import (
	"slices"
	"strings"
)

// area is a part of the deployment whose pages link to each other by tabs: what readers of the screen hear of it, and
// its parts in the order in which they are shown.
type area struct {
	Label string
	// words stands before the IDs of the parts in the catalogues.
	words string
	// groups are the parts by what they are about; an area of few parts has one.
	groups [][]part
}

// part is one tab: its ID, which is that of no other part in any area, and where its first page is.
type part struct{ ID, Path string }

// areas are all of them. What a user is offered for himself comes first.
func areas() [2]area {
	return [...]area{
		{"account.parts", "account.", [][]part{{
			{"overview", PathAccount},
			{"security", PathSecurity},
			{"devices", PathDevices},
			{"activity", PathActivity},
			{"connected", PathConnected},
			{"details", PathDetails},
		}}},
		{"console.parts", "console.", [][]part{
			{{"people", PathPeople}, {"adoption", PathAdoption}},
			{{"policy", PathPolicy}, {"networks", PathNetworks}},
			{{"applications", PathApplications}, {"integrations", PathIntegrations}, {"webhooks", PathWebhooks}},
			{{"audit", PathAudit}},
			{{"settings", PathSettings}, {"branding", PathBranding}},
		}},
	}
}

// inArea is what a page of an area is besides: the ID of the part that it belongs to.
type inArea interface{ part() string }

func (Details) part() string { return "details" }

func (People) part() string       { return "people" }
func (Person) part() string       { return "people" }
func (RecoveryCode) part() string { return "people" }
func (Invite) part() string       { return "people" }
func (Import) part() string       { return "people" }
func (ImportReport) part() string { return "people" }
func (Importing) part() string    { return "people" }
func (UserTypes) part() string    { return "people" }
func (UserType) part() string     { return "people" }

// tab is a link to a part of an area: its word, where it leads, whether the page itself is there, and whether another
// group begins after it.
type tab struct {
	Word string
	Path string
	Here bool
	Last bool
}

// tabs are the links between the parts of an area.
type tabs struct {
	Label string
	Tabs  []tab
}

// Tabs are the links of the area that the page is in; none outside of areas.
func (v view) Tabs() *tabs {
	p, ok := v.Page.(inArea)
	if !ok {
		return nil
	}
	for _, a := range areas() {
		all, here := tabs{Label: a.Label}, false
		for _, group := range a.groups {
			for i, one := range group {
				at := one.ID == p.part()
				here = here || at
				all.Tabs = append(all.Tabs, tab{a.words + one.ID, one.Path, at, i == len(group)-1})
			}
		}
		if here {
			return &all
		}
	}
	return nil
}

// Across leads from the account to the administration, for those who have a part in it, and back.
func (v view) Across() *link {
	switch t := v.Tabs(); {
	case t == nil:
		return nil
	case t.Label == "console.parts":
		return &link{"console.account", PathAccount}
	case v.Frame.Administers:
		return &link{"account.console", PathPeople}
	default:
		return nil
	}
}

// TabOf is the first page of the part that a path of the account or the console belongs to: where somebody goes on who was
// kept from what stands behind the path. Paths of the account that are behind no tab belong to the security page.
func TabOf(path string) string {
	path, _, _ = strings.Cut(path, "?")
	if !strings.HasPrefix(path, PathAccount+"/") {
		if rest, ok := strings.CutPrefix(path, PathConsole); ok {
			if path == PathInvite {
				return PathPeople
			}
			name, _, _ := strings.Cut(rest, "/")
			return PathConsole + name
		}
		return PathAccount
	}
	for _, p := range slices.Concat(areas()[0].groups...) {
		if p.Path != PathAccount && (path == p.Path || strings.HasPrefix(path, p.Path+"/")) {
			return p.Path
		}
	}
	return PathSecurity
}

package provider

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// buttons are the links and buttons within what is of a class, by their words, and where they lead.
func (p *page) buttons(class string) map[string]string {
	found := map[string]string{}
	p.walk(func(n *html.Node) {
		if !slices.Contains(strings.Fields(attr(n, "class")), class) {
			return
		}
		visit(n, func(b *html.Node) {
			switch b.Data {
			case "a":
				found[words(b)] = attr(b, "href")
			case "button":
				found[words(b)] = ""
			}
		})
	})
	return found
}

// A list that is empty says what it would be good for, and has the button that begins it for those who may.
func TestEmptyListsTeach(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	admin := w.helper("birch", "amir@birch.example", storage.Admin)
	for _, c := range []struct{ path, example, button, to string }{
		{ui.PathWebhooks, "your monitoring learns at once when somebody’s second step is reset", "Add a webhook", ui.PathWebhooks + "/new"},
		{ui.PathIntegrations, "Your bookkeeping, for example, can connect", "Register an application", ui.PathApplications + "/new"},
		{ui.PathApplications, "Register your time sheets, for example", "Register an application", ui.PathApplications + "/new"},
	} {
		p := owner.get(c.path).says(c.example)
		if got := p.buttons("empty"); len(got) != 1 || got[c.button] != c.to {
			t.Errorf("%s has in its empty list %v", c.path, got)
		}
		if got := p.buttons("card-top"); len(got) != 0 {
			t.Errorf("%s has the same button a second time: %v", c.path, got)
		}
		if got := admin.get(c.path).says(c.example).buttons("empty"); len(got) != 0 {
			t.Errorf("%s offers an admin %v", c.path, got)
		}
	}
}

// Where people turn who are stuck, and what the foot of pages links to, are set on two pages: each says which of them it is, and
// leads to the field on the other.
func TestSupportAndHelpPointToEachOther(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	for _, c := range []struct{ path, label, hint, field, other string }{
		{ui.PathSettings, "Support contact", "Shown to people who are stuck while signing in", "support", ui.PathBranding + "#help_url"},
		{ui.PathBranding, "Help page", "The link at the foot of every page", "help_url", ui.PathSettings + "#support"},
	} {
		p := owner.get(c.path)
		if labels := p.labels(); labels[c.field] != c.label {
			t.Errorf("%s calls it %q", c.path, labels[c.field])
		}
		to := p.says(c.hint).link(c.other)
		path, field, _ := strings.Cut(to, "#")
		if other := owner.get(path); other.status != http.StatusOK || other.labels()[field] == "" {
			t.Errorf("%s leads to %s, where there is no such field", c.path, to)
		}
	}
}

// labels are what the fields of a page are called, by their ids.
func (p *page) labels() map[string]string {
	all := map[string]string{}
	p.walk(func(n *html.Node) {
		if n.Data == "label" {
			all[attr(n, "for")] = words(n)
		}
	})
	return all
}

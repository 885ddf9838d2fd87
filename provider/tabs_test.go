package provider

import (
	"net/http"
	"testing"

	"golang.org/x/net/html"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// tabs are the links of the row of tabs of a page, in their order, and those of them that are marked as the page itself.
func (p *page) tabs() (all, marked []string) {
	p.walk(func(nav *html.Node) {
		if nav.Data != "nav" || attr(nav, "class") != "tabs" {
			return
		}
		visit(nav, func(a *html.Node) {
			if a.Data != "a" {
				return
			}
			all = append(all, attr(a, "href"))
			if has(a, "aria-current") {
				marked = append(marked, attr(a, "href"))
			}
		})
	})
	return all, marked
}

// Whatever tab is followed, the page that it leads to marks that tab, and no other.
func TestEveryTabMarksItself(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	for path, least := range map[string]int{ui.PathAccount: 6, ui.PathPeople: 10} {
		tabs, _ := owner.get(path).tabs()
		if len(tabs) < least {
			t.Fatalf("%s has the tabs %v", path, tabs)
		}
		for _, tab := range tabs {
			p := owner.get(tab)
			if _, marked := p.tabs(); p.status != http.StatusOK || len(marked) != 1 || marked[0] != tab {
				t.Errorf("%s answers %d and marks %v", tab, p.status, marked)
			}
		}
	}
}

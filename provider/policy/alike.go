package policy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-id/sallyport/storage"
)

// Likeness tells which users, and which applications, are the same to some rules. Users of one key are decided on alike at
// the same application, and applications of one key alike for the same user, as long as the rest of the facts is the same:
// who looks at very many need look at one of each key only.
type Likeness struct {
	// named are the rules that name a user, by their places.
	named map[string]string
	// networks are the lists that rules ask of.
	networks [][]netip.Prefix
	// apps are the conditions that rules have about applications.
	apps []storage.When
}

// NewLikeness is that of all rules which are given.
func NewLikeness(rules []storage.Rule) *Likeness {
	l := &Likeness{named: map[string]string{}}
	for i := range rules {
		w := &rules[i].When
		for _, id := range w.Users {
			l.named[id] += strconv.Itoa(i) + " "
		}
		for _, list := range [][]string{w.Networks, w.NotNetworks} {
			if len(list) > 0 {
				l.networks = append(l.networks, parsed(list))
			}
		}
		if len(w.Clients)+len(w.ClientTags) > 0 {
			l.apps = append(l.apps, storage.When{Clients: w.Clients, ClientTags: w.ClientTags})
		}
	}
	return l
}

// parsed are the networks of a list. One that can't be read is left out: it makes its rule one that denies whatever the
// address is.
func parsed(list []string) []netip.Prefix {
	all := make([]netip.Prefix, 0, len(list))
	for _, n := range list {
		if p, err := netip.ParsePrefix(n); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// User is the key of a user at an address.
func (l *Likeness) User(f Facts) string {
	var b strings.Builder
	b.WriteString(strconv.Quote(f.UserType))
	b.WriteString(string(f.Role))
	b.WriteString(bit(f.Ticked))
	b.WriteString(l.named[f.User])
	a := canonical(f.Address)
	for _, list := range l.networks {
		if !a.IsValid() {
			b.WriteByte('?')
			continue
		}
		b.WriteString(bit(slices.ContainsFunc(list, func(p netip.Prefix) bool { return contains(p, a) })))
	}
	return b.String()
}

// App is the key of an application. That of our own pages, which the zero Facts stand for, is the one of all applications
// too that no rule is about.
func (l *Likeness) App(f Facts) string {
	var b strings.Builder
	for i := range l.apps {
		w := &l.apps[i]
		b.WriteString(bit(oneOf(w.Clients, f.Client) && overlap(w.ClientTags, f.Tags)))
	}
	return b.String()
}

// Apps tells whether any of the rules is about applications.
func (l *Likeness) Apps() bool { return len(l.apps) > 0 }

func bit(on bool) string {
	if on {
		return "+"
	}
	return "-"
}

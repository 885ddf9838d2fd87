package admin

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/storage"
)

// Changes are what sets one policy apart from another.
type Changes struct {
	// RulesAdded, RulesRemoved and RulesChanged are the names of rules.
	RulesAdded   []string `json:"rules_added,omitempty"`
	RulesRemoved []string `json:"rules_removed,omitempty"`
	RulesChanged []string `json:"rules_changed,omitempty"`
	// Reordered: rules that stay have another order.
	Reordered bool `json:"reordered,omitempty"`
	// NetworksAdded and NetworksRemoved are prefixes, NetworksChanged those of networks that stay and are called otherwise, or
	// ask for something else.
	NetworksAdded   []string `json:"networks_added,omitempty"`
	NetworksRemoved []string `json:"networks_removed,omitempty"`
	NetworksChanged []string `json:"networks_changed,omitempty"`
}

// Any tells whether there are changes at all.
func (c Changes) Any() bool { return !reflect.DeepEqual(c, Changes{}) }

// compare finds what sets the policy of after apart from that of before. Rules are the same where their IDs are.
func compare(before, after *storage.Tenant) Changes {
	var c Changes
	was, is := byID(before.Rules), byID(after.Rules)
	var kept, order []string
	for _, r := range before.Rules {
		if _, ok := is[r.ID]; ok {
			kept = append(kept, r.ID)
		} else {
			c.RulesRemoved = append(c.RulesRemoved, r.Name)
		}
	}
	for _, r := range after.Rules {
		o, ok := was[r.ID]
		switch {
		case !ok:
			c.RulesAdded = append(c.RulesAdded, r.Name)
			continue
		case !sameRule(o, r):
			c.RulesChanged = append(c.RulesChanged, r.Name)
		}
		order = append(order, r.ID)
	}
	c.Reordered = !slices.Equal(kept, order)
	for _, n := range before.Networks {
		if !slices.ContainsFunc(after.Networks, func(o storage.Network) bool { return o.Prefix == n.Prefix }) {
			c.NetworksRemoved = append(c.NetworksRemoved, n.Prefix)
		}
	}
	for _, n := range after.Networks {
		i := slices.IndexFunc(before.Networks, func(o storage.Network) bool { return o.Prefix == n.Prefix })
		switch {
		case i < 0:
			c.NetworksAdded = append(c.NetworksAdded, n.Prefix)
		case before.Networks[i] != n:
			c.NetworksChanged = append(c.NetworksChanged, n.Prefix)
		}
	}
	return c
}

func byID(rules []storage.Rule) map[string]storage.Rule {
	m := make(map[string]storage.Rule, len(rules))
	for _, r := range rules {
		m[r.ID] = r
	}
	return m
}

// sameRule compares what rules say: a list of nothing is none, and a time is the same wherever it is told.
func sameRule(a, b storage.Rule) bool {
	for _, r := range []*storage.Rule{&a, &b} {
		w, t := &r.When, &r.Then
		w.From, w.Until, t.GraceUntil = w.From.UTC(), w.Until.UTC(), t.GraceUntil.UTC()
		for _, list := range []*[]string{&w.UserTypes, &w.Users, &w.Networks, &w.NotNetworks, &w.Clients, &w.ClientTags, &w.Plans, &w.Integrations, &t.Factors} {
			if len(*list) == 0 {
				*list = nil
			}
		}
		if len(w.Roles) == 0 {
			w.Roles = nil
		}
	}
	return reflect.DeepEqual(a, b)
}

// String says in the audit log what was changed.
func (c Changes) String() string {
	var said []string
	each := func(names []string, how string) {
		for _, name := range names {
			said = append(said, fmt.Sprintf(how, name))
		}
	}
	each(c.RulesRemoved, "rule %q removed")
	each(c.RulesAdded, "rule %q added")
	each(c.RulesChanged, "rule %q changed")
	if c.Reordered {
		said = append(said, "order of the rules changed")
	}
	each(c.NetworksRemoved, "network %s removed")
	each(c.NetworksAdded, "network %s added")
	each(c.NetworksChanged, "network %s changed")
	return strings.Join(said, "; ")
}

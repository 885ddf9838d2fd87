package admin

import (
	"fmt"
	"testing"

	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/storage"
)

// Where there is too much to look at, our own pages are looked at for everybody all the same, and the preview says what
// was left out.
func TestPreviewIsBounded(t *testing.T) {
	looked := map[string]int{}
	s := &Service{Config: Config{Foresee: func(_ *storage.User, _ policy.Decision, c *storage.Client) (policy.Asked, error) {
		if c == nil {
			looked["own"]++
		} else {
			looked[c.ID]++
		}
		return policy.Asked{Kind: policy.AskNothing}, nil
	}}}
	rules := []storage.Rule{{ID: "a", When: storage.When{Roles: []storage.Role{storage.Owner}}}, {ID: "b", When: storage.When{Clients: []string{"x", "y"}}}}
	tenant := &storage.Tenant{Rules: rules}
	f := &foreseer{
		Service: s, before: tenant, after: tenant, alike: policy.NewLikeness(rules), known: map[kind]fate{}, left: 5,
		places: []place{{}, {client: &storage.Client{Key: storage.Key{ID: "x"}}}, {client: &storage.Client{Key: storage.Key{ID: "y"}}}},
	}
	var p Preview
	for i := range 300 {
		u := &storage.User{Key: storage.Key{ID: fmt.Sprint(i)}, Type: fmt.Sprint("type ", i%3), Role: storage.Member}
		found, err := f.of(u)
		if err != nil {
			t.Fatal(err)
		}
		f.count(&p, u, found)
	}
	f.tell(&p)
	// Three kinds of users, each asked about before and after: all on our own pages, and two at the applications.
	if looked["own"] != 6 || looked["x"] != 4 || looked["y"] != 4 || !p.PartialApplications || p.Users != 300 {
		t.Errorf("looked at %v, partial %t, %d users", looked, p.PartialApplications, p.Users)
	}
}

func TestWatch(t *testing.T) {
	rule := func(id string) storage.Rule { return storage.Rule{ID: id, Name: id} }
	a, b, c, other := rule("a"), rule("b"), rule("c"), rule("b")
	other.Name = "other"
	for name, q := range map[string]struct {
		after []storage.Rule
		want  string
	}{
		"nothing":      {[]storage.Rule{a, b, c}, ""},
		"new":          {[]storage.Rule{a, rule("n"), b, c}, "added n at 1;"},
		"another name": {[]storage.Rule{a, other, c}, "changed b at 1;"},
		"one up":       {[]storage.Rule{a, c, b}, "moved c at 1;"},
		"to the front": {[]storage.Rule{c, a, b}, "moved c at 0;"},
		"to the end":   {[]storage.Rule{b, c, a}, "moved b at 0;moved c at 1;"},
		"gone":         {[]storage.Rule{a, c}, ""},
	} {
		got := ""
		for _, w := range watch([]storage.Rule{a, b, c}, q.after) {
			got += fmt.Sprintf("%s %s at %d;", w.change, q.after[w.at].ID, w.at)
		}
		if got != q.want {
			t.Errorf("%s: %q, want %q", name, got, q.want)
		}
	}
	gone := ruleEffects([]storage.Rule{a, b, c}, []storage.Rule{a, c}, nil)
	if len(gone) != 1 || gone[0].Change != RuleRemoved || gone[0].Rule.ID != "b" || gone[0].Place != 0 {
		t.Errorf("removed: %+v", gone)
	}
}

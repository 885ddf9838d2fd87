package provider

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// turns calls back before the first turn is taken in which roles are changed: whoever asks for it was admitted already.
type turns struct {
	storage.Table[storage.Counter]
	once   sync.Once
	before func()
}

func (t *turns) Insert(ctx context.Context, c *storage.Counter) error {
	if c.ID == "roles" && t.before != nil {
		t.once.Do(t.before)
	}
	return t.Table.Insert(ctx, c)
}

// Who was put out, or down, between being admitted and having the turn does no more than what is left to do.
func TestAttackOwnerOfAMomentAgo(t *testing.T) {
	for name, c := range map[string]struct {
		put  func(*storage.User)
		want int
	}{
		"nothing":  {func(*storage.User) {}, http.StatusSeeOther},
		"disabled": {func(u *storage.User) { u.Disabled = true }, http.StatusForbidden},
		"an admin": {func(u *storage.User) { u.Role = storage.Admin }, http.StatusForbidden},
		"a member": {func(u *storage.User) { u.Role = storage.Member }, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			watch := &turns{}
			w := newWorld(t, func(c *Config) { watch.Table, c.Store.Counters = c.Store.Counters, watch })
			kim := w.user("acme", "kim@acme.example", "staff")
			otto := w.helper("acme", "otto@acme.example", storage.Owner)
			watch.before = func() {
				_, err := storage.Change(context.Background(), w.store.Users, "acme", otto.ID, func(u *storage.User) error {
					c.put(u)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
			p, err := otto.once(otto.request(http.MethodPost, ui.PathPeople+"/"+kim.ID, url.Values{"role": {"owner"}, "type": {"staff"}}))
			if err != nil || p.status != c.want {
				t.Fatalf("%v: %d, want %d", err, p.status, c.want)
			}
			if now := w.get("acme", kim.ID).Role; (now == storage.Owner) != (c.want == http.StatusSeeOther) {
				t.Errorf("kim is %s", now)
			}
		})
	}
}

// Nobody is helped by himself: what helps others past a lost second step would take one's own out of the way.
func TestAttackOwnerHelpsHimself(t *testing.T) {
	g := &grid{world: newWorld(t)}
	owner := g.helper("acme", "olga@acme.example", storage.Owner)
	g.helper("acme", "otto@acme.example", storage.Owner)
	for _, what := range []string{"reset", "end", "forget", "disable", "enable", "unlock", "delete", "remind", "recovery-code", "recovery-code/revoke"} {
		g.unchanged(what, func() int {
			p, err := owner.once(owner.request(http.MethodPost, ui.PathPeople+"/"+owner.ID+"/"+what, url.Values{}))
			if err != nil {
				t.Fatal(err)
			}
			if p.status != http.StatusForbidden {
				t.Errorf("%s: %d", what, p.status)
			}
			return p.status
		})
	}
	if p := owner.get(ui.PathPeople); p.heading() != atPeople {
		t.Errorf("the session is gone: %s", p.heading())
	}
}

// The scope by which a program runs the deployment makes nobody an operator who acts for a tenant or for a person: not a
// client that had it before a tenant was given it, nor who signs in to one of the deployment's.
func TestAttackOperatorScopeInOtherHands(t *testing.T) {
	g := &grid{world: newWorld(t)}
	g.user("birch", "olga@birch.example", "client", func(u *storage.User) { u.Role = storage.Owner })
	ofOwner, _ := g.signedIn("olga@birch.example", append(allScopes(), "operator")...)
	for name, p := range map[string]*caller{
		"a tenant's machine": g.machine("given", "birch", append(allScopes(), "operator")...), "an owner's application": ofOwner,
	} {
		for what, c := range map[string]struct {
			method, path, body string
			want               int
		}{
			"lists tenants":              {http.MethodGet, "/api/v1/tenants", "", http.StatusForbidden},
			"makes a tenant":             {http.MethodPost, "/api/v1/tenants", `{"id":"mine"}`, http.StatusForbidden},
			"lists everybody's clients":  {http.MethodGet, "/api/v1/clients", "", http.StatusForbidden},
			"reads another tenant":       {http.MethodGet, "/api/v1/tenants/acme", "", http.StatusNotFound},
			"closes its own tenant":      {http.MethodPost, "/api/v1/tenants/birch/disable", "", http.StatusForbidden},
			"confirms an address itself": {http.MethodPost, "/api/v1/tenants/birch/users", `{"email":"a@birch.example","email_verified":true}`, http.StatusUnprocessableEntity},
		} {
			g.unchanged(name+" "+what, func() int {
				got := p.call(c.method, c.path, c.body)
				if got.status != c.want {
					t.Errorf("%s %s: %d %s, want %d", name, what, got.status, got.body, c.want)
				}
				return got.status
			})
		}
	}
}

// Who has not taken up an invitation can't bring an account back: the owner who can sign in is the last.
func TestAttackInvitedOwnerIsNobodyYet(t *testing.T) {
	w := newWorld(t)
	kim := w.user("birch", "kim@birch.example", "client", func(u *storage.User) { u.Role = storage.Owner })
	w.user("birch", "nora@birch.example", "client", func(u *storage.User) {
		u.Role, u.Invited, u.Password = storage.Owner, w.clock.Now(), ""
	})
	p := w.machine("mighty", "birch", allScopes()...)
	at := "/api/v1/tenants/birch/users/" + kim.ID
	p.call(http.MethodPatch, at, `{"role":"member"}`).refuses(t, http.StatusUnprocessableEntity, "user", "last_owner")
	p.call(http.MethodPost, at+"/disable", "").refuses(t, http.StatusUnprocessableEntity, "user", "last_owner")
	p.call(http.MethodDelete, at, "").refuses(t, http.StatusUnprocessableEntity, "user", "last_owner")
}

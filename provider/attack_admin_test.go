package provider

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/storage"
)

// allScopes are those that a tenant's own clients can be given.
func allScopes() []string {
	var all []string
	for _, s := range admin.Scopes() {
		all = append(all, s.Name)
	}
	return all
}

// An application that a rule asks no second step for gets no token that administers: the API asks what our own pages ask.
func TestAttackAPIByALaxApplication(t *testing.T) {
	w := newWorld(t)
	w.helper("acme", "olga@acme.example", storage.Owner)
	acme := w.tenantOf("acme")
	w.rules("acme", append([]storage.Rule{{
		Name: "The console asks nothing more", When: storage.When{Clients: []string{"console"}},
		Then: storage.Then{Access: "allow", TwoFactor: "off", Strength: "any"},
	}}, acme.Rules...)...)
	thief, _ := w.signedIn("olga@acme.example", "users:read", "users:write") // the password is enough for that one
	thief.call(http.MethodGet, "/api/v1/tenants/acme/users", "").problem(t, "reads", http.StatusForbidden, "error.denied")
	thief.call(http.MethodPost, "/api/v1/tenants/acme/users", `{"email":"mine@acme.example","role":"owner"}`).
		problem(t, "makes an owner", http.StatusForbidden, "error.denied")
}

// A program makes nobody more mighty than itself: an owner whose password it knows could do all that its token is not
// good for. The same holds for programs that act for an owner, and for taking over those whom it may not make.
func TestAttackProgramMakesAnOwner(t *testing.T) {
	w := newWorld(t)
	olga := w.user("birch", "olga@birch.example", "client", func(u *storage.User) { u.Role = storage.Owner })
	kim := w.user("birch", "kim@birch.example", "client")
	ofOwner, _ := w.signedIn("olga@birch.example", "users:write")
	const users = "/api/v1/tenants/birch/users"
	for name, p := range map[string]*caller{"machine": w.machine("robot", "birch", "users:write"), "an owner's": ofOwner} {
		for _, role := range []string{"owner", "admin"} {
			p.call(http.MethodPost, users, `{"email":"mine@birch.example","password":"`+newPassword+`","role":"`+role+`"}`).
				refuses(t, http.StatusUnprocessableEntity, "role", "beyond")
			p.call(http.MethodPost, "/api/v1/tenants/birch/invitations", `{"email":"mine@birch.example","role":"`+role+`"}`).
				refuses(t, http.StatusUnprocessableEntity, "role", "beyond")
			p.call(http.MethodPatch, users+"/"+kim.ID, `{"role":"`+role+`"}`).refuses(t, http.StatusUnprocessableEntity, "role", "beyond")
		}
		if s := p.call(http.MethodPost, users, `{"email":"`+strings.ReplaceAll(name, "'s", "")[:2]+`@birch.example"}`); s.status != http.StatusCreated {
			t.Errorf("%s makes a member: %d %s", name, s.status, s.body)
		}
	}
	mighty := w.machine("mighty", "birch", allScopes()...)
	if s := mighty.call(http.MethodPatch, users+"/"+kim.ID, `{"role":"owner"}`); s.status != http.StatusOK {
		t.Fatalf("with all scopes: %d %s", s.status, s.body)
	}
	// The last owner stays, whoever asks but operators.
	mighty.call(http.MethodPost, users+"/"+olga.ID+"/disable", "")
	for what, s := range map[string]said{
		"disable": mighty.call(http.MethodPost, users+"/"+kim.ID+"/disable", ""),
		"demote":  mighty.call(http.MethodPatch, users+"/"+kim.ID, `{"role":"member"}`),
		"delete":  mighty.call(http.MethodDelete, users+"/"+kim.ID, ""),
	} {
		t.Log(what)
		s.refuses(t, http.StatusUnprocessableEntity, "user", "last_owner")
	}
	if s := w.machine("operations", "", "operator", "users:write").call(http.MethodPost, users+"/"+kim.ID+"/disable", ""); s.status != http.StatusOK {
		t.Errorf("an operator: %d %s", s.status, s.body)
	}
}

package provider

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/storage"
)

// refuses checks that an answer is a refusal about a place, with a code that tells it from others.
func (s said) refuses(t testing.TB, status int, where, code string) {
	t.Helper()
	general := map[int]string{
		http.StatusBadRequest: "error.bad_request", http.StatusConflict: "error.exists", http.StatusUnprocessableEntity: "error.invalid",
		http.StatusNotFound: "error.not_found",
	}
	v := s.problem(t, where, status, general[status])
	all, _ := v["errors"].([]any)
	if len(all) != 1 {
		t.Fatalf("%s", s.body)
	}
	e, _ := all[0].(map[string]any)
	if is, _ := e["code"].(string); e["where"] != where || is != code || e["what"] == "" || e["do"] == "" {
		t.Errorf("%s, want code %q at %s", s.body, code, where)
	}
}

// A program invites, finds, changes, helps and removes users, as an owner does on the pages.
func TestAPIPeople(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "olga@birch.example", "staff", func(u *storage.User) { u.Role = storage.Owner })
	p := w.machine("robot", "birch", allScopes()...)
	const birch = "/api/v1/tenants/birch"
	ok := func(status int, method, path, body string, pairs ...string) map[string]any {
		t.Helper()
		s := p.call(method, birch+path, body, pairs...)
		if s.status != status {
			t.Fatalf("%s %s: %d %s, want %d", method, path, s.status, s.body, status)
		}
		if s.body == "" {
			return nil
		}
		return s.json(t)
	}
	items := func(path string) []any {
		t.Helper()
		all, _ := ok(http.StatusOK, http.MethodGet, path, "")["items"].([]any)
		return all
	}

	// Invited, listed, invited again, withdrawn; the key keeps a second mail from going out.
	const nora = `{"email":"Nora@birch.example","name":"Nora","type":"client"}`
	for range 2 {
		s := p.call(http.MethodPost, birch+"/invitations", nora, "Idempotency-Key", "nora-1")
		u := s.json(t)
		if s.status != http.StatusCreated || u["email"] != "nora@birch.example" || u["invited"] == nil || u["has_password"] != false ||
			s.header.Get("Location") != w.issuer+birch+"/users/"+fmt.Sprint(u["id"]) && s.header.Get("Location") != birch+"/users/"+fmt.Sprint(u["id"]) {
			t.Fatalf("invited: %d %s %s", s.status, s.header.Get("Location"), s.body)
		}
	}
	if n := len(w.mails("nora@birch.example")); n != 1 || strings.Contains(w.mails("nora@birch.example")[0].Text, "robot") {
		t.Fatalf("%d mails", n)
	}
	if all := items("/invitations"); len(all) != 1 || len(items("/users?state=invited")) != 1 {
		t.Errorf("open: %v", all)
	}
	p.call(http.MethodPost, birch+"/invitations", nora).refuses(t, http.StatusConflict, "email", "taken")
	p.call(http.MethodPost, birch+"/invitations", `{"name":"Nora"}`).refuses(t, http.StatusBadRequest, "email", "")
	ok(http.StatusOK, http.MethodPost, "/invitations/nora@birch.example/send", "")
	ok(http.StatusOK, http.MethodPost, "/invitations/nora@birch.example/send", "")
	if s := p.call(http.MethodPost, birch+"/invitations/nora@birch.example/send", ""); s.status != http.StatusTooManyRequests || s.header.Get("Retry-After") == "" {
		t.Errorf("too often: %d %q", s.status, s.header.Get("Retry-After"))
	}
	ok(http.StatusNoContent, http.MethodDelete, "/invitations/nora@birch.example", "")
	ok(http.StatusNotFound, http.MethodGet, "/users/nora@birch.example", "")
	ok(http.StatusNotFound, http.MethodDelete, "/invitations/olga@birch.example", "")

	// Made with a password, changed, reminded, kept out, let in, removed.
	made := ok(http.StatusCreated, http.MethodPost, "/users", `{"email":"rob@birch.example","name":"Rob Roy","role":"admin"}`)
	user, _ := made["user"].(map[string]any)
	if made["password"] == "" || user["role"] != "admin" || user["email_verified"] != false {
		t.Errorf("made: %v", made)
	}
	p.call(http.MethodPost, birch+"/users", `{"email":"a@birch.example","name":"A","email_verified":true}`).
		refuses(t, http.StatusUnprocessableEntity, "email_verified", "operator")
	path := fmt.Sprintf("/users/%v", user["id"])
	if u := ok(http.StatusOK, http.MethodPatch, path, `{"name":"Robert Roy","type":"client","require_2fa":true}`); u["name"] != "Robert Roy" || u["role"] != "admin" || u["require_2fa"] != true {
		t.Errorf("changed: %v", u)
	}
	if found := items("/users?text=roy&role=admin&two_factor=off&type=client"); len(found) != 1 {
		t.Errorf("found: %v", found)
	}
	p.call(http.MethodPost, birch+path+"/remind", "").refuses(t, http.StatusUnprocessableEntity, "user", "email")
	if r := ok(http.StatusOK, http.MethodPost, "/unprotected/remind", ""); len(r["sent"].([]any)) != 1 || len(r["skipped"].([]any)) != 1 {
		t.Errorf("reminded: %v", r)
	}
	if s := p.call(http.MethodPost, birch+"/users/olga@birch.example/remind", ""); s.status != http.StatusTooManyRequests {
		t.Errorf("reminded again: %d", s.status)
	}
	if all := items("/unprotected"); len(all) != 2 {
		t.Errorf("unprotected: %v", all)
	}
	if c := ok(http.StatusCreated, http.MethodPost, path+"/recovery-code", ""); c["code"] == "" || c["expires"] == "" {
		t.Errorf("recovery code: %v", c)
	}
	ok(http.StatusNoContent, http.MethodDelete, path+"/recovery-code", "")
	ok(http.StatusNotFound, http.MethodDelete, path+"/recovery-code", "")
	for _, op := range []string{"end-sessions", "forget-devices", "reset-two-factor", "disable"} {
		ok(http.StatusOK, http.MethodPost, path+"/"+op, "")
	}
	if u := ok(http.StatusOK, http.MethodPost, path+"/unlock", ""); u["disabled"] != true {
		t.Errorf("unlocking lets in who is disabled: %v", u)
	}
	if u := ok(http.StatusOK, http.MethodPost, path+"/enable", ""); u["disabled"] != false {
		t.Errorf("enabled: %v", u)
	}
	ok(http.StatusNoContent, http.MethodDelete, path, "")
	ok(http.StatusNotFound, http.MethodGet, path, "")
}

// User types by program: named, ordered, removed.
func TestAPIUserTypes(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "lou@birch.example", "client")
	p := w.machine("robot", "birch", "tenant:read", "tenant:write")
	const types = "/api/v1/tenants/birch/user-types"
	s := p.call(http.MethodPost, types, `{"name":"Book keepers"}`)
	if v := s.json(t); s.status != http.StatusCreated || v["id"] != "book-keepers" || !strings.HasSuffix(s.header.Get("Location"), types+"/book-keepers") {
		t.Fatalf("added: %d %s", s.status, s.body)
	}
	if v := p.call(http.MethodPatch, types+"/book-keepers", `{"name":"Bookkeepers","position":1}`).json(t); v["name"] != "Bookkeepers" {
		t.Errorf("renamed: %v", v)
	}
	all, _ := p.call(http.MethodGet, types, "").json(t)["items"].([]any)
	if len(all) != 4 || all[0].(map[string]any)["id"] != "book-keepers" || all[2].(map[string]any)["users"] != 1.0 {
		t.Errorf("listed: %v", all)
	}
	p.call(http.MethodPatch, types+"/book-keepers", `{"position":5}`).refuses(t, http.StatusUnprocessableEntity, "position", "")
	p.call(http.MethodPost, types, `{"id":"staff"}`).refuses(t, http.StatusConflict, "id", "taken")
	p.call(http.MethodPost, types, `{"id":"everyone"}`).refuses(t, http.StatusUnprocessableEntity, "id", "")
	p.call(http.MethodPost, types, `{"id":"No ID"}`).refuses(t, http.StatusUnprocessableEntity, "id", "")
	p.call(http.MethodDelete, types+"/client", "").refuses(t, http.StatusUnprocessableEntity, "user_type", "users")
	p.call(http.MethodDelete, types+"/nothing", "").refuses(t, http.StatusNotFound, "user type", "missing")
	if s := p.call(http.MethodDelete, types+"/book-keepers", ""); s.status != http.StatusNoContent {
		t.Errorf("removed: %d %s", s.status, s.body)
	}
}

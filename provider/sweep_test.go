package provider

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// administration are the routes of the pages and of the API, in their order.
func (g *grid) administration() (pages, operations []web.Route) {
	for _, r := range g.p.Routes() {
		switch {
		case strings.HasPrefix(r.Path, ui.PathConsole):
			pages = append(pages, r)
		case r.API != nil:
			operations = append(operations, r)
		}
	}
	return pages, operations
}

// hostile are values that stand where something else belongs.
var hostile = []string{"\x00", "\xff\xfe", "\u202egnp.exe", "-1", "99999999999999999999", "{}", "../..", strings.Repeat("A", 17<<10)}

// broken are bodies of programs that are none at all, or none for what is asked.
var broken = []string{
	"", "null", "[]", "0", `""`, "{", `{"unknown":1}`, `{} {}`, strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200), "\x00", "\xff",
}

// spoilt are bodies that would be understood, but for one value of them at a time.
func spoilt(t *testing.T, good string) []string {
	t.Helper()
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(good), &fields) != nil {
		return nil
	}
	var bad []string
	for name, kept := range fields {
		for _, value := range []string{
			`null`, `-1`, `1e400`, `true`, `{}`, `[]`, `{"$gt":""}`, `[null]`, `""`, `"\u0000"`, `"\u202e"`, `"` + strings.Repeat("A", 5000) + `"`,
		} {
			fields[name] = json.RawMessage(value)
			body, err := json.Marshal(fields)
			if err != nil {
				t.Fatal(err)
			}
			bad = append(bad, string(body))
		}
		fields[name] = kept
	}
	return bad
}

// sweep is a grid with those who may do all of it.
type sweep struct {
	*grid
	owner    *helper
	operator *caller
	// acme is the tenant as it was at first, and was its state after the last call.
	acme storage.Tenant
	was  string
}

func newSweep(t *testing.T) *sweep {
	t.Helper()
	g := &grid{world: newWorld(t)}
	return &sweep{
		grid: g, owner: g.helper("acme", "olga@acme.example", storage.Owner), operator: g.callers()["an operator"], acme: g.tenantOf("acme"),
	}
}

// next puts the tenant back to what it was, and makes what a route is about.
func (s *sweep) next(r web.Route) (path string) {
	s.t.Helper()
	_, err := storage.Change(s.t.Context(), s.store.Tenants, storage.Global, "acme", func(o *storage.Tenant) error {
		o.Disabled, o.Rules, o.Networks, o.Integrations = false, s.acme.Rules, s.acme.Networks, s.acme.Integrations
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	path = s.fill(r.Path)
	s.was = s.state()
	return path
}

// holds checks that what a call is answered is no fault of ours, and that it changed nothing where it was refused.
func (s *sweep) holds(what string, call func() int) {
	s.t.Helper()
	status := call()
	now := s.state()
	if status >= http.StatusInternalServerError {
		s.t.Errorf("%s: %d", what, status)
	}
	if status >= http.StatusBadRequest && now != s.was {
		s.t.Errorf("%s: refused with %d, and something was changed", what, status)
	}
	s.was = now
}

// still checks that both are in after all that, and the owner's second step is fresh: other requests would have shown nothing.
func (s *sweep) still() {
	s.t.Helper()
	s.owner.get(ui.PathPeople).is(atPeople)
	if p := s.owner.get(ui.PathImport); p.heading() == atCode {
		s.t.Error("the second step is no longer fresh")
	}
	if got := s.operator.call(http.MethodGet, "/api/v1/tenants/acme", ""); got.status != http.StatusOK {
		s.t.Errorf("the operator is answered %d %s", got.status, got.body)
	}
}

// Whoever may do all of it sends every page and operation of the administration nothing, and what is no body for it: it is
// never a fault of ours, and what is refused changes nothing.
func TestAdministrationIsSentGarbage(t *testing.T) {
	s := newSweep(t)
	defer s.still()
	pages, operations := s.administration()
	for _, r := range pages {
		if r.Method == http.MethodGet {
			continue
		}
		key, path := r.Method+" "+r.Path, s.next(r)
		for _, body := range append(spoiltForms(forms[key]), "", "%zz=1", "unknown=1", "\x00") {
			s.holds(fmt.Sprintf("%s with %.80q", key, body), func() int {
				like := s.owner.request(r.Method, path, url.Values{})
				req, err := http.NewRequestWithContext(t.Context(), r.Method, like.URL.String(), strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				req.Header = like.Header
				p, err := s.owner.once(req)
				if err != nil {
					t.Fatal(err)
				}
				return p.status
			})
		}
	}
	for _, r := range operations {
		key, path := r.Method+" "+r.Path, s.next(r)
		kinds := []string{"application/json"}
		if media[key] != "" {
			kinds = append(kinds, media[key])
		}
		for _, body := range append(spoilt(t, bodies[key]), broken...) {
			for _, kind := range kinds {
				s.holds(fmt.Sprintf("%s with %.80q", key, body), func() int {
					return s.operator.call(r.Method, path, body, "Content-Type", kind).status
				})
			}
		}
	}
}

// spoiltForms are forms that would be understood, but for one value of them at a time.
func spoiltForms(good url.Values) (bad []string) {
	for name, kept := range good {
		for _, value := range hostile {
			good.Set(name, value)
			bad = append(bad, good.Encode())
		}
		good[name] = kept
	}
	return bad
}

// typed are what the forms of an account's pages may hold, each of it good somewhere.
func typed() url.Values {
	return url.Values{
		"name": {"Mia"}, "email": {"new@acme.example"}, "current": {rightPassword}, "password": {"gnarled otter of the north"},
		"language": {"de"}, "input": {"+4915112345678"}, "code": {"123456"}, "saved": {"yes"},
	}
}

// sendAccount has somebody, each time another and with a fresh second step, send every form of the account's own pages.
func sendAccount(t *testing.T, send func(h *helper, r web.Route, path string)) {
	t.Helper()
	w := newWorld(t)
	for i, r := range w.p.Routes() {
		if r.Method != http.MethodPost || !strings.HasPrefix(r.Path, ui.PathAccount+"/") {
			continue
		}
		h := w.helper("acme", fmt.Sprintf("mia%d@acme.example", i), storage.Member)
		held, err := w.store.Credentials.List(t.Context(), storage.Query{Tenant: "acme", Field: "user", Value: h.ID})
		if err != nil || len(held) == 0 {
			t.Fatal(held, err)
		}
		send(h, r, strings.NewReplacer(":factor", "totp", ":id", held[0].ID).Replace(r.Path))
	}
}

// What users send to their own pages is held to the same as what administrators do: nothing, and what is no form, is never a
// fault of ours.
func TestAccountIsSentGarbage(t *testing.T) {
	sendAccount(t, func(h *helper, r web.Route, path string) {
		for _, body := range append(spoiltForms(typed()), "", "%zz=1", "unknown=1", "\x00") {
			like := h.request(r.Method, path, url.Values{})
			req, err := http.NewRequestWithContext(t.Context(), r.Method, like.URL.String(), strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header = like.Header
			if p, err := h.once(req); err != nil || p.status >= http.StatusInternalServerError {
				t.Errorf("%s with %.80q: %d, %v", path, body, p.status, err)
			}
		}
		for _, value := range []string{"%00", "%FF", "..%2F..", "%24gt", strings.Repeat("A", 2000)} {
			if strange := parameter.ReplaceAllString(r.Path, value); strange != r.Path {
				if p, err := h.once(h.request(r.Method, strange, typed())); err != nil || p.status >= http.StatusInternalServerError {
					t.Errorf("%.80s: %d, %v", strange, p.status, err)
				}
			}
		}
	})
}

// Two clicks on anything of one's own are never a fault of ours, and leave whoever clicked signed in.
func TestAccountTwiceAtOnce(t *testing.T) {
	sendAccount(t, func(h *helper, r web.Route, path string) {
		var got [2]int
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				p, err := h.once(h.request(r.Method, path, typed()))
				if err != nil {
					t.Error(err)
					return
				}
				got[i] = p.status
			})
		}
		wg.Wait()
		for _, status := range got {
			if status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable {
				t.Errorf("%s: %d", path, got)
			}
		}
		if p := h.get(ui.PathAccount); p.heading() == atSignIn {
			t.Errorf("%s: %d, and signed out", path, got)
		}
	})
}

var parameter = regexp.MustCompile(`:[a-z]+`)

// Where something is named by the address, it may be anything: there is no such thing, and it is no fault of ours.
func TestAdministrationIsAskedForGarbage(t *testing.T) {
	s := newSweep(t)
	defer s.still()
	s.was = s.state()
	pages, operations := s.administration()
	for _, value := range []string{"%00", "%FF", "..%2F..", "%E2%80%AE", "%24gt", strings.Repeat("A", 2000), "%20"} {
		for _, r := range pages {
			if path := parameter.ReplaceAllString(r.Path, value); path != r.Path {
				s.holds(fmt.Sprintf("%s %.80s", r.Method, path), func() int {
					p, err := s.owner.once(s.owner.request(r.Method, path, forms[r.Method+" "+r.Path]))
					if err != nil {
						t.Fatal(err)
					}
					return p.status
				})
			}
		}
		for _, r := range operations {
			ours := strings.Replace(r.Path, ":tenant", "acme", 1)
			if path := parameter.ReplaceAllString(ours, value); path != ours {
				s.holds(fmt.Sprintf("%s %.80s", r.Method, path), func() int {
					return s.operator.call(r.Method, path, bodies[r.Method+" "+r.Path]).status
				})
			} else if r.Method == http.MethodGet {
				path += "?after=" + value + "&limit=" + value
				s.holds(fmt.Sprintf("GET %.80s", path), func() int { return s.operator.call(r.Method, path, "").status })
			}
		}
	}
}

// The same request twice at once is never a fault of ours: who finds the other at work is asked to wait, and one is done.
func TestAdministrationTwiceAtOnce(t *testing.T) {
	s := newSweep(t)
	defer s.still()
	pages, operations := s.administration()
	for _, r := range append(pages, operations...) {
		if r.Method == http.MethodGet {
			continue
		}
		key, path := r.Method+" "+r.Path, s.next(r)
		send := func() (int, error) {
			p, err := s.owner.once(s.owner.request(r.Method, path, forms[key]))
			if err != nil {
				return 0, err
			}
			return p.status, nil
		}
		if r.API != nil {
			s.n++
			body, kind := strings.ReplaceAll(bodies[key], "%s", fmt.Sprintf("n%d", s.n)), cmp.Or(media[key], "application/json")
			if kind == "image/png" {
				body = picture(t, 40, 20)
			}
			send = func() (int, error) {
				a, err := s.operator.send(r.Method, path, body, "Content-Type", kind)
				return a.status, err
			}
		}
		var got [2]int
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				var err error
				if got[i], err = send(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		waits := 0
		for _, status := range got {
			if status == http.StatusServiceUnavailable {
				waits++
			} else if status >= http.StatusInternalServerError {
				t.Errorf("%s: %d", key, got)
			}
		}
		if waits == len(got) {
			t.Errorf("%s: neither was done", key)
		}
	}
}

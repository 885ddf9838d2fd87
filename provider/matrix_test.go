package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/api"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/provider/webhook"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// may says who an operation of the administration is for.
type may int

const (
	// helpers: owners and admins.
	helpers may = iota
	// owners alone.
	owners
	// operators of the deployment alone.
	operators
	// connectors: applications that connect themselves, and operators; users have no part in it.
	connectors
	// onlookers: owners and admins, and applications that connect themselves.
	onlookers
)

// matrix holds every page and operation of the administration. What is missing in it fails the test.
var matrix = map[string]may{
	"GET /admin/people": helpers, "GET /admin/people/:id": helpers, "POST /admin/people/:id": helpers,
	"GET /admin/people/:id/reset": helpers, "POST /admin/people/:id/reset": helpers, "POST /admin/people/:id/end": helpers,
	"POST /admin/people/:id/forget": helpers, "GET /admin/people/:id/disable": helpers, "POST /admin/people/:id/disable": helpers,
	"POST /admin/people/:id/enable": helpers, "POST /admin/people/:id/unlock": helpers,
	"POST /admin/people/:id/recovery-code": owners, "POST /admin/people/:id/recovery-code/revoke": owners,
	"GET /admin/people/:id/delete": owners, "POST /admin/people/:id/delete": owners,
	"GET /admin/people/import": owners, "POST /admin/people/import": owners, "POST /admin/people/import/run": owners, "GET /admin/people/import/run": owners, "GET /admin/people/export": owners,
	"GET /admin/people/:id/email": owners, "POST /admin/people/:id/email": owners,
	"POST /admin/people/:id/remind": helpers, "POST /admin/people/remind": helpers,
	"GET /admin/invite": helpers, "POST /admin/invite": helpers, "POST /admin/people/:id/invite": helpers,
	"GET /admin/people/:id/withdraw": helpers, "POST /admin/people/:id/withdraw": helpers,
	"GET /admin/types": helpers, "POST /admin/types": helpers, "GET /admin/types/:id": helpers, "POST /admin/types/:id": helpers,
	"POST /admin/types/:id/up": helpers, "POST /admin/types/:id/down": helpers, "GET /admin/types/:id/remove": helpers, "POST /admin/types/:id/remove": helpers,
	"GET /admin/applications": helpers, "GET /admin/applications/new": owners, "GET /admin/applications/new/:kind": owners,
	"POST /admin/applications": owners, "GET /admin/applications/:id": helpers, "GET /admin/applications/:id/edit": owners,
	"POST /admin/applications/:id/edit": owners, "POST /admin/applications/:id/secret": owners,
	"GET /admin/applications/:id/disable": owners, "POST /admin/applications/:id/disable": owners,
	"POST /admin/applications/:id/enable": owners, "GET /admin/applications/:id/delete": owners, "POST /admin/applications/:id/delete": owners,
	"GET /admin/integrations": helpers,
	"GET /admin/webhooks":     helpers, "GET /admin/webhooks/new": owners, "POST /admin/webhooks": owners, "GET /admin/webhooks/:id": helpers,
	"GET /admin/webhooks/:id/edit": owners, "POST /admin/webhooks/:id/edit": owners, "POST /admin/webhooks/:id/secret": owners,
	"POST /admin/webhooks/:id/test": owners, "POST /admin/webhooks/:id/deliveries/:delivery": owners,
	"POST /admin/webhooks/:id/disable": owners, "POST /admin/webhooks/:id/enable": owners,
	"GET /admin/webhooks/:id/delete": owners, "POST /admin/webhooks/:id/delete": owners,
	"GET /admin/audit": helpers, "GET /admin/audit/entries/:id": helpers, "GET /admin/audit/export": helpers, "POST /admin/audit/verify": helpers,
	"GET /admin/audit/retention": owners, "POST /admin/audit/retention": owners, "GET /admin/adoption": helpers,

	"GET /admin/policy": helpers, "POST /admin/policy": helpers, "GET /admin/policy/rules/new": helpers, "POST /admin/policy/rules/new": helpers,
	"GET /admin/policy/rules/:id": helpers, "POST /admin/policy/rules/:id": helpers, "POST /admin/policy/rules/:id/up": helpers,
	"POST /admin/policy/rules/:id/down": helpers, "POST /admin/policy/rules/:id/delete": helpers, "GET /admin/policy/explain": helpers,
	"GET /admin/policy/preview": helpers, "POST /admin/policy/preview": helpers, "POST /admin/policy/save": helpers,
	"GET /admin/networks": helpers, "POST /admin/networks": helpers,
	"GET /admin/settings": helpers, "POST /admin/settings": helpers, "GET /admin/branding": helpers, "POST /admin/branding": helpers,
	"POST /admin/branding/logo": helpers, "POST /admin/branding/logo/remove": helpers,

	"GET /api/v1/tenants/:tenant/policy": helpers, "PATCH /api/v1/tenants/:tenant/policy": helpers,
	"POST /api/v1/tenants/:tenant/policy/preview": helpers, "POST /api/v1/tenants/:tenant/policy/explain": helpers,
	"GET /api/v1/tenants/:tenant/policy/reports": helpers,
	"GET /api/v1/tenants":                        operators, "POST /api/v1/tenants": operators, "GET /api/v1/tenants/:tenant": helpers,
	"PATCH /api/v1/tenants/:tenant": helpers, "POST /api/v1/tenants/:tenant/disable": operators, "POST /api/v1/tenants/:tenant/enable": operators,
	"PUT /api/v1/tenants/:tenant/logo": helpers, "DELETE /api/v1/tenants/:tenant/logo": helpers,
	"GET /api/v1/tenants/:tenant/users": helpers, "POST /api/v1/tenants/:tenant/users": helpers,
	"GET /api/v1/tenants/:tenant/users/:user": helpers, "PATCH /api/v1/tenants/:tenant/users/:user": helpers,
	"DELETE /api/v1/tenants/:tenant/users/:user": owners, "POST /api/v1/tenants/:tenant/users/:user/reset-two-factor": helpers,
	"POST /api/v1/tenants/:tenant/users/:user/end-sessions": helpers, "POST /api/v1/tenants/:tenant/users/:user/forget-devices": helpers,
	"POST /api/v1/tenants/:tenant/users/:user/disable": helpers, "POST /api/v1/tenants/:tenant/users/:user/enable": helpers,
	"POST /api/v1/tenants/:tenant/users/:user/unlock": helpers, "POST /api/v1/tenants/:tenant/users/:user/remind": helpers,
	"POST /api/v1/tenants/:tenant/users/:user/recovery-code": owners, "DELETE /api/v1/tenants/:tenant/users/:user/recovery-code": owners,
	"POST /api/v1/tenants/:tenant/users/import": owners, "GET /api/v1/tenants/:tenant/users/export": owners,
	"GET /api/v1/tenants/:tenant/unprotected": helpers, "POST /api/v1/tenants/:tenant/unprotected/remind": helpers,
	"GET /api/v1/tenants/:tenant/invitations": helpers, "POST /api/v1/tenants/:tenant/invitations": helpers,
	"POST /api/v1/tenants/:tenant/invitations/:user/send": helpers, "DELETE /api/v1/tenants/:tenant/invitations/:user": helpers,
	"GET /api/v1/tenants/:tenant/user-types": helpers, "POST /api/v1/tenants/:tenant/user-types": helpers,
	"PATCH /api/v1/tenants/:tenant/user-types/:type": helpers, "DELETE /api/v1/tenants/:tenant/user-types/:type": helpers,
	"GET /api/v1/tenants/:tenant/audit/entries": helpers, "GET /api/v1/tenants/:tenant/audit/entries/:entry": helpers,
	"GET /api/v1/tenants/:tenant/audit/export": helpers, "POST /api/v1/tenants/:tenant/audit/verify": helpers,
	"GET /api/v1/tenants/:tenant/audit/retention": helpers, "PUT /api/v1/tenants/:tenant/audit/retention": owners,
	"GET /api/v1/tenants/:tenant/adoption": helpers,
	"GET /api/v1/tenants/:tenant/clients":  helpers, "POST /api/v1/tenants/:tenant/clients": owners,
	"GET /api/v1/tenants/:tenant/shared-clients": helpers, "GET /api/v1/tenants/:tenant/clients/:client": helpers,
	"PATCH /api/v1/tenants/:tenant/clients/:client": owners, "DELETE /api/v1/tenants/:tenant/clients/:client": owners,
	"POST /api/v1/tenants/:tenant/clients/:client/secrets": owners, "POST /api/v1/tenants/:tenant/clients/:client/disable": owners,
	"POST /api/v1/tenants/:tenant/clients/:client/enable": owners,
	"GET /api/v1/clients": operators, "POST /api/v1/clients": operators, "GET /api/v1/clients/:client": operators,
	"PATCH /api/v1/clients/:client": operators, "DELETE /api/v1/clients/:client": operators, "POST /api/v1/clients/:client/secrets": operators,
	"POST /api/v1/clients/:client/disable": operators, "POST /api/v1/clients/:client/enable": operators,
	"GET /api/v1/tenants/:tenant/integrations": onlookers, "PUT /api/v1/tenants/:tenant/integrations/:integration": connectors,
	"DELETE /api/v1/tenants/:tenant/integrations/:integration": connectors,
	"GET /api/v1/tenants/:tenant/webhooks":                     helpers, "POST /api/v1/tenants/:tenant/webhooks": owners,
	"GET /api/v1/tenants/:tenant/webhooks/:webhook": helpers, "PATCH /api/v1/tenants/:tenant/webhooks/:webhook": owners,
	"DELETE /api/v1/tenants/:tenant/webhooks/:webhook": owners, "POST /api/v1/tenants/:tenant/webhooks/:webhook/secrets": owners,
	"POST /api/v1/tenants/:tenant/webhooks/:webhook/test": owners, "GET /api/v1/tenants/:tenant/webhooks/:webhook/deliveries": helpers,
	"POST /api/v1/tenants/:tenant/webhooks/:webhook/deliveries/:delivery/redeliver": owners,
}

// bodies are what operations of the API must be sent to be understood at all.
var bodies = map[string]string{
	"POST /api/v1/tenants":                            `{"id":"cedar"}`,
	"POST /api/v1/tenants/:tenant/users":              `{"email":"%s@new.example","name":"New"}`,
	"PATCH /api/v1/tenants/:tenant/users/:user":       `{"name":"New"}`,
	"POST /api/v1/tenants/:tenant/invitations":        `{"email":"%s@new.example","name":"New"}`,
	"POST /api/v1/tenants/:tenant/user-types":         `{"name":"%s"}`,
	"PATCH /api/v1/tenants/:tenant/user-types/:type":  `{"name":"Clients"}`,
	"POST /api/v1/tenants/:tenant/clients":            `{"name":"New","type":"machine"}`,
	"POST /api/v1/clients":                            `{"name":"New","type":"machine"}`,
	"PATCH /api/v1/tenants/:tenant/clients/:client":   `{"name":"Other"}`,
	"PATCH /api/v1/clients/:client":                   `{"name":"Other"}`,
	"POST /api/v1/tenants/:tenant/webhooks":           `{"url":"https://hooks.example.com/%s"}`,
	"PATCH /api/v1/tenants/:tenant/webhooks/:webhook": `{"description":"Other"}`,
	postImport:     "email\n%s@new.example\n",
	putIntegration: `{"name":"Xero","kind":"financial"}`,
	"PUT /api/v1/tenants/:tenant/audit/retention": `{"days":365}`,
	"PATCH /api/v1/tenants/:tenant/policy":        `{"require_2fa":["client"]}`,
	"POST /api/v1/tenants/:tenant/policy/preview": `{"require_2fa":["client"]}`,
	"POST /api/v1/tenants/:tenant/policy/explain": `{"user":"olga@acme.example"}`,
}

// media are the types of bodies that are no JSON.
var media = map[string]string{"PUT /api/v1/tenants/:tenant/logo": "image/png", postImport: "text/csv"}

const (
	putIntegration = "PUT /api/v1/tenants/:tenant/integrations/:integration"
	postImport     = "POST /api/v1/tenants/:tenant/users/import"
)

// forms are what pages must be sent to be understood at all.
var forms = map[string]url.Values{
	"POST /admin/applications/:id/secret": {"keep": {"day"}},
	"POST /admin/people/:id/email":        {"email": {"moved@acme.example"}},
	"POST /admin/branding":                {"name": {"Acme"}, "accent": {"#8e24aa"}},
	"POST /admin/settings": {
		"totp_digits": {"8"}, "totp_algorithm": {"SHA256"}, "backup_codes": {"1"}, "session_idle": {"30"}, "email_reset": {"off"}, "sms_to": {"all"},
	},
	"POST /admin/policy":                  {"version": {"1"}, "must": {"staff", "client"}},
	"POST /admin/policy/rules/new":        {"version": {"1"}, "name": {"Rule"}},
	"POST /admin/policy/rules/:id":        {"version": {"1"}, "name": {"Rule"}},
	"POST /admin/policy/rules/:id/up":     {"version": {"1"}},
	"POST /admin/policy/rules/:id/down":   {"version": {"1"}},
	"POST /admin/policy/rules/:id/delete": {"version": {"1"}},
	"POST /admin/networks":                {"version": {"1"}, "prefix": {"127.0.0.0/8"}, "restricted": {"yes"}},
}

// grid is a world with somebody of every kind, and makes what operations are about.
type grid struct {
	*world
	n int
}

// fill puts what there is in place of a path's parameters; other is the path of another tenant.
func (g *grid) fill(path string) string {
	g.t.Helper()
	g.n++
	id := fmt.Sprintf("n%d", g.n)
	if strings.Contains(path, ":user") || strings.Contains(path, "/people/:id") {
		u := g.user("acme", id+"@acme.example", "staff", func(u *storage.User) {
			// An invitation that can be sent again, or withdrawn, is one that has not been taken up.
			if strings.Contains(path, "invit") || strings.Contains(path, "withdraw") {
				u.Invited, u.Password = g.clock.Now(), ""
			}
		})
		if strings.Contains(path, "recovery-code") && strings.Count(path, "/") > 4 {
			if _, err := g.p.Admin().MakeRecoveryCode(g.t.Context(), web.Operator(), "acme", u.ID); err != nil {
				g.t.Fatal(err)
			}
		}
		path = strings.NewReplacer(":user", u.ID, ":id", u.ID).Replace(path)
	}
	switch {
	case strings.Contains(path, "/applications/:id") || strings.Contains(path, ":client"):
		c, _, err := g.p.Admin().CreateClient(g.t.Context(), web.Operator(), "acme", admin.NewClient{
			Name: id, Type: admin.Web, RedirectURIs: []string{"https://app.example/callback"},
		})
		if err != nil {
			g.t.Fatal(err)
		}
		path = strings.NewReplacer(":id", c.ID, ":client", c.ID).Replace(path)
	case strings.Contains(path, "/webhooks/:"):
		hook, delivery := g.webhook()
		path = strings.NewReplacer(":id", hook, ":webhook", hook, ":delivery", delivery).Replace(path)
	case strings.Contains(path, "/rules/:id"):
		path = strings.Replace(path, ":id", admin.RuleDefault, 1)
	case strings.Contains(path, ":kind"):
		path = strings.Replace(path, ":kind", admin.Web, 1)
	case strings.Contains(path, ":integration"):
		path = strings.Replace(path, ":integration", id, 1)
	case strings.Contains(path, "/audit/"):
		first := g.events("acme")[0].ID
		path = strings.NewReplacer(":id", first, ":entry", first).Replace(path)
	case strings.Contains(path, "types/"):
		change(g.world, g.store.Tenants, "acme", func(t *storage.Tenant) { t.UserTypes = append(t.UserTypes, id) })
		path = strings.NewReplacer(":id", id, ":type", id).Replace(path)
	}
	path = strings.Replace(path, ":tenant", "acme", 1)
	if strings.Contains(path, ":") {
		g.t.Fatalf("nothing is known to put into %s", path)
	}
	return path
}

// webhook makes a webhook with a delivery. A tenant may have so many only, so there is one at a time.
func (g *grid) webhook() (id, delivery string) {
	g.t.Helper()
	hooks, ctx := g.p.webhooks, g.t.Context()
	all, err := hooks.List(ctx, "acme")
	if err != nil {
		g.t.Fatal(err)
	}
	for _, old := range all {
		if err := hooks.Delete(ctx, web.Operator(), "acme", old.ID); err != nil {
			g.t.Fatal(err)
		}
	}
	// Nobody answers there, and the test's outcome is of no matter.
	made, _, err := hooks.Create(ctx, web.Operator(), "acme", webhook.NewWebhook{URL: "https://hooks.example.com/sallyport"})
	if err != nil {
		g.t.Fatal(err)
	}
	d := storage.Delivery{
		Key: storage.Key{Tenant: "acme", ID: "msg_" + made.ID, Expires: g.clock.Now().Add(time.Hour)}, Webhook: made.ID,
		Type: "user.create", Payload: "{}", State: storage.DeliveryFailed, Created: g.clock.Now(),
	}
	if err := g.store.Deliveries.Insert(ctx, &d); err != nil {
		g.t.Fatal(err)
	}
	return made.ID, d.ID
}

// state is all of the tenant acme that its administration can change.
func (g *grid) state() string {
	g.t.Helper()
	ctx := g.t.Context()
	q := storage.Query{Tenant: "acme", Limit: 1000}
	tenant, err0 := g.store.Tenants.Get(ctx, storage.Global, "acme")
	users, err1 := g.store.Users.List(ctx, q)
	hooks, err2 := g.store.Webhooks.List(ctx, q)
	held, err3 := g.store.Credentials.List(ctx, q)
	clients, err4 := g.store.Clients.List(ctx, storage.Query{Tenant: storage.Global, Field: "owner", Value: "acme", Limit: 1000})
	if err := errors.Join(err0, err1, err2, err3, err4); err != nil {
		g.t.Fatal(err)
	}
	data, err := json.Marshal([]any{tenant, users, hooks, held, clients})
	if err != nil {
		g.t.Fatal(err)
	}
	return string(data)
}

// unchanged holds that a call which is refused changes nothing.
func (g *grid) unchanged(what string, call func() int) int {
	g.t.Helper()
	before := g.state()
	status := call()
	if g.state() != before {
		g.t.Errorf("%s: refused with %d, and something was changed", what, status)
	}
	return status
}

// named are the paths of what one tenant alone has.
var named = regexp.MustCompile(`^/admin/(people|applications|webhooks)/:id`)

func refusedWith(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusNotFound
}

// Every operation of the administration × (stranger, member, admin, owner, another tenant's owner) gives the right answer
// on its page and in the API; what is refused changes nothing.
func TestMatrix(t *testing.T) {
	w := newWorld(t)
	g := &grid{world: w}
	seen := map[string]bool{}
	var pages, operations []web.Route
	for _, r := range w.p.Routes() {
		switch {
		case strings.HasPrefix(r.Path, ui.PathConsole):
			pages = append(pages, r)
		case strings.HasPrefix(r.Path, "/api/v1/tenants"), strings.HasPrefix(r.Path, "/api/v1/clients"):
			operations = append(operations, r)
		default:
			continue
		}
		key := r.Method + " " + r.Path
		if _, ok := matrix[key]; !ok {
			t.Errorf("nothing says who may %s", key)
		}
		seen[key] = true
	}
	for key := range matrix {
		if !seen[key] {
			t.Errorf("there is no %s", key)
		}
	}
	if t.Failed() {
		return
	}
	t.Run("pages", func(t *testing.T) { g.t = t; g.pages(pages) })
	t.Run("API", func(t *testing.T) { g.t = t; g.operations(operations) })
}

func (g *grid) pages(routes []web.Route) {
	owner := g.helper("acme", "olga@acme.example", storage.Owner)
	adm := g.helper("acme", "adam@acme.example", storage.Admin)
	member := g.helper("acme", "mia@acme.example", storage.Member)
	other := g.helper("birch", "otto@birch.example", storage.Owner)
	for _, r := range routes {
		key := r.Method + " " + r.Path
		ask := func(b *browser, path string) (int, string) {
			g.t.Helper()
			p, err := b.once(b.request(r.Method, path, forms[key]))
			if err != nil {
				g.t.Fatal(err)
			}
			return p.status, p.header.Get("Location")
		}
		path := g.fill(r.Path)
		g.unchanged(key+" by a stranger", func() int {
			status, to := ask(g.browser(), path)
			if status != http.StatusSeeOther || !strings.Contains(to, "/signin") {
				g.t.Errorf("%s by a stranger: %d to %q", key, status, to)
			}
			return status
		})
		g.unchanged(key+" by a member", func() int {
			status, _ := ask(member.browser, path)
			if status != http.StatusForbidden {
				g.t.Errorf("%s by a member: %d", key, status)
			}
			return status
		})
		g.unchanged(key+" by another tenant's owner", func() int {
			// Where the path names nothing that is one tenant's alone, it is the owner's own tenant that is meant.
			status, _ := ask(other.browser, path)
			if named.MatchString(r.Path) && status != http.StatusNotFound {
				g.t.Errorf("%s by another tenant's owner: %d", key, status)
			}
			return status
		})
		if matrix[key] == owners {
			g.unchanged(key+" by an admin", func() int {
				status, _ := ask(adm.browser, path)
				if status != http.StatusForbidden {
					g.t.Errorf("%s by an admin: %d", key, status)
				}
				return status
			})
		} else if status, to := ask(adm.browser, path); refusedWith(status) || status >= 500 || strings.Contains(to, "/signin") {
			g.t.Errorf("%s by an admin: %d to %q", key, status, to)
		}
		if status, to := ask(owner.browser, g.fill(r.Path)); refusedWith(status) || status >= 500 || strings.Contains(to, "/signin") {
			g.t.Errorf("%s by an owner: %d to %q", key, status, to)
		}
	}
}

// callers are programs with the tokens of people and machines, all of them with every scope but where their name says
// otherwise.
func (g *grid) callers() map[string]*caller {
	g.t.Helper()
	var all []string
	for _, scope := range api.Scopes() {
		if scope.Name != "operator" {
			all = append(all, scope.Name)
		}
	}
	const redirect = "https://console.example/callback"
	secret := g.client("console", "web", redirect, func(c *storage.Client) { c.Scopes = append([]string{"profile", "email"}, all...) })
	a := g.connect("console", secret, redirect)
	a.config.Scopes = append([]string{"openid"}, all...)
	who := map[string]*caller{
		"a stranger": {t: g.t, w: g.world}, "a forger": {t: g.t, w: g.world, token: "not-a-token"},
		"a machine":                g.machine("m1", "acme", all...),
		"a machine without scope":  g.machine("m2", "acme", "something:else"),
		"another tenant's machine": g.machine("m3", "birch", all...),
		"an operator":              g.machine("m4", "", append(all, "operator")...),
		"a machine of no tenant":   g.machine("m5", "", all...),
	}
	for name, u := range map[string]struct {
		tenant string
		role   storage.Role
	}{
		"a member": {"acme", storage.Member}, "an admin": {"acme", storage.Admin}, "an owner": {"acme", storage.Owner},
		"another tenant's owner": {"birch", storage.Owner},
	} {
		email := strings.ReplaceAll(strings.ReplaceAll(name, " ", "-"), "'", "") + "@api.example"
		g.user(u.tenant, email, "client", func(o *storage.User) { o.Role = u.role })
		in := a.attempt()
		_, token := in.redeem(in.begin(g.browser()).signIn(email))
		who[name] = &caller{t: g.t, w: g.world, token: token.AccessToken}
	}
	return who
}

func (g *grid) operations(routes []web.Route) {
	who := g.callers()
	tenants := g.p.config.Store.Tenants
	acme, err := tenants.Get(g.t.Context(), storage.Global, "acme")
	if err != nil {
		g.t.Fatal(err)
	}
	// What was allowed before has closed the account, or changed who gets in: everybody begins as it was.
	asItWas := func() {
		g.t.Helper()
		_, err := storage.Change(g.t.Context(), tenants, storage.Global, "acme", func(t *storage.Tenant) error {
			t.Disabled, t.Rules, t.Networks, t.Integrations = false, acme.Rules, acme.Networks, acme.Integrations
			return nil
		})
		if err != nil {
			g.t.Fatal(err)
		}
	}
	for _, r := range routes {
		key := r.Method + " " + r.Path
		asItWas()
		call := func(name, path string) int {
			g.t.Helper()
			body := bodies[key]
			if strings.Contains(body, "%s") {
				g.n++
				body = fmt.Sprintf(body, fmt.Sprintf("n%d", g.n))
			}
			if kind := media[key]; kind != "" {
				if body == "" {
					body = picture(g.t, 40, 20)
				}
				return who[name].call(r.Method, path, body, "Content-Type", kind).status
			}
			return who[name].call(r.Method, path, body).status
		}
		// tenants themselves are in no tenant.
		inTenant := strings.Contains(r.Path, ":tenant")
		want := map[string]int{
			"a stranger": http.StatusUnauthorized, "a forger": http.StatusUnauthorized, "a machine without scope": http.StatusForbidden,
			"a member": http.StatusForbidden,
		}
		if r.API.Scope == "operator" { // which nobody else can have
			for _, name := range []string{"an admin", "an owner", "a machine", "another tenant's owner", "another tenant's machine", "a machine of no tenant"} {
				want[name] = http.StatusForbidden
			}
		} else if inTenant {
			want["another tenant's owner"], want["another tenant's machine"] = http.StatusNotFound, http.StatusNotFound
			if matrix[key] != connectors && matrix[key] != onlookers {
				want["a machine of no tenant"] = http.StatusNotFound
			}
		}
		switch matrix[key] {
		case owners:
			want["an admin"] = http.StatusForbidden
		case connectors:
			want["an admin"], want["an owner"] = http.StatusForbidden, http.StatusForbidden
		}
		path := g.fill(r.Path)
		for name, status := range want {
			g.unchanged(key+" by "+name, func() int {
				got := call(name, path)
				if got != status && (status != http.StatusNotFound || got != http.StatusForbidden || name != "a machine of no tenant") {
					g.t.Errorf("%s by %s: %d, want %d", key, name, got, status)
				}
				return got
			})
		}
		for name := range who {
			if _, refused := want[name]; refused {
				continue
			}
			asItWas()
			path := g.fill(r.Path)
			if r.Method == http.MethodDelete && matrix[key] == connectors { // what somebody connected nobody else disconnects
				who[name].call(http.MethodPut, path, bodies[putIntegration])
			}
			if got := call(name, path); refusedWith(got) || got >= 500 || got == http.StatusBadRequest {
				g.t.Errorf("%s by %s: %d", key, name, got)
			}
		}
	}
}

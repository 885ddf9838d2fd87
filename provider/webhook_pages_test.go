package provider

import (
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"golang.org/x/net/html"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/provider/webhook"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// receiver is an https server that takes webhooks.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []received
}

type received struct {
	header http.Header
	body   string
}

// newReceiver starts a receiver, and says how a deployment gets to it.
func newReceiver(t *testing.T) (*receiver, func(*Config)) {
	t.Helper()
	r := &receiver{status: http.StatusNoContent}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, received{req.Header.Clone(), string(body)})
		w.WriteHeader(r.status)
	}))
	r.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	t.Cleanup(r.Close)
	roots := x509.NewCertPool()
	roots.AddCert(r.Certificate())
	return r, func(c *Config) { c.Webhooks = Webhooks{AllowPrivate: loopbackNetworks, RootCAs: roots} }
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *receiver) last(t *testing.T) received {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.got) == 0 {
		t.Fatal("nothing arrived")
	}
	return r.got[len(r.got)-1]
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

// deliver sends what waits.
func (w *world) deliver() {
	w.t.Helper()
	if _, err := w.p.webhooks.Deliver(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// webhook makes a webhook on the pages.
func (h *helper) webhook(to string, groups ...string) (at, secret string) {
	h.t.Helper()
	form := h.get(h.get(ui.PathWebhooks).link("/new")).is("Add a webhook")
	values := form.values(ui.PathWebhooks)
	values.Set("url", to)
	values.Set("description", "Security team")
	values["groups"] = groups
	shown := form.send(ui.PathWebhooks, values).is("New secret: Security team").says("It is shown only this once")
	all := shown.b.get(ui.PathWebhooks)
	secret = shown.data("client-secret")
	if strings.Contains(all.body, secret) {
		h.t.Error("the secret is shown a second time")
	}
	var path string
	all.walk(func(n *html.Node) {
		if n.Data == "a" && strings.HasPrefix(attr(n, "href"), ui.PathWebhooks+"/") && !strings.HasSuffix(attr(n, "href"), "/new") {
			path = attr(n, "href")
		}
	})
	return path, secret
}

// An owner adds a webhook, tests it, sees what was sent and why not, sends it again, changes and removes it.
func TestWebhookOnThePages(t *testing.T) {
	hooks, reach := newReceiver(t)
	w := newWorld(t, reach)
	kim := w.user("birch", "kim@birch.example", "client")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	owner.get(ui.PathWebhooks).is("Webhooks").says("There are none yet")
	at, secret := owner.webhook(hooks.URL+"/hook", "users")
	owner.get(at).says("Security team", hooks.URL+"/hook", "People", "Nothing was sent yet", "Deliveries are kept for 30 days")

	owner.get(at).submit("/test").says("The test arrived. The address answered 204", "webhook.test", "Delivered")
	verify := func(secret string) {
		t.Helper()
		wh, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		last := hooks.last(t)
		if err := wh.VerifyIgnoringTimestamp([]byte(last.body), last.header); err != nil {
			t.Errorf("signature: %v", err)
		}
	}
	verify(secret)

	// Of what was ticked it is told, and of nothing else.
	n := hooks.count()
	w.browser().get("/account/security").signIn("kim@birch.example").is(atSecurity)
	w.deliver()
	if hooks.count() != n {
		t.Errorf("told of a sign-in: %s", hooks.last(t).body)
	}
	hooks.answers(http.StatusServiceUnavailable)
	owner.get(ui.PathPeople+"/"+kim.ID).submit("/"+kim.ID, "role", "admin", "type", "client")
	w.deliver()
	if got := hooks.last(t).body; !strings.Contains(got, `"user.change"`) {
		t.Errorf("told of %s", got)
	}
	page := owner.get(at).says("user.change", "Waiting", "503", "Next try", "Failing", "After five days of this it is disabled")
	page.submit("/test").says("The test was not taken. The address answered 503")

	// Sent again by hand.
	hooks.answers(http.StatusOK)
	var delivery string
	for _, d := range deliveries(t, w, at) {
		if d.Type == "user.change" {
			delivery = d.ID
		}
	}
	owner.get(at).submit("/deliveries/" + delivery).says("It is being sent again")
	w.deliver()
	if got := hooks.last(t); got.header.Get("webhook-id") != delivery {
		t.Errorf("sent again: %v", got.header)
	}

	// A new secret, and both sign.
	shown := owner.get(at).submit("/secret").is("New secret: Security team").says("The previous secret works until")
	owner.get(at).submit("/test").says("The test arrived")
	verify(secret)
	verify(shown.data("client-secret"))
	w.clock.forward(webhook.Grace)
	owner.prove(at)
	owner.get(at).submit("/test").says("The test arrived")
	verify(shown.data("client-secret"))
	if wh, err := standardwebhooks.NewWebhook(secret); err != nil || wh.VerifyIgnoringTimestamp([]byte(hooks.last(t).body), hooks.last(t).header) == nil {
		t.Errorf("the secret of before still signs (%v)", err)
	}

	// Changed, disabled, enabled, deleted.
	form := owner.get(owner.get(at).link("/edit")).is("Change the webhook")
	values := form.values("/edit")
	if !slices.Equal(values["groups"], []string{"users"}) || values.Get("url") != hooks.URL+"/hook" {
		t.Errorf("the form holds %v", values)
	}
	values["groups"] = []string{"sign_ins"}
	values.Set("other_events", "user.create user.delete")
	values.Set("description", "")
	form.send("/edit", values).says("is saved", "Sign-ins", "user.create", "user.delete")
	if got := owner.get(at + "/edit").values("/edit"); !slices.Equal(got["groups"], []string{"sign_ins"}) || got.Get("other_events") != "user.create user.delete" {
		t.Errorf("kept: %v", got)
	}
	owner.get(at).submit("/disable").says("Nothing more is sent to", "What happens meanwhile is not sent later")
	n = hooks.count()
	w.browser().get("/account/security").signIn("kim@birch.example")
	w.deliver()
	if hooks.count() != n {
		t.Error("a disabled webhook is told")
	}
	owner.get(at).submit("/enable").says("is told again of what happens from now on")
	owner.get(owner.get(at).link("/delete")).says("Delete “"+hooks.URL+"/hook”?").submit("/delete").is("Webhooks").says("is deleted", "There are none yet")

	if strings.Contains(w.log.String(), secret) || strings.Contains(w.log.String(), shown.data("client-secret")) {
		t.Error("a secret is in the log")
	}
	var done []string
	for _, e := range w.events("birch") {
		if strings.HasPrefix(e.Action, "webhook.") && e.Actor == owner.ID {
			done = append(done, e.Action)
		}
	}
	want := []string{
		"webhook.create", "webhook.redeliver", "webhook.secret", "webhook.change", "webhook.change", "webhook.change", "webhook.delete",
	}
	if !slices.Equal(done, want) {
		t.Errorf("audit log: %q, want %q", done, want)
	}
}

func deliveries(t *testing.T, w *world, at string) []webhook.Delivery {
	t.Helper()
	all, err := w.p.admin.Deliveries(t.Context(), web.Operator(), "birch", strings.TrimPrefix(at, ui.PathWebhooks+"/"), admin.Page{})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Where webhooks may not lead, and what is no event, is said beside the field.
func TestWebhookFormRefuses(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	for name, c := range map[string]struct {
		change func(url.Values)
		says   string
	}{
		"http":        {func(v url.Values) { v.Set("url", "http://hooks.example/") }, "This address can’t be used"},
		"loopback":    {func(v url.Values) { v.Set("url", "https://127.0.0.1/") }, "This address can’t be used"},
		"private":     {func(v url.Values) { v.Set("url", "https://10.0.0.1/") }, "This address can’t be used"},
		"nothing":     {func(v url.Values) { v.Set("url", "") }, "This address can’t be used"},
		"no events":   {func(v url.Values) { v.Del("groups") }, "Tick at least one"},
		"no event":    {func(v url.Values) { v.Set("other_events", "User.Create!") }, "One of these is no event"},
		"description": {func(v url.Values) { v.Set("description", strings.Repeat("x", 201)) }, "Use one line of up to 200 characters"},
	} {
		form := owner.get(ui.PathWebhooks + "/new")
		values := form.values(ui.PathWebhooks)
		if !slices.Equal(values["groups"], []string{"everything"}) {
			t.Fatalf("a new form holds %v", values)
		}
		values.Set("url", "https://hooks.example/in")
		c.change(values)
		p := form.send(ui.PathWebhooks, values)
		if p.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, p.status)
			continue
		}
		p.says(c.says)
		if again := p.values(ui.PathWebhooks); again.Get("url") != values.Get("url") || !slices.Equal(again["groups"], values["groups"]) {
			t.Errorf("%s: what was typed is gone: %v", name, again)
		}
	}
	if all, err := w.p.admin.Webhooks(t.Context(), web.Operator(), "birch"); err != nil || len(all) != 0 {
		t.Errorf("made: %v, %v", all, err)
	}
}

// Admins see webhooks, and have no buttons; a tenant that has all it may is offered no more.
func TestWebhooksAreSeenByAdmins(t *testing.T) {
	w := newWorld(t)
	var at string
	for range webhook.MaxWebhooks {
		v, _, err := w.p.admin.CreateWebhook(t.Context(), web.Operator(), "birch", webhook.NewWebhook{URL: "https://hooks.example/in"})
		if err != nil {
			t.Fatal(err)
		}
		at = ui.PathWebhooks + "/" + v.ID
	}
	adm := w.helper("birch", "adam@birch.example", storage.Admin)
	adm.get(ui.PathWebhooks).says("https://hooks.example/in", "Owners add and change webhooks")
	if p := adm.get(at).says("Everything", "Signs until another takes its place"); strings.Contains(p.body, at+"/") {
		t.Errorf("an admin is offered something:\n%s", p.body)
	}
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	if p := owner.get(ui.PathWebhooks).says("There are as many as there can be"); strings.Contains(p.body, "/new") {
		t.Error("one more is offered")
	}
	p := owner.follow(owner.request(http.MethodPost, ui.PathWebhooks, url.Values{"url": {"https://hooks.example/"}, "groups": {"everything"}}))
	if p.says("There are as many webhooks as there can be"); p.status != http.StatusUnprocessableEntity {
		t.Errorf("one more: %d", p.status)
	}
}

// TestWebhooksByAPI: what the pages do, a program does.
func TestWebhooksByAPI(t *testing.T) {
	hooks, reach := newReceiver(t)
	w := newWorld(t, reach)
	p := w.machine("robot", "birch", "webhooks:read", "webhooks:write")
	const all = "/api/v1/tenants/birch/webhooks"
	made := p.call(http.MethodPost, all, `{"url":"`+hooks.URL+`","events":["user.*"]}`)
	v, _ := made.json(t)["webhook"].(map[string]any)
	secret, _ := made.json(t)["secret"].(string)
	id, _ := v["id"].(string)
	one := all + "/" + id
	if made.status != http.StatusCreated || !strings.HasPrefix(secret, "whsec_") || !strings.HasSuffix(made.header.Get("Location"), one) {
		t.Fatalf("%d %s at %s", made.status, made.body, made.header.Get("Location"))
	}
	if got := p.call(http.MethodGet, one, ""); got.status != http.StatusOK || strings.Contains(got.body, secret) {
		t.Errorf("shown: %d %s", got.status, got.body)
	}
	if got := p.call(http.MethodPost, one+"/test", "").json(t); got["state"] != "delivered" || got["status"] != float64(204) {
		t.Errorf("tested: %v", got)
	}
	if got := p.call(http.MethodPatch, one, `{"description":"Robots","disabled":true}`).json(t); got["description"] != "Robots" || got["disabled"] != true {
		t.Errorf("changed: %v", got)
	}
	p.call(http.MethodPatch, one, `{"disabled":false}`)
	w.clock.forward(time.Second)
	if got := p.call(http.MethodPost, one+"/secrets", ""); got.status != http.StatusCreated || strings.Contains(got.body, secret) {
		t.Errorf("rotated: %d %s", got.status, got.body)
	}
	w.clock.forward(time.Second)
	for range 2 {
		p.call(http.MethodPost, one+"/test", "")
		w.clock.forward(time.Second)
	}
	first := p.call(http.MethodGet, one+"/deliveries?limit=2", "").json(t)
	items, _ := first["items"].([]any)
	next, _ := first["next"].(string)
	if len(items) != 2 || next == "" {
		t.Fatalf("deliveries: %v", first)
	}
	rest := p.call(http.MethodGet, one+"/deliveries?limit=2&after="+url.QueryEscape(next), "").json(t)
	if more, _ := rest["items"].([]any); len(more) != 1 || rest["next"] != nil {
		t.Errorf("the rest: %v", rest)
	}
	newest, _ := items[0].(map[string]any)
	delivery, _ := newest["id"].(string)
	if got := p.call(http.MethodPost, one+"/deliveries/"+delivery+"/redeliver", "").json(t); got["state"] != "waiting" {
		t.Errorf("redelivered: %v", got)
	}
	p.call(http.MethodPost, all, `{"url":"https://10.0.0.1/"}`).problem(t, "to a private address", http.StatusUnprocessableEntity, "error.invalid")
	if got := p.call(http.MethodDelete, one, ""); got.status != http.StatusNoContent {
		t.Errorf("deleted: %d", got.status)
	}
	p.call(http.MethodGet, one, "").problem(t, "gone", http.StatusNotFound, "error.not_found")
}

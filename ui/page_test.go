package ui_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html/atom"

	"github.com/sallyport-id/sallyport/ui"
)

func renderer(t testing.TB) *ui.Renderer {
	t.Helper()
	r, err := ui.New(ui.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func draw(t testing.TB, r *ui.Renderer, f ui.Frame, p ui.Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Render(&b, f, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGallery draws every page in every state and language and reads it as a browser would.
func TestGallery(t *testing.T) {
	r := renderer(t)
	for _, lang := range r.Languages() {
		for _, s := range ui.Gallery() {
			t.Run(lang+"/"+s.Name, func(t *testing.T) {
				s.Frame.Lang = lang
				page := draw(t, r, s.Frame, s.Page)
				checkTags(t, page)
				checkDocument(t, parse(t, page), lang)
			})
		}
	}
}

// TestGalleryIsComplete holds the gallery against the templates: each page is shown, and none shown twice.
func TestGalleryIsComplete(t *testing.T) {
	var shown, names []string
	for _, s := range ui.Gallery() {
		shown = append(shown, s.Page.Template())
		if slices.Contains(names, s.Name) {
			t.Errorf("%s is there twice", s.Name)
		}
		names = append(names, s.Name)
	}
	for _, p := range []ui.Page{
		ui.SignIn{},
		ui.ChooseTenant{},
		ui.Code{},
		ui.Ways{},
		ui.SetUpIntro{},
		ui.SetUp{},
		ui.SetUpInput{},
		ui.Forgot{},
		ui.NewPassword{},
		ui.ResetTwoFactor{},
		ui.RecoveryCode{},
		ui.People{},
		ui.Audit{},
		ui.AuditEntry{},
		ui.AuditRetention{},
		ui.Adoption{},
		ui.Person{},
		ui.Invite{},
		ui.PersonEmail{},
		ui.Import{},
		ui.ImportReport{},
		ui.UserTypes{},
		ui.UserType{},
		ui.Applications{},
		ui.NewApplication{},
		ui.ApplicationForm{},
		ui.Application{},
		ui.Secret{},
		ui.Integrations{},
		ui.Webhooks{},
		ui.WebhookForm{},
		ui.Webhook{},
		ui.Settings{},
		ui.Branding{},
		ui.Policy{},
		ui.RuleForm{},
		ui.Networks{},
		ui.PolicyPreview{},
		ui.Explain{},
		ui.BackupCodes{},
		ui.Overview{},
		ui.Devices{},
		ui.Activity{},
		ui.Connected{},
		ui.Security{},
		ui.Rename{},
		ui.Confirm{},
		ui.Note{},
		ui.Error{},
		ui.FormPost{},
		ui.Help{},
		ui.Guide{},
	} {
		if !slices.Contains(shown, p.Template()) {
			t.Errorf("the gallery has no %s", p.Template())
		}
	}
}

// The title of a page that refuses says so, wherever the problem stands on it: it is what is read out first.
func TestTitleSaysThatItFailed(t *testing.T) {
	r := renderer(t)
	refusing := 0
	for _, s := range ui.Gallery() {
		problem, page := false, reflect.ValueOf(s.Page)
		for _, name := range []string{"Problem", "Problems", "Refusal"} {
			field := page.FieldByName(name)
			problem = problem || field.IsValid() && !field.IsZero()
		}
		if p, ok := s.Page.(ui.ChangePassword); ok {
			problem = problem || p.Wrong.Key != ""
		}
		if problem {
			refusing++
		}
		if says := strings.Contains(draw(t, r, s.Frame, s.Page), "<title>Error: "); says != problem {
			t.Errorf("%s: there is a problem: %t; the title says so: %t", s.Name, problem, says)
		}
	}
	if refusing == 0 {
		t.Error("no page of the gallery refuses")
	}
}

// TestTitles: a title belongs to one page, in whatever state, or to the steps of one thing to do: it is what tells windows and the
// browser's history apart.
func TestTitles(t *testing.T) {
	r := renderer(t)
	first := map[string]string{"set_up": "set_up_input", "application_form": "new_application"}
	page := func(s ui.Sample) string { return cmp.Or(first[s.Page.Template()], s.Page.Template()) }
	for _, lang := range r.Languages() {
		of := map[string]ui.Sample{}
		for _, s := range ui.Gallery() {
			s.Frame.Lang = lang
			title := text(all(parse(t, draw(t, r, s.Frame, s.Page)), atom.Title)[0])
			if other, ok := of[title]; ok && page(other) != page(s) {
				t.Errorf("%s: %q is the title of %s and of %s", lang, title, other.Name, s.Name)
			}
			of[title] = s
		}
	}
}

func TestCodeFieldHasTheFocus(t *testing.T) {
	r := renderer(t)
	page := draw(t, r, ui.Frame{Lang: "en", Product: "P"}, ui.Code{Factor: ui.Factor{ID: "totp"}, Digits: 6, Action: "/a", Others: "/o", Restart: "/r"})
	want := `<input id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" data-digits="6" autocapitalize="none" spellcheck="false" dir="ltr" aria-describedby="code-problem" autofocus>`
	if !strings.Contains(page, want) {
		t.Errorf("no %s in\n%s", want, page)
	}
}

func TestBackupCodeField(t *testing.T) {
	page := draw(t, renderer(t), ui.Frame{Lang: "en", Product: "P"}, ui.Code{Factor: ui.Factor{ID: "backup"}, Action: "/a", Others: "/o", Restart: "/r"})
	for _, want := range []string{
		`<input id="code" name="code" type="text" inputmode="text" autocomplete="off" autocapitalize="none" spellcheck="false" dir="ltr"`,
		"Hyphens and capitals don’t matter.",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
}

// TestSaidOnce: what stands on the page already is not said again.
func TestSaidOnce(t *testing.T) {
	r := renderer(t)
	code := ui.Code{Factor: ui.Factor{ID: "totp"}, Account: "olga@example.com", Digits: 6, Action: "/a", Others: "/o", Restart: "/r"}
	factor := ui.Factor{ID: "totp", Name: "Authenticator app"}
	row := ui.CredentialRow{Factor: factor, Name: factor.Name, Created: "2026-01-02T03:04:05Z", Rename: "/r", Remove: "/d"}
	named := row
	named.Name = "Phone"
	other := ui.Factor{ID: "pigeon", Name: "Carrier pigeon"}
	for _, c := range []struct {
		account, lang, word string
		page                ui.Page
		want                int
	}{
		{"", "en", "olga@example.com", code, 1},
		{"olga@example.com", "en", "olga@example.com", code, 1},
		{"an other", "en", "olga@example.com", code, 1},
		{"", "en", "Authenticator app", ui.Security{On: true, Factors: []ui.CredentialRow{row}}, 1},
		{"", "de", "Authenticator-App", ui.Security{On: true, Factors: []ui.CredentialRow{row}}, 1},
		{"", "de", "Authenticator app", ui.Security{On: true, Factors: []ui.CredentialRow{row}}, 0},
		{"", "en", "Authenticator app", ui.Security{On: true, Factors: []ui.CredentialRow{named}}, 1},
		{"", "en", "Phone", ui.Security{On: true, Factors: []ui.CredentialRow{named}}, 1},
		{"", "en", "Authenticator app", ui.Ways{Ways: []ui.Way{{Factor: factor, Name: factor.Name, Left: -1, Path: "/w"}}, Restart: "/r"}, 1},
		{"", "en", "Phone", ui.Ways{Ways: []ui.Way{{Factor: factor, Name: "Phone", Left: -1, Path: "/w"}}, Restart: "/r"}, 1},
		{"", "en", "A second step with Carrier pigeon", ui.Ways{Ways: []ui.Way{{Factor: other, Name: other.Name, Left: -1, Path: "/w"}}, Restart: "/r"}, 1},
	} {
		doc := parse(t, draw(t, r, ui.Frame{Lang: c.lang, Product: "P", Account: c.account}, c.page))
		if got := strings.Count(text(all(doc, atom.Body)[0]), c.word); got != c.want {
			t.Errorf("%T, %s, signed in as %q: %q stands there %d times, want %d", c.page, c.lang, c.account, c.word, got, c.want)
		}
	}
}

// TestLastFactorIsKept: what can't be removed has no link to remove it, and a sentence says why.
func TestLastFactorIsKept(t *testing.T) {
	r := renderer(t)
	kept := ui.CredentialRow{Name: "Phone", Created: "2026-01-02T03:04:05Z", Rename: "/r"}
	other := kept
	other.Remove = "/other/remove"
	const why = "Your only factor can’t be removed"
	for _, c := range []struct {
		row  ui.CredentialRow
		want bool
	}{{kept, false}, {other, true}} {
		page := draw(t, r, ui.Frame{Lang: "en", Product: "P"}, ui.Security{On: true, Required: !c.want, Factors: []ui.CredentialRow{c.row}})
		if strings.Contains(page, "Remove “Phone”") != c.want || strings.Contains(page, why) == c.want {
			t.Errorf("removable: %v\n%s", c.want, page)
		}
	}
}

// TestErrorButton: the button says where it leads, and there is none where nothing helps.
func TestErrorButton(t *testing.T) {
	r := renderer(t)
	for _, c := range []struct {
		page       ui.Error
		href, says string
	}{
		{ui.FailNotFound.Page(ui.PathAccount), "/account", "Go to your account"},
		{ui.Required("Staff", ui.PathAccount), "/account", "Go to your account"},
		{ui.FailUnavailable.Page("/signin?request=r"), "/signin?request=r", "Try again"},
		{ui.FailRedirectURI.Page(""), "", ""},
	} {
		var href, says string
		for _, a := range all(parse(t, draw(t, r, ui.Frame{Lang: "en", Product: "P"}, c.page)), atom.A) {
			if attr(a, "class") == "button" {
				href, says = attr(a, "href"), text(a)
			}
		}
		if href != c.href || says != c.says {
			t.Errorf("%s: %q leads to %q, want %q to %q", c.page.Title.Key, says, href, c.says, c.href)
		}
	}
}

// TestQRSize: at another width than half of the picture's 512 pixels some modules would be wider than others.
func TestQRSize(t *testing.T) {
	r := renderer(t)
	doc := parse(t, draw(t, r, ui.Frame{Lang: "en", Product: "P"}, ui.SetUp{Key: "A", QR: "/qr", Action: "/a", Cancel: "/c"}))
	var found bool
	for _, n := range all(doc, atom.Img) {
		if attr(n, "class") == "qr" {
			found = attr(n, "width") == "256" && attr(n, "height") == "256"
		}
	}
	if !found {
		t.Error("the page shows the picture in another size")
	}
	for _, n := range all(doc, atom.Link) {
		if attr(n, "rel") == "stylesheet" {
			css, _ := r.Static(strings.TrimPrefix(attr(n, "href"), ui.PathStatic))
			rule := regexp.MustCompile(`(?s)\n\.qr \{.*?\n\}`).FindString(string(css.Body))
			if !strings.Contains(rule, "\tinline-size: 256px;") || !strings.Contains(rule, "image-rendering: pixelated;") {
				t.Errorf("the style sheet says %q", rule)
			}
		}
	}
}

// TestRenameKeepsTheName: the heading says what is renamed, whatever was typed.
func TestRenameKeepsTheName(t *testing.T) {
	doc := parse(t, draw(t, renderer(t), ui.Frame{Lang: "en", Product: "P"}, ui.Rename{
		Name: "Phone", New: "", Action: "/a", Cancel: "/c", Problem: ui.Say(ui.ProblemNameEmpty),
	}))
	if got := text(all(doc, atom.H1)[0]); got != "Rename “Phone”" {
		t.Errorf("the heading is %q", got)
	}
	for _, n := range all(doc, atom.Input) {
		if attr(n, "value") != "" {
			t.Errorf("the field holds %q, and an empty name was typed", attr(n, "value"))
		}
	}
}

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>{{.Frame}}'`

// TestHostile puts markup into everything that a stranger or a tenant can name.
func TestHostile(t *testing.T) {
	r := renderer(t)
	frame := ui.Frame{Lang: "en", Product: hostile, Tenant: hostile, Account: hostile, Base: "/id"}
	factor := ui.Factor{ID: hostile, Name: hostile}
	hostileRow := ui.PersonRow{
		Account: hostile, Name: hostile, Role: hostile, Type: ui.Choice{ID: hostile, Name: hostile}, Path: "//evil.example/",
		PersonActions: ui.PersonActions{HandOut: "javascript:alert(1)", Delete: "javascript:alert(1)", Remind: "javascript:alert(1)"},
	}
	pages := []ui.Page{
		ui.SignIn{Request: hostile, Login: hostile, App: hostile, Notice: ui.Say(ui.NoticeAppAsks, "app", hostile)},
		ui.ChooseTenant{Request: hostile, Proof: hostile, Tenants: []ui.Choice{{ID: hostile, Name: hostile}}},
		ui.Code{Factor: factor, Account: hostile, Prompt: hostile, Action: "/" + hostile, Others: "javascript:alert(1)", Restart: "//evil.example/"},
		ui.Code{Factor: factor, Target: hostile, Action: "/a", Others: "/o", Restart: "/r"},
		ui.Ways{Account: hostile, Ways: []ui.Way{{Factor: factor, Name: hostile, Path: "/w"}}, Restart: "/r", Support: "javascript:alert(1)"},
		ui.SetUpIntro{Account: hostile, Forced: true, Rule: hostile, App: hostile, Factors: []ui.Way{{Factor: factor, Path: "/w"}}},
		ui.SetUp{Factor: factor, Account: hostile, Key: hostile, URI: "otpauth://totp/" + hostile, QR: "/qr", Action: "/a", Cancel: "/c"},
		ui.BackupCodes{Account: hostile, Codes: []string{hostile}, Date: "2026-01-02", Action: "/a", Download: "/d", App: hostile},
		ui.Security{On: true, Required: true, Rule: hostile, Factors: []ui.CredentialRow{{
			ID: hostile, Factor: factor, Name: hostile, Created: "2026-01-02T03:04:05Z", Rename: "/r", Remove: "/r",
		}}, Notice: ui.Say(ui.NoticeFactorAdded, "name", hostile)},
		ui.Rename{Factor: factor, Name: hostile, New: hostile, Action: "/a", Cancel: "/c"},
		ui.SignIn{Request: hostile, Passkeys: true, Forgot: "javascript:alert(1)"},
		ui.Code{Factor: factor, Options: []byte(`{"challenge":` + strconv.Quote(hostile) + `}`), Action: "/a", Recovery: "javascript:alert(1)", Support: "javascript:alert(1)", Restart: "/r"},
		ui.SetUpInput{Factor: factor, Account: hostile, Ask: hostile, Value: hostile, Countries: []string{hostile}, Action: "/a", Cancel: "/c"},
		ui.SetUp{Factor: factor, Target: hostile, Again: "javascript:alert(1)", AgainAt: "2026-01-02T03:04:05Z", Edit: "//evil.example/", Action: "/a", Cancel: "/c"},
		ui.SetUp{Factor: factor, Options: []byte(hostile), Action: "/a", Cancel: "/c"},
		ui.Security{On: true, Factors: []ui.CredentialRow{{
			Factor: ui.Factor{ID: "webauthn", Name: "Passkey"}, Name: "x", Note: hostile, Created: "2026-01-02T03:04:05Z", Rename: "/r",
		}}},
		ui.Devices{
			Sessions: []ui.SessionRow{{Origin: ui.Origin{Browser: hostile, Address: hostile, Place: hostile}, Created: "2026-01-02T03:04:05Z", LastUsed: "2026-01-02T03:04:05Z", End: "javascript:alert(1)"}},
			Devices:  []ui.DeviceRow{{Origin: ui.Origin{Browser: hostile, Address: hostile, Place: hostile}, Created: "2026-01-02T03:04:05Z", Until: "2026-01-02T03:04:05Z", Forget: "javascript:alert(1)"}}, EndOthers: "javascript:alert(1)",
		},
		ui.Activity{EndOthers: "javascript:alert(1)", More: "//evil.example/", Entries: []ui.ActivityRow{{
			Time: "2026-01-02T03:04:05Z", Action: hostile, Outcome: hostile, Who: hostile, Factor: factor, App: hostile, Origin: ui.Origin{Place: hostile},
		}}},
		ui.Connected{Apps: []ui.ConnectedRow{{Name: hostile, Scopes: []string{hostile}, Since: "2026-01-02T03:04:05Z", Revoke: "javascript:alert(1)"}}},
		ui.Overview{
			Name: hostile, Account: hostile, On: true, Factors: []ui.Held{{Factor: factor, Name: hostile}}, Unverified: hostile, VerifyEmail: "javascript:alert(1)",
			Next: ui.Advice{Title: ui.Say("security.turn_on_title"), Body: ui.Say("security.turn_on_text"), Path: "javascript:alert(1)", Tone: "info"},
		},
		ui.Forgot{Login: hostile, Request: hostile, Action: "/a", Back: "javascript:alert(1)"},
		ui.NewPassword{Account: hostile, Least: 10, Action: "/a"},
		ui.ResetTwoFactor{Account: hostile, Action: "/a"},
		ui.RecoveryCode{Account: hostile, Name: hostile, Code: hostile, Until: "2026-01-02T03:04:05Z", Revoke: "/r", Back: "javascript:alert(1)"},
		ui.People{
			Filter: ui.Filter{Find: hostile, Type: hostile}, Action: "/a", Next: "javascript:alert(1)", RemindAll: "javascript:alert(1)",
			Types: []ui.Choice{{ID: hostile, Name: hostile}}, People: []ui.PersonRow{hostileRow}, Unprotected: []ui.PersonRow{hostileRow},
		},
		ui.Person{Row: hostileRow, Action: "/a", Types: []ui.Choice{{ID: hostile}}, Where: hostile, Problem: ui.Say("problem.password"), Back: "/b"},
		ui.Invite{Email: hostile, Name: hostile, Role: hostile, Type: hostile, Types: []ui.Choice{{ID: "x", Name: hostile}}, Action: "/a", Cancel: "javascript:alert(1)"},
		ui.PersonEmail{Account: hostile, Name: hostile, Present: hostile, Email: hostile, Action: "javascript:alert(1)", Cancel: "//evil.example/", Problem: ui.Say("problem.password")},
		ui.UserTypes{New: hostile, Action: "/a", Back: "/b", Types: []ui.UserTypeRow{{
			Type: ui.Choice{ID: hostile, Name: hostile}, People: "javascript:alert(1)", Rename: "//evil.example/", Up: "javascript:alert(1)",
		}}},
		ui.UserType{Type: ui.Choice{ID: hostile, Name: hostile}, New: hostile, Action: "/a", Cancel: "/c"},
		ui.NewPassword{Account: hostile, Invited: hostile, Least: 10, Action: "/a"},
		ui.Applications{Own: []ui.ApplicationRow{{ID: hostile, Name: hostile, Kind: hostile, Path: "javascript:alert(1)"}}, Shared: []string{hostile}, New: "javascript:alert(1)"},
		ui.ApplicationForm{
			Application: hostile, Kind: hostile, Name: hostile, RedirectURIs: hostile + "</textarea>", Tags: hostile, Other: hostile, Action: "/a", Cancel: "/c",
			Scopes: []ui.ScopeChoice{{Scope: hostile}},
		},
		ui.Application{
			Row: ui.ApplicationRow{ID: hostile, Name: hostile, Kind: hostile}, Issuer: hostile, RedirectURIs: []string{hostile}, Scopes: []string{hostile},
			Tags: []string{hostile}, Created: "2026-01-02T03:04:05Z", Back: "javascript:alert(1)",
		},
		ui.Secret{Name: hostile, ID: hostile, Secret: hostile, Back: "javascript:alert(1)"},
		ui.Integrations{Integrations: []ui.IntegrationRow{{ID: hostile, Name: hostile, Kind: hostile, Application: hostile, Rule: hostile, Connected: "2026-01-02"}}},
		ui.Webhooks{Webhooks: []ui.WebhookRow{{URL: "javascript:alert(1)", Description: hostile, Path: "/p"}}},
		ui.WebhookForm{Webhook: hostile, URL: hostile, Description: hostile, Groups: []ui.EventGroup{{Group: hostile, Patterns: []string{hostile}}}, Other: hostile, Action: "/a", Cancel: "/c"},
		ui.Webhook{
			Row: ui.WebhookRow{URL: hostile, Description: hostile, Reason: hostile}, Other: []string{hostile}, Created: "2026-01-02", Back: "/b",
			Deliveries: []ui.DeliveryRow{{ID: hostile, Type: hostile, State: hostile, Reason: hostile, Created: "2026-01-02", Again: "javascript:alert(1)"}},
		},
		ui.Policy{
			Because: []string{hostile}, Switches: []ui.Switch{{Type: ui.Choice{ID: hostile}}, {Type: ui.Choice{ID: "x", Name: hostile}}},
			Rules: []ui.RuleRow{{Name: hostile, Path: "javascript:alert(1)", Delete: "javascript:alert(1)", When: ui.RuleWhen{
				Types: []ui.Choice{{ID: hostile}}, Users: []string{hostile}, Clients: []string{hostile}, Tags: []string{hostile},
			}, Then: ui.RuleThen{TwoFactor: "required", Factors: []ui.Factor{factor, factor}}}}, Version: hostile,
			Action: "/a", New: "javascript:alert(1)", Explain: "/e",
		},
		ui.RuleForm{
			Name: hostile, Users: "</textarea>" + hostile, Types: []ui.Box{{Choice: ui.Choice{ID: hostile, Name: hostile}}},
			Factors: []ui.FactorBox{{Factor: factor}}, Places: []ui.Choice{{ID: hostile, Name: hostile}}, Action: "/a", Back: "javascript:alert(1)",
			Wrong: "rules.when.users", Problem: ui.Invalid("rules.when.users", "unknown"), Hint: ui.AboutValue(hostile),
		},
		ui.Networks{Rows: []ui.NetworkRow{{Prefix: hostile, Name: hostile}}, You: hostile, Version: hostile, Action: "/a", Wrong: -1},
		ui.PolicyPreview{
			Changes: []ui.Text{ui.Say(ui.ChangeNetworkAdded, "network", hostile)}, LockedOut: 1,
			Rules: []ui.RuleChange{{
				What: ui.Say(ui.ChangeRuleAdded, "rule", hostile), When: ui.RuleWhen{Clients: []string{hostile}, Tags: []string{hostile}},
				Then: ui.RuleThen{TwoFactor: "required", Factors: []ui.Factor{factor}}, Place: 1, Of: 1, Earlier: []ui.Earlier{{Rule: hostile, Users: 1}},
			}},
			At: []ui.EffectsAt{{Names: []string{hostile}, Others: 1}}, Named: []ui.PersonRow{{Account: hostile, Path: "javascript:alert(1)"}},
			Clients: []ui.CutOffRow{{ID: hostile, Name: hostile, Addresses: []string{hostile}, Last: "2026-01-02T03:04:05Z"}},
			Refusal: ui.LocksYouOut(hostile, hostile), Draft: hostile, Save: "/s", Add: "javascript:alert(1)", Back: "javascript:alert(1)",
		},
		ui.Explain{
			User: hostile, Client: hostile, Clients: []ui.Choice{{ID: hostile, Name: hostile}}, Address: hostile, Action: "/a", Back: "/b",
			Answer: &ui.Answer{
				Account: hostile, Path: "javascript:alert(1)", Asked: "prompt", Factors: []ui.Factor{factor}, Rule: hostile,
				At: "2026-01-02T03:04:05Z", Rules: []ui.VerdictRow{{Name: hostile, Path: "/p", Holds: hostile}},
			},
		},
		ui.Audit{Action: "/a", Filter: ui.AuditFilter{
			User: hostile, By: hostile, Action: hostile, Outcome: hostile, Address: hostile, Text: hostile, From: hostile, Until: hostile,
		}, Groups: []string{hostile}, Outcomes: []string{hostile}, Entries: []ui.AuditRow{{
			ID: hostile, Time: "2026-01-02T03:04:05Z", Action: hostile, Outcome: hostile, Who: hostile, Whom: hostile, Factor: factor, App: hostile,
			Rule: hostile, Reason: hostile, Address: hostile, Browser: hostile, Path: "javascript:alert(1)",
		}}, More: "javascript:alert(1)", CSV: "/c", JSONLines: "/j", Verify: "/v", Checked: &ui.AuditReport{
			Head: hostile, Last: hostile, Faults: []ui.AuditFault{{ID: hostile, Kind: hostile}},
		}},
		ui.AuditEntry{
			Row: ui.AuditRow{
				ID: hostile, Time: "2026-01-02T03:04:05Z", Action: hostile, Outcome: hostile, Who: hostile, Whom: hostile, Factor: factor, App: hostile,
				Rule: hostile, Reason: hostile, Address: hostile, Browser: hostile, Path: "/x",
			}, Actor: hostile, User: hostile, Client: hostile, Agent: hostile, Reports: hostile, Request: hostile, Previous: hostile, Hash: hostile,
			Person: "javascript:alert(1)", OfUser: "/u", ByActor: "/b", OfAction: "//evil.example/", From: "/f", Back: "javascript:alert(1)",
		},
		ui.AuditRetention{Days: hostile, Action: "/a", Cancel: "javascript:alert(1)"},
		ui.Import{Action: "javascript:alert(1)", Types: []string{hostile}, Problem: ui.InvalidFile("column", hostile, 5000), CSV: "//evil.example/", JSONLines: "/j", Back: "javascript:alert(1)"},
		ui.ImportReport{Created: 1, Refused: 1, Rows: []ui.ImportRow{{Line: 2, Account: hostile, Says: ui.InvalidLine("no_field", hostile, hostile)}}, Action: "/a", Ticket: hostile, Back: "/b"},
		ui.Adoption{Types: []ui.Choice{{ID: hostile, Name: hostile}, {ID: hostile}}, Messages: true, People: "javascript:alert(1)", Days: []ui.AdoptionDay{{
			Date: "2026-01-02", All: ui.Share{Some: 1, Of: 2}, Types: []ui.Share{{Some: 1, Of: 2}}, Messages: 3,
		}}},
		ui.Hooked(hostile, ""),
		ui.AskRemoveFactor.Page("/a", "/c", "name", hostile),
		ui.Error{Title: ui.Say("error.denied.title"), Body: ui.Say("error.denied.body", "rule", hostile), Request: hostile, Next: "javascript:alert(1)"},
		ui.FormPost{App: hostile, Action: "javascript:alert(1)", Fields: []ui.Pair{{Name: hostile, Value: hostile}}},
	}
	for _, p := range pages {
		t.Run(p.Template(), func(t *testing.T) {
			page := draw(t, r, frame, p)
			checkTags(t, page)
			doc := parse(t, page)
			if n := len(all(doc, atom.Script)); n != 1 {
				t.Errorf("%d scripts", n)
			}
			for _, n := range all(doc) {
				for _, a := range n.Attr {
					if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.ToLower(a.Val), "javascript:") && a.Key != "value" {
						t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
					}
					if a.Key == "href" && strings.HasPrefix(a.Val, "//") {
						t.Errorf("%s leads to another site", a.Val)
					}
				}
			}
			if strings.Contains(page, "{{") != strings.Contains(page, "{{.Frame}}") {
				t.Error("a template action is left")
			}
		})
	}
}

func TestBaseIsPutBeforePaths(t *testing.T) {
	page := draw(t, renderer(t), ui.Frame{Lang: "en", Base: "/id", Product: "P", Account: "a"}, ui.Security{On: true, CodesLeft: 4, CodesMade: 10})
	for _, m := range regexp.MustCompile(`(?:href|action|src)="([^"#]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(m[1], "/id/") {
			t.Errorf("%s is outside the issuer", m[1])
		}
	}
}

// TestNothingHalfDrawn: a page that cannot be drawn leaves nothing behind.
func TestNothingHalfDrawn(t *testing.T) {
	r := renderer(t)
	for _, p := range []ui.Page{
		ui.Note{Title: ui.Say("no.such.key")},
		ui.Error{Title: ui.Say("error.denied.title"), Body: ui.Say("error.denied.body")}, // {rule} is missing
		ui.FailDenied.Page("", 1, "Office networks only"),                                // and here nothing is called so
		ui.Overview{LastSignIn: "yesterday"},
		ui.SetUp{Key: "A", URI: "javascript:alert(1)"},
	} {
		var b bytes.Buffer
		if err := r.Render(&b, ui.Frame{Lang: "en"}, p); err == nil || b.Len() > 0 {
			t.Errorf("%T: %v, %d bytes written", p, err, b.Len())
		}
	}
}

// TestConcurrentUse is for the race detector: templates, sentences and numbers are prepared at their first use.
func TestConcurrentUse(t *testing.T) {
	r := renderer(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for _, s := range ui.Gallery() {
				if err := r.Render(io.Discard, s.Frame, s.Page); err != nil {
					t.Error(err)
				}
			}
			if got := r.Text("en", ui.Say(ui.ProblemNameLong, "n", 12345)); !strings.Contains(got, "12,345") {
				t.Error(got)
			}
		})
	}
	all.Wait()
}

func TestLanguage(t *testing.T) {
	r := renderer(t)
	for _, c := range []struct {
		want  string
		prefs []string
	}{
		{"en", nil},
		{"en", []string{"", "x", "\x00", "tlh"}},
		{"de", []string{"de-AT en"}},
		{"de", []string{"", "fr-CH, de-CH;q=0.9, en;q=0.8"}},
		{"en", []string{"en-US,en;q=0.9,de;q=0.8"}},
		{"de", []string{"gsw"}},
		{"de", []string{"fr", "de"}},
		{"en", []string{"fr", "en-GB", "de"}},
		{"en", []string{"de;q=0, en;q=0.1"}},
		{"en", []string{strings.Repeat("-", 1<<20)}},
	} {
		if got := r.Language(c.prefs...); got != c.want {
			t.Errorf("Language(%.60q) = %q, want %q", c.prefs, got, c.want)
		}
	}
	page := draw(t, r, ui.Frame{Lang: "de-CH", Product: "P"}, ui.SignIn{})
	if !strings.Contains(page, `<html lang="de" dir="ltr">`) {
		t.Error("an unknown tag should take the nearest language")
	}
}

func TestOverride(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	r, err := ui.New(ui.Options{Override: fstest.MapFS{
		"templates/note.html": file(`{{define "title"}}mine{{end}}{{define "main"}}<h1>Mine</h1>{{end}}`),
		"i18n/en.json":        file(`{"sign_in.title": "Come in"}`),
		"i18n/ar.json":        file(`{"sign_in.title": "تسجيل الدخول"}`),
		"static/app.css":      file(`body{}`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if page := draw(t, r, ui.Frame{Lang: "en"}, ui.Note{}); !strings.Contains(page, "<h1>Mine</h1>") {
		t.Error("the template was not replaced")
	}
	if page := draw(t, r, ui.Frame{Lang: "en"}, ui.SignIn{}); !strings.Contains(page, "<h1>Come in</h1>") || !strings.Contains(page, "Password") {
		t.Error("the key was not replaced, or others with it")
	}
	page := draw(t, r, ui.Frame{Lang: "ar"}, ui.SignIn{})
	if !strings.Contains(page, `<html lang="ar" dir="rtl">`) || !strings.Contains(page, "تسجيل الدخول") || !strings.Contains(page, "Password") {
		t.Error("a language was not added, or English does not help it out")
	}
	css := regexp.MustCompile(`/static/(app\.[0-9a-f]+\.css)`).FindStringSubmatch(page)[1]
	if a, ok := r.Static(css); !ok || string(a.Body) != "body{}" || a.Type != "text/css; charset=utf-8" {
		t.Errorf("the style sheet was not replaced: %v %v", a, ok)
	}
}

// TestOverrideErrors: a mistake in an override stops the start and says where it is.
func TestOverrideErrors(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"templates/note.html", `{{define "title"}}`, "templates/note.html"},
		{"templates/note.html", `{{define "title"}}x{{end}}{{define "main"}}{{.Page.Nothing}}{{end}}`, "note"},
		{"templates/sign_on.html", ``, "templates/sign_on.html: there is no such template"},
		{"i18n/en.json", `{`, "i18n/en.json"},
		{"i18n/en.json", `{"sign_on.title": "x"}`, `"sign_on.title" is no key`},
		{"i18n/de.json", `{"notice.app_asks": "{{.ap}}"}`, `"notice.app_asks" has no placeholder {{.ap}}`},
		{"i18n/de.json", `{"notice.app_asks": "{{if .app}}x{{end}}"}`, "only placeholders"},
		{"i18n/german.json", `{}`, "i18n/german.json"},
		{"i18n/de_AT.json", `{}`, "de-AT.json"},
		{"static/page.html", ``, "static/page.html"},
		{"templates/NOTE.HTML", ``, "templates/NOTE.HTML: a theme has no such file; it can hold templates/*.html, "},
		{"template/note.html", ``, "template/note.html: a theme has no such file"},
		{"i18n/ar/signin.json", `{}`, "i18n/ar/signin.json: a theme has no such file"},
		{"i18n/ar.yaml", ``, "i18n/ar.yaml: a theme has no such file"},
		{"README.md", ``, "there is nothing in it"},
		{"i18n/ar.json", `{"ways.left": {"one": "x", "other": "{{.n}}"}}`, `i18n/ar.json: "ways.left" lacks the form zero, two, few, many of numbers`},
		{"i18n/de.json", `{"ways.left": {"one": "x"}}`, `"ways.left" lacks the form other`},
	} {
		_, err := ui.New(ui.Options{Override: fstest.MapFS{c.name: {Data: []byte(c.body)}}})
		var wrong *ui.ThemeError
		if !errors.As(err, &wrong) || !strings.Contains(wrong.Error(), c.want) {
			t.Errorf("%s %s: %v, want %q", c.name, c.body, err, c.want)
		}
	}
}

// TestWeight: what the first visit of the sign-in page transfers, gzipped, stays under 30 KB.
func TestWeight(t *testing.T) {
	r := renderer(t)
	page := draw(t, r, ui.Frame{Lang: "de", Product: "Sallyport"}, ui.SignIn{Request: strings.Repeat("x", 1000), Login: "olga@example.com", App: "Ledger"})
	total := len(page) // sent as it is: compressing secrets together with a stranger's text leaks them (BREACH)
	sent := map[string]bool{}
	for _, m := range regexp.MustCompile(`/static/([^"]+)`).FindAllStringSubmatch(page, -1) {
		a, ok := r.Static(m[1])
		if !ok {
			t.Fatalf("no %s", m[1])
		}
		if sent[m[1]] {
			continue
		}
		sent[m[1]] = true
		if a.Gzip != nil {
			total += len(a.Gzip)
		} else {
			total += len(a.Body)
		}
	}
	if total > 30_000 {
		t.Errorf("the sign-in page weighs %d bytes", total)
	}
	t.Logf("the sign-in page weighs %d bytes", total)
}

func BenchmarkRender(b *testing.B) {
	r := renderer(b)
	for _, s := range ui.Gallery() {
		if s.Name != "sign-in-app" && s.Name != "security" {
			continue
		}
		b.Run(s.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := r.Render(io.Discard, s.Frame, s.Page); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func ExampleRenderer_Text() {
	r, err := ui.New(ui.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Text("de", ui.CodesUsed(1)))
	// Output: Sie haben einen Backup-Code verwendet, und nur 1 ist noch übrig. Erstellen Sie bald neue.
}

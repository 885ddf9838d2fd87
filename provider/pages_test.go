package provider

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/sallyport-id/sallyport/storage"
)

// statements are how the pages behave, and which tests show that. Those whose names begin with a small letter run within
// TestChromium; besides, .ci/pages judges every page of the gallery.
var statements = [...]struct {
	says  string
	tests []string
}{
	{
		"codes go into one labelled field with inputmode and autocomplete, which has the focus, and no maxlength",
		[]string{"testCodeField", "testKeyboard", "TestCodeFieldHasTheFocus", "TestBackupCodeField", "TestGallery"},
	},
	{"spaces and hyphens are accepted, full-width digits are not, paste and password managers work", []string{"testCodeField"}},
	{"a full code sends itself once, and the button stays", []string{"testSendsItselfOnce", "testCodeField", "testWithoutJavaScript"}},
	{
		"errors stand beside the field, are announced and say which: empty, short, not digits, wrong, used, expired, too many, not sent",
		[]string{
			"testCodeField", "TestGallery", "TestTitleSaysThatItFailed", "TestRecoveryCode", "TestSMSCodeIsBoundAndExpires", "TestFiveWrongCodes", "TestSMSNotSent",
			"testExpiredSignIn",
		},
	},
	{"a message ends with @host #code", []string{"TestSignInBySMS", "TestText"}},
	{"another way is always offered, and leads on to backup and recovery codes", []string{"TestAnotherWayIsAlwaysThere", "testSwitchFactors", "testRecoveryInChromium"}},
	{"only usable factors are listed, each with its name or masked number", []string{"TestOnlyUsableWaysAreListed", "testSwitchFactors"}},
	{"a code is sent again by a button with its waiting time, and the first stays good", []string{"testSMSInChromium", "TestSignInBySMS", "TestScript", "testWaysWithoutJavaScript"}},
	{"the number is edited in set-up, never at sign-in", []string{"TestSetUpSMS", "TestSignInBySMS"}},
	{"the QR code is black on white with a quiet zone in the dark too, with the key as text beside it", []string{"testQRCode", "TestQRSize"}},
	{"secrets wait on the server, in no hidden field, the page is not kept, and the picture is gone after confirmation", []string{"TestSetUpKeepsItsSecret", "testQRCode"}},
	{"forced set-up says which rule asks for it, and leads back to the application", []string{"testMainJobInChromium", "TestMainJob"}},
	{
		"back button, two tabs, double submit and reload lock nobody out and burn no code",
		[]string{"testBackButton", "testTwoTabs", "testDoubleClick", "testReload", "TestWrongCodeLoadedAgain", "TestBrowserGoesAway", "TestSendCodeClickedTwice"},
	},
	{"an expired page starts over without losing the application's request", []string{"testExpiredSignIn", "TestRobustness"}},
	{
		"title, heading, labels, keyboard, focus, targets, 320 px, 200 %, reduced motion",
		[]string{
			"testEveryPage", "testSettingsPages", "testPolicyPages", "testKeyboard", "testCodesByKeyboard", "testSecurityByKeyboard", "testOwnerByKeyboard", "testForceByKeyboard", "testWaysByKeyboard",
			"testPasskeyByKeyboard", "TestTitles", "TestContrast", "TestStyleSheet",
		},
	},
	{"long work shows progress, and destructive buttons ask once", []string{"TestImportShowsProgress", "TestSeveralAuthenticators"}},
	{
		"text comes from catalogues in every language, right to left works, dates and numbers follow the language",
		[]string{"TestCataloguesAreComplete", "TestGermanIsGerman", "TestLanguageOrder", "TestExampleTheme", "TestArabicIsComplete", "TestArabicPlural", "TestArabicDates", "TestStyleSheet"},
	},
}

// TestStatements: each statement has its tests, and each of those is there and runs.
func TestStatements(t *testing.T) {
	there, inChromium := map[string]bool{}, map[string]bool{}
	for _, dir := range []string{".", "../ui", "../mfa/sms"} {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || fn.Recv != nil {
					continue
				}
				there[fn.Name.Name] = true
				if fn.Name.Name == "TestChromium" {
					ast.Inspect(fn, func(n ast.Node) bool {
						if id, ok := n.(*ast.Ident); ok {
							inChromium[id.Name] = true
						}
						return true
					})
				}
			}
		}
	}
	for i, s := range statements {
		if len(s.tests) == 0 {
			t.Errorf("%d (%s) is shown by no test", i+1, s.says)
		}
		for _, name := range s.tests {
			if !there[name] || strings.HasPrefix(name, "test") && !inChromium[name] {
				t.Errorf("%d (%s): there is no test %s", i+1, s.says, name)
			}
		}
	}
}

// TestAnotherWayIsAlwaysThere (6): with one factor and no code left there is still a way on, to an owner's code.
func TestAnotherWayIsAlwaysThere(t *testing.T) {
	w := newWorld(t)
	u, _, _ := w.enrolled("acme", "robin@acme.example")
	b := w.browser()
	ways := b.get(b.get("/account/security").signIn("robin@acme.example").is(atCode).link("/ways"))
	ways.is("Try another way").says("Backup codes")
	recovery := ways.link("/with/recovery")
	b.get(b.get(ways.link("/with/backup")).is("Enter a backup code").link("/with/recovery")).is(atRecovery)
	b.get(recovery).is(atRecovery)

	all, err := w.store.Credentials.List(t.Context(), storage.Query{Tenant: "acme", Field: "user", Value: u.ID})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Factor == "backup" {
			if err := w.store.Credentials.Delete(t.Context(), "acme", c.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	b = w.browser()
	ways = b.get(b.get("/account/security").signIn("robin@acme.example").is(atCode).link("/ways")).is("Try another way")
	if strings.Contains(ways.text(), "Backup codes") {
		t.Error("codes that are all used are offered")
	}
	b.get(ways.link("/with/recovery")).is(atRecovery)
}

// TestOnlyUsableWaysAreListed (7): what the policy does not take at this sign-in is no way, and its address leads nowhere.
func TestOnlyUsableWaysAreListed(t *testing.T) {
	w := newTexting(t)
	w.texted("robin@acme.example", german, germanE)
	w.withApp("robin@acme.example", germanE)
	b := w.browser()
	ways := b.get(b.get("/account/security").signIn("robin@acme.example").is(atMessage).link("/ways")).says("Authenticator app", "•••• 567")
	sms := ways.link("/with/sms")
	w.rules("acme", storage.Rule{Name: "No messages", Then: storage.Then{
		Access: "allow", Strength: "any", Factors: []string{"totp", "backup"}, Unenrolled: "enrol_at_login",
	}})
	w.clock.forward(ten)
	b = w.browser()
	ways = b.get(b.get("/account/security").signIn("robin@acme.example").is(atCode).link("/ways")).says("Authenticator app", "Backup codes")
	if strings.Contains(ways.text(), "Text message") || strings.Contains(ways.text(), "•••• 567") {
		t.Errorf("a way that the policy does not take is offered:\n%s", ways.text())
	}
	calls := w.gateway.called()
	b.get(strings.Replace(ways.link("/with/totp"), "/with/totp", sms[strings.LastIndex(sms, "/with/"):], 1))
	if n := w.gateway.called() - calls; n != 0 {
		t.Errorf("%d messages were sent by a way that is none", n)
	}
}

// TestSetUpKeepsItsSecret (11): the key is in the picture and beside it, and in nothing that comes back from the browser; neither
// page nor picture is kept anywhere, and after confirmation the picture is gone.
func TestSetUpKeepsItsSecret(t *testing.T) {
	w := newWorld(t)
	w.user("acme", "robin@acme.example", "staff")
	b := w.browser()
	p := b.get("/account/security").signIn("robin@acme.example").is(atIntro).submit("/set-up/totp")
	ph := w.scan(p)
	if ph.secret == "" || !strings.Contains(strings.ReplaceAll(p.body, " ", ""), ph.secret) {
		t.Fatal("the key does not stand beside the picture")
	}
	picture := ""
	p.walk(func(n *html.Node) {
		values := map[string]string{}
		for _, a := range n.Attr {
			values[a.Key] = a.Val
		}
		switch {
		case n.DataAtom == atom.Img && values["class"] == "qr":
			picture = values["src"]
		case n.DataAtom == atom.Input && values["type"] == "hidden", n.DataAtom == atom.Form:
			for v := range maps.Values(values) {
				if strings.Contains(strings.ReplaceAll(v, " ", ""), ph.secret) {
					t.Errorf("the browser sends the key back in %v", values)
				}
			}
		}
	})
	kept := func(q *page, want int) {
		t.Helper()
		if q.status != want || !slices.Contains(strings.Split(q.header.Get("Cache-Control"), ", "), "no-store") {
			t.Errorf("%d, want %d; Cache-Control %q", q.status, want, q.header.Get("Cache-Control"))
		}
	}
	kept(p, http.StatusOK)
	kept(b.fetch(picture), http.StatusOK)
	p.submit("/set-up", "code", ph.code()).is(atCodes)
	kept(b.fetch(picture), http.StatusNotFound)
}

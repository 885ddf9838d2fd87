package provider

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

const atBranding = "Branding"

// picture is a PNG file of so many pixels.
func picture(t testing.TB, w, h int) string {
	t.Helper()
	to := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			to.SetNRGBA(x, y, color.NRGBA{R: uint8(x), G: uint8(y), B: 0x80, A: 0xff})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, to); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// field is one of a form that holds files.
type field struct{ name, file, kind, data string }

// parts sends a form that holds files.
func (b *browser) parts(to string, all ...field) *page {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, p := range all {
		head := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf("form-data; name=%q", p.name)}}
		if p.file != "" {
			head.Set("Content-Disposition", head.Get("Content-Disposition")+fmt.Sprintf("; filename=%q", p.file))
			head.Set("Content-Type", p.kind)
		}
		w, err := form.CreatePart(head)
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := w.Write([]byte(p.data)); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		b.t.Fatal(err)
	}
	like := b.request(http.MethodPost, to, url.Values{})
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, like.URL.String(), &body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header = like.Header
	r.Header.Set("Content-Type", form.FormDataContentType())
	return b.follow(r)
}

// upload sends a logo, whatever the browser says that it is.
func (b *browser) upload(file, kind, data string) *page {
	b.t.Helper()
	return b.parts(ui.PathBranding+"/logo", field{"logo", file, kind, data})
}

// brandOf reads the tenant's look off a page: where its logo and its style sheet are, and the links of its foot.
func (p *page) brandOf() (logo, style string, links []string) {
	p.b.t.Helper()
	inFoot := false
	p.walk(func(n *html.Node) {
		switch {
		case n.Data == "img" && attr(n, "class") == "logo" && logo == "":
			logo = attr(n, "src")
		case n.Data == "link" && strings.HasPrefix(attr(n, "href"), ui.PathBrand):
			style = attr(n, "href")
		case n.Data == "footer":
			inFoot = true
		case n.Data == "a" && inFoot && attr(n, "href") != ui.PathHelp: // our own help is no tenant's
			links = append(links, attr(n, "href"))
		}
	})
	return logo, style, links
}

// An owner gives the account a name, a logo, a colour and links. Users see them once it is known whose account they sign in
// to; where an application belongs to the account, from the first page on. Strangers see nothing of it anywhere else.
func TestBranding(t *testing.T) {
	w := newWorld(t)
	w.user("acme", "robin@acme.example", "staff")
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	p := owner.get(ui.PathBranding).is(atBranding).says("Preview", "Upload logo")
	p.submit("/branding", "name", "Harbour & Sons", "accent", "#FFCC00", "help_url", "https://harbour.example/help",
		"terms_url", " https://harbour.example/terms ").says("The branding is saved", "can’t be read on a light ground", "#ffcc00")
	owner.upload("logo.png", "image/png", picture(t, 800, 200)).is(atBranding).says("The logo is saved", "Replace logo")
	w.clock.forward(10 * time.Second) // caches run out

	looks := func(what string, p *page) (logo, style string) {
		t.Helper()
		logo, style, links := p.brandOf()
		if !strings.HasPrefix(logo, "/brand/acme/") || style != "/brand/ffcc00.1.css" ||
			strings.Join(links, " ") != "https://harbour.example/help https://harbour.example/terms" || !strings.Contains(p.text(), "Harbour & Sons") {
			t.Errorf("%s: logo %q, style %q, links %v", what, logo, style, links)
		}
		return logo, style
	}
	plain := func(what string, p *page) {
		t.Helper()
		if logo, style, links := p.brandOf(); logo != "" || style != "" || links != nil || strings.Contains(p.body, "Harbour") {
			t.Errorf("%s: logo %q, style %q, links %v", what, logo, style, links)
		}
	}
	b := w.browser()
	p = b.get("/account/security").is(atSignIn)
	plain("the sign-in page of nobody", p)
	plain("a wrong password", p.submit("/signin", "login", "robin@acme.example", "password", "wrong"))
	p = p.signIn("robin@acme.example").is(atIntro)
	looks("the first page after the password", p)
	_, saved := p.enrol()
	looks("the security page", saved.submit("/codes", "saved", "yes").is(atSecurity))

	const redirect = "https://own.example/callback"
	secret := w.client("own", "web", redirect, func(c *storage.Client) { c.Owner = "acme" })
	p = w.connect("own", secret, redirect).attempt().begin(w.browser()).is(atSignIn)
	logo, style := looks("the sign-in page of the account's own application", p)
	looks("a wrong password there", p.submit("/signin", "login", "robin@acme.example", "password", "wrong").is(atSignIn))
	forgot := p.b.get(p.link("/forgot"))
	looks("a password forgotten there", forgot)
	looks("and after that", forgot.submit("/forgot", "login", "nobody@acme.example"))
	looks("an unknown name there", p.submit("/signin", "login", "kim@birch.example", "password", "wrong").is(atSignIn))
	plain("the sign-in page of a shared application", w.app().attempt().begin(w.browser()).is(atSignIn))

	// Everybody's browser can have both, and keep them.
	for path, kind := range map[string]string{logo: "image/png", style: "text/css; charset=utf-8"} {
		got := w.browser().get(path)
		h := got.header
		if got.status != http.StatusOK || h.Get("Content-Type") != kind || h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(h.Get("Cache-Control"), "immutable") || h.Get("Cross-Origin-Resource-Policy") != "same-origin" || h.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v", path, got.status, h)
		}
	}
	c, err := png.DecodeConfig(strings.NewReader(w.browser().get(logo).body))
	if err != nil || c.Width != 512 || c.Height != 128 {
		t.Errorf("the logo is %d×%d, %v", c.Width, c.Height, err)
	}
	var actions []string
	for _, e := range w.events("acme") {
		if e.Actor == owner.ID && strings.HasPrefix(e.Action, "tenant.") {
			actions = append(actions, e.Action+" "+e.Outcome)
		}
	}
	if strings.Join(actions, ", ") != "tenant.change ok, tenant.logo ok" {
		t.Errorf("audit log: %v", actions)
	}
	owner.get(ui.PathAudit).says("changed the logo")
}

// What is tried out is shown to who tries it and to nobody else; the field that was changed counts, and an empty one takes
// the colour away.
func TestBrandingIsTriedFirst(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	brand := func() storage.Brand {
		t.Helper()
		got, err := w.store.Tenants.Get(t.Context(), storage.Global, "acme")
		if err != nil {
			t.Fatal(err)
		}
		return got.Brand
	}
	p := owner.get(ui.PathBranding).submit("/branding", "picked", "#8e24aa", "try", "yes").says("This is a trial", "#8e24aa")
	if _, style, _ := p.brandOf(); style != "/brand/8e24aa.1.css" || brand().Accent != "" {
		t.Fatalf("tried: %q, kept %q", style, brand().Accent)
	}
	// It goes on from there with either field, and with none.
	p = p.submit("/branding", "picked", "#c2185b", "try", "yes").says("This is a trial", "#c2185b")
	p = p.submit("/branding", "accent", "00897b", "try", "yes").says("#00897b")
	p = p.submit("/branding").says("The branding is saved", "#00897b")
	if brand().Accent != "#00897b" {
		t.Errorf("saved: %q", brand().Accent)
	}
	p = p.submit("/branding", "picked", "#000000").says("#000000")
	if brand().Accent != "#000000" {
		t.Errorf("picked: %q", brand().Accent)
	}
	p = p.submit("/branding", "accent", "", "picked", "#ffffff")
	if _, style, _ := p.brandOf(); style != "" || brand().Accent != "" {
		t.Errorf("taken away: %q, kept %q", style, brand().Accent)
	}
}

// Names that turn text round, links that run script, colours that are style: nothing of it is kept, and the page says what
// is wrong with which.
func TestBrandingRefuses(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	before, err := w.store.Tenants.Get(t.Context(), storage.Global, "acme")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ field, value, says string }{
		{"name", "", "Type in a name of one line"},
		{"name", "Acme \u202egnp.exe", "Type in a name of one line"},
		{"name", "Acme\u2066\u2069", "Type in a name of one line"},
		{"name", "Acme\nLtd", "Type in a name of one line"},
		{"name", strings.Repeat("A", 101), "Type in a name of one line"},
		{"accent", "red", "Write a colour as #0b5d6e"},
		{"accent", "#fff;background:url(//evil.example)", "Write a colour as #0b5d6e"},
		{"accent", "#0b5d6e}*{display:none", "Write a colour as #0b5d6e"},
		{"help_url", "javascript:alert(1)", "Write a complete https address"},
		{"help_url", "JAVASCRIPT:alert(1)//https://x.example", "Write a complete https address"},
		{"help_url", "data:text/html,<script>alert(1)</script>", "Write a complete https address"},
		{"help_url", "http://harbour.example/help", "Write a complete https address"},
		{"privacy_url", "//harbour.example/privacy", "Write a complete https address"},
		{"privacy_url", "/admin/people", "Write a complete https address"},
		{"privacy_url", "https://", "Write a complete https address"},
		{"terms_url", "https://user:pass@harbour.example/", "Write a complete https address"},
		{"terms_url", "https://harbour.example/\u202e", "Write a complete https address"},
		{"terms_url", "https://harbour.example/" + strings.Repeat("a", 500), "Write a complete https address"},
	} {
		for _, try := range []string{"", "yes"} {
			p := owner.get(ui.PathBranding).submit("/branding", c.field, c.value, "try", try)
			if p.status != http.StatusUnprocessableEntity {
				t.Errorf("%s %q: %d", c.field, c.value, p.status)
				continue
			}
			p.says(c.says)
			if logo, style, links := p.brandOf(); logo != "" || style != "" || links != nil {
				t.Errorf("%s %q is shown: %q, %q, %v", c.field, c.value, logo, style, links)
			}
		}
	}
	after, err := w.store.Tenants.Get(t.Context(), storage.Global, "acme")
	if err != nil || after.Version != before.Version {
		t.Errorf("something was kept: %+v, %v", after.Brand, err)
	}
}

// What is no picture, or one that costs too much, is refused in words whatever its name and type say, and the logo of before
// stays. See package logo for all of the kinds.
func TestLogoAttacks(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	logo, _, _ := owner.upload("a.png", "image/png", picture(t, 64, 32)).brandOf()
	good := picture(t, 64, 32)
	bomb := []byte(good)
	copy(bomb[16:], "\x00\x00\xff\xff\x00\x00\xff\xff") // its check sum does not matter: nothing is unpacked
	for name, c := range map[string]struct {
		file, kind, data string
		status           int
		says             string
	}{
		"SVG":               {"logo.svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`, 422, "no PNG, JPEG or WebP"},
		"SVG as PNG":        {"logo.png", "image/png", `<svg xmlns="http://www.w3.org/2000/svg"/>`, 422, "no PNG, JPEG or WebP"},
		"HTML as PNG":       {"logo.png", "image/png", `<html><script>alert(1)</script></html>`, 422, "no PNG, JPEG or WebP"},
		"a bomb":            {"logo.png", "image/png", string(bomb), 422, "picture"},
		"truncated":         {"logo.png", "image/png", good[:len(good)/2], 422, "can’t be read to its end"},
		"a mebibyte more":   {"logo.png", "image/png", good + strings.Repeat("x", 1<<20-len(good)+1), 422, "too large"},
		"far too much":      {"logo.png", "image/png", good + strings.Repeat("x", 1<<21), 413, ""},
		"nothing":           {"logo.png", "image/png", "", 422, "Choose a file"},
		"a name with paths": {"../../etc/passwd", "text/html", `root:x:0:0`, 422, "no PNG, JPEG or WebP"},
	} {
		p := owner.upload(c.file, c.kind, c.data)
		if p.status != c.status || c.says != "" && !strings.Contains(p.text(), c.says) {
			t.Errorf("%s: %d, want %d and %q:\n%s", name, p.status, c.status, c.says, p.text())
		}
		if c.status == http.StatusUnprocessableEntity {
			if still, _, _ := p.brandOf(); still != logo {
				t.Errorf("%s: the logo is %q, was %q", name, still, logo)
			}
		}
	}
	// A form says nothing else than one file of that name.
	for name, all := range map[string][]field{
		"two files":            {{"logo", "a.png", "image/png", good}, {"logo", "b.png", "image/png", good}},
		"a file of other name": {{"name", "a.png", "image/png", good}},
	} {
		if p := owner.parts(ui.PathBranding+"/logo", all...); p.status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, p.status)
		}
	}
	if p := owner.parts(ui.PathBranding+"/logo", field{name: "logo"}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("no file: %d", p.status)
	}
	// Other forms take no files, however small.
	if p := owner.parts(ui.PathBranding, field{name: "name", data: "Other"}); p.status != http.StatusBadRequest {
		t.Errorf("a form with files where none belongs: %d", p.status)
	}
	r := owner.request(http.MethodPost, ui.PathBranding+"/logo", url.Values{})
	r.Header.Set("Content-Type", "multipart/form-data") // without a boundary
	if p := owner.follow(r); p.status != http.StatusBadRequest {
		t.Errorf("a form without a boundary: %d", p.status)
	}
	if all, err := w.store.Logos.List(t.Context(), storage.Query{Tenant: "acme"}); err != nil || len(all) != 1 {
		t.Errorf("%d logos are kept, %v", len(all), err)
	}
	// A polyglot is a picture, and nothing else any more.
	logo, _, _ = owner.upload("logo.png", "image/png", good+"<script>alert(1)</script>").is(atBranding).says("The logo is saved").brandOf()
	if got := owner.get(logo); got.status != http.StatusOK || strings.Contains(got.body, "script") || got.header.Get("Content-Type") != "image/png" {
		t.Errorf("a picture with a page behind it: %d %v", got.status, got.header)
	}
}

// A logo that was replaced is still there for pages that were drawn before, and gone after an hour; one that was removed is
// on no page.
func TestLogoIsReplaced(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	first, _, _ := owner.upload("a.png", "image/png", picture(t, 64, 32)).brandOf()
	second, _, _ := owner.upload("a.png", "image/png", picture(t, 64, 32)).brandOf()
	if first == second || first == "" {
		t.Fatalf("the same picture twice: %q and %q", first, second)
	}
	status := func(path string, want int) {
		t.Helper()
		if got := w.browser().get(path); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	status(first, http.StatusOK)
	w.clock.forward(61 * time.Minute)
	status(first, http.StatusNotFound)
	status(second, http.StatusOK)
	p := owner.get(ui.PathBranding)
	if p.heading() == atSignIn {
		p = p.signIn(owner.Email).submit("/with/totp", "code", owner.phone.next())
	}
	p = p.is(atBranding).submit("/branding/logo/remove")
	if p.heading() == atCode { // it is long since the second step was shown
		p = p.submit("/with/totp", "code", owner.phone.next()).is(atBranding).submit("/branding/logo/remove")
	}
	if logo, _, _ := p.says("The logo is removed").brandOf(); logo != "" {
		t.Errorf("removed: %q", logo)
	}
	w.clock.forward(61 * time.Minute)
	status(second, http.StatusNotFound)
}

// From where logos are, nobody learns which tenants there are: an unknown one, another one's, and one that has none answer
// alike.
func TestLogosTellNothing(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	logo, _, _ := owner.upload("a.png", "image/png", picture(t, 64, 32)).brandOf()
	file := logo[strings.LastIndex(logo, "/")+1:]
	request := regexp.MustCompile(`\b[A-Z2-7]{26}\b`)
	var said []string
	for _, path := range []string{
		"/brand/birch/" + file, "/brand/nobody/" + file, "/brand/acme/" + strings.Repeat("a", 26) + ".png", "/brand/acme/.png",
		"/brand/acme/" + strings.TrimSuffix(file, ".png"), "/brand/acme/" + strings.TrimSuffix(file, ".png") + ".svg", "/brand/-/" + file,
		"/brand/ACME/" + file, "/brand/acme/..%2Facme%2F" + file, "/brand/acme%00/" + file, "/brand//" + file, "/brand/acme/%00.png", "/brand/none.css",
	} {
		got := w.browser().get(path)
		if got.status != http.StatusNotFound || strings.Contains(got.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", path, got.status, got.header)
		}
		if got.root != nil {
			said = append(said, request.ReplaceAllString(got.body, "R"))
		}
	}
	for i := range said {
		if said[i] != said[0] {
			t.Errorf("answers differ:\n%s\n%s", said[0], said[i])
		}
	}
	// Another tenant's owner changes one's own tenant alone: no address names a tenant there.
	other := w.helper("birch", "otto@birch.example", storage.Owner)
	theirs, _, _ := other.upload("b.png", "image/png", picture(t, 40, 40)).brandOf()
	if !strings.HasPrefix(theirs, "/brand/birch/") {
		t.Errorf("birch has %q", theirs)
	}
	if now, _, _ := owner.get(ui.PathBranding).brandOf(); now != logo {
		t.Errorf("acme has %q, had %q", now, logo)
	}
}

// Programs see, change and take away the look as owners do; what they send is held to the same.
func TestBrandingAPI(t *testing.T) {
	w := newWorld(t)
	robot := w.machine("robot", "acme", "tenant:read", "tenant:write")
	const tenant = "/api/v1/tenants/acme"
	branding := func(s said) map[string]any {
		t.Helper()
		if s.status != http.StatusOK {
			t.Fatalf("%d %s", s.status, s.body)
		}
		b, _ := s.json(t)["branding"].(map[string]any)
		return b
	}
	if b := branding(robot.call(http.MethodGet, tenant, "")); len(b) != 0 {
		t.Errorf("before: %v", b)
	}
	b := branding(robot.call(http.MethodPatch, tenant, `{"accent":"FFCC00","help_url":"https://harbour.example/help"}`))
	if b["accent"] != "#ffcc00" || b["accent_dark"] != "#ffcc00" || b["accent_light"] == "#ffcc00" || b["help_url"] != "https://harbour.example/help" {
		t.Errorf("changed: %v", b)
	}
	b = branding(robot.call(http.MethodPut, tenant+"/logo", picture(t, 800, 200), "Content-Type", "image/png"))
	logo, _ := b["logo"].(string)
	if b["logo_width"] != 512.0 || b["logo_height"] != 128.0 || w.browser().get(logo).status != http.StatusOK {
		t.Errorf("with a logo: %v", b)
	}
	for name, c := range map[string]struct {
		body, kind string
		status     int
	}{
		"SVG":                  {"<svg/>", "image/svg+xml", http.StatusUnsupportedMediaType},
		"SVG as PNG":           {"<svg/>", "image/png", http.StatusUnprocessableEntity},
		"a form":               {"logo=x", "application/x-www-form-urlencoded", http.StatusUnsupportedMediaType},
		"a mebibyte and one":   {picture(t, 64, 32) + strings.Repeat("x", 1<<20), "image/png", http.StatusUnprocessableEntity},
		"nothing":              {"", "image/png", http.StatusUnprocessableEntity},
		"a picture of nothing": {picture(t, 64, 32)[:40], "image/png", http.StatusUnprocessableEntity},
	} {
		if got := robot.call(http.MethodPut, tenant+"/logo", c.body, "Content-Type", c.kind); got.status != c.status {
			t.Errorf("%s: %d, want %d: %s", name, got.status, c.status, got.body)
		}
	}
	for _, body := range []string{`{"accent":"red"}`, `{"help_url":"javascript:alert(1)"}`, `{"terms_url":"http://x.example"}`} {
		if got := robot.call(http.MethodPatch, tenant, body); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", body, got.status)
		}
	}
	if b = branding(robot.call(http.MethodGet, tenant, "")); b["logo"] != logo || b["accent"] != "#ffcc00" {
		t.Errorf("after what was refused: %v", b)
	}
	branding(robot.call(http.MethodDelete, tenant+"/logo", ""))
	b = branding(robot.call(http.MethodPatch, tenant, `{"accent":"","help_url":""}`))
	if len(b) != 0 {
		t.Errorf("taken away: %v", b)
	}
}

package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Languages are what there is to choose the language of pages and messages from. Each is a BCP 47 tag or a list of them, and
// empty where nobody said anything.
type Languages struct {
	// Asked is what the application asks for: ui_locales (OpenID Connect Core, section 3.1.2.1), for one sign-in.
	Asked string
	// User is the user's own setting.
	User string
	// Chosen is what was chosen in this browser: in the foot of a page, or as a setting. Over stands for what an application
	// had asked for when that was done; see over.
	Chosen, Over string
	// Tenant is the tenant's default.
	Tenant string
	// Browser is what the browser asks for: Accept-Language (RFC 9110, section 12.5.4).
	Browser string
}

// Hear takes what a request says of languages: what it asks for in its address, what was chosen in its browser, and over what,
// and what the browser asks for.
func (a *Actor) Hear(choose func(prefs ...string) string, said Languages) {
	a.choose, a.Languages = choose, said
	a.speak()
}

// AskFor takes the ui_locales of the application that a sign-in is for, if it has any.
func (a *Actor) AskFor(locales string) {
	if locales != "" {
		a.Languages.Asked = locales
		a.speak()
	}
}

// SpeakTo has pages speak to the users of a tenant, and to one user where it is known who that is; either may be nil.
func (a *Actor) SpeakTo(t *storage.Tenant, u *storage.User) {
	if t != nil {
		a.Languages.Tenant = t.Settings.Language
	}
	if u != nil {
		a.Languages.User, a.reader = u.Locale, u.ID
	}
	a.speak()
}

// speak finds the language of pages. What a person chose in this browser counts for more than what the tenant presumes of all
// its users and what the browser was installed with, for nobody chose those for this page. An application's wish for its
// own sign-in counts for more, unless it is the very one that the choice was made against: else a click would change nothing.
// A user's setting comes before the choice, which may be somebody else's; but not on the way in, where the language must not
// change from one step to the next, nor a click on the second step be in vain.
func (a *Actor) speak() {
	if a.choose == nil {
		return
	}
	l := a.Languages
	if a.SignedIn() {
		a.Lang = a.choose(l.wish(), l.User, l.Chosen, l.Tenant, l.Browser)
	} else {
		a.Lang = a.choose(l.wish(), l.Chosen, l.User, l.Tenant, l.Browser)
	}
}

// wish is what the application asks for, unless the person has chosen another language when it asked for that.
func (l Languages) wish() string {
	if l.Chosen != "" && l.Asked != "" && l.Over == over(l.Asked) {
		return ""
	}
	return l.Asked
}

// over stands for what an application asks for, where that is kept in the browser: it is a stranger's text, of any length.
func over(asked string) string {
	if asked == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(asked))
	return base64.RawURLEncoding.EncodeToString(sum[:overBytes])
}

// overBytes are enough to tell the wishes apart that one browser meets.
const overBytes = 9

// MessageLang is the language of mails and text messages to a user: the user's own setting, since they are read later and
// perhaps elsewhere, and else that of the pages on which the user caused them. What somebody else did is told in the language
// of the tenant.
func (a *Actor) MessageLang(t *storage.Tenant, u *storage.User) string {
	l := Languages{User: u.Locale}
	if t != nil {
		l.Tenant = t.Settings.Language
	}
	if a.choose == nil {
		return strings.TrimSpace(l.User + " " + l.Tenant)
	}
	if a.Client == nil && (a.reader == "" || a.reader == u.ID) {
		l.Asked, l.Chosen, l.Browser = a.Languages.wish(), a.Languages.Chosen, a.Languages.Browser
	}
	return a.choose(l.User, l.Asked, l.Chosen, l.Tenant, l.Browser)
}

// LanguageRoutes take the choice of a language from those who have not signed in, and so have no setting.
func (s *Server) LanguageRoutes() []Route {
	return []Route{Post(ui.PathLanguage, Open, s.chooseLanguage)}
}

type languageIn struct {
	Language string `form:"language"`
	Over     string `form:"over"`
	Back     string `form:"back"`
}

// chooseLanguage keeps in the browser which language pages are to be in, and goes back to the page that it was chosen on.
// ErrBadRequest for a language that there is not.
func (s *Server) chooseLanguage(_ context.Context, _ *Actor, in languageIn) (Result, error) {
	if !slices.Contains(s.UI.Languages(), in.Language) {
		return Result{}, ErrBadRequest
	}
	chosen := in.Language
	if _, err := base64.RawURLEncoding.DecodeString(in.Over); err == nil && len(in.Over) == base64.RawURLEncoding.EncodedLen(overBytes) {
		chosen += overMark + in.Over
	}
	res := Go(s.pageAt(in.Back))
	res.Language = &chosen
	return res, nil
}

// overMark parts the language from what it was chosen over. It is in neither.
const overMark = "."

// chosen reads which language was chosen in this browser.
func (x *exchange) chosen() (lang, over string) {
	cookie, err := x.c.Request().Cookie(x.s.cookie(languageCookie))
	if err != nil {
		return "", ""
	}
	lang, over, _ = strings.Cut(cookie.Value, overMark)
	if !slices.Contains(x.s.UI.Languages(), lang) {
		return "", "" // of before there was another theme
	}
	return lang, over
}

// pageAt is a path of ours that shows a page, and the account's for anything else: the address is whatever was sent, and must
// lead to no other site.
func (s *Server) pageAt(back string) string {
	u, err := url.Parse(back)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.ContainsAny(back, "\\\r\n\t") || !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") {
		return ui.PathAccount
	}
	for _, r := range s.routes {
		if r.page() && slices.Contains(methodsAt([]Route{r}, u.EscapedPath()), http.MethodGet) {
			u.Fragment, u.RawFragment = "", ""
			return u.String()
		}
	}
	return ui.PathAccount
}

// page tells whether a route shows a page.
func (r Route) page() bool { return r.Method == http.MethodGet && r.call != nil && r.API == nil }

// anew is where the page that is being answered can be had again, in another language: at its own address, or, where it says
// what was wrong with a form, where the form is shown. It is empty where there is no such place, as for what a POST has done.
func (x *exchange) anew(refused bool) string {
	pattern, path := strings.TrimPrefix(x.c.Path(), x.s.base()), x.path()
	shown := func() bool {
		return slices.ContainsFunc(x.s.routes, func(r Route) bool { return r.page() && r.Path == pattern })
	}
	if r := x.c.Request(); r.Method == http.MethodGet {
		if shown() {
			return x.here()
		}
		return ""
	}
	if !refused {
		return ""
	}
	for ; pattern != ""; pattern, path = parent(pattern), parent(path) {
		if !shown() {
			continue
		}
		// The sealed request of a sign-in stands in the address of its pages, and in their forms.
		if request := x.c.Request().PostForm.Get("request"); request != "" {
			path += "?" + url.Values{"request": {request}}.Encode()
		}
		return path
	}
	return ""
}

// parent is a path without its last segment.
func parent(path string) string { return path[:max(strings.LastIndexByte(path, '/'), 0)] }

package web

import (
	"strings"

	"github.com/sallyport-id/sallyport/storage"
)

// Languages are what there is to choose the language of pages and messages from. Each is a BCP 47 tag or a list of them, and
// empty where nobody said anything.
type Languages struct {
	// Asked is what the application asks for: ui_locales (OpenID Connect Core, section 3.1.2.1), for one sign-in.
	Asked string
	// User is the user's own setting.
	User string
	// Tenant is the tenant's default.
	Tenant string
	// Browser is what the browser asks for: Accept-Language (RFC 9110, section 12.5.4).
	Browser string
}

// Hear takes what a request says of languages.
func (a *Actor) Hear(choose func(prefs ...string) string, asked, browser string) {
	a.choose = choose
	a.Languages.Asked, a.Languages.Browser = asked, browser
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

func (a *Actor) speak() {
	if a.choose != nil {
		l := a.Languages
		a.Lang = a.choose(l.Asked, l.User, l.Tenant, l.Browser)
	}
}

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
		l.Asked, l.Browser = a.Languages.Asked, a.Languages.Browser
	}
	return a.choose(l.User, l.Asked, l.Tenant, l.Browser)
}

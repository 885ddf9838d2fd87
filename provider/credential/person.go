package credential

import (
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Person is a user with the tenant it belongs to.
type Person struct {
	Tenant *storage.Tenant
	User   *storage.User
	// Lang is the language of messages to the person, where that is known better than by User.Locale.
	Lang string
}

// Who is the person that an actor is signed in as.
func Who(by *web.Actor) Person {
	p := Person{Tenant: by.Tenant, User: by.User}
	if p.User != nil {
		p.Lang = by.MessageLang(p.Tenant, p.User)
	}
	return p
}

// Heard is the person as an actor's pages speak to: from now on these are in the person's language, and messages in one that
// fits them.
func (p Person) Heard(by *web.Actor) Person {
	by.SpeakTo(p.Tenant, p.User)
	p.Lang = by.MessageLang(p.Tenant, p.User)
	return p
}

// Notice begins a notice to the person about what was done by an actor.
func (p Person) Notice(by *web.Actor, kind ui.Mail) mail.Notice {
	e := by.Event("", "")
	return mail.Notice{Kind: kind, Tenant: p.Tenant, User: p.User, Lang: by.MessageLang(p.Tenant, p.User), Address: e.Address, Agent: e.Agent}
}

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
}

// Who is the person that an actor is signed in as.
func Who(by *web.Actor) Person { return Person{Tenant: by.Tenant, User: by.User} }

// Notice begins a notice to the person about what was done by an actor.
func (p Person) Notice(by *web.Actor, kind ui.Mail) mail.Notice {
	e := by.Event("", "")
	return mail.Notice{Kind: kind, User: p.User, Address: e.Address, Agent: e.Agent}
}

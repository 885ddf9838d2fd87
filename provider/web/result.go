package web

import (
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Result is what an operation answers. Exactly one of Page, To, File and Download is set.
type Result struct {
	// Page is drawn as HTML, or written as JSON to those who ask for it.
	Page ui.Page
	// Refused: the page asks again, because what was sent is not right.
	Refused bool
	// To is where to go on: a path of ours (beginning with one slash) or an absolute URL that was registered.
	To   string
	File *File
	// Download is a file of any length, written as it comes.
	Download *Download
	// Tenant is the one that the page speaks for, once that may be told, and Reader the user whom it speaks to where that
	// is not who is signed in.
	Tenant *storage.Tenant
	Reader *storage.User
	// Session, if set, is the new value of the session cookie; an empty string takes the cookie away.
	Session *string
	// Devices, if set, is the new value of the cookie of remembered devices; an empty string takes it away.
	Devices *string
	// Language, if set, is the language that pages are to be in with this browser, whoever uses it; an empty string leaves that
	// to the browser again.
	Language *string
	// FormTargets are origins (or schemes, as "com.example.app:") outside ours that a form of the page may lead to.
	// Browsers hold redirects after a POST to this list too.
	FormTargets []string
}

// Draw answers with a page.
func Draw(p ui.Page) Result { return Result{Page: p} }

// Go answers with a redirect.
func Go(to string) Result { return Result{To: to} }

// File is a download or a picture. It is never cached.
type File struct {
	Type string
	// Name makes it a download under that name.
	Name string
	Data []byte
}

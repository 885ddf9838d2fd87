package login

import "github.com/sallyport-id/sallyport/ui"

// Notice is what a user is told by mail.
type Notice struct {
	Mail ui.Mail
	// Name is that of the credential it is about, Left the number of codes left.
	Name string
	Left int
}

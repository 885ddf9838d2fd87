package api

import (
	"context"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Me is whose an access token is.
type Me struct {
	// Client is the application that shows the token.
	Client MeClient `json:"client"`
	// Tenant is the one that it acts in. A client of the whole deployment that acts for itself has none.
	Tenant *MeTenant `json:"tenant,omitempty"`
	// User is whom it acts for. A client that acts for itself has none.
	User *MeUser `json:"user,omitempty"`
	// Scopes are what the token is good for.
	Scopes []string `json:"scopes"`
}

// MeClient is an OAuth 2.0 client.
type MeClient struct {
	// ID is the client_id.
	ID string `json:"id"`
	// Name is what users read.
	Name string `json:"name"`
}

// MeTenant is a customer account.
type MeTenant struct {
	// ID is the tenant's in the paths of this API.
	ID string `json:"id"`
	// Name is what users read.
	Name string `json:"name"`
}

// MeUser is somebody who signs in.
type MeUser struct {
	// ID is the user's in the paths of this API, and the subject of tokens.
	ID string `json:"id"`
	// Account is what the user is known by: the e-mail address, or else the user name.
	Account string `json:"account"`
	// Name is the user's full name.
	Name string `json:"name,omitempty"`
	// Role is what the user may administer: "owner", "admin" or "member".
	Role storage.Role `json:"role" enum:"owner,admin,member"`
}

func (s *Service) me(_ context.Context, by *web.Actor, _ struct{}) (Me, error) {
	me := Me{Client: MeClient{ID: by.Client.ID, Name: by.Client.Name}, Scopes: by.Scopes}
	if t := by.Tenant; t != nil {
		me.Tenant = &MeTenant{ID: t.ID, Name: t.Name}
	}
	if u := by.User; u != nil {
		me.User = &MeUser{ID: u.ID, Account: web.Account(u), Name: u.Name, Role: u.Role}
	}
	return me, nil
}

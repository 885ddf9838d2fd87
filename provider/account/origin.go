package account

import (
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/place"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/ui"
)

// origin says where something came from, to the actor.
func (s *Service) origin(by *web.Actor, agent, address string) ui.Origin {
	at := place.Of(s.Places, address)
	return ui.Origin{Browser: mail.Browser(agent), Address: address, Place: at.In(by.Lang), Private: at.Private}
}

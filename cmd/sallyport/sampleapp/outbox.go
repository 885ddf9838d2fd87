package sampleapp

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/sallyport-id/sallyport/storage"
)

// message is one of the outbox, with what people look for in it.
type message struct {
	storage.Message
	// Code is the one in a text message, Links are those in a mail that lead to the identity provider.
	Code  string
	Links []string
}

var (
	// boundCode is the last line of a text message with a code (Origin-bound one-time codes delivered via SMS).
	boundCode = regexp.MustCompile(`\n@\S+ #(\d+)$`)
	address   = regexp.MustCompile(`https?://[^\s<>"]+`)
)

func (a *app) outbox(w http.ResponseWriter, r *http.Request) {
	kept, err := a.Outbox(r.Context(), 50)
	if err != nil {
		a.trouble(w, r, http.StatusInternalServerError, trouble{"The outbox can't be read", "Try again in a moment.", err.Error()})
		return
	}
	messages := make([]message, 0, len(kept))
	for _, m := range kept {
		messages = append(messages, a.read(m))
	}
	a.draw(w, r, http.StatusOK, "outbox.html", messages)
}

func (a *app) read(m storage.Message) message {
	v := message{Message: m}
	if found := boundCode.FindStringSubmatch(m.Text); found != nil && m.Channel == "sms" {
		v.Code = found[1]
	}
	for _, link := range address.FindAllString(m.Text, -1) {
		if strings.HasPrefix(link, a.Issuer+"/") {
			v.Links = append(v.Links, link)
		}
	}
	return v
}

package sampleapp

import (
	"io"
	"net/http"
	"regexp"
	"slices"
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

// newest is how many messages the outbox shows.
const newest = 50

func (a *app) outbox(w http.ResponseWriter, r *http.Request) {
	kept, err := a.Outbox(r.Context(), newest)
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

// mail shows the HTML of a mail as a mail program would: it may bring its style along, and nothing of it is run or fetched,
// whatever found its way into it.
func (a *app) mail(w http.ResponseWriter, r *http.Request) {
	kept, err := a.Outbox(r.Context(), newest)
	if err != nil {
		a.trouble(w, r, http.StatusInternalServerError, trouble{"The outbox can't be read", "Try again in a moment.", err.Error()})
		return
	}
	i := slices.IndexFunc(kept, func(m storage.Message) bool { return m.ID == r.PathValue("message") && m.HTML != "" })
	if i < 0 {
		a.trouble(w, r, http.StatusNotFound, trouble{"This mail is gone", "The outbox shows the newest messages only.", ""})
		return
	}
	w.Header().Set("Content-Security-Policy",
		"sandbox; default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if _, err := io.WriteString(w, kept[i].HTML); err != nil {
		a.Logger.DebugContext(r.Context(), "sample application: answer not taken", "error", err)
	}
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

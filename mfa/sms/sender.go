package sms

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Sender hands messages to a gateway. It must be safe for concurrent use.
type Sender interface {
	// Send returns nil once the gateway has taken the message, and sends no message twice: where it is not known whether
	// the gateway took it, it finds out or fails. ErrUndeliverable where the gateway refuses the number, ErrMessage where
	// it refuses the message; any other error means that the gateway could not be used. Errors quote neither the number
	// nor the text.
	Send(ctx context.Context, m Message) error
}

// Message is one SMS.
type Message struct {
	// ID is of this message alone: what a gateway tells repetitions by.
	ID string
	// Tenant and User are whom it is sent for.
	Tenant, User string
	// To is the number in E.164 form: "+491701234567".
	To   string
	Text string
	// Callback is the URL that a Reporter has the gateway tell to what became of the message. It is empty where the
	// deployment can't be reached from outside.
	Callback string
}

var (
	// ErrUndeliverable: the gateway does not deliver to that number.
	ErrUndeliverable = errors.New("sms: the number can't be delivered to")
	// ErrMessage: what was to be sent is no message.
	ErrMessage = errors.New("sms: not a message")
	// ErrForged: a report is not the gateway's.
	ErrForged = errors.New("sms: the report is not the gateway's")
)

// ConfigError is why a sender can't be made: what is wrong with a field of its configuration. Err tells it as a sentence
// about the field, with neither its own nor other fields' names, which whoever made the configuration may not know.
type ConfigError struct {
	// Field is the field's name: "AccountSID".
	Field string
	Err   error
}

// Error implements error.
func (e *ConfigError) Error() string { return e.Field + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *ConfigError) Unwrap() error { return e.Err }

// longestText is the most that gateways take, in characters: ten parts and a little.
const longestText = 1600

var e164 = regexp.MustCompile(`^\+[1-9]\d{6,14}$`)

// Check tells whether m can be handed to a gateway. ErrMessage.
func (m Message) Check() error {
	switch {
	case m.ID == "":
		return fmt.Errorf("%w: it has no ID", ErrMessage)
	case !e164.MatchString(m.To):
		return fmt.Errorf("%w: its number is not in E.164 form", ErrMessage)
	case m.Text == "" || !utf8.ValidString(m.Text):
		return fmt.Errorf("%w: its text is empty or not UTF-8", ErrMessage)
	case utf8.RuneCountInString(m.Text) > longestText:
		return fmt.Errorf("%w: its text is longer than %d characters", ErrMessage, longestText)
	case strings.ContainsFunc(m.Text, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }):
		return fmt.Errorf("%w: its text has control characters", ErrMessage)
	}
	return nil
}

// Reporter is a Sender whose gateway tells later what became of a message.
type Reporter interface {
	// Report reads what the gateway posted. public is the URL that it was posted to as the gateway knows it: that of
	// Message.Callback, whatever proxies made of it. ErrForged where it is not shown to come from the gateway.
	Report(r *http.Request, public string) (Report, error)
}

// Report is what became of a message.
type Report struct {
	// ID, Tenant and User are those of the Message.
	ID, Tenant, User string
	// Status is the gateway's own word: "delivered".
	Status string
	// Code is the gateway's code of a failure, else empty.
	Code string
	// Failed: the message was not delivered and will not be.
	Failed bool
}

// CallbackPath is where gateways post their reports to, relative to the issuer.
const CallbackPath = "/callbacks/sms"

// callback is the URL that tells of m. What it names is covered by the gateway's signature.
func callback(base string, m Message) string {
	return base + "?" + url.Values{"message": {m.ID}, "tenant": {m.Tenant}, "user": {m.User}}.Encode()
}

// Whose reads from the URL of a callback which message it is about. ErrForged where it is not one of ours.
func Whose(public string) (Report, error) {
	u, err := url.Parse(public)
	if err != nil {
		return Report{}, fmt.Errorf("%w: its URL can't be read", ErrForged)
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil || len(q) != 3 || len(q["message"]) != 1 || len(q["tenant"]) != 1 || len(q["user"]) != 1 {
		return Report{}, fmt.Errorf("%w: its URL names no message", ErrForged)
	}
	r := Report{ID: q.Get("message"), Tenant: q.Get("tenant"), User: q.Get("user")}
	if r.ID == "" || r.Tenant == "" || r.User == "" {
		return Report{}, fmt.Errorf("%w: its URL names no message", ErrForged)
	}
	return r, nil
}

package mail

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/storage"
)

// Message is one mail to one person.
type Message struct {
	// Tenant is whose user it is for, so that a sender can speak in the tenant's name.
	Tenant string
	// To is a bare address (RFC 5321, section 4.1.2), without a display name.
	To string
	// Subject is one line.
	Subject string
	// Text is the body in plain text; its lines end with LF.
	Text string
	// HTML says the same in HTML; empty where there is none. Mail programs show one of the two, as their users like it.
	HTML string `json:",omitempty"`
	// ID tells the message from all others, over all tries to send it; empty where nobody tries twice.
	ID string `json:",omitempty"`
}

// Sender hands a message over to be delivered.
type Sender interface {
	// Send returns once the message is in safe hands, which is not yet the recipient's. ErrMessage and ErrPermanent mean
	// that trying again is of no use.
	Send(ctx context.Context, m Message) error
}

// Keeper is a Sender that keeps mails for their recipients by itself, so that no queue need stand before it.
type Keeper interface {
	Sender
	Keeps() bool
}

var (
	// ErrMessage: the message is not one that can be sent.
	ErrMessage = errors.New("mail: malformed message")
	// ErrPermanent: the message was refused, and would be again.
	ErrPermanent = errors.New("mail: refused for good")
)

const (
	maxAddress = 254 // RFC 5321, section 4.5.3.1.3, less the angle brackets
	maxSubject = 200 // bytes; so far under the 998 of a line (RFC 5322, section 2.1.1) that its encoding fits too
	maxText    = 32 << 10
	maxHTML    = 32 << 10
)

// Check tells what is wrong with m; the error is ErrMessage. Every Sender calls it first: a line break in an
// address or a subject would let whoever chose it add headers, and so recipients, of his own.
func (m Message) Check() error {
	switch a, err := netmail.ParseAddress(m.To); {
	case len(m.To) > maxAddress || err != nil || a.Name != "" || a.Address != m.To:
		return fmt.Errorf("%w: recipient is not a bare address", ErrMessage)
	case m.Subject == "" || len(m.Subject) > maxSubject || !line(m.Subject):
		return fmt.Errorf("%w: subject is not one line of 1 to %d bytes", ErrMessage, maxSubject)
	case m.Text == "" || len(m.Text) > maxText || !text(m.Text):
		return fmt.Errorf("%w: text is not plain text of 1 to %d bytes", ErrMessage, maxText)
	case len(m.HTML) > maxHTML || !text(m.HTML):
		return fmt.Errorf("%w: HTML is not text of up to %d bytes", ErrMessage, maxHTML)
	case !messageID.MatchString(m.ID):
		return fmt.Errorf("%w: ID is not of letters, digits and hyphens", ErrMessage)
	}
	return nil
}

var messageID = regexp.MustCompile(`^[0-9A-Za-z-]{0,100}$`)

func line(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, storage.Unprintable)
}

func text(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\t'
	})
}

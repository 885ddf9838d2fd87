package twilio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/sallyport-id/sallyport/mfa/sms"
	"github.com/sallyport-id/sallyport/mfa/sms/internal/courier"
)

// Sender hands messages to Twilio. New makes one.
type Sender struct {
	config      Config
	base        *url.URL
	credentials *client.Credentials
	courier     courier.Courier
}

var (
	_ sms.Sender   = (*Sender)(nil)
	_ sms.Reporter = (*Sender)(nil)
)

// Send implements sms.Sender.
//
// Twilio's API has no key by which it knows a repetition. So where it is not clear whether it took the message (no
// answer, an answer that can't be read, or 5xx), the list of its messages is asked first, and the message is sent again
// only if it is not there.
func (s *Sender) Send(ctx context.Context, m sms.Message) error {
	if err := m.Check(); err != nil {
		return err
	}
	trip, end := s.courier.Begin(ctx)
	defer end()
	service := s.service(trip)
	began := s.config.Now()
	for {
		unclear, err := s.create(service, trip, m)
		if !unclear {
			return err
		}
		s.config.Logger.WarnContext(ctx, "twilio: looking whether a message was taken", "message", m.ID, "tenant", m.Tenant, "cause", err)
		if pause := trip.Pause(http.MethodPost); pause != nil {
			return fmt.Errorf("%w; %w", err, pause)
		}
		there, found := s.find(service, trip, m, began)
		switch {
		case there || found != nil:
			return found
		case !trip.Left(http.MethodPost):
			return err
		}
	}
}

// service is Twilio's API on the way of one message. The client takes no context, so it is made for each message.
func (s *Sender) service(trip *courier.Trip) *api.ApiService {
	c := &client.Client{Credentials: s.credentials, HTTPClient: &http.Client{
		Transport:     placed{base: s.base, next: trip},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.SetAccountSid(s.config.AccountSID)
	// Not by the library's constructor, which reads the edge and region from the environment.
	return api.NewApiService(&client.RequestHandler{Client: c})
}

// placed sends requests to the configured place, for the library knows one only.
type placed struct {
	base *url.URL
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (p placed) RoundTrip(req *http.Request) (*http.Response, error) {
	there := req.Clone(req.Context())
	there.URL.Scheme, there.URL.Host, there.Host = p.base.Scheme, p.base.Host, p.base.Host
	return p.next.RoundTrip(there)
}

// create sends m. unclear: Twilio may have taken it, in spite of err.
func (s *Sender) create(service *api.ApiService, trip *courier.Trip, m sms.Message) (unclear bool, err error) {
	params := new(api.CreateMessageParams).SetTo(m.To).SetBody(m.Text).
		// The list must show the text that was sent, or it can't be found there.
		SetSmartEncoded(false)
	if s.config.From != "" {
		params.SetFrom(s.config.From)
	} else {
		params.SetMessagingServiceSid(s.config.MessagingServiceSID)
	}
	if m.Callback != "" && s.config.AuthToken != "" {
		params.SetStatusCallback(m.Callback)
	}
	message, err := service.CreateMessage(params)
	switch status := trip.Status; {
	case err == nil && message.Sid != nil && *message.Sid != "":
		return false, nil
	case err == nil:
		return true, errors.New("twilio: the answer names no message")
	case status >= 400 && status < 500 && status != requestTimeout:
		return false, refusal(status, err)
	case status != 0:
		return true, refusal(status, err)
	default:
		return !trip.Unsent, fmt.Errorf("twilio: %w", courier.Bare(err))
	}
}

// requestTimeout is the status of a server that waited for the rest of the request (RFC 9110, section 15.5.9): what it
// had read by then nobody says.
const requestTimeout = 408

// slack is how much earlier than by our reckoning a message may have come into being.
const slack = 30 * time.Second

// find looks for m among the messages to its number that came into being since it was sent first. An error means that
// it was taken and failed, or that the list doesn't tell: then it is not sent again.
func (s *Sender) find(service *api.ApiService, trip *courier.Trip, m sms.Message, began time.Time) (there bool, err error) {
	// Not by the date of sending, which messages in the queue have not got yet. Newest come first.
	page, err := service.PageMessage(new(api.ListMessageParams).SetTo(m.To).SetPageSize(50), "", "")
	if err != nil {
		return false, fmt.Errorf("twilio: it is not known whether the message was taken: %w", refusal(trip.Status, err))
	}
	// By Twilio's clock, as the messages are: ours may be wrong.
	theirs := trip.Date
	if theirs.IsZero() {
		theirs = s.config.Now()
	}
	since := theirs.Add(-s.config.Now().Sub(began) - slack)
	for _, other := range page.Messages {
		if direction := value(other.Direction); direction == "inbound" {
			continue
		}
		created, err := time.Parse(time.RFC1123Z, value(other.DateCreated))
		switch {
		case err != nil:
			return false, errors.New("twilio: it is not known whether the message was taken: the list has no times")
		case created.Before(since):
		case value(other.Body) == "":
			// The account keeps no texts, so this may be it.
			return false, errors.New("twilio: it is not known whether the message was taken: the list has no texts")
		case strings.TrimSpace(value(other.Body)) != strings.TrimSpace(m.Text):
		case failed(value(other.Status)):
			return true, coded(0, value(other.ErrorCode))
		default:
			return true, nil
		}
	}
	return false, nil
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// failed tells of a message's status whether it is not delivered and will not be.
func failed(status string) bool {
	return slices.Contains([]string{"failed", "undelivered", "canceled"}, status)
}

// refusal is the error of a request that was answered. What the library's error says is left out, because it quotes
// the number.
func refusal(status int, err error) error {
	if rest, ok := errors.AsType[*client.TwilioRestError](err); ok {
		return coded(status, rest.Code)
	}
	if status == 0 {
		return courier.Bare(err)
	}
	if errors.Is(err, courier.ErrRedirect) || errors.Is(err, courier.ErrTooLong) {
		return fmt.Errorf("twilio: status %d: %w", status, courier.Bare(err))
	}
	return fmt.Errorf("twilio: status %d, and an answer that can't be read", status)
}

// coded is the error of a code of Twilio's, where there is one.
func coded(status, code int) error {
	said := fmt.Sprintf("code %d", code)
	if status != 0 {
		said = fmt.Sprintf("status %d, code %d", status, code)
	}
	if slices.Contains(undeliverable[:], code) {
		return fmt.Errorf("twilio: %s: %w", said, sms.ErrUndeliverable)
	}
	return fmt.Errorf("twilio: %s", said)
}

// undeliverable are the codes with which Twilio refuses a number, in its list of errors and warnings. All others are
// about the account, the sender or the moment.
var undeliverable = [...]int{
	21211, // not a number
	21214, // can't be reached
	21217, // does not appear to be valid
	21265, // a short code
	21408, // the account may not send to that region
	21610, // its owner has said STOP
	21612, // can't be reached from this sender
	21614, // not a mobile number
	21635, // a landline
	30003, // unreachable handset
	30004, // blocked
	30005, // unknown handset
	30006, // landline or unreachable carrier
}

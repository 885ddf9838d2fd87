package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/mfa/sms"
	"github.com/sallyport-id/sallyport/mfa/sms/internal/courier"
)

// Config is what a Sender needs. URL is all that must be set.
type Config struct {
	// URL is where messages are posted to: https, or http on this machine.
	URL string
	// Headers go with each request, such as "Authorization". They are secret.
	Headers map[string]string
	// Timeout is the time of one try, of which there are at most three; 0 means 5 s.
	Timeout time.Duration
	// Transport makes the single request; nil means http.DefaultTransport.
	Transport http.RoundTripper
}

// Sender posts messages to a service:
//
//	POST URL
//	Content-Type: application/json
//	Idempotency-Key: ID
//
//	{"id": "ID", "to": "+491701234567", "text": "…", "tenant": "acme"}
//
// The service answers 2xx when it has taken the message, and 400 or 422 when it can't be sent to that number. Everything
// else means that it doesn't take messages just now: after 429 and 5xx, and where no answer came, the message is posted
// again, up to twice, with the same key, by which the service knows it. Redirects are not followed.
type Sender struct {
	url     *url.URL
	headers http.Header
	courier courier.Courier
}

var _ sms.Sender = (*Sender)(nil)

var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$") // RFC 9110, section 5.1

// own are the headers that are the Sender's to set.
var own = [...]string{"Content-Type", "Content-Length", "Idempotency-Key", "Host", "Connection", "Transfer-Encoding"}

// New checks the configuration. Errors don't quote secrets. *sms.ConfigError.
func New(c Config) (*Sender, error) {
	wrong := func(field string, err error) error {
		return fmt.Errorf("sms gateway: %w", &sms.ConfigError{Field: field, Err: err})
	}
	u, err := courier.Endpoint(c.URL)
	if err != nil {
		return nil, wrong("URL", err)
	}
	if c.Timeout < 0 {
		return nil, wrong("Timeout", fmt.Errorf("%v is negative", c.Timeout))
	}
	headers, err := header(c.Headers)
	if err != nil {
		return nil, wrong("Headers", err)
	}
	return &Sender{url: u, headers: headers, courier: courier.Courier{Base: c.Transport, Timeout: c.Timeout}}, nil
}

func header(plain map[string]string) (http.Header, error) {
	h := http.Header{}
	for name, value := range plain {
		switch canonical := http.CanonicalHeaderKey(name); {
		case !headerName.MatchString(name):
			return nil, fmt.Errorf("%q is no name of a header", name)
		case slices.Contains(own[:], canonical):
			return nil, fmt.Errorf("%s is set by the sender", canonical)
		case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return nil, fmt.Errorf("the value of %s has control characters", canonical)
		default:
			h.Set(name, value)
		}
	}
	return h, nil
}

// message is what is posted.
type message struct {
	ID     string `json:"id"`
	To     string `json:"to"`
	Text   string `json:"text"`
	Tenant string `json:"tenant"`
}

// Send implements sms.Sender.
func (s *Sender) Send(ctx context.Context, m sms.Message) error {
	if err := m.Check(); err != nil {
		return err
	}
	body, err := json.Marshal(message{ID: m.ID, To: m.To, Text: m.Text, Tenant: m.Tenant})
	if err != nil {
		return fmt.Errorf("sms gateway: encoding: %w", err)
	}
	trip, end := s.courier.Begin(ctx)
	defer end()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url.String(), bytes.NewReader(body))
	if err != nil {
		return errors.New("sms gateway: the request can't be made")
	}
	req.Header = s.headers.Clone()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", m.ID)
	resp, err := trip.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("sms gateway: %w", courier.Bare(err))
	}
	defer func() { _ = resp.Body.Close() }() // it was read already
	switch status := resp.StatusCode; {
	case status >= 200 && status < 300:
		return nil
	case status == badRequest, status == unprocessable:
		return fmt.Errorf("sms gateway: status %d: %w", status, sms.ErrUndeliverable)
	default:
		return fmt.Errorf("sms gateway: status %d", status)
	}
}

// The statuses with which the service refuses a number (RFC 9110, sections 15.5.1 and 15.5.21).
const (
	badRequest    = 400
	unprocessable = 422
)

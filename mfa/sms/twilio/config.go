package twilio

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"

	"github.com/sallyport-id/sallyport/mfa/sms"
	"github.com/sallyport-id/sallyport/mfa/sms/internal/courier"
)

// defaultBaseURL is Twilio's API in the region us1.
const defaultBaseURL = "https://api.twilio.com"

// Config is what a Sender needs: the account, a credential of it, and what messages are sent from.
type Config struct {
	// AccountSID is the account's: "AC" and 32 hexadecimal digits.
	AccountSID string
	// AuthToken is the account's secret. Requests are made with it unless there is an API key; and reports of what became
	// of messages, which Twilio signs with it, are asked for only where it is set.
	AuthToken string
	// APIKeySID ("SK…") and APIKeySecret are an API key, which can be taken back by itself.
	APIKeySID, APIKeySecret string
	// From is the number (E.164), short code or alphanumeric sender ID that messages come from; MessagingServiceSID
	// ("MG…") is a service that chooses one. One of both is set.
	From                string
	MessagingServiceSID string
	// BaseURL is the API's, for another edge and region: "https://api.dublin.ie1.twilio.com". Empty means
	// "https://api.twilio.com".
	BaseURL string
	// Timeout is the time of one try, of which there are at most three; 0 means 5 s.
	Timeout time.Duration
	// Transport makes the single request; nil means http.DefaultTransport.
	Transport http.RoundTripper
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Logger is told where it was not clear at once whether a message was taken; nil means nobody.
	Logger *slog.Logger
}

// The forms of what Twilio hands out (its OpenAPI description of 2010-04-01), and of who a message may be from.
var (
	accountSID = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)
	apiKeySID  = regexp.MustCompile(`^SK[0-9a-fA-F]{32}$`)
	serviceSID = regexp.MustCompile(`^MG[0-9a-fA-F]{32}$`)
	secret     = regexp.MustCompile(`^[0-9a-zA-Z]{16,}$`)
	number     = regexp.MustCompile(`^(\+[1-9]\d{6,14}|[1-9]\d{2,7})$`)
	senderID   = regexp.MustCompile(`^[0-9A-Za-z +_&-]{1,11}$`)
)

// check tells what is wrong, and quotes no secret: that a field holds the wrong thing often means that it holds another
// field's. *sms.ConfigError.
func (c Config) check() error {
	wrong := func(field, what string) error { return &sms.ConfigError{Field: field, Err: errors.New(what)} }
	switch {
	case !accountSID.MatchString(c.AccountSID):
		return wrong("AccountSID", "it is not “AC” and 32 hexadecimal digits")
	case c.APIKeySID == "" && c.APIKeySecret != "":
		return wrong("APIKeySID", "it is missing, and the API key's secret is there")
	case c.APIKeySID != "" && c.APIKeySecret == "":
		return wrong("APIKeySecret", "it is missing, and the API key's SID is there")
	case c.APIKeySID == "" && c.AuthToken == "":
		return wrong("AuthToken", "there is neither it nor an API key")
	case c.APIKeySID != "" && !apiKeySID.MatchString(c.APIKeySID):
		return wrong("APIKeySID", "it is not “SK” and 32 hexadecimal digits")
	case c.APIKeySecret != "" && !secret.MatchString(c.APIKeySecret):
		return wrong("APIKeySecret", "it is not 16 letters and digits or more")
	case c.AuthToken != "" && !secret.MatchString(c.AuthToken):
		return wrong("AuthToken", "it is not 16 letters and digits or more")
	case c.From == "" && c.MessagingServiceSID == "":
		return wrong("From", "there is neither it nor a messaging service")
	case c.From != "" && c.MessagingServiceSID != "":
		return wrong("From", "there are both it and a messaging service, which chooses the sender itself")
	case c.MessagingServiceSID != "" && !serviceSID.MatchString(c.MessagingServiceSID):
		return wrong("MessagingServiceSID", "it is not “MG” and 32 hexadecimal digits")
	case c.From != "" && !sendable(c.From):
		return wrong("From", fmt.Sprintf("%q is neither a number in E.164 form, a short code nor a sender ID of at most 11 characters with a letter", c.From))
	case c.Timeout < 0:
		return wrong("Timeout", fmt.Sprintf("%v is negative", c.Timeout))
	}
	return nil
}

func sendable(from string) bool {
	letters := strings.ContainsFunc(from, func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' })
	return number.MatchString(from) || letters && senderID.MatchString(from)
}

// New checks the configuration. *sms.ConfigError.
func New(c Config) (*Sender, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("twilio: %w", err)
	}
	if c.BaseURL == "" {
		c.BaseURL = defaultBaseURL
	}
	base, err := courier.Endpoint(c.BaseURL)
	if err == nil && (strings.Trim(base.Path, "/") != "" || base.RawQuery != "") {
		err = errors.New("it has a path or query")
	}
	if err != nil {
		return nil, fmt.Errorf("twilio: %w", &sms.ConfigError{Field: "BaseURL", Err: err})
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Sender{
		config: c, base: base,
		credentials: client.NewCredentials(c.AccountSID, c.AuthToken),
		courier:     courier.Courier{Base: c.Transport, Timeout: c.Timeout, Now: c.Now},
	}
	if c.APIKeySID != "" {
		s.credentials = client.NewCredentials(c.APIKeySID, c.APIKeySecret)
	}
	return s, nil
}

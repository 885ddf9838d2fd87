package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/sms"
	"github.com/sallyport-id/sallyport/mfa/webauthn"
	"github.com/sallyport-id/sallyport/storage"
)

// smsLimits say where text messages are sent to, and how many. Tenants have such limits of their own, so that commands
// about these give the flags a prefix.
type smsLimits struct {
	SMSCountries []string `name:"sms-countries" placeholder:"CODE" env:"SALLYPORT_SMS_COUNTRIES" help:"Countries that text messages are sent to, such as DE,AT; the first is whose numbers need no +."`
	SMSBudget    string   `name:"sms-budget" placeholder:"N" env:"SALLYPORT_SMS_BUDGET" help:"Text messages that each tenant may have sent a day (default: 500)."`
}

// limitsPrefix is that prefix.
const limitsPrefix = "deployment-"

// smsSettings say how text messages are sent.
type smsSettings struct {
	Sender                    string `name:"sms-sender" placeholder:"KIND" env:"SALLYPORT_SMS_SENDER" help:"How text messages are sent: twilio, http, or outbox (not at all: they stay in the database, for trials)."`
	TwilioAccountSID          string `name:"twilio-account-sid" placeholder:"AC…" env:"SALLYPORT_TWILIO_ACCOUNT_SID" help:"Twilio's account."`
	TwilioAuthTokenFile       string `name:"twilio-auth-token-file" placeholder:"FILE" env:"SALLYPORT_TWILIO_AUTH_TOKEN_FILE" help:"File that holds the account's auth token; with it, Twilio reports what became of messages."`
	TwilioAPIKeySID           string `name:"twilio-api-key-sid" placeholder:"SK…" env:"SALLYPORT_TWILIO_API_KEY_SID" help:"API key to send with."`
	TwilioAPIKeySecretFile    string `name:"twilio-api-key-secret-file" placeholder:"FILE" env:"SALLYPORT_TWILIO_API_KEY_SECRET_FILE" help:"File that holds the API key's secret."`
	TwilioFrom                string `name:"twilio-from" placeholder:"NUMBER" env:"SALLYPORT_TWILIO_FROM" help:"Number, short code or sender ID that messages come from."`
	TwilioMessagingServiceSID string `name:"twilio-messaging-service-sid" placeholder:"MG…" env:"SALLYPORT_TWILIO_MESSAGING_SERVICE_SID" help:"Messaging service that chooses the sender, instead of twilio_from."`
	TwilioBaseURL             string `name:"twilio-base-url" placeholder:"URL" env:"SALLYPORT_TWILIO_BASE_URL" help:"API of another region, as https://api.dublin.ie1.twilio.com."`
	URL                       string `name:"sms-url" placeholder:"URL" env:"SALLYPORT_SMS_URL" help:"Where a gateway of your own takes messages."`
	HeadersFile               string `name:"sms-headers-file" placeholder:"FILE" env:"SALLYPORT_SMS_HEADERS_FILE" help:"File that holds headers for it, as “Authorization: Bearer …”, one a line."`
}

// offer is which second steps there are, and what they are made of.
type offer struct {
	kinds   []Factor
	factor  FactorSettings
	sender  *Sender
	sending SenderSettings
}

// make makes the factors. store is zero while settings are only checked.
func (o offer) make(store storage.Store, logger *slog.Logger) ([]mfa.Factor, error) {
	if o.sender != nil {
		o.sending.Messages, o.sending.Logger = store.Messages, logger
		var err error
		if o.factor.Sender, err = o.sender.New(o.sending); err != nil {
			return nil, wrongSender(err)
		}
	}
	var made []mfa.Factor
	for _, k := range o.kinds {
		f, err := k.New(o.factor)
		if err != nil {
			return nil, fmt.Errorf("factor %s: %w", k.ID, err)
		}
		made = append(made, f)
	}
	return made, nil
}

// withDefaults puts on offer what is by default.
func (o *offer) withDefaults(all []Factor) {
	for _, k := range all {
		if k.Default != nil && k.Default(o.factor) && (!k.Sends || o.sender != nil) {
			o.kinds = append(o.kinds, k)
		}
	}
}

// offer finds out which second steps the settings put on offer.
func (c *checker) offer(plugins Plugins, issuer string) offer {
	o := offer{factor: FactorSettings{PasskeyAAGUIDs: c.aaguids(), SMSCountries: c.countries(), SMSBudget: c.budget()}}
	o.sender, o.sending = c.sender(plugins)
	// What is no URL has been found already.
	u, err := url.Parse(issuer)
	if err != nil {
		return o
	}
	o.factor.Issuer = u
	if len(c.Factors) == 0 {
		o.withDefaults(plugins.Factors)
	} else {
		o.kinds = c.named(plugins, o.sender != nil)
	}
	if len(o.factor.PasskeyAAGUIDs) > 0 && !slices.ContainsFunc(o.kinds, func(k Factor) bool { return k.ID == webauthn.ID }) {
		c.add("passkey_aaguids", "it says which passkeys are allowed, and none are on offer", "add webauthn to factors, or leave this out")
	}
	if len(c.found) > 0 {
		return o
	}
	if _, err := o.make(storage.Store{}, slog.New(slog.DiscardHandler)); err != nil {
		c.mistake(err)
	}
	return o
}

// mistake adds what a constructor found.
func (c *checker) mistake(err error) {
	if m, ok := errors.AsType[*Mistake](err); ok {
		c.add(m.Key, m.What, m.Do)
		return
	}
	c.add("factors", err.Error(), "mend it, or leave that factor out")
}

// named are the factors that the settings name.
func (c *checker) named(plugins Plugins, sends bool) []Factor {
	ids := make([]string, len(plugins.Factors))
	for i, k := range plugins.Factors {
		ids[i] = k.ID
	}
	var kinds []Factor
	for i, name := range c.Factors {
		at := slices.Index(ids, name)
		switch {
		case at < 0:
			c.add("factors", fmt.Sprintf("there is no factor %q", name), "choose from "+strings.Join(ids, ", "))
		case slices.Contains(c.Factors[:i], name):
			c.add("factors", fmt.Sprintf("factor %q is there twice", name), "leave one out")
		case plugins.Factors[at].Sends && !sends && c.SMS.Sender == "":
			c.add("factors", fmt.Sprintf("factor %q has nothing to send text messages with", name),
				"set sms_sender to one of "+strings.Join(sorted(plugins.Senders), ", "))
		default:
			kinds = append(kinds, plugins.Factors[at])
		}
	}
	if sends && len(kinds) == len(c.Factors) && !slices.ContainsFunc(kinds, func(k Factor) bool { return k.Sends }) {
		c.add("sms_sender", "it says how text messages are sent, and no factor on offer sends any", "add sms to factors, or leave this out")
	}
	return kinds
}

// sender is the way to send SMS; nil where there is none.
func (c *checker) sender(plugins Plugins) (*Sender, SenderSettings) {
	kinds := strings.Join(sorted(plugins.Senders), ", ")
	kind, known := plugins.Senders[c.SMS.Sender]
	if c.SMS.Sender != "" && !known {
		c.add("sms_sender", fmt.Sprintf("there is no way to send text messages called %q", c.SMS.Sender), "choose from "+kinds)
		return nil, SenderSettings{}
	}
	var s SenderSettings
	for _, f := range c.SMS.fields(&s, c.limits) {
		switch {
		case f.value == "" && len(f.list) == 0:
		case c.SMS.Sender == "":
			c.add(f.key, "it is about text messages, and nothing says how these are sent", "set sms_sender to one of "+kinds)
		case f.into == nil:
		case !slices.Contains(kind.Keys, f.key):
			c.add(f.key, fmt.Sprintf("text messages that are sent by %s have no use for it", c.SMS.Sender), "leave it out, or choose another sms_sender")
		default:
			if err := f.into(f.value); err != nil {
				c.add(f.key, err.Error(), f.do)
			}
		}
	}
	if c.SMS.Sender == "" {
		return nil, s
	}
	if len(c.limits.SMSCountries) == 0 {
		c.add("sms_countries", "nothing says which countries text messages may be sent to",
			"name those that your users have numbers of, such as DE,AT: each one more is one that can be sent to at your cost")
	}
	return &kind, s
}

// smsField is one setting, and where it belongs.
type smsField struct {
	key, value string
	list       []string
	// into takes the value; nil for what all senders have.
	into func(value string) error
	// do is what to do about an error of into.
	do string
}

// fields are all settings of text messages but sms_sender, to be read into s.
func (m smsSettings) fields(s *SenderSettings, l smsLimits) []smsField {
	plain := func(to *string) func(string) error {
		return func(value string) error {
			*to = value
			return nil
		}
	}
	secret := func(to *string) func(string) error {
		return func(path string) (err error) {
			*to, err = readSecret(path)
			return err
		}
	}
	const file = "name a file that holds the secret and nothing else"
	return []smsField{
		{key: "sms_countries", list: l.SMSCountries},
		{key: "sms_budget", value: l.SMSBudget},
		{key: "twilio_account_sid", value: m.TwilioAccountSID, into: plain(&s.AccountSID)},
		{key: "twilio_auth_token_file", value: m.TwilioAuthTokenFile, into: secret(&s.AuthToken), do: file},
		{key: "twilio_api_key_sid", value: m.TwilioAPIKeySID, into: plain(&s.APIKeySID)},
		{key: "twilio_api_key_secret_file", value: m.TwilioAPIKeySecretFile, into: secret(&s.APIKeySecret), do: file},
		{key: "twilio_from", value: m.TwilioFrom, into: plain(&s.From)},
		{key: "twilio_messaging_service_sid", value: m.TwilioMessagingServiceSID, into: plain(&s.MessagingServiceSID)},
		{key: "twilio_base_url", value: m.TwilioBaseURL, into: plain(&s.BaseURL)},
		{key: "sms_url", value: m.URL, into: plain(&s.URL)},
		{key: "sms_headers_file", value: m.HeadersFile, do: "write one header a line, as “Authorization: Bearer …”", into: func(path string) (err error) {
			s.Headers, err = readHeaders(path)
			return err
		}},
	}
}

// wrongSender tells of a field of a sender's configuration as of the setting behind it.
func wrongSender(err error) *Mistake {
	m := &Mistake{Key: "sms_sender", What: err.Error(), Do: "compare it with what your gateway says; deploy/sms.md tells what belongs where"}
	if e, ok := errors.AsType[*sms.ConfigError](err); ok {
		if key := senderKey(e.Field); key != "" {
			m.Key, m.What = key, e.Err.Error()
		}
	}
	return m
}

// senderKey is the setting behind a field of SenderSettings; empty where there is none.
func senderKey(field string) string {
	switch field {
	case "AccountSID":
		return "twilio_account_sid"
	case "AuthToken":
		return "twilio_auth_token_file"
	case "APIKeySID":
		return "twilio_api_key_sid"
	case "APIKeySecret":
		return "twilio_api_key_secret_file"
	case "From":
		return "twilio_from"
	case "MessagingServiceSID":
		return "twilio_messaging_service_sid"
	case "BaseURL":
		return "twilio_base_url"
	case "URL":
		return "sms_url"
	case "Headers":
		return "sms_headers_file"
	}
	return ""
}

// readHeaders reads a file of headers. Errors name lines, and quote none.
func readHeaders(path string) (map[string]string, error) {
	text, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	headers := map[string]string{}
	for i, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if name, value = strings.TrimSpace(name), strings.TrimSpace(value); !ok || name == "" || value == "" {
			return nil, fmt.Errorf("line %d of %s is no header", i+1, path)
		}
		if _, twice := headers[name]; twice {
			return nil, fmt.Errorf("line %d of %s is a header that is there before", i+1, path)
		}
		headers[name] = value
	}
	return headers, nil
}

func (c *checker) countries() []string {
	var codes []string
	for _, text := range c.limits.SMSCountries {
		code := strings.ToUpper(strings.TrimSpace(text))
		if !sms.Country(code) {
			c.add("sms_countries", fmt.Sprintf("%q is no country's code", text), "write ISO 3166-1 codes of two letters, such as DE,AT,GB")
			continue
		}
		codes = append(codes, code)
	}
	return codes
}

func (c *checker) budget() int {
	if c.limits.SMSBudget == "" {
		return 0
	}
	n, err := strconv.Atoi(c.limits.SMSBudget)
	if err != nil || n < 1 {
		c.add("sms_budget", fmt.Sprintf("%q is no number of text messages a day", c.limits.SMSBudget), "give one from 1 up")
		return 0
	}
	return n
}

var aaguid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (c *checker) aaguids() []string {
	for _, id := range c.PasskeyAAGUIDs {
		if lower := strings.ToLower(id); !aaguid.MatchString(lower) || strings.Trim(lower, "0-") == "" {
			c.add("passkey_aaguids", fmt.Sprintf("%q is no model of authenticators", id),
				"write AAGUIDs as their makers list them, such as 2fc0579f-8113-47ea-b116-bb5a8db9202a")
		}
	}
	return c.PasskeyAAGUIDs
}

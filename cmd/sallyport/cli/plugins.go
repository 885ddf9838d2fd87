package cli

import (
	"context"
	"log/slog"
	"net/url"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/sms"
	"github.com/sallyport-id/sallyport/storage"
)

// Plugins are what the configuration can name.
type Plugins struct {
	// Stores are the databases, by the scheme of their URLs.
	Stores map[string]Store
	// Factors are the second steps, the best first. The configuration says which are on offer, and in which order.
	Factors []Factor
	// Senders are the ways to send SMS, by the name that the setting sms_sender has for them.
	Senders map[string]Sender
}

// Store is a kind of database.
type Store struct {
	// Open opens the database at a URL of this kind. It must not hold on to logger for what users do.
	Open func(ctx context.Context, url string, logger *slog.Logger) (storage.Store, error)
	// File, for databases that are a file on this machine, is the file's name. Beside it a master key is made when
	// the database is new.
	File func(url string) string
}

// Factor is a kind of second step.
type Factor struct {
	// ID is the factor's, by which the setting factors names it.
	ID string
	// Sends tells that it sends SMS, and so needs a Sender.
	Sends bool
	// Default tells whether it is on offer where the configuration names no factors; nil is no.
	Default func(s FactorSettings) bool
	// New makes it. It is called to check the settings, and again when the database is open; so it does nothing but look
	// at them. A *Mistake says which of them is wrong.
	New func(s FactorSettings) (mfa.Factor, error)
}

// FactorSettings are what the configuration says that factors are made of.
type FactorSettings struct {
	// Issuer is the deployment's public URL.
	Issuer *url.URL
	// PasskeyAAGUIDs are the models of authenticators that passkeys may be on; none means all.
	PasskeyAAGUIDs []string
	// Sender sends SMS; nil where the configuration names no way to.
	Sender sms.Sender
	// SMSCountries are the countries that SMS are sent to, as ISO 3166-1 alpha-2 codes in upper case.
	SMSCountries []string
	// SMSBudget is how many SMS each tenant may have sent a day; 0 is the factor's own default.
	SMSBudget int
}

// Sender is a way to send SMS.
type Sender struct {
	// Keys are the settings it takes, beside those for all senders.
	Keys []string
	// Kept tells that messages do not leave the deployment.
	Kept bool
	// New makes it, when a Factor's New is called. Errors quote no secrets; what is wrong with a field of
	// SenderSettings is an *sms.ConfigError with the field's name.
	New func(s SenderSettings) (sms.Sender, error)
}

// SenderSettings are what the configuration says that senders are made of. What Sender.Keys does not name is empty.
type SenderSettings struct {
	// AccountSID, AuthToken, APIKeySID, APIKeySecret, From, MessagingServiceSID and BaseURL are Twilio's.
	AccountSID, AuthToken, APIKeySID, APIKeySecret, From, MessagingServiceSID, BaseURL string
	// URL is where a gateway takes messages, Headers what each request to it has.
	URL     string
	Headers map[string]string
	// Messages is where the deployment keeps messages. Its table is nil while settings are only checked.
	Messages storage.Table[storage.Message]
	Logger   *slog.Logger
}

// Mistake is a setting that can't be followed.
type Mistake struct {
	// Key is the setting.
	Key string
	// What is wrong with it, and what to Do.
	What, Do string
}

// Error implements error.
func (m *Mistake) Error() string { return m.Key + ": " + m.What }

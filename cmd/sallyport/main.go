// Command sallyport is the identity provider as one program: it serves, shows itself, checks its configuration and
// manages what is in its database.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/sallyport-id/sallyport/cmd/sallyport/cli"
	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/sms"
	"github.com/sallyport-id/sallyport/mfa/sms/gateway"
	"github.com/sallyport-id/sallyport/mfa/sms/outbox"
	"github.com/sallyport-id/sallyport/mfa/sms/twilio"
	"github.com/sallyport-id/sallyport/mfa/totp"
	"github.com/sallyport-id/sallyport/mfa/webauthn"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/mongo"
	"github.com/sallyport-id/sallyport/storage/sqlite"
)

func main() { os.Exit(cli.Main(os.Args[1:], plugins())) }

// plugins is the one place that names every kind of thing that the configuration can ask for. A program with a factor
// or store of its own is a copy of this file with one more line.
func plugins() cli.Plugins {
	return cli.Plugins{
		Stores: map[string]cli.Store{
			"sqlite":      {Open: openSQLite, File: sqliteFile},
			"mongodb":     {Open: openMongo},
			"mongodb+srv": {Open: openMongo},
		},
		Factors: []cli.Factor{
			{ID: webauthn.ID, New: newPasskeys, Default: func(s cli.FactorSettings) bool { return webauthn.Possible(s.Issuer) }},
			{ID: totp.ID, New: func(cli.FactorSettings) (mfa.Factor, error) { return totp.Factor{}, nil }, Default: always},
			{ID: sms.ID, New: newSMS, Default: always, Sends: true},
		},
		Senders: map[string]cli.Sender{
			"twilio": {New: newTwilio, Keys: []string{
				"twilio_account_sid", "twilio_auth_token_file", "twilio_api_key_sid", "twilio_api_key_secret_file",
				"twilio_from", "twilio_messaging_service_sid", "twilio_base_url",
			}},
			"http":   {New: newGateway, Keys: []string{"sms_url", "sms_headers_file"}},
			"outbox": {New: newOutbox, Kept: true},
		},
	}
}

func always(cli.FactorSettings) bool { return true }

func newPasskeys(s cli.FactorSettings) (mfa.Factor, error) {
	if !webauthn.Possible(s.Issuer) {
		return nil, &cli.Mistake{
			Key: "factors", What: fmt.Sprintf("browsers make no passkeys for %s", s.Issuer),
			Do: "take an issuer with a domain name and https, or http://localhost; or leave webauthn out",
		}
	}
	return webauthn.Factor{AAGUIDs: s.PasskeyAAGUIDs}, nil
}

func newSMS(s cli.FactorSettings) (mfa.Factor, error) {
	return sms.Factor{Sender: s.Sender, Countries: s.SMSCountries, Budget: s.SMSBudget}, nil
}

func newTwilio(s cli.SenderSettings) (sms.Sender, error) {
	return twilio.New(twilio.Config{
		AccountSID: s.AccountSID, AuthToken: s.AuthToken, APIKeySID: s.APIKeySID, APIKeySecret: s.APIKeySecret,
		From: s.From, MessagingServiceSID: s.MessagingServiceSID, BaseURL: s.BaseURL, Logger: s.Logger,
	})
}

func newGateway(s cli.SenderSettings) (sms.Sender, error) {
	return gateway.New(gateway.Config{URL: s.URL, Headers: s.Headers})
}

func newOutbox(s cli.SenderSettings) (sms.Sender, error) {
	return &outbox.Outbox{Messages: s.Messages}, nil
}

func sqliteFile(url string) string { return strings.TrimPrefix(url, "sqlite:") }

func openSQLite(ctx context.Context, url string, logger *slog.Logger) (storage.Store, error) {
	return sqlite.Open(ctx, sqlite.Options{Path: sqliteFile(url), Logger: logger})
}

func openMongo(ctx context.Context, url string, logger *slog.Logger) (storage.Store, error) {
	return mongo.Open(ctx, mongo.Options{URI: url, Logger: logger})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/mfa/sms"
	"github.com/sallyport-id/sallyport/mfa/sms/twilio"
)

// message is one as the provider sends it.
func message() sms.Message {
	return sms.Message{
		ID: "m1", Tenant: "northwind", User: "sam", To: to,
		Text:     "Your Northwind Joinery code is 123456.\n\n@login.northwind.example #123456",
		Callback: "https://login.northwind.example" + sms.CallbackPath + "?message=m1&tenant=northwind&user=sam",
	}
}

// sends lets the Sender hand over messages in each way it can be set up, and sees that it keeps to the contract.
func sends(ctx context.Context, s *server) error {
	for _, try := range []struct {
		name   string
		config twilio.Config
		lose   int
		want   []string
	}{
		{
			"account and token, number",
			twilio.Config{AuthToken: token, From: from},
			0,
			[]string{"POST 201 AC Body From SmartEncoded StatusCallback To"},
		},
		{
			"account and token, messaging service",
			twilio.Config{AuthToken: token, MessagingServiceSID: service},
			0,
			[]string{"POST 201 AC Body MessagingServiceSid SmartEncoded StatusCallback To"},
		},
		{
			"API key, number",
			twilio.Config{APIKeySID: keySID, APIKeySecret: keyPass, From: from},
			0,
			[]string{"POST 201 SK Body From SmartEncoded To"},
		},
		{
			"API key, token for reports, messaging service",
			twilio.Config{APIKeySID: keySID, APIKeySecret: keyPass, AuthToken: token, MessagingServiceSID: service},
			0,
			[]string{"POST 201 SK Body MessagingServiceSid SmartEncoded StatusCallback To"},
		},
		{
			// The description's example of a list doesn't have the message, so it is sent again.
			"an answer lost, looked for, sent again",
			twilio.Config{AuthToken: token, From: from},
			1,
			[]string{
				"POST 201 AC Body From SmartEncoded StatusCallback To",
				"GET 200 AC PageSize To",
				"POST 201 AC Body From SmartEncoded StatusCallback To",
			},
		},
	} {
		w := &watch{contract: s.contract, lose: try.lose}
		try.config.AccountSID, try.config.BaseURL = account, s.url
		try.config.Transport, try.config.Timeout = w, 10*time.Second
		sender, err := twilio.New(try.config)
		if err == nil {
			err = sender.Send(ctx, message())
		}
		if err = errors.Join(append(w.wrong, err)...); err != nil {
			return fmt.Errorf("%s: %w", try.name, err)
		}
		if !slices.Equal(w.seen, try.want) {
			return fmt.Errorf("%s: it made the requests %q, want %q", try.name, w.seen, try.want)
		}
		fmt.Printf("%s: taken\n", try.name)
	}
	return nil
}

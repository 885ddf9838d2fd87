package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	account = "AC0123456789abcdef0123456789abcdef"
	token   = "fedcba9876543210fedcba9876543210"
	keySID  = "SK0123456789abcdef0123456789abcdef"
	keyPass = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4"
	service = "MG0123456789abcdef0123456789abcdef"
	from    = "+15005550006"
	to      = "+4915123456789"
)

// request is one that the Sender doesn't make.
type request struct {
	name, method, account string
	anonymous             bool
	values                url.Values
	// want is what is found wrong with it; nothing where it is empty.
	want string
}

// refuses sees that what is wrong with a request is found: that Prism and the watch hold it to the contract.
func refuses(ctx context.Context, s *server) error {
	const post, get = http.MethodPost, http.MethodGet
	hello := func(name, value string) url.Values { return url.Values{"To": {to}, "Body": {"Hello"}, name: {value}} }
	tries := []request{
		{"nothing wrong", post, account, false, hello("From", from), ""},
		{"no number", post, account, false, url.Values{"Body": {"Hello"}}, "must have required property 'To'"},
		{"a service that is none", post, account, false, hello("MessagingServiceSid", "MG1"), "property MessagingServiceSid must match pattern"},
		{"a callback that is no URL", post, account, false, hello("StatusCallback", "to here"), `must match format \"uri\"`},
		{"neither true nor false", post, account, false, hello("SmartEncoded", "perhaps"), "SmartEncoded must be boolean"},
		{"an unknown field", post, account, false, hello("Sender", from), "POST has Sender"},
		{"an account that is none", post, "AC1", false, hello("From", from), "accountsid must match pattern"},
		{"no credentials", post, account, true, hello("From", from), "status 401"},
		{"too long a list", get, account, false, url.Values{"PageSize": {"1001"}}, "pagesize must be <= 1000"},
		{"an unknown parameter", get, account, false, url.Values{"Recipient": {to}}, "GET has Recipient"},
	}
	for _, try := range tries {
		w := &watch{contract: s.contract}
		if err := try.send(ctx, s.url, w); err != nil {
			return fmt.Errorf("%s: %w", try.name, err)
		}
		if got := fmt.Sprint(errors.Join(w.wrong...)); len(w.wrong) == 0 != (try.want == "") || !strings.Contains(got, try.want) && try.want != "" {
			return fmt.Errorf("%s: want found %q, but found was %s", try.name, try.want, got)
		}
	}
	fmt.Printf("%d requests that break the contract: refused, for what is wrong with them\n", len(tries)-1)
	return nil
}

// send makes the request.
func (try request) send(ctx context.Context, to string, w *watch) error {
	to += strings.Replace(messages, "{AccountSid}", try.account, 1)
	body := ""
	if try.method == http.MethodPost {
		body = try.values.Encode()
	} else {
		to += "?" + try.values.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, try.method, to, strings.NewReader(body))
	if err != nil {
		return err
	}
	if try.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if !try.anonymous {
		req.SetBasicAuth(account, token)
	}
	resp, err := (&http.Client{Transport: w, Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

package twilio

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/twilio/twilio-go/client"

	"github.com/sallyport-id/sallyport/mfa/sms"
)

// sign makes the signature of Twilio's description: HMAC-SHA1 over the URL and all that is posted, by name.
func sign(key, public string, posted url.Values) string {
	h := hmac.New(sha1.New, []byte(key))
	h.Write([]byte(public))
	for _, name := range slices.Sorted(maps.Keys(posted)) {
		h.Write([]byte(name + posted[name][0]))
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// TestPublishedSignature: the example of Twilio's documentation ("Validating requests") comes out of our own making of
// signatures, with which the other tests sign, and of the library's check.
func TestPublishedSignature(t *testing.T) {
	const public, signature = "https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8="
	posted := map[string]string{
		"CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309", "To": "+18005551212",
	}
	values := url.Values{}
	for name, value := range posted {
		values.Set(name, value)
	}
	if got := sign("12345", public, values); got != signature {
		t.Errorf("%s", got)
	}
	validator := client.NewRequestValidator("12345")
	if !validator.Validate(public, posted, signature) {
		t.Error("the library refuses it")
	}
}

const public = "https://login.example.com/callbacks/sms?message=m1&tenant=acme&user=alice"

// callback is what Twilio posts.
func callback(status, code string) url.Values {
	v := url.Values{
		"AccountSid": {account}, "MessageSid": {"SM1"}, "MessageStatus": {status}, "SmsSid": {"SM1"}, "SmsStatus": {status},
		"From": {from}, "To": {to}, "ApiVersion": {"2010-04-01"},
	}
	if code != "" {
		v.Set("ErrorCode", code)
	}
	return v
}

func post(body, signature string) *http.Request {
	// As the server behind a proxy sees it: another host, and plain.
	r := httptest.NewRequest(http.MethodPost, "http://10.0.0.1:8080/callbacks/sms?message=m1&tenant=acme&user=alice", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", signature)
	return r
}

func TestReport(t *testing.T) {
	s := newTwilio(t).sender()
	for _, c := range []struct {
		status, code string
		failed       bool
	}{
		{"queued", "", false},
		{"sent", "", false},
		{"delivered", "", false},
		{"undelivered", "30006", true},
		{"failed", "30008", true},
		{"canceled", "", true},
	} {
		v := callback(c.status, c.code)
		got, err := s.Report(post(v.Encode(), sign(token, public, v)), public)
		want := sms.Report{ID: "m1", Tenant: "acme", User: "alice", Status: c.status, Code: c.code, Failed: c.failed}
		if err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
	}
	// What Twilio adds one day is signed too.
	v := callback("delivered", "")
	v.Set("RawDlrDoneDate", "2602030405")
	if _, err := s.Report(post(v.Encode(), sign(token, public, v)), public); err != nil {
		t.Error(err)
	}
}

func TestForgedReport(t *testing.T) {
	s := newTwilio(t).sender()
	good := callback("delivered", "")
	signature := sign(token, public, good)
	if _, err := s.Report(post(good.Encode(), signature), public); err != nil {
		t.Fatal(err)
	}
	change := func(name, value string) url.Values {
		v := maps.Clone(good)
		v.Set(name, value)
		return v
	}
	bob := strings.Replace(public, "alice", "bob", 1)
	keyOnly := newTwilio(t).sender(func(c *Config) { c.AuthToken, c.APIKeySID, c.APIKeySecret = "", keySID, keyPass })
	for _, c := range []struct {
		name   string
		sender *Sender
		r      *http.Request
		public string
	}{
		{"no signature", s, post(good.Encode(), ""), public},
		{"another's signature", s, post(good.Encode(), sign(keyPass, public, good)), public},
		{"signature of nothing", s, post(good.Encode(), sign("", public, good)), public},
		{"another status", s, post(change("MessageStatus", "failed").Encode(), signature), public},
		{"one thing more", s, post(change("ErrorCode", "30006").Encode(), signature), public},
		{"another user", s, post(good.Encode(), signature), bob},
		{"another URL", s, post(good.Encode(), signature), strings.Replace(public, "login", "evil", 1)},
		{"plain URL", s, post(good.Encode(), signature), strings.Replace(public, "https", "http", 1)},
		{"a second status", s, post(good.Encode()+"&MessageStatus=failed", signature), public},
		{"another account, signed", s, post(change("AccountSid", "ACx").Encode(), sign(token, public, change("AccountSid", "ACx"))), public},
		{"no status, signed", s, post(change("MessageStatus", "").Encode(), sign(token, public, change("MessageStatus", ""))), public},
		{"no message, signed", s, post(good.Encode(), sign(token, "https://login.example.com/callbacks/sms", good)), "https://login.example.com/callbacks/sms"},
		{"nothing posted", s, post("", signature), public},
		{"not a form", s, post("%zz", signature), public},
		{"too much", s, post(change("Padding", strings.Repeat("x", 64<<10)).Encode(), signature), public},
		{"got, not posted", s, httptest.NewRequest(http.MethodGet, "/callbacks/sms", nil), public},
		{"none was asked for", keyOnly, post(good.Encode(), sign("", public, good)), public},
	} {
		got, err := c.sender.Report(c.r, c.public)
		if !errors.Is(err, sms.ErrForged) || got != (sms.Report{}) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func FuzzReport(f *testing.F) {
	good := callback("delivered", "")
	f.Add(good.Encode(), sign(token, public, good), public)
	f.Add("MessageStatus=failed", "", public)
	f.Add("a=b&a=c", "x", "https://x/\x7f")
	s, err := New(Config{AccountSID: account, AuthToken: token, From: from})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body, signature, public string) {
		if got, err := s.Report(post(body, signature), public); err == nil && (got.ID != "m1" || got.User != "alice" || got.Tenant != "acme") {
			t.Errorf("%+v of %q", got, body)
		}
	})
}

package totp

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/pquerna/otp"

	"github.com/sallyport-id/sallyport/mfa"
)

func TestOptions(t *testing.T) {
	for _, c := range []struct{ digits, algorithm string }{{"", ""}, {"6", "SHA1"}, {"8", "SHA256"}} {
		u := alice
		u.Options = map[string]string{"totp.digits": c.digits, "totp.algorithm": c.algorithm}
		ch, err := Factor{}.Enroll(context.Background(), u, "")
		if err != nil {
			t.Fatal(err)
		}
		uri, err := url.Parse(ch.Prompt.URI)
		if err != nil {
			t.Fatal(err)
		}
		digits, algorithm := max(c.digits, "6"), max(c.algorithm, "SHA1")
		if q := uri.Query(); q.Get("digits") != digits || q.Get("algorithm") != algorithm || q.Get("period") != "30" {
			t.Errorf("%+v gives %s", c, ch.Prompt.URI)
		}
		if got := strconv.Itoa(ch.Prompt.Input.Digits); got != digits {
			t.Errorf("%+v asks for %s digits", c, got)
		}
		if secret, err := base32NoPad.DecodeString(ch.Prompt.Secret); err != nil || len(secret) != 20 {
			t.Errorf("the secret has %d bytes, %v", len(secret), err)
		}
	}
	for _, options := range []map[string]string{
		{"totp.digits": "7"},
		{"totp.digits": "six"},
		{"totp.digits": "-6"},
		{"totp.algorithm": "MD5"},
		{"totp.algorithm": "sha1"},
		{"totp.algorithm": "SHA512"},
	} {
		u := alice
		u.Options = options
		if _, err := (Factor{}).Enroll(context.Background(), u, ""); err == nil || errors.Is(err, mfa.ErrWrong) {
			t.Errorf("%v: %v", options, err)
		}
	}
}

func TestURI(t *testing.T) {
	const query = "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=%s&algorithm=SHA1&digits=6&period=30"
	for _, c := range []struct {
		issuer, account string
		label, param    string // as they stand in the URI
	}{
		{"Example", "alice@example.com", "Example:alice%40example.com", "Example"},
		{"Big & Sons?", "a b+c@x.org", "Big%20%26%20Sons%3F:a%20b%2Bc%40x.org", "Big%20%26%20Sons%3F"},
		{"A/B: #1 100%", "a/../b", "A%2FB%20%231%20100%25:a%2F..%2Fb", "A%2FB%20%231%20100%25"},
		{"Größe", "日本", "Gr%C3%B6%C3%9Fe:%E6%97%A5%E6%9C%AC", "Gr%C3%B6%C3%9Fe"},
		{"x&secret=AAAA", "y&issuer=Bank", "x%26secret%3DAAAA:y%26issuer%3DBank", "x%26secret%3DAAAA"},
		{"bad\xff", "\nlines\r\n", "bad%EF%BF%BD:lines", "bad%EF%BF%BD"},
		{"Example", "", "Example:alice", "Example"},
	} {
		u := mfa.User{Tenant: "acme", ID: "alice", Issuer: c.issuer, Account: c.account}
		got := rfcKey("SHA1", 6).uri(u)
		if want := "otpauth://totp/" + c.label + fmt.Sprintf(query, c.param); got != want {
			t.Errorf("%q, %q:\n got %s\nwant %s", c.issuer, c.account, got, want)
		}
		// What an app reads from it.
		key, err := otp.NewKeyFromURL(got)
		if err != nil {
			t.Fatal(err)
		}
		issuer, err := url.QueryUnescape(c.param)
		if err != nil {
			t.Fatal(err)
		}
		if key.Issuer() != issuer || key.Secret() != rfcKey("SHA1", 6).Secret || key.Period() != 30 {
			t.Errorf("an app reads %q, %q, %d from %s", key.Issuer(), key.Secret(), key.Period(), got)
		}
	}
	if got := rfcKey("SHA1", 6).uri(mfa.User{ID: "alice"}); strings.Contains(got, "issuer") || !strings.HasPrefix(got, "otpauth://totp/alice?") {
		t.Errorf("without an issuer: %s", got)
	}
}

package totp

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/sallyport-id/sallyport/mfa"
)

// maxURI is more than a key URI with the longest names needs, in bytes.
const maxURI = 2048

// Import implements mfa.Importer: from is a key in the Key URI Format, otpauth://totp/…?secret=…, as it stands in QR
// codes. Codes up to now are spent with it, so that one that was seen elsewhere is not good here.
func (f Factor) Import(_ context.Context, u mfa.User, from string) (mfa.Credential, error) {
	k, err := readURI(from)
	if err != nil {
		return mfa.Credential{}, &mfa.Refused{Reason: mfa.Malformed, Err: err}
	}
	k.Tenant, k.User, k.Last = u.Tenant, u.ID, f.step()
	if err := k.check(u); err != nil {
		return mfa.Credential{}, &mfa.Refused{Reason: mfa.Malformed, Err: err}
	}
	data, err := mfa.Pack(k)
	if err != nil {
		return mfa.Credential{}, err
	}
	return mfa.Credential{Data: data, Left: -1}, nil
}

// readURI reads a key. Its errors never quote it.
func readURI(from string) (key, error) {
	if len(from) > maxURI {
		return key{}, fmt.Errorf("the otpauth URI has more than %d characters", maxURI)
	}
	// The errors of url.Parse and url.ParseQuery quote what they read.
	uri, err := url.Parse(from)
	if err != nil || uri.Scheme != "otpauth" {
		return key{}, errors.New("it is no otpauth URI, such as otpauth://totp/Name?secret=…")
	}
	if uri.Host != "totp" {
		return key{}, errors.New("only otpauth://totp/ is for codes that hang on the time")
	}
	q, err := url.ParseQuery(uri.RawQuery)
	if err != nil {
		return key{}, errors.New("the otpauth URI is not well-formed behind the question mark")
	}
	one := func(name, missing string) string {
		if v := q.Get(name); v != "" {
			return v
		}
		return missing
	}
	if one("period", strconv.Itoa(period)) != strconv.Itoa(period) {
		return key{}, fmt.Errorf("the period is not %d seconds, and apps keep to no other", period)
	}
	digits, err := strconv.Atoi(one("digits", "6"))
	if err != nil {
		return key{}, errors.New("digits are neither 6 nor 8")
	}
	secret := strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "=", "").Replace(q.Get("secret")))
	if secret == "" {
		return key{}, errors.New("the otpauth URI has no secret")
	}
	return key{Secret: secret, Digits: digits, Algorithm: strings.ToUpper(one("algorithm", "SHA1"))}, nil
}

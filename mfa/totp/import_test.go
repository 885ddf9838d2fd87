package totp

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/mfa"
)

func TestImportedKeyMakesTheCodesOfTheApp(t *testing.T) {
	const noon = 1_750_000_020
	for _, k := range []key{rfcKey("SHA1", 6), rfcKey("SHA1", 8), rfcKey("SHA256", 6)} {
		for _, uri := range []string{
			k.uri(alice), strings.ToLower(k.uri(alice)), strings.Replace(k.uri(alice), k.Secret, k.Secret[:4]+"%20"+k.Secret[4:]+"%3D%3D", 1),
		} {
			f := at(noon)
			c, err := f.Import(context.Background(), alice, uri)
			if err != nil {
				t.Fatalf("%s: %v", uri, err)
			}
			if _, err := verify(t, f, code(t, k, noon/30), c); !errors.Is(err, mfa.ErrWrong) {
				t.Errorf("a code from before the import: %v", err)
			}
			if _, err := verify(t, at(noon+30), code(t, k, noon/30+1), c); err != nil {
				t.Errorf("%s: %v", uri, err)
			}
		}
	}
	bare, err := at(noon).Import(context.Background(), alice, "otpauth://totp/x?secret="+rfcKey("SHA1", 6).Secret)
	if err != nil || bare.Left >= 0 {
		t.Errorf("with nothing but the secret: %+v, %v", bare, err)
	}
}

func TestImportOfWhatIsNoKeyIsRefusedWithoutQuotingIt(t *testing.T) {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for uri, words := range map[string]string{
		"":                           "no otpauth URI",
		secret:                       "no otpauth URI",
		"https://totp/?s=" + secret:  "no otpauth URI",
		"otpauth://%zz/?s=" + secret: "no otpauth URI",
		"otpauth://hotp/x?secret=" + secret + "&counter=1": "hang on the time",
		"otpauth://totp/x":                                        "no secret",
		"otpauth://totp/x?secret=" + secret + ";%zz":              "question mark",
		"otpauth://totp/x?secret=" + secret[:16]:                  "shorter",
		"otpauth://totp/x?secret=" + secret + "!":                 "base32",
		"otpauth://totp/x?secret=" + secret + "&period=60":        "period",
		"otpauth://totp/x?secret=" + secret + "&digits=7":         "digits",
		"otpauth://totp/x?secret=" + secret + "&digits=six":       "digits",
		"otpauth://totp/x?secret=" + secret + "&algorithm=SHA512": "algorithm",
		"otpauth://totp/x?secret=" + strings.Repeat(secret, 100):  "more than",
	} {
		_, err := Factor{}.Import(context.Background(), alice, uri)
		refused, ok := errors.AsType[*mfa.Refused](err)
		if !ok || refused.Reason != mfa.Malformed || !strings.Contains(refused.Err.Error(), words) || strings.Contains(err.Error(), secret[:16]) {
			t.Errorf("%.60s: %v, want %q", uri, err, words)
		}
	}
}

// FuzzImport feeds it texts of any kind: it never panics, and what it accepts is a whole key.
func FuzzImport(f *testing.F) {
	for _, k := range []key{rfcKey("SHA1", 6), rfcKey("SHA256", 8)} {
		f.Add(k.uri(alice))
	}
	f.Add("otpauth://totp/?secret=&period=&digits=")
	f.Fuzz(func(t *testing.T, from string) {
		c, err := Factor{}.Import(context.Background(), alice, from)
		if err != nil {
			return
		}
		if k, err := open(c, alice); err != nil || k.Last == 0 {
			t.Fatalf("%q became %+v, %v", from, k, err)
		}
	})
}

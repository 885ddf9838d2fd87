package sms

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/mfa"
)

func TestNumber(t *testing.T) {
	f := newWorld().factor(t) // Germany, Austria, the United States
	for _, c := range []struct {
		name, input, want string
		refused           mfa.Refusal
	}{
		{"as in Germany", "0151 23456789", mobile, ""},
		{"with slash and hyphen", "(0151) / 2345-6789", mobile, ""},
		{"with country code", "+49 151 23456789", mobile, ""},
		{"with 00", "0049 151 23456789", mobile, ""},
		{"with a zero too many", "+49 (0)151 23456789", mobile, ""},
		{"full width", "＋４９ １５１ ２３４５６７８９", mobile, ""},
		{"Arabic digits", "٠١٥١ ٢٣٤٥٦٧٨٩", mobile, ""},
		{"out of an address book", "\u202a+49\u00a0151\u201023456789\u202c", mobile, ""},
		{"Austria", "+43 664 12345678", "+4366412345678", ""},
		{"United States", "+1 (202) 555-0123", "+12025550123", ""},

		{"Canada", "+1 416 555 0123", "", mfa.Country},
		{"France", "+33 6 12 34 56 78", "", mfa.Country},
		{"Switzerland", "0041 78 123 45 67", "", mfa.Country},
		{"satellite", "+881 612345678", "", mfa.Country},

		{"nothing", "", "", mfa.Malformed},
		{"blank", " \t", "", mfa.Malformed},
		{"letters", "0800 FLOWERS", "", mfa.Malformed},
		{"letters behind", "0151 23456789 ext 5", "", mfa.Malformed},
		{"extension", "0151 23456789 x5", "", mfa.Malformed},
		{"parameters", "tel:+49-151-23456789;ext=5", "", mfa.Malformed},
		{"too short", "+49 151", "", mfa.Malformed},
		{"too long", "+49 151 2345678901234", "", mfa.Malformed},
		{"no such country code", "+999 151 23456789", "", mfa.Malformed},
		{"landline", "+49 30 901820", "", mfa.Malformed},
		{"free of charge", "+49 800 3301000", "", mfa.Malformed},
		{"premium rate", "+49 900 1123456", "", mfa.Malformed},
		{"premium rate in the United States", "+1 900 253 0000", "", mfa.Malformed},
		{"emergency", "112", "", mfa.Malformed},
		{"two numbers", "0151 23456789, 0151 23456780", "", mfa.Malformed},
		{"markup", "<b>0151 23456789</b>", "", mfa.Malformed},
		{"zero byte", "0151 23456789\x00", "", mfa.Malformed},
		{"new line", "0151 23456789\n+33612345678", "", mfa.Malformed},
		{"not UTF-8", "0151 2345678\xff", "", mfa.Malformed},
		{"very long", strings.Repeat("0", 1<<20), "", mfa.Malformed},
	} {
		got, err := f.number(alice, c.input)
		if got != c.want || c.refused != "" && !refused(err, c.refused) || c.refused == "" && err != nil {
			t.Errorf("%s: %q, %v; want %q %s", c.name, got, err, c.want, c.refused)
		}
	}
}

func TestAllowed(t *testing.T) {
	f := newWorld().factor(t)
	for _, c := range []struct {
		option string
		want   []string
		german mfa.Refusal
	}{
		{"", []string{"DE", "AT", "US"}, ""},
		{"DE", []string{"DE"}, ""},
		{"at, de", []string{"AT", "DE"}, ""},
		{"AT,US,AT", []string{"AT", "US"}, mfa.Country},
		{"FR", []string{}, mfa.Country}, // a tenant can't add to the deployment's
		{"nonsense,,", []string{}, mfa.Country},
		{"DE,FR", []string{"DE"}, ""},
	} {
		u := alice
		u.Options = map[string]string{"sms.countries": c.option}
		if got := f.Allowed(u); !slices.Equal(got, c.want) || got == nil {
			t.Errorf("%q allows %q", c.option, got)
		}
		_, err := f.number(u, mobile)
		if c.german == "" && err != nil || c.german != "" && !refused(err, c.german) {
			t.Errorf("%q: %v", c.option, err)
		}
		if r, ok := errors.AsType[*mfa.Refused](err); ok && !slices.Equal(r.Allowed, c.want) {
			t.Errorf("%q tells %q", c.option, r.Allowed)
		}
	}
	// What is returned is the caller's own.
	f.Allowed(alice)[0] = "FR"
	if f.Allowed(alice)[0] != "DE" {
		t.Error("the deployment's list was changed")
	}
	// Without "+" it is a number of the tenant's first country.
	u := alice
	u.Options = map[string]string{"sms.countries": "AT,DE"}
	if got, err := f.number(u, "0664 12345678"); got != "+4366412345678" {
		t.Errorf("%q, %v", got, err)
	}
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{mobile, "0151 23456789", "+1 650 253 0000", "+49;phone-context=x", "٠١٥١ ٢٣٤٥٦٧٨٩", "+", "//", "0049", "\u202a+49"} {
		f.Add(s)
	}
	factor := newWorld().factor(f)
	f.Fuzz(func(t *testing.T, input string) {
		got, err := factor.number(alice, input)
		if err != nil {
			if got != "" || !isRefused(err) {
				t.Fatalf("%q: %q, %v", input, got, err)
			}
			return
		}
		again, err := factor.number(alice, got)
		if !e164.MatchString(got) || factor.permitted(alice, got) != nil || err != nil || again != got {
			t.Errorf("%q became %q, and that %q, %v", input, got, again, err)
		}
	})
}

// FuzzState: nothing but what was sealed for this user is a challenge or credential of hers.
func FuzzState(f *testing.F) {
	w := newWorld()
	w.quota.free = true
	factor := w.factor(f)
	setUp, err := factor.Enroll(f.Context(), alice, mobile)
	if err != nil {
		f.Fatal(err)
	}
	_, code := w.last(f)
	c, err := factor.Confirm(f.Context(), alice, setUp, code)
	if err != nil {
		f.Fatal(err)
	}
	ch, err := factor.Challenge(f.Context(), alice, []mfa.Credential{c})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(ch.State, c.Data, code)
	f.Add(setUp.State, c.Data, code)
	f.Add([]byte(`{"factor":"sms","id":"x","tenant":"acme","user":"alice","credential":"y","number":"+4915123456789","codes":[{}]}`), []byte("null"), "123456")
	_, right := w.last(f)
	f.Fuzz(func(t *testing.T, state, data []byte, answer string) {
		changed := c
		changed.Data = data
		got, err := factor.Verify(t.Context(), alice, []mfa.Credential{changed}, mfa.Challenge{State: state}, answer)
		if err == nil && answer != right {
			t.Errorf("%q was accepted for %s", answer, state)
		}
		if (err == nil) != (len(got.Data) > 0) {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := factor.Challenge(t.Context(), alice, []mfa.Credential{changed}); err == nil {
			if _, err := readKept(changed, alice); err != nil {
				t.Errorf("asked %s: %v", data, err)
			}
		}
	})
}

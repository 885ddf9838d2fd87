package sms

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"github.com/sallyport-id/sallyport/mfa"
)

// longestInput is the most bytes of a number as people write it.
const longestInput = 64

// Allowed are the countries whose numbers u can use, as ISO 3166-1 alpha-2 codes: those of the deployment, or of them
// what the tenant's option "sms.countries" (separated by commas) names. The first is whose numbers need no "+".
func (f Factor) Allowed(u mfa.User) []string {
	option := strings.TrimSpace(u.Options["sms.countries"])
	if option == "" {
		return slices.Clone(f.Countries)
	}
	allowed := []string{}
	for c := range strings.SplitSeq(option, ",") {
		if c = strings.ToUpper(strings.TrimSpace(c)); slices.Contains(f.Countries, c) && !slices.Contains(allowed, c) {
			allowed = append(allowed, c)
		}
	}
	return allowed
}

// Country tells whether code is the ISO 3166-1 alpha-2 code, in upper case, of a country with telephones.
func Country(code string) bool { return phonenumbers.GetSupportedRegions()[code] }

// countries checks the deployment's list and returns it in upper case.
func countries(codes []string) ([]string, error) {
	if len(codes) == 0 {
		return nil, errors.New("sms: Countries is empty: name those that are sent to, as ISO 3166-1 alpha-2 codes")
	}
	checked := make([]string, 0, len(codes))
	for _, c := range codes {
		upper := strings.ToUpper(strings.TrimSpace(c))
		if !Country(upper) {
			return nil, fmt.Errorf("sms: Countries: %q is no ISO 3166-1 alpha-2 code of a country with telephones", c)
		}
		if !slices.Contains(checked, upper) {
			checked = append(checked, upper)
		}
	}
	return checked, nil
}

// number reads what u typed, and returns it in E.164 form. Malformed or Country.
func (f Factor) number(u mfa.User, input string) (string, error) {
	written, ok := readable(input)
	if !ok {
		return "", &mfa.Refused{Reason: mfa.Malformed}
	}
	allowed := f.Allowed(u)
	home := ""
	if len(allowed) > 0 {
		home = allowed[0]
	}
	n, err := phonenumbers.Parse(written, home)
	// Of what is readable, nothing begins an extension.
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return "", &mfa.Refused{Reason: mfa.Malformed}
	}
	if err := sentTo(allowed, n); err != nil {
		return "", err
	}
	switch phonenumbers.GetNumberType(n) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE:
	default: // a landline, a service or an Internet telephone: no text arrives, or not at a device that one person has
		return "", &mfa.Refused{Reason: mfa.Malformed}
	}
	to := phonenumbers.Format(n, phonenumbers.E164)
	if !e164.MatchString(to) {
		return "", &mfa.Refused{Reason: mfa.Malformed}
	}
	return to, nil
}

// permitted tells whether a number that was set up before is still one that is sent to: lists change.
func (f Factor) permitted(u mfa.User, to string) error {
	n, err := phonenumbers.Parse(to, "")
	if err != nil {
		return &mfa.Refused{Reason: mfa.Malformed}
	}
	return sentTo(f.Allowed(u), n)
}

func sentTo(allowed []string, n *phonenumbers.PhoneNumber) error {
	if slices.Contains(allowed, phonenumbers.GetRegionCodeForNumber(n)) {
		return nil
	}
	return &mfa.Refused{Reason: mfa.Country, Allowed: allowed}
}

// readable takes out what address books put around numbers without it showing (marks of direction, joiners), and
// refuses what no number has. Letters are refused: the library would read them as the digits of their keys.
func readable(input string) (string, bool) {
	if len(input) > longestInput {
		return "", false
	}
	var b strings.Builder
	for _, r := range strings.TrimSpace(input) {
		switch {
		case unicode.Is(unicode.Cf, r):
		case unicode.IsDigit(r), unicode.Is(unicode.Zs, r), unicode.Is(unicode.Pd, r), strings.ContainsRune("+＋.()/", r):
			b.WriteRune(r)
		default:
			return "", false
		}
	}
	return b.String(), true
}

// mask leaves of a number what its owner knows it by.
func mask(number string) string { return "•••• " + number[len(number)-3:] }
